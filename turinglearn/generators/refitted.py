"""Any model with `fit` and `sample` as a generator: it is refitted to samples that feedback has improved."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from sklearn.base import BaseEstimator, clone

from turinglearn.arrays import flat, location_and_spread, to_numpy
from turinglearn.contract import check_values, name_of
from turinglearn.generators.common import (
    Floats,
    Integers,
    accepts,
    check_condition,
    check_on_policy,
    feedback_type_of,
    feedback_values,
)
from turinglearn.protocols import Array, Batch, Gradients, InputError, PlayerError, Rng, Samples, Weights

__all__ = ["GradientMove", "RefittedGenerator", "Resample", "Reweight"]

FIRST_SAMPLES = 1000  # number of samples of the initial Gaussian that the model is first fitted to


@dataclass(frozen=True, slots=True)
class Proposal:
    """Record of a proposal: the number of updates before it, and a uniform number for the choice of the rule."""

    updates: int
    u: float


class Model(Protocol):
    """A model with ``fit(X)`` and ``sample(n)``, such as a Gaussian mixture of scikit-learn."""

    def fit(self, X: Floats, /) -> object:
        """Fit the model to the rows of X (n, d)."""

    def sample(self, n: int, /) -> Any:
        """Draw n rows (n, d), or a tuple that begins with them."""


class Reweight(BaseEstimator):
    """Rule that fits to the samples under their weights, for models whose ``fit`` takes ``sample_weight``."""

    feedback_type = Weights

    def improve(self, x: Floats, w: Floats, spread: Floats, u: float) -> tuple[Floats, Integers, Floats | None]:
        """Return the samples, their rows in x, and their weights; see `Resample.improve`."""
        return x, np.arange(len(x)), w


class Resample(BaseEstimator):
    """Rule that fits to samples drawn again in proportion to their weights, for any model.

    By systematic resampling: a sample of weight w is taken w times, rounded up or down, which adds little noise.

    References
    ----------
    Kitagawa (1996), "Monte Carlo filter and smoother for non-Gaussian nonlinear state space models".
    """

    feedback_type = Weights

    def improve(self, x: Floats, w: Floats, spread: Floats, u: float) -> tuple[Floats, Integers, Floats | None]:
        """Return the samples to fit to.

        Parameters
        ----------
        x : array of shape (n, d)
            Proposed samples.
        w : array of shape (n,)
            Their weights, of mean 1.
        spread : array of shape (d,)
            Standard deviation of each column of the real data.
        u : float
            Number in [0, 1) that chooses among the samples.

        Returns
        -------
        x : array of shape (m, d)
            Samples to fit to.
        rows : array of int of shape (m,)
            Row of the proposed samples that each comes from, which tells its condition.
        w : array of shape (m,), or None
            Weights to fit under.
        """
        cumulative = np.cumsum(w)
        rows = np.searchsorted(cumulative / cumulative[-1], (np.arange(len(x)) + u) / len(x), side="right")
        return x[rows], rows, None


class GradientMove(BaseEstimator):
    """Rule that fits to samples moved down their gradients, for any model.

    In units of the spread s of the real data, column by column, u = x / s and g = dl/du = s dl/dx, and::

        u' = u - step g / max(1, |g|)

    with ``|g|`` the root mean square over the columns, so that no sample moves further than `step`.

    Parameters
    ----------
    step : float
        Largest move of a sample, in units of the spread.

    References
    ----------
    Johnson & Zhang (2018), "Composite functional gradient learning of generative adversarial models".
    """

    feedback_type = Gradients

    def __init__(self, step: float = 0.1) -> None:
        self.step = step

    def improve(self, x: Floats, gradient: Floats, spread: Floats, u: float) -> tuple[Floats, Integers, Floats | None]:
        """Return the moved samples, their rows in x, and no weights; `gradient` is (n, d), see `Resample.improve`."""
        g = spread * gradient
        size = np.sqrt((g**2).mean(axis=1, keepdims=True))
        return x - spread * self.step * g / np.maximum(1, size), np.arange(len(x)), None


class RefittedGenerator(BaseEstimator):
    """Model with ``fit(X)`` and ``sample(n)``, refitted after each round.

    For example a Gaussian mixture or a kernel density of scikit-learn. The model is cloned and sees events flattened, never a
    real sample. Columns in which the example is constant stay so, whatever the model draws there.

    A kernel density blurs what it is fitted to, its own samples too, by its bandwidth b. Exact weights undo the blur of
    earlier rounds, so that an excess variance of one b^2 is left; weights damped by an exponent a leave about b^2 / a, and
    `GradientMove` about b^2 / (2 step), b in units of the spread. A bandwidth far below the rule of thumb for memory x n
    samples does not help: no weight brings back what the model has ceased to cover.

    Parameters
    ----------
    model : object
        ``fit`` may take ``sample_weight``, ``sample`` may take ``random_state`` or ``rng``, and both take ``condition``,
        (n, c), if the game has conditions. ``sample`` returns X (n, d), or a tuple that begins with it. A model whose
        ``sample`` takes neither ``random_state`` nor ``rng``, and that has no parameter ``random_state``, draws by itself,
        which no seed of the game repeats.
    rule : Resample, Reweight, GradientMove or None
        How feedback improves samples; None for ``Resample()``.
    memory : int
        Number of rounds whose improved samples the model is fitted to.

    Attributes
    ----------
    model_ : object
        The fitted model.
    updates_ : int
        Number of updates so far.
    """

    def __init__(self, model: Model, *, rule: Reweight | Resample | GradientMove | None = None, memory: int = 10) -> None:
        self.model = model
        self.rule = rule
        self.memory = memory

    @property
    def feedback_type(self) -> type:
        """Type of feedback that the rule learns from: `Weights` or `Gradients`."""
        return feedback_type_of(self, self._rule, "Resample(), Reweight() or GradientMove()")

    def start(self, example: Batch, rng: Rng) -> None:
        """Fit the model to a Gaussian with the mean and the spread of the columns of the example, of which no more is used."""
        x = flat(example.x)
        self.event_ = tuple(example.x.shape[1:])
        self.condition_width_ = 0 if example.condition is None else example.condition.shape[1]
        self._check_parameters()
        self.location_, self.spread_ = location_and_spread(x)
        self.model_ = clone(self.model, safe=False)
        self.draws_with_ = next((name for name in ("random_state", "rng") if accepts(self.model.sample, name)), None)
        self.past_: list[tuple[Floats, Floats | None, Floats | None]] = []
        self.updates_ = 0
        condition = (
            None if example.condition is None else np.resize(flat(example.condition), (FIRST_SAMPLES, self.condition_width_))
        )
        self._seed(rng)
        self._fit(self.location_ + self.spread_ * rng.standard_normal((FIRST_SAMPLES, x.shape[1])), condition, None)

    def propose(self, n: int, rng: Rng, condition: Array | None = None) -> Samples:
        """Propose n samples (n, *event) of the fitted model, in random order; under conditions (n, c) if the game has them."""
        if not hasattr(self, "model_"):
            raise PlayerError("RefittedGenerator has not been started. Call start(example, rng), or let a Game do it.")
        check_condition(self, condition, n, self.condition_width_)
        self._seed(rng)
        extra: dict[str, Any] = {} if condition is None else {"condition": flat(condition)}
        if self.draws_with_ is not None:
            extra[self.draws_with_] = rng if self.draws_with_ == "rng" else int(rng.integers(2**31))
        x = self.model_.sample(n, **extra)
        x = x[0] if isinstance(x, tuple) else x
        check_values(f"{name_of(self.model)}.sample({n})", "samples", x, (n, len(self.spread_)))
        x = np.where(self.spread_ > 0, np.asarray(to_numpy(x), dtype=np.float64), self.location_)
        if condition is None:
            x = rng.permutation(x)  # mixtures draw component after component, which a discriminator of tuples would see
        return Samples(x.reshape(n, *self.event_), condition, Proposal(self.updates_, rng.random()))

    def update(self, samples: Samples, feedback: Gradients | Weights) -> None:
        """Improve the samples by the rule, and fit the model to them and to those of the rounds in memory."""
        check_on_policy(self, getattr(samples.context, "updates", None), self.updates_)
        moves = self.feedback_type is Gradients
        x: Floats = flat(samples.x)
        shape = tuple(samples.x.shape) if moves else (samples.n,)
        values = feedback_values(self, self.feedback_type, feedback, shape)
        values = values.reshape(x.shape) if moves else values
        better, rows, weights = self._rule.improve(x, values, self.spread_, samples.context.u)
        condition = None if samples.condition is None else flat(samples.condition)[rows]
        self.past_ = [*self.past_, (better, condition, weights)][-self.memory :]
        xs, conditions, past_weights = zip(*self.past_, strict=True)
        self._fit(np.concatenate(xs), _joined(conditions), _joined(past_weights))
        self.updates_ += 1

    @property
    def _rule(self) -> Reweight | Resample | GradientMove:
        return Resample() if self.rule is None else self.rule

    def _fit(self, x: Floats, condition: Floats | None, weights: Floats | None) -> None:
        extra = {"condition": condition, "sample_weight": weights}
        self.model_.fit(x, **{name: values for name, values in extra.items() if values is not None})

    def _seed(self, rng: Rng) -> None:
        """Give the model fresh seeds for what it draws by itself when it is fitted or sampled."""
        if hasattr(self.model_, "get_params"):
            names = sorted(name for name in self.model_.get_params() if name.split("__")[-1] == "random_state")
            self.model_.set_params(**{name: int(rng.integers(2**31)) for name in names})

    def _check_parameters(self) -> None:
        name = name_of(self.model)
        for method in ("fit", "sample"):
            if not callable(getattr(self.model, method, None)):
                raise InputError(f"{name} has no {method}. RefittedGenerator needs a model with fit(X) and sample(n).")
            if self.condition_width_ and not accepts(getattr(self.model, method), "condition"):
                raise InputError(
                    f"The game has conditions, but {name}.{method} does not take them. Give it a parameter named condition, "
                    "(n, c), or choose a generator that takes conditions, such as MixtureGenerator."
                )
        if isinstance(self.rule, Reweight) and not accepts(self.model.fit, "sample_weight"):
            raise InputError(f"Reweight() fits under weights, but {name}.fit takes no sample_weight. Use rule=Resample().")
        if isinstance(self.rule, GradientMove) and not self.rule.step > 0:
            raise InputError(f"GradientMove(step={self.rule.step}): expected a number above 0.")
        if not isinstance(self.memory, numbers.Integral) or self.memory < 1:
            raise InputError(f"RefittedGenerator(memory={self.memory!r}): expected a number of rounds, an integer from 1 on.")


def _joined(parts: Sequence[Floats | None]) -> Floats | None:
    """Concatenate arrays; None where the rounds have none."""
    arrays = [part for part in parts if part is not None]
    return np.concatenate(arrays) if arrays else None
