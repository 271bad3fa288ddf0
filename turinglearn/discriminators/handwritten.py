"""A judge that a person wrote: a function of x, and at most the level of its scores is learned."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.arrays import like, namespace, to_numpy
from turinglearn.contract import check_values
from turinglearn.discriminators.answers import ask, unstarted
from turinglearn.discriminators.platt import platt
from turinglearn.protocols import Array, Batch, LogOdds, Pullback, Rng, Scores

__all__ = ["HandwrittenDiscriminator"]


class HandwrittenDiscriminator(BaseEstimator):
    """A function of x as a discriminator: higher means more genuine.

    By itself the function gives an order, so this says plain scores s(x): taken for log-odds, a fixed function has no
    equilibrium, and would pull every generator to its maximum. With fit_level each update fits r = a s(x) + b to the
    genuine and counterfeit samples, by logistic regression with Platt's (1999) targets, corrected by their counts, and
    this says log-odds: they vanish when the function no longer tells the two apart. Between start and the first update
    r = 0.

    Parameters
    ----------
    score : callable
        score(x) -> (n,), floating-point, finite; x is (n, *event), of the counterfeits' library and precision, and n is any
        number: a signal that estimates gradients asks about many probes at once. It is called with given=, the condition
        (n, c) or None, if it has a parameter of that name.
    fit_level : bool
        Whether to learn a and b.
    gradient : callable, optional
        gradient(x) -> ds/dx, shaped like x; called like score. With it, and only with it, there is an exact `vjp`.

    Attributes
    ----------
    slope_, level_ : a and b, with fit_level.
    """

    def __init__(
        self,
        score: Callable[..., Array],
        *,
        fit_level: bool = False,
        gradient: Callable[..., Array] | None = None,
    ) -> None:
        self.score = score
        self.fit_level = fit_level
        self.gradient = gradient

    @property
    def says(self) -> type[Scores]:
        """Plain scores, or log-odds once their level is fitted."""
        return LogOdds if self.fit_level else Scores

    @property
    def refits(self) -> bool:
        """Whether each update is a fit from scratch: that of the level."""
        return self.fit_level

    def start(self, example: Batch, rng: Rng) -> None:
        """Forget the level: no opinion."""
        if self.fit_level:
            self.slope_, self.level_ = 0.0, 0.0

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """Fit the level, if it is to be fitted; the function stays as it is."""
        if self.fit_level:
            scores = [np.asarray(to_numpy(self._score(batch)), dtype=float) for batch in (real, fake)]
            self.slope_, self.level_ = platt(np.concatenate(scores), np.arange(real.n + fake.n) < real.n)

    def examine(self, batch: Batch) -> Scores:
        """The score or the log-odds of each sample, (n,), in the array library of the function's answer."""
        slope, level = self._line()
        return self.says(slope * self._score(batch) + level)

    @property
    def vjp(self) -> Callable[[Batch], tuple[Scores, Pullback]]:
        """The evidence and its exact pullback; without a gradient function there is none."""
        if self.gradient is None:
            raise AttributeError("HandwrittenDiscriminator(gradient=None) has no vjp")
        return self._vjp

    def _vjp(self, batch: Batch) -> tuple[Scores, Pullback]:
        slope, _ = self._line()
        gradient = _call(self.gradient, "gradient", batch)
        check_values(_name(self.gradient, "gradient"), "gradient", gradient, tuple(batch.x.shape))

        def pullback(slopes: Array) -> Array:
            column = namespace(gradient).reshape(like(slopes, gradient), (-1, *(1 for _ in gradient.shape[1:])))
            return slope * column * gradient

        return self.examine(batch), pullback

    def _score(self, batch: Batch) -> Array:
        scores = _call(self.score, "score", batch)
        check_values(_name(self.score, "score"), "scores", scores, (batch.n,))
        return scores

    def _line(self) -> tuple[float, float]:
        """a and b of a s(x) + b."""
        if not self.fit_level:
            return 1.0, 0.0
        if not hasattr(self, "slope_"):
            raise unstarted(self)
        return self.slope_, self.level_


def _call(function: Any, role: str, batch: Batch) -> Array:
    """function(x), or function(x, given=...) if it takes conditions."""
    try:
        told = {"given": batch.given} if "given" in inspect.signature(function).parameters else {}
    except (TypeError, ValueError):  # some compiled functions have no signature, and no such parameter
        told = {}
    x = batch.x
    if isinstance(x, np.ndarray):  # the samples are the generator's: to be read, not written
        x = x.view()
        x.flags.writeable = False
    return ask(_name(function, role), f"examine {batch.n} samples", function, x, **told)


def _name(function: Any, role: str) -> str:
    """How errors call a function that the user wrote."""
    return f"The {role} function {getattr(function, '__qualname__', None) or repr(function)}"
