"""Any model with `fit` and `sample` as a generator: it is fitted again to samples that feedback has made better."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone

from turinglearn.arrays import flat, location_and_spread, to_numpy
from turinglearn.contract import check_values, name_of
from turinglearn.generators.common import accepts, check_condition, check_fresh, feedback_values, teaches
from turinglearn.protocols import Array, Batch, Gradients, PlayerError, Rng, Samples, Weights

__all__ = ["Moved", "RefittedGenerator", "Resampled", "Reweighted"]

FIRST_SAMPLES = 1000  # how many samples of the initial Gaussian the model is first fitted to


@dataclass(frozen=True, slots=True)
class Proposal:
    """After how many updates the samples were proposed, and a uniform number for the rule's own choice."""

    updates: int
    u: float


class Reweighted(BaseEstimator):
    """Fit to the samples under their weights; for models whose fit takes sample_weight."""

    learns_from = Weights

    def improve(self, x: Array, w: Array, spread: Array, u: float) -> tuple[Array, Array, Array | None]:
        """The samples to fit to, the rows of x (n, d) that they come from, and their weights: (x, rows, w)."""
        return x, np.arange(len(x)), w


class Resampled(BaseEstimator):
    """Fit to samples drawn again in proportion to their weights; for any model.

    Systematic resampling: a sample of weight w is taken w times, rounded up or down, which adds little noise (Kitagawa, 1996).
    """

    learns_from = Weights

    def improve(self, x: Array, w: Array, spread: Array, u: float) -> tuple[Array, Array, Array | None]:
        """The samples to fit to, and the rows of x (n, d) that they come from; u in [0, 1) chooses among them."""
        cumulative = np.cumsum(w)
        rows = np.searchsorted(cumulative / cumulative[-1], (np.arange(len(x)) + u) / len(x), side="right")
        return x[rows], rows, None


class Moved(BaseEstimator):
    """Fit to samples moved down their gradients: u' = u - step g / max(1, |g|); for any model.

    u = x / s and g = dl/du = s dl/dx are in units of the spread s of the genuine data, column by column; |g| is the root mean
    square over the columns, so that no sample moves further than step. Composite functional gradient learning (Johnson &
    Zhang, ICML 2018).
    """

    learns_from = Gradients

    def __init__(self, step: float = 0.1) -> None:
        self.step = step

    def improve(self, x: Array, gradient: Array, spread: Array, u: float) -> tuple[Array, Array, Array | None]:
        """The samples to fit to, each beside the row of x (n, d) that it was."""
        g = spread * gradient
        size = np.sqrt((g**2).mean(axis=1, keepdims=True))
        return x - spread * self.step * g / np.maximum(1, size), np.arange(len(x)), None


