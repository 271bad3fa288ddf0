"""Any simulator as a generator: its parameters are learned by an evolution strategy."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from turinglearn.arrays import concat, to_numpy
from turinglearn.contract import check_values
from turinglearn.generators.common import Floats, Integers, accepts, check_condition, check_on_policy, feedback_values
from turinglearn.protocols import Array, Batch, InputError, Losses, PlayerError, Rng, Samples

__all__ = ["Candidates", "EvolvedGenerator"]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Record of a proposal: the candidates, and which of them made each sample.

    Parameters
    ----------
    candidates : array of shape (population, p)
        Parameters of the candidates, in units of the bounds.
    index : array of int of shape (n,)
        Candidate of each sample.
    updates : int
        Number of updates before the proposal.
    """

    candidates: Floats
    index: Integers
    updates: int


class EvolvedGenerator(BaseEstimator):
    """Simulator with unknown parameters, which are learned by CMA-ES.

    A proposal is one batch of `population` candidates, in order, with nearly equally many samples each; the loss of a candidate
    is the mean loss of its samples. Until the next update all proposals come from the same candidates, so that a discriminator
    scores those that it was fitted to: play one generation per fit. Within a proposal all candidates get random generators of
    the same seed (common random numbers).

    The losses of a fixed discriminator are linear in the distribution of the samples::

        E_q[-log p/q'] = KL(q || p) - KL(q || q')

    so that they show the search a slope but not a valley, and its cloud of candidates never shrinks by itself. Therefore CMA-ES
    only explores; after `explore` updates t the search settles: candidates come from the covariance of the path of its centre
    (Haario et al. 2001), shrunk by (explore / t)^0.7, and the incumbent is an average over half of the updates since then.

    Good up to about 50 parameters. Needs the package cmaes: ``pip install 'turinglearn[evolve]'``.

    Parameters
    ----------
    simulate : callable
        Function (parameters, n, rng) -> x: from parameters (p,) and a numpy.random.Generator to samples (n, *event). If the
        game has conditions, it also gets ``condition=``, a NumPy array (n, c).
    bounds : array-like of shape (p, 2)
        Lower and upper limit of each parameter.
    initial : array-like of shape (p,), or None
        First centre of the search, in the units of the bounds; None for the middle.
    sigma : float
        First step size, as a share of the width of the bounds.
    population : int
        Number of candidates of a generation, at least 4.
    explore : int
        Number of updates after which the search settles, at least 10.
    average : int
        Least number of recent updates over which the centre of the search is averaged into the incumbent, which `sample` uses.
        The discriminator moves and the losses are noisy, so that a single candidate is never the best one for long.

    Attributes
    ----------
    parameters_ : array of shape (p,)
        The incumbent, in the units of the bounds.
    updates_ : int
        Number of updates so far.

    References
    ----------
    Hansen & Ostermeier (2001), "Completely derandomized self-adaptation in evolution strategies".

    Haario, Saksman & Tamminen (2001), "An adaptive Metropolis algorithm".
    """

    feedback_type = Losses

    def __init__(
        self,
        simulate: Callable[..., Array],
        bounds: ArrayLike,
        *,
        initial: ArrayLike | None = None,
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
        """Begin the search at `initial`; only the shape of the example is used."""
        initial = self._check_parameters()
        self.event_ = tuple(example.x.shape[1:])
        self.condition_width_ = 0 if example.condition is None else example.condition.shape[1]
        if self.condition_width_ and not accepts(self.simulate, "condition"):
            raise InputError(
                f"The game has conditions, but {self._name}(parameters, n, rng) does not take them. "
                "Give it a parameter named condition, (n, c)."
            )
        self.incumbent_ = initial
        self.search_ = self._search(initial, self.sigma)
        self.path_: list[Floats] = []
        self.candidates_: Floats | None = None
        self.updates_ = 0

    def state(self) -> dict[str, Any]:
        """Return the learned state, with the search as the dictionary that cmaes makes of it; its seed is drawn afresh."""
        learned = {name: value for name, value in vars(self).items() if name not in self.get_params(deep=False)}
        return {**learned, "search_": self.search_.__getstate__()}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state` returned."""
        self.__dict__.update(state)
        self.search_ = self._search(self.incumbent_, self.sigma)
        self.search_.__setstate__(state["search_"])

    def propose(self, n: int, rng: Rng, condition: Array | None = None) -> Samples:
        """Propose n samples (n, *event): those of the first candidate, then those of the second, and so on."""
        self._check_started()
        if n < self.population:
            raise InputError(
                f"{n} samples cannot be shared among {self.population} candidates. "
                f"Use batches of {self.population} or more, or a smaller population."
            )
        check_condition(self, condition, n, self.condition_width_)
        conditions = None if condition is None else to_numpy(condition)
        if self.candidates_ is None:
            self.search_.reseed_rng(int(rng.integers(2**32)))
            self.candidates_ = np.stack([self.search_.ask() for _ in range(self.population)])
        candidates = self.candidates_
        seed = int(rng.integers(2**63))
        shares = np.array_split(np.arange(n), self.population)
        most = len(shares[0])
        parts = []
        for u, rows in zip(candidates, shares, strict=True):
            # the same number from each, then cut: a simulator that draws several arrays stays in step with the others
            shown = None if conditions is None else conditions[np.minimum(rows[0] + np.arange(most), n - 1)]
            parts.append(self._simulate(u, most, np.random.default_rng(seed), shown)[: len(rows)])
        index = np.repeat(np.arange(self.population), [len(rows) for rows in shares])
        return Samples(concat(*parts), condition, Candidates(candidates, index, self.updates_))

    def update(self, samples: Samples, feedback: Losses) -> None:
        """Take one generation of the search: it moves towards candidates with a small mean loss."""
        made = samples.context
        check_on_policy(self, getattr(made, "updates", None), self.updates_)
        losses = feedback_values(self, self.feedback_type, feedback, (samples.n,))
        means = np.bincount(made.index, losses) / np.bincount(made.index)
        self.search_.tell(list(zip(made.candidates, means, strict=True)))
        centre = self.search_.mean.copy()  # CMA moves its mean in place
        self.candidates_ = None
        self.updates_ += 1
        if self.updates_ < self.explore:
            self.path_.append(centre)
            if self.search_.should_stop():  # it has converged, but the discriminator moves: search again from here
                self.search_ = self._search(centre, self.sigma)
        else:
            self.search_ = self._settled(centre)
        self.search_.__setstate__(self.search_.__getstate__())  # keeps one triangle of the covariance, as a saved search does
        over = min(self.updates_, max(self.average, (self.updates_ - self.explore) // 2))
        self.incumbent_ = self.incumbent_ + (centre - self.incumbent_) / over

    def sample(self, n: int, rng: Rng, condition: Array | None = None) -> Array:
        """Draw n samples (n, *event) at the incumbent."""
        self._check_started()
        check_condition(self, condition, n, self.condition_width_)
        return self._simulate(self.incumbent_, n, rng, None if condition is None else to_numpy(condition))

    @property
    def parameters_(self) -> Floats:
        """Incumbent (p,): the centre of the search, averaged over recent updates, in the units of `bounds`."""
        self._check_started()
        return self._in_user_units(self.incumbent_)

    def _simulate(self, u: Floats, n: int, rng: Rng, condition: NDArray[Any] | None) -> Array:
        parameters = self._in_user_units(u)
        try:
            x = self.simulate(parameters, n, rng, **({} if condition is None else {"condition": condition}))
        except Exception as error:
            raise PlayerError(
                f"{self._name} raised {type(error).__name__}: {error}. It was called with parameters {parameters} and "
                f"n={n}; it must return n samples for any parameters within the bounds."
            ) from error
        check_values(f"{self._name}({parameters}, {n}, rng)", "samples", x, (n, *self.event_))
        return x

    def _in_user_units(self, u: Floats) -> Floats:
        low, high = np.asarray(self.bounds, dtype=np.float64).T
        parameters: Floats = np.clip(low + u * (high - low), low, high)
        return parameters

    def _settled(self, centre: Floats) -> Any:
        """Return the search of the next generation, shaped like the path from a third of the exploration on."""
        path = np.stack(self.path_[self.explore // 3 :])
        covariance = np.cov(path, rowvar=False).reshape(len(centre), len(centre)) + 1e-12 * np.eye(len(centre))
        scale = np.sqrt(np.trace(covariance) / len(centre))
        shrunk = scale * (self.explore / self.updates_) ** 0.7
        return self._search(centre, shrunk, covariance / scale**2)

    def _search(self, mean: Floats, sigma: float, covariance: Floats | None = None) -> Any:
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

    def _check_parameters(self) -> Floats:
        """Return the first centre, in units of the bounds; raise a ValueError for parameters that make no sense."""
        if not callable(self.simulate):
            raise InputError(f"EvolvedGenerator(simulate={self.simulate!r}): expected a function (parameters, n, rng) -> x.")
        try:
            bounds = np.asarray(self.bounds, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"bounds={self.bounds!r}: expected (p, 2), a lower and an upper limit per parameter.") from error
        if bounds.ndim != 2 or bounds.shape[1] != 2 or len(bounds) == 0:
            raise InputError(f"bounds has shape {bounds.shape}; expected (p, 2): a lower and an upper limit per parameter.")
        low, high = bounds.T
        if not (np.isfinite(bounds).all() and (low < high).all()):
            raise InputError(f"bounds={bounds.tolist()}: expected finite limits, each lower one below its upper one.")
        for name, least in (("population", 4), ("explore", 10), ("average", 1)):
            value = getattr(self, name)
            if not isinstance(value, numbers.Integral) or value < least:
                raise InputError(f"EvolvedGenerator({name}={value!r}): expected an integer from {least} on.")
        if not self.sigma > 0:
            raise InputError(f"EvolvedGenerator(sigma={self.sigma!r}): expected a positive share of the bounds' width.")
        if self.initial is None:
            return np.full(len(low), 0.5)
        initial = np.asarray(self.initial, dtype=np.float64)
        if initial.shape != low.shape or not ((low <= initial) & (initial <= high)).all():
            raise InputError(f"initial={initial.tolist()}: expected {len(low)} numbers within the bounds.")
        centre: Floats = (initial - low) / (high - low)
        return centre
