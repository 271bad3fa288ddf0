"""Any model with `fit` and `sample` as a generator: it is fitted again to samples that feedback has made better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone

from turinglearn.arrays import to_numpy
from turinglearn.contract import check_values, name_of
from turinglearn.generators.common import (
    accepts,
    check_condition,
    check_fresh,
    feedback_values,
    flat,
    location_and_spread,
)
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

    Systematic resampling: sample i is taken n w_i times, rounded up or down, which adds the least noise (Kitagawa, 1996).
    """

    learns_from = Weights

    def improve(self, x: Array, w: Array, spread: Array, u: float) -> tuple[Array, Array, Array | None]:
        """The samples to fit to, and the rows of x (n, d) that they come from; u in [0, 1) chooses among them."""
        cumulative = np.cumsum(w)
        rows = np.searchsorted(cumulative / cumulative[-1], (np.arange(len(x)) + u) / len(x), side="right")
        return x[rows], rows, None


class Moved(BaseEstimator):
    """Fit to samples moved down their gradients: x' = x - step s^2 dl/dx, s the spread of the genuine data in each column.

    In units of the spread that is u' = u - step dl/du. Composite functional gradient learning (Johnson & Zhang, ICML 2018).
    """

    learns_from = Gradients

    def __init__(self, step: float = 0.1) -> None:
        self.step = step

    def improve(self, x: Array, gradient: Array, spread: Array, u: float) -> tuple[Array, Array, Array | None]:
        """The samples to fit to, each beside the row of x (n, d) that it was."""
        return x - self.step * spread**2 * gradient, np.arange(len(x)), None


class RefittedGenerator(BaseEstimator):
    """A model with fit(X) and sample(n), such as a Gaussian mixture or a kernel density of scikit-learn, refitted each round.

    fit may take sample_weight, sample may take random_state or rng, and both take given, (n, c), if the game has conditions.
    sample returns X (n, d), or a tuple that begins with it. rule: how feedback makes samples better, `Resampled()` (the
    default), `Reweighted()` or `Moved()`. The model is cloned and sees events flattened, never a genuine sample. A model that
    takes neither random_state nor rng uses randomness of its own, which no seed of the game repeats.

    A model that blurs what it is fitted to, as a kernel density does by its bandwidth b, blurs its own samples again in each
    round. Weights from an exact judge undo that each time, and one b^2 of excess variance is left. Damped weights undo a part
    a of it, and about b^2 / a is left; small steps of `Moved` leave b^2 / (2 step) in units of the spread. Choose a bandwidth
    well below the finest structure of the data, or a model that reproduces what it is fitted to.
    """

    def __init__(self, model: Any, *, rule: Reweighted | Resampled | Moved | None = None) -> None:
        self.model = model
        self.rule = rule

    @property
    def learns_from(self) -> type:
        """What the rule learns from: `Weights` or `Gradients`."""
        return self._rule.learns_from

    def start(self, example: Batch, rng: Rng) -> None:
        """Fit the model to a Gaussian with the mean and the spread of the example's columns; no more of it is used."""
        x = flat(example.x)
        self.event_ = tuple(example.x.shape[1:])
        self.condition_width_ = 0 if example.given is None else example.given.shape[1]
        self._check_parameters()
        location, self.spread_ = location_and_spread(x)
        self.model_ = clone(self.model, safe=False)
        self.draws_with_ = next((name for name in ("random_state", "rng") if accepts(self.model.sample, name)), None)
        self.updates_ = 0
        told = None if example.given is None else np.resize(flat(example.given), (FIRST_SAMPLES, self.condition_width_))
        self._seed(rng)
        self._fit(location + self.spread_ * rng.standard_normal((FIRST_SAMPLES, x.shape[1])), told, None)

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
        x = np.asarray(to_numpy(x), dtype=np.float64)
        if given is None:
            x = rng.permutation(x)  # mixtures give component after component, and packs would see that
        return Samples(x.reshape(n, *self.event_), given, Proposal(self.updates_, rng.random()))

    def update(self, samples: Samples, feedback: Any) -> None:
        """Make the samples better by the rule, and fit the model to them."""
        check_fresh(self, getattr(samples.context, "updates", None), self.updates_)
        values = feedback_values(self, samples, feedback, tuple(samples.x.shape) if self._moves else (samples.n,))
        x = flat(samples.x)
        values = values.reshape(x.shape) if self._moves else values
        x, rows, weights = self._rule.improve(x, values, self.spread_, samples.context.u)
        self._fit(x, None if samples.given is None else flat(samples.given)[rows], weights)
        self.updates_ += 1

    @property
    def _rule(self) -> Reweighted | Resampled | Moved:
        return Resampled() if self.rule is None else self.rule

    @property
    def _moves(self) -> bool:
        return self.learns_from is Gradients

    def _fit(self, x: Array, given: Array | None, weights: Array | None) -> None:
        extra = {} if given is None else {"given": given}
        self.model_.fit(x, **extra, **({} if weights is None else {"sample_weight": weights}))

    def _seed(self, rng: Rng) -> None:
        """Hand the model fresh seeds for what it draws by itself, when it is fitted or sampled."""
        if hasattr(self.model_, "get_params"):
            names = sorted(name for name in self.model_.get_params() if name.split("__")[-1] == "random_state")
            self.model_.set_params(**{name: int(rng.integers(2**31)) for name in names})

    def _check_parameters(self) -> None:
        name = name_of(self.model)
        for method in ("fit", "sample"):
            if not callable(getattr(self.model, method, None)):
                raise ValueError(
                    f"RefittedGenerator(model={self.model!r}): {name} has no {method}. Give a model with fit(X) and sample(n)."
                )
            if self.condition_width_ and not accepts(getattr(self.model, method), "given"):
                raise ValueError(
                    f"The game has conditions, but {name}.{method} takes none. Give it a parameter named given, (n, c), or "
                    "choose a generator that knows conditions, such as MixtureGenerator."
                )
        if isinstance(self.rule, Reweighted) and not accepts(self.model.fit, "sample_weight"):
            raise ValueError(f"Reweighted() fits under weights, but {name}.fit takes no sample_weight. Use rule=Resampled().")
        if isinstance(self.rule, Moved) and not self.rule.step > 0:
            raise ValueError(f"Moved(step={self.rule.step}): expected a number above 0.")