class RefittedGenerator(BaseEstimator):
    """A model with fit(X) and sample(n), such as a Gaussian mixture or a kernel density of scikit-learn, refitted each round.

    fit may take sample_weight, sample may take random_state or rng, and both take given, (n, c), if the game has conditions.
    sample returns X (n, d), or a tuple that begins with it. rule: how feedback makes samples better, `Resampled()` (the
    default), `Reweighted()` or `Moved()`. memory: the model is fitted to the improved samples of this many rounds together.
    The model is cloned and sees events flattened, never a genuine sample; columns in which the example is constant stay so,
    whatever the model draws there. One whose sample takes neither random_state nor rng
    and that has no parameter random_state uses randomness of its own, which no seed of the game repeats.

    A kernel density blurs what it is fitted to, its own samples too, by its bandwidth b. Exact weights undo the blur of
    earlier rounds, so that an excess variance of one b^2 is left; weights damped by an exponent a leave about b^2 / a, and
    `Moved` about b^2 / (2 step), b in units of the spread. A bandwidth far below the rule of thumb for memory x n samples is
    no way out: what the model has ceased to cover, no weight brings back.
    """

    def __init__(self, model: Any, *, rule: Reweighted | Resampled | Moved | None = None, memory: int = 10) -> None:
        self.model = model
        self.rule = rule
        self.memory = memory

    @property
    def learns_from(self) -> type:
        """What the rule learns from: `Weights` or `Gradients`."""
        return teaches(self, self._rule, "Resampled(), Reweighted() or Moved()")

    def start(self, example: Batch, rng: Rng) -> None:
        """Fit the model to a Gaussian with the mean and the spread of the example's columns; no more of it is used."""
        x = flat(example.x)
        self.event_ = tuple(example.x.shape[1:])
        self.condition_width_ = 0 if example.given is None else example.given.shape[1]
        self._check_parameters()
        self.location_, self.spread_ = location_and_spread(x)
        self.model_ = clone(self.model, safe=False)
        self.draws_with_ = next((name for name in ("random_state", "rng") if accepts(self.model.sample, name)), None)
        self.past_: list[tuple[Array, Array | None, Array | None]] = []
        self.updates_ = 0
        told = None if example.given is None else np.resize(flat(example.given), (FIRST_SAMPLES, self.condition_width_))
        self._seed(rng)
        self._fit(self.location_ + self.spread_ * rng.standard_normal((FIRST_SAMPLES, x.shape[1])), told, None)

    def propose(self, n: int, rng: Rng, given: Array | None = None) -> Samples:
        """n samples (n, *event) of the fitted model, in random order; given is (n, c) where the game has conditions."""
        if not hasattr(self, "model_"):
            raise PlayerError("RefittedGenerator has not been started. Call start(example, rng), or let a Game do it.")
        check_condition(self, given, n, self.condition_width_)
        self._seed(rng)
        extra: dict[str, Any] = {} if given is None else {"given": flat(given)}
        if self.draws_with_ is not None:
            extra[self.draws_with_] = rng if self.draws_with_ == "rng" else int(rng.integers(2**31))
        x = self.model_.sample(n, **extra)
        x = x[0] if isinstance(x, tuple) else x
        check_values(f"{name_of(self.model)}.sample({n})", "samples", x, (n, len(self.spread_)))
        x = np.where(self.spread_ > 0, np.asarray(to_numpy(x), dtype=np.float64), self.location_)
        if given is None:
            x = rng.permutation(x)  # mixtures give component after component, which judges of several samples would see
        return Samples(x.reshape(n, *self.event_), given, Proposal(self.updates_, rng.random()))

    def update(self, samples: Samples, feedback: Any) -> None:
        """Make the samples better by the rule, and fit the model to them and to those that it remembers."""
        check_fresh(self, getattr(samples.context, "updates", None), self.updates_)
        moves, x = self.learns_from is Gradients, flat(samples.x)
        values = feedback_values(self, samples, feedback, tuple(samples.x.shape) if moves else (samples.n,))
        x, rows, weights = self._rule.improve(x, values.reshape(x.shape) if moves else values, self.spread_, samples.context.u)
        given = None if samples.given is None else flat(samples.given)[rows]
        self.past_ = [*self.past_, (x, given, weights)][-self.memory :]
        self._fit(*(None if part[0] is None else np.concatenate(part) for part in zip(*self.past_, strict=True)))
        self.updates_ += 1

    @property
    def _rule(self) -> Reweighted | Resampled | Moved:
        return Resampled() if self.rule is None else self.rule

    def _fit(self, x: Array, given: Array | None, weights: Array | None) -> None:
        extra = {"given": given, "sample_weight": weights}
        self.model_.fit(x, **{name: values for name, values in extra.items() if values is not None})

    def _seed(self, rng: Rng) -> None:
        """Hand the model fresh seeds for what it draws by itself, when it is fitted or sampled."""
        if hasattr(self.model_, "get_params"):
            names = sorted(name for name in self.model_.get_params() if name.split("__")[-1] == "random_state")
            self.model_.set_params(**{name: int(rng.integers(2**31)) for name in names})

    def _check_parameters(self) -> None:
        name = name_of(self.model)
        for method in ("fit", "sample"):
            if not callable(getattr(self.model, method, None)):
                raise ValueError(f"{name} has no {method}. RefittedGenerator needs a model with fit(X) and sample(n).")
            if self.condition_width_ and not accepts(getattr(self.model, method), "given"):
                raise ValueError(
                    f"The game has conditions, but {name}.{method} takes none. Give it a parameter named given, (n, c), or "
                    "choose a generator that knows conditions, such as MixtureGenerator."
                )
        if isinstance(self.rule, Reweighted) and not accepts(self.model.fit, "sample_weight"):
            raise ValueError(f"Reweighted() fits under weights, but {name}.fit takes no sample_weight. Use rule=Resampled().")
        if isinstance(self.rule, Moved) and not self.rule.step > 0:
            raise ValueError(f"Moved(step={self.rule.step}): expected a number above 0.")
        if not isinstance(self.memory, numbers.Integral) or self.memory < 1:
            raise ValueError(f"RefittedGenerator(memory={self.memory!r}): expected a whole number of rounds from 1 on.")
