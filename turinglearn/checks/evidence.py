"""What scores mean: a sign, a level without prior, and a gradient that is theirs."""

from __future__ import annotations

from typing import Any

import numpy as np

from turinglearn.arrays import like, to_numpy
from turinglearn.checks.judging import taught
from turinglearn.checks.problem import N, close, seeded
from turinglearn.checks.suite import Inapplicable, Subject, expect, rests_on
from turinglearn.contract import differentiate, examine, update
from turinglearn.protocols import Array, Batch, LogOdds

__all__ = ["TRIALS"]

_UPDATES = 300  # at most, for judges that learn in steps
_STEPS = (1e-5, 3e-3)  # of differences, in units of each feature's spread: for double precision, and for single
_RELATIVE, _ABSOLUTE = 0.02, 0.01  # how far a gradient may be off: of itself, of the usual one


# ----------------------------------------------------------------------------------------------------- sign, and level
def scores_genuine_samples_higher(s: Subject) -> None:
    """Told apart what is easy to tell apart, genuine samples score higher than counterfeits that it has not seen."""
    judge, share = taught(s), 0.0
    for _ in _learning(s, judge, s.problem.real(), s.problem.fake()):
        r = _values(judge, s.problem.both())
        genuine, forged = r[::2], r[1::2]
        share = float(np.mean(np.sign(genuine[:, None] - forged) + 1) / 2)
        if share >= 0.8:
            return
    remedy = "Higher must mean more genuine: turn the sign." if share < 0.5 else "Mend update, or give it easier samples."
    expect(
        False,
        f"{s.who} scored a genuine sample higher than a counterfeit, four spreads away from it, in {share:.0%} of pairs; "
        f"expected at least 80 %. {remedy}",
    )


def takes_no_side_without_information(s: Subject) -> None:
    """Log-odds are log p/q: about 0 where both kinds are the same, also where there are three times as many of one."""
    if not issubclass(s.player.says, LogOdds):
        raise Inapplicable(f"it says {s.player.says.__name__}, whose level means nothing")
    rows = s.problem.real(2 * N)
    real = Batch(np.concatenate([rows.x] * 3))  # the same rows in both: there is nothing to find, nor to learn by heart
    judge = taught(s, real=real, fake=rows)
    level = np.inf
    for _ in _learning(s, judge, real, rows):
        level = float(np.median(_values(judge, rows)))
        if abs(level) <= np.log(3) / 2:
            return
    expect(
        False,
        f"{s.who} says log-odds around {level:.2f} of samples that are the same in both kinds, shown three genuine to one "
        "counterfeit; expected about 0. Subtract the log-ratio of the class masses of the fit (here log 3 = 1.10), "
        "calibrate on held-out rows, or say Scores.",
    )


def _learning(s: Subject, judge: Any, real: Batch, fake: Batch) -> Any:
    """Moments at which to look at a judge: one for a judge that refits, and every tenth update of one that learns on."""
    yield
    if not getattr(s.player, "refits", False):
        for k in range(1, _UPDATES + 1):
            update(judge, real, fake, seeded(100 + k))
            if k % 10 == 0:
                yield


def _values(judge: Any, batch: Batch) -> Any:
    return np.asarray(to_numpy(examine(judge, batch).values), dtype=float)


# ----------------------------------------------------------------------------------------------------------- gradients
def _exact(s: Subject) -> Any:
    """A judge with an exact gradient, after some learning."""
    judge = taught(s)
    if not hasattr(judge, "vjp"):
        raise Inapplicable("it offers no exact gradient: it has no vjp")
    return judge


def vjp_gives_the_scores_of_examine(s: Subject) -> None:
    """The scores of `vjp` are those of `examine`."""
    judge, batch = _exact(s), s.problem.both()
    scores, _ = differentiate(judge, batch)
    expect(
        close(scores.values, examine(judge, batch).values),
        f"{s.who}.vjp gave other scores than examine; expected the same. Compute both in one place.",
    )


@rests_on("vjp_gives_the_scores_of_examine")
def vjp_is_the_gradient(s: Subject) -> None:
    """The pullback of `vjp` is the derivative of the scores, as central differences find it where these are smooth."""
    judge, batch = _exact(s), s.problem.both()
    coupled = getattr(judge, "batch_coupled", False)
    for step in _STEPS:
        trials = [_trial(judge, batch, s.problem.spread, step, coupled, seeded(10 + k)) for k in range(24 if coupled else 3)]
        smooth, wrong, clear = (np.concatenate(part) for part in zip(*trials, strict=True))
        if smooth.mean() >= 0.5 and clear.all():  # else it computes in single precision, for which the step is too short
            break
    if smooth.mean() < 0.5:
        raise Inapplicable("its scores bend or jump within every step, so that differences tell nothing of a gradient")
    share = float(wrong[smooth].mean())
    expect(
        share <= 0.05,
        f"{s.who}.vjp gave slopes that central differences of examine contradict at {share:.0%} of the places where the "
        "scores are smooth; expected the derivative of the scores as they are said, with every scaling that comes after. "
        "Differentiate what examine returns, or leave vjp out and let it be estimated.",
    )


def _trial(judge: Any, batch: Batch, spread: Any, step: float, coupled: bool, rng: Any) -> tuple[Any, Any, Any]:
    """Along a random direction: where scores are smooth, where slopes are not as differences say, whether these are clear."""
    x, u = batch.x, spread * rng.standard_normal(batch.x.shape)
    weights = rng.standard_normal(len(x)) if coupled else np.ones(len(x))
    low, middle, high = (weights * _values(judge, Batch(x + side * step * u)) for side in (-1, 0, 1))
    scores, pullback = differentiate(judge, batch)
    gradient = np.asarray(to_numpy(pullback(like(weights, scores.values))), dtype=float)
    slope = (gradient * u).reshape(len(x), -1).sum(axis=1)
    if coupled:  # a sample moves the scores of others: only the whole batch has a slope
        low, middle, high, slope = (np.atleast_1d(v.sum()) for v in (low, middle, high, slope))
    noise = 4 * float(np.finfo(to_numpy(scores.values).dtype).eps) * np.abs(middle).max() / step
    forward, backward, central = (high - middle) / step, (middle - low) / step, (high - low) / (2 * step)
    usual = np.sqrt(np.mean(central**2))

    def apart(a: Array, b: Array) -> Any:
        return np.abs(a - b) > _RELATIVE * np.maximum(np.abs(a), np.abs(b)) + _ABSOLUTE * usual + noise

    return ~apart(forward, backward), apart(central, slope), np.array([noise < _RELATIVE * usual])


def pullback_is_linear(s: Subject) -> None:
    """The pullback of `vjp` is linear in the slopes that it is handed."""
    judge, batch, rng = _exact(s), s.problem.both(), seeded(20)
    a, b = rng.standard_normal((2, batch.n))

    def pulled(slopes: Array) -> Any:
        scores, pullback = differentiate(judge, batch)
        return np.asarray(to_numpy(pullback(like(slopes, scores.values))), dtype=float)

    expect(
        close(pulled(2 * a - 3 * b), 2 * pulled(a) - 3 * pulled(b), 1e-3),
        f"{s.who}.vjp's pullback is not linear: that of 2 a - 3 b is not 2 that of a - 3 that of b; expected dL/dx = "
        "(dr/dx)ᵀ dL/dr. Multiply by the slopes, and neither normalise nor clip.",
    )


TRIALS = (
    scores_genuine_samples_higher,
    takes_no_side_without_information,
    vjp_gives_the_scores_of_examine,
    vjp_is_the_gradient,
    pullback_is_linear,
)
