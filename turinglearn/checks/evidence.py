"""Requirements of scores: their sign, log-odds without prior, and exact gradients."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from turinglearn.arrays import like, to_numpy
from turinglearn.checks.discriminators import teach
from turinglearn.checks.samples import close, on_host, seeded
from turinglearn.checks.suite import Capability, Case, NotApplicable, expect, requirement
from turinglearn.contract import differentiate, score_samples, update
from turinglearn.protocols import Array, Batch, Discriminator, LogOdds, Rng

__all__ = ["REQUIREMENTS"]

_UPDATES = 300  # at most, for discriminators that learn in steps
_STEPS = (1e-5, 3e-3)  # of differences, in standard deviations of each feature: for double precision, and for single
_RELATIVE, _ABSOLUTE = 0.02, 0.01  # tolerance of a gradient: relative to itself, and to the root mean square

_LOG_ODDS = Capability("its scores are not log-odds", lambda case: issubclass(case.player.score_type, LogOdds))
_VJP = Capability("it has no vjp, so its gradients are estimated", lambda case: hasattr(case.player, "vjp"))


# ----------------------------------------------------------------------------------------------------- sign, and level
@requirement()
def scores_real_samples_higher(case: Case[Discriminator]) -> None:
    """Held-out real samples score higher than held-out fakes, where the classes are easy to tell apart."""
    discriminator, share = teach(case), 0.0
    for _ in _stages(case, discriminator, case.samples.real(), case.samples.fake()):
        r = _values(discriminator, case.samples.both())
        real, fakes = r[::2], r[1::2]
        share = float(np.mean(np.sign(real[:, None] - fakes) + 1) / 2)
        if share >= 0.8:
            return
    remedy = "Higher must mean more real: change the sign." if share < 0.5 else "Fix update, or pass easier samples."
    expect(
        False,
        f"{case.name} scored a real sample higher than a fake, four standard deviations away from it, in {share:.0%} of pairs; "
        f"expected at least 80 %. {remedy}",
    )


@requirement(capability=_LOG_ODDS)
def log_odds_have_no_prior(case: Case[Discriminator]) -> None:
    """Log-odds are log p/q: about 0 on held-out samples where p = q, even with three real samples to one fake."""
    real, fake, held_out = case.samples.uninformative()
    discriminator = teach(case, real=real, fake=fake)
    level = np.inf
    for _ in _stages(case, discriminator, real, fake):
        level = float(np.median(_values(discriminator, held_out)))
        if abs(level) <= np.log(3) / 2:
            return
    expect(
        False,
        f"{case.name} returned log-odds around {level:.2f} where real samples and fakes have the same distribution, with three "
        "real samples to one fake; expected about 0. Subtract the log-ratio of the class masses of the fit (here "
        "log 3 = 1.10), calibrate on held-out rows, or declare score_type = Scores.",
    )


def _stages(case: Case[Discriminator], discriminator: Discriminator, real: Batch, fake: Batch) -> Iterator[None]:
    """Yield when a discriminator should be looked at: once if it refits, else after every tenth update."""
    yield
    if not getattr(case.player, "refits", False):
        for k in range(1, _UPDATES + 1):
            update(discriminator, real, fake, seeded(100 + k))
            if k % 10 == 0:
                yield


def _values(discriminator: Discriminator, batch: Batch) -> NDArray[np.float64]:
    return on_host(score_samples(discriminator, batch).values)


# ----------------------------------------------------------------------------------------------------------- gradients
@requirement(capability=_VJP)
def vjp_agrees_with_score_samples(case: Case[Discriminator]) -> None:
    """`vjp` returns the same scores as `score_samples`."""
    discriminator, batch = teach(case), case.samples.both()
    scores, _ = differentiate(discriminator, batch)
    expect(
        close(scores.values, score_samples(discriminator, batch).values),
        f"{case.name}.vjp returned other scores than score_samples; expected the same. Compute both in one function.",
    )


@requirement("vjp_agrees_with_score_samples", capability=_VJP)
def vjp_is_the_gradient(case: Case[Discriminator]) -> None:
    """The pullback of `vjp` is the derivative of the scores: central differences agree with it where scores are smooth."""
    discriminator, batch = teach(case), case.samples.both()
    coupled = bool(getattr(discriminator, "batch_coupled", False))
    for step in _STEPS:
        trials = [
            _compare(discriminator, batch, case.samples.spread, step, coupled, seeded(10 + k))
            for k in range(24 if coupled else 3)
        ]
        smooth, wrong, precise = (np.concatenate(part) for part in zip(*trials, strict=True))
        if smooth.mean() >= 0.5 and precise.all():  # else scores are in single precision, for which the step is too short
            break
    if smooth.mean() < 0.5:
        raise NotApplicable("its scores have kinks or jumps within every step, so that differences cannot check a gradient")
    share = float(wrong[smooth].mean())
    expect(
        share <= 0.05,
        f"{case.name}.vjp disagrees with central differences of score_samples in {share:.0%} of the places where the scores "
        "are smooth; expected the derivative of the scores as they are returned, with every scaling that comes after. "
        "Differentiate what score_samples returns, or leave vjp out and let the gradient be estimated.",
    )


def _compare(
    discriminator: Discriminator, batch: Batch, spread: NDArray[np.float64], step: float, coupled: bool, rng: Rng
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Compare `vjp` with differences along a random direction.

    Returns where scores are smooth, where the derivative disagrees with differences, and whether these are precise.
    """
    x, u = batch.x, spread * rng.standard_normal(batch.x.shape)
    weights = rng.standard_normal(len(x)) if coupled else np.ones(len(x))
    low, middle, high = (weights * _values(discriminator, Batch(x + side * step * u)) for side in (-1, 0, 1))
    scores, pullback = differentiate(discriminator, batch)
    gradient = on_host(pullback(like(weights, scores.values)))
    slope = (gradient * u).reshape(len(x), -1).sum(axis=1)
    if coupled:  # a sample changes the scores of others: only the batch as a whole has a derivative
        low, middle, high, slope = (np.atleast_1d(v.sum()) for v in (low, middle, high, slope))
    rounding = 4 * float(np.finfo(to_numpy(scores.values).dtype).eps) * np.abs(middle).max() / step
    forward, backward, central = (high - middle) / step, (middle - low) / step, (high - low) / (2 * step)
    scale = np.sqrt(np.mean(central**2))

    def differ(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
        tolerance = _RELATIVE * np.maximum(np.abs(a), np.abs(b)) + _ABSOLUTE * scale + rounding
        far: NDArray[np.bool_] = np.abs(a - b) > tolerance
        return far

    return ~differ(forward, backward), differ(central, slope), np.array([rounding < _RELATIVE * scale])


@requirement(capability=_VJP)
def pullback_is_linear(case: Case[Discriminator]) -> None:
    """The pullback of `vjp` is linear in the slopes that it is passed."""
    discriminator, batch, rng = teach(case), case.samples.both(), seeded(20)
    a, b = rng.standard_normal((2, batch.n))

    def pulled_back(slopes: Array) -> NDArray[np.float64]:
        scores, pullback = differentiate(discriminator, batch)
        return on_host(pullback(like(slopes, scores.values)))

    expect(
        close(pulled_back(2 * a - 3 * b), 2 * pulled_back(a) - 3 * pulled_back(b), 1e-3),
        f"{case.name}.vjp returned a pullback that is not linear: that of 2 a - 3 b is not 2 times that of a minus 3 times "
        "that of b; expected dL/dx = (dr/dx)ᵀ dL/dr. Multiply by the slopes, and neither normalise nor clip.",
    )


REQUIREMENTS = (
    scores_real_samples_higher,
    log_odds_have_no_prior,
    vjp_agrees_with_score_samples,
    vjp_is_the_gradient,
    pullback_is_linear,
)
