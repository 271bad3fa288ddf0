"""Discriminators that are handwritten functions of x, of which at most a slope and an intercept are learned."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.arrays import like, namespace, to_numpy
from turinglearn.contract import check_values
from turinglearn.discriminators.classifiers.calibration import Platt
from turinglearn.discriminators.common import call_user_code, not_started_error
from turinglearn.protocols import Array, Batch, LogOdds, Pullback, Rng, Scores

__all__ = ["HandwrittenDiscriminator"]


class HandwrittenDiscriminator(BaseEstimator):
    """A function of x as a discriminator: higher means more real.

    The function alone gives an order, so its values are plain scores s(x): if they were taken for log-odds, the game would have
    no equilibrium, and a generator would be pulled to the maximum of the function. With `fit_intercept`, each update fits ::

        r(x) = a s(x) + b                                                                                    (1)

    to the real and fake samples, by logistic regression with Platt's targets [1]_, corrected by their counts, and the
    evidence is log-odds: they vanish when the function no longer separates the two. Between start and the first update r = 0.

    Parameters
    ----------
    score : callable
        ``score(x) -> (n,)``, floating-point and finite. x is (n, *event), in the library and precision of the fakes, and n is
        any number: a signal that estimates gradients probes many points at once. If the function has a parameter
        ``condition``, it is passed the conditions (n, c), or None.
    fit_intercept : bool, default=False
        Whether to fit a and b.
    gradient : callable, optional
        ``gradient(x) -> ds/dx``, shaped like x, called like `score`. Only with it is there an exact `vjp`.

    Attributes
    ----------
    slope_ : float
        a of (1), with `fit_intercept`.
    intercept_ : float
        b of (1), with `fit_intercept`.

    References
    ----------
    .. [1] Platt, Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods, 1999.

    Examples
    --------
    >>> import numpy as np
    >>> from turinglearn.discriminators import HandwrittenDiscriminator
    >>> from turinglearn.protocols import Batch
    >>> near_origin = HandwrittenDiscriminator(lambda x: -(x**2).sum(axis=1))
    >>> near_origin.score_samples(Batch(np.array([[1.0, 0.0], [1.0, 2.0]]))).values
    array([-1., -5.])
    """

    slope_: float
    intercept_: float

    def __init__(
        self,
        score: Callable[..., Array],
        *,
        fit_intercept: bool = False,
        gradient: Callable[..., Array] | None = None,
    ) -> None:
        self.score = score
        self.fit_intercept = fit_intercept
        self.gradient = gradient

    @property
    def score_type(self) -> type[Scores]:
        """`Scores`, or `LogOdds` with `fit_intercept`."""
        return LogOdds if self.fit_intercept else Scores

    @property
    def refits(self) -> bool:
        """Return whether each update is a fit from scratch: that of slope and intercept."""
        return self.fit_intercept

    def start(self, example: Batch, rng: Rng) -> None:
        """Forget slope and intercept: the log-odds are 0 until the first update."""
        if self.fit_intercept:
            self.slope_, self.intercept_ = 0.0, 0.0

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """Fit slope and intercept to real and fake samples, if `fit_intercept`; the function itself is fixed."""
        if self.fit_intercept:
            scores = [np.asarray(to_numpy(self._score(batch)), dtype=float) for batch in (real, fake)]
            line = Platt.fit(np.concatenate(scores), np.arange(real.n + fake.n) < real.n)
            self.slope_, self.intercept_ = line.slope, line.intercept

    def score_samples(self, batch: Batch) -> Scores:
        """Return the score or the log-odds of each sample, (n,), in the array library of the function's result."""
        slope, intercept = self._line()
        return self.score_type(slope * self._score(batch) + intercept)

    @property
    def vjp(self) -> Callable[[Batch], tuple[Scores, Pullback]]:
        """The evidence (n,) with its exact pullback; only with a gradient function."""
        if self.gradient is None:
            raise AttributeError("HandwrittenDiscriminator(gradient=None) has no vjp")
        return partial(self._vjp, self.gradient)

    def _vjp(self, function: Callable[..., Array], batch: Batch) -> tuple[Scores, Pullback]:
        slope, _ = self._line()
        gradient = _call(function, "gradient", batch)
        check_values(_name(function, "gradient"), "gradient", gradient, tuple(batch.x.shape))

        def pullback(slopes: Array) -> Array:
            column = namespace(gradient).reshape(like(slopes, gradient), (-1, *(1 for _ in gradient.shape[1:])))
            return slope * column * gradient

        return self.score_samples(batch), pullback

    def _score(self, batch: Batch) -> Array:
        scores = _call(self.score, "score", batch)
        check_values(_name(self.score, "score"), "scores", scores, (batch.n,))
        return scores

    def _line(self) -> tuple[float, float]:
        """Return a and b of (1)."""
        if not self.fit_intercept:
            return 1.0, 0.0
        if not hasattr(self, "slope_"):
            raise not_started_error(self)
        return self.slope_, self.intercept_


def _call(function: Callable[..., Array], role: str, batch: Batch) -> Array:
    """Return function(x), or function(x, condition=...) if it has that parameter."""
    try:
        takes_conditions = "condition" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # some compiled functions have no signature, and no such parameter
        takes_conditions = False
    condition: dict[str, Any] = {"condition": batch.condition} if takes_conditions else {}
    x = batch.x
    if isinstance(x, np.ndarray):  # the samples belong to the generator: read-only
        x = x.view()
        x.flags.writeable = False
    return call_user_code(_name(function, role), f"score {batch.n} samples", function, x, **condition)


def _name(function: object, role: str) -> str:
    """Return the name of a user's function in errors."""
    return f"The {role} function {getattr(function, '__qualname__', None) or repr(function)}"
