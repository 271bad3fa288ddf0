"""Any simulator as a generator: its parameters are found by an evolution strategy."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.arrays import concat, to_numpy
from turinglearn.contract import check_values
from turinglearn.generators.common import accepts, check_condition, check_fresh, feedback_values
from turinglearn.protocols import Array, Batch, Losses, PlayerError, Rng, Samples

__all__ = ["Candidates", "EvolvedGenerator"]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Which parameters made which samples: candidates (population, p) in units of the bounds, index (n,) into them."""

    candidates: Array
    index: Array
    updates: int


class EvolvedGenerator(BaseEstimator):
    """A function simulate(parameters, n, rng) -> x (n, *event) with unknown parameters, learned by CMA-ES.

    A proposal is one batch of `population` candidates, in order, with nearly equally many samples each; a candidate's loss is
    the mean loss of its samples. Until the next update all proposals come from the same candidates, so that a judge is asked
    about those that it was fitted to: play one generation per fit. Within a proposal all candidates get generators seeded
    alike (common random numbers). If the game has conditions, simulate also gets given=, a NumPy array (n, c).

    A fixed judge's losses are linear in the law of the samples, E_q[-log p/q'] = KL(q || p) - KL(q || q'), so that they show
    the search a slope and no valley, and its cloud of candidates never shrinks by itself. Therefore CMA-ES only explores;
    after `explore` updates t the search settles: candidates come from the covariance of the path that its centre took
    (Haario et al. 2001), shrunk by (explore / t)^0.7, and the incumbent averages over half of the updates since then.

    bounds: (p, 2), the lower and upper limits of the parameters. initial: (p,), where to begin; None for the middle. sigma:
    the first step size, as a share of the bounds' width. average: over how many recent updates, at least, the centre of the
    search is averaged into the incumbent, which `sample` deploys; the judge moves and the losses are noisy, so that no
    single candidate is the best one. Hansen & Ostermeier (2001). Good up to about 50 parameters.
    """

    learns_from = Losses

    def __init__(
        self,
        simulate: Callable[..., Array],
        bounds: Any,
        *,
        initial: Any = None,
        sigma: float = 0.3,
        population: int = 16,
        explore: int = 60,
        average: int = 20,
    ) -> None:
        self.simulate = simulate
        self.bounds = bounds
        self.initial = initial
        self.sigma = sigma
        self.population = population
        self.explore = explore
        self.average = average

    def start(self, example: Batch, rng: Rng) -> None:
        """Begin the search at `initial`; of the example only its shape is used."""
        initial = self._check_parameters()
        self.event_ = tuple(example.x.shape[1:])
        self.condition_width_ = 0 if example.given is None else example.given.shape[1]
        if self.condition_width_ and not accepts(self.simulate, "given"):
            raise ValueError(
                f"The game has conditions, but {self._name}(parameters, n, rng) takes none. "
                "Give it a parameter named given, (n, c)."
            )
        self.incumbent_ = initial
        self.search_ = self._search(initial, self.sigma)
        self.path_: list[Array] = []
        self.candidates_: Array | None = None
        self.updates_ = 0

    def state(self) -> dict[str, Any]:
        """What has been learned, the search as the dictionary that cmaes makes of it; its seed is drawn anew at each asking."""
        learned = {name: value for name, value in vars(self).items() if name not in self.get_params(deep=False)}
        return {**learned, "search_": self.search_.__getstate__()}

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what `state` gave."""
        self.__dict__.update(state)
        self.search_ = self._search(self.incumbent_, self.sigma)
        self.search_.__setstate__(state["search_"])

    def propose(self, n: int, rng: Rng, given: Array | None = None) -> Samples:
        """n samples (n, *event): those of the first candidate, then those of the second, and so on."""
        self._check_started()
        if n < self.population:
            raise ValueError(
                f"{n} samples cannot be shared among {self.population} candidates. "
                f"Use batches of {self.population} or more, or a smaller population."
            )
        check_condition(self, given, n, self.condition_width_)
        told = None if given is None else to_numpy(given)
        if self.candidates_ is None:
            self.search_.reseed_rng(int(rng.integers(2**32)))
            self.candidates_ = np.stack([self.search_.ask() for _ in range(self.population)])
        candidates = self.candidates_
        common = int(rng.integers(2**63))
        shares = np.array_split(np.arange(n), self.population)
        most = len(shares[0])
        parts = []
        for u, rows in zip(candidates, shares, strict=True):
            # as many samples of each, then cut: a simulator that draws several arrays stays in step with its fellows
            told_here = None if told is None else told[np.minimum(rows[0] + np.arange(most), n - 1)]
            parts.append(self._simulate(u, most, np.random.default_rng(common), told_here)[: len(rows)])
        index = np.repeat(np.arange(self.population), [len(rows) for rows in shares])
        return Samples(concat(*parts), given, Candidates(candidates, index, self.updates_))

    def update(self, samples: Samples, feedback: Any) -> None:
        """One generation: candidates with a small mean loss draw the search towards them."""
        proposal = samples.context
        check_fresh(self, getattr(proposal, "updates", None), self.updates_)
        losses = feedback_values(self, samples, feedback, (samples.n,))
        means = np.bincount(proposal.index, losses) / np.bincount(proposal.index)
        self.search_.tell(list(zip(proposal.candidates, means, strict=True)))
        centre = self.search_.mean.copy()  # CMA moves its mean in place
        self.candidates_ = None
        self.updates_ += 1
        if self.updates_ < self.explore:
            self.path_.append(centre)
            if self.search_.should_stop():  # it has converged, but the judge moves on: search again from here
                self.search_ = self._search(centre, self.sigma)
        else:
            self.search_ = self._settled(centre)
        self.search_.__setstate__(self.search_.__getstate__())  # which keeps one triangle of the covariance: go on as saved
        over = min(self.updates_, max(self.average, (self.updates_ - self.explore) // 2))
        self.incumbent_ = self.incumbent_ + (centre - self.incumbent_) / over

    def sample(self, n: int, rng: Rng, given: Array | None = None) -> Array:
        """n samples (n, *event) at the incumbent."""
        self._check_started()
        check_condition(self, given, n, self.condition_width_)
        return self._simulate(self.incumbent_, n, rng, None if given is None else to_numpy(given))

    @property
    def parameters_(self) -> Array:
        """The incumbent (p,): the centre of the search, averaged over recent rounds, in the units of `bounds`."""
        self._check_started()
        return self._in_user_units(self.incumbent_)

    def _simulate(self, u: Array, n: int, rng: Rng, given: Array | None) -> Array:
        parameters = self._in_user_units(u)
        try:
            x = self.simulate(parameters, n, rng, **({} if given is None else {"given": given}))
        except Exception as error:
            raise PlayerError(
                f"{self._name} raised {type(error).__name__}: {error}. It was called with parameters {parameters} and "
                f"n={n}; it must give n samples for any parameters within the bounds."
            ) from error
        check_values(f"{self._name}({parameters}, {n}, rng)", "samples", x, (n, *self.event_))
        return x

    def _in_user_units(self, u: Array) -> Array:
        low, high = np.asarray(self.bounds, dtype=np.float64).T
        return np.clip(low + u * (high - low), low, high)

    def _settled(self, centre: Array) -> Any:
        """The next generation's search, shaped like the path from a third of the exploration on."""
        path = np.stack(self.path_[self.explore // 3 :])
        covariance = np.cov(path, rowvar=False).reshape(len(centre), len(centre)) + 1e-12 * np.eye(len(centre))
        scale = np.sqrt(np.trace(covariance) / len(centre))
        shrunk = scale * (self.explore / self.updates_) ** 0.7
        return self._search(centre, shrunk, covariance / scale**2)

    def _search(self, mean: Array, sigma: float, covariance: Array | None = None) -> Any:
        try:
            from cmaes import CMA
        except ImportError as error:
            raise ImportError("EvolvedGenerator needs the package cmaes: pip install 'turinglearn[evolve]'.") from error
        unit = np.tile([0.0, 1.0], (len(mean), 1))
        return CMA(mean, sigma, bounds=unit, population_size=self.population, cov=covariance)

    @property
    def _name(self) -> str:
        return getattr(self.simulate, "__name__", repr(self.simulate))

    def _check_started(self) -> None:
        if not hasattr(self, "search_"):
            raise PlayerError("EvolvedGenerator has not been started. Call start(example, rng), or let a Game do it.")

    def _check_parameters(self) -> Array:
        """Where to begin, in units of the bounds; a `ValueError` for parameters that make no sense."""
        if not callable(self.simulate):
            raise ValueError(f"EvolvedGenerator(simulate={self.simulate!r}): expected a function (parameters, n, rng) -> x.")
        try:
            bounds = np.asarray(self.bounds, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"bounds={self.bounds!r}: expected (p, 2), a lower and an upper limit per parameter.") from error
        if bounds.ndim != 2 or bounds.shape[1] != 2 or len(bounds) == 0:
            raise ValueError(f"bounds has shape {bounds.shape}; expected (p, 2): a lower and an upper limit per parameter.")
        low, high = bounds.T
        if not (np.isfinite(bounds).all() and (low < high).all()):
            raise ValueError(f"bounds={bounds.tolist()}: expected finite limits, each lower one below its upper one.")
        for name, least in (("population", 4), ("explore", 10), ("average", 1)):
            value = getattr(self, name)
            if not isinstance(value, numbers.Integral) or value < least:
                raise ValueError(f"EvolvedGenerator({name}={value!r}): expected a whole number from {least} on.")
        if not self.sigma > 0:
            raise ValueError(f"EvolvedGenerator(sigma={self.sigma!r}): expected a positive share of the bounds' width.")
        if self.initial is None:
            return np.full(len(low), 0.5)
        initial = np.asarray(self.initial, dtype=np.float64)
        if initial.shape != low.shape or not ((low <= initial) & (initial <= high)).all():
            raise ValueError(f"initial={initial.tolist()}: expected {len(low)} numbers within the bounds.")
        return (initial - low) / (high - low)
