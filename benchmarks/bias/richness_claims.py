"""Claims of benchmarks/bias/richness.py, each true, false or undecided by an interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from richness_arms import MODELS, efficiency
from scipy.special import gammaln
from scipy.stats import norm

from turinglearn.bias import parameter_errors, relative_efficiency
from turinglearn.metrics import Interval

__all__ = [
    "LEVEL",
    "LOGISTIC",
    "MARGIN",
    "PARAMETERS",
    "PUBLISHED",
    "Cell",
    "Claim",
    "Found",
    "efficiencies",
    "of_likelihood",
    "of_richness",
    "over_bound",
    "scale_over_bound",
    "simulation",
    "theory",
    "together",
]

LEVEL, MARGIN = 0.95, 0.85  # of the intervals; the least share of the theoretical value that counts as attaining it
NEAR = 0.95, 1.05  # what counts as 1 for an RMSE over the bound
PARAMETERS = "location", "scale"
PUBLISHED = {(300, 3_000): 1.82}  # √n times the simulation standard error of the logistic location, by n and m
LOGISTIC, STUDENT, GAUSSIAN = "logistic location", "Student location", "Gaussian location and scale"
MOMENTS = (LOGISTIC, "x", 0), (STUDENT, "x", 0), (STUDENT, "arctan x/2", 0), (GAUSSIAN, "x, abs x", 1)  # less than efficient


class Cell(NamedTuple):
    model: str
    n: int
    ratio: int  # fakes per real row
    discriminator: str


@dataclass(frozen=True)
class Found:
    """Errors (R, k) of a discriminator's θ̂ on R data sets, and of maximum likelihood on the same data sets."""

    errors: Any
    likeliest: Any


@dataclass(frozen=True)
class Claim:
    """A sentence that is true if the whole interval lies between low and high, and contains a value, if there is one."""

    sentence: str
    n: str
    interval: Interval
    low: float = 0.0
    high: float = np.inf
    contains: float | None = None

    @property
    def verdict(self) -> str:
        i = self.interval
        if i.high <= self.low or i.low >= self.high or (self.contains is not None and not i.low <= self.contains <= i.high):
            return "false"
        return "true" if self.low < i.low and i.high < self.high else "undecided"

    @property
    def condition(self) -> str:
        parts = [f"contains {self.contains:.3f}"] if self.contains is not None else []
        parts += [f"above {self.low:.3f}"] if self.low > 0 else []
        return " and ".join(parts + ([f"below {self.high:.3f}"] if self.high < np.inf else []))


def efficiencies(errors: Any, control: Any, level: float = LEVEL) -> tuple[Interval, ...]:
    """Return the control's mean square error over this one, for each parameter, on the data sets that both have."""
    n = min(len(errors), len(control))
    return relative_efficiency(errors[:n], control[:n], np.zeros(errors.shape[1]), level=level)


@cache
def theory(model: str, discriminator: str) -> Any:
    """Return R² of each parameter: 1 for discriminators that know the true score, or can approximate it."""
    return (
        np.ones(len(MODELS[model].information))
        if discriminator in ("oracle", "network")
        else efficiency(MODELS[model], discriminator)
    )


def simulation(cell: Cell) -> float:
    """Return the efficiency that the noise of the simulation allows; 1 for a network in a game, with fresh fakes."""
    return 1.0 if cell.discriminator == "network" else 1 / (1 + 1 / cell.ratio)


def over_bound(errors: Any, model: str, n: int, level: float = LEVEL) -> tuple[Interval, ...]:
    """Return the RMSE over the Cramér-Rao bound, for each parameter."""
    bounds = MODELS[model].bound / np.sqrt(n)
    rmse = parameter_errors(errors, np.zeros(errors.shape[1]), level=level).rmse
    return tuple(
        Interval(*(v / b for v in (i.value, i.low, i.high, i.standard_error))) for i, b in zip(rmse, bounds, strict=True)
    )


def scale_over_bound(n: int) -> float:
    """Return the same, exactly, of σ̂ = σ χ / √n with n - 1 degrees of freedom, whose bound is σ / √(2n)."""
    c = np.sqrt(2 / n) * np.exp(gammaln(n / 2) - gammaln((n - 1) / 2))
    return float(np.sqrt(((n - 1) / n - 2 * c + 1) * 2 * n))


def quotient(a: Interval, b: Interval, level: float) -> Interval:
    """Return a / b of independent replicates, by the standard errors of their logarithms."""
    ratio, error = a.value / b.value, float(np.hypot(a.standard_error / a.value, b.standard_error / b.value))
    width = float(np.exp(norm.ppf((1 + level) / 2) * error))
    return Interval(ratio, ratio / width, ratio * width, ratio * error)


def together(made: Callable[[float], Iterator[Claim]]) -> list[Claim]:
    """Return the claims of a family, with Bonferroni's share of the level for each."""
    return list(made(1 - (1 - LEVEL) / len(list(made(LEVEL)))))


def of_richness(found: Mapping[Cell, Found], ratio: int, level: float) -> Iterator[Claim]:
    """Yield the claims at the largest n of each model, and for too rich discriminators at the smallest."""
    sizes = {name: sorted({c.n for c in found if c.model == name and c.ratio == ratio}) for name in MODELS}

    def at(model: str, n: int, discriminator: str, control: str = "", k: int = 0) -> Interval:
        cell = found[Cell(model, n, ratio, discriminator)]
        other = found[Cell(model, n, ratio, control)].errors if control else cell.likeliest
        return efficiencies(cell.errors, other, level)[k]

    for model, discriminator, k in MOMENTS:
        n, r2 = sizes[model][-1], float(theory(model, discriminator)[k])
        sentence = f"{model}{', scale' * k}: {discriminator} is as good as its moments with optimal weights, same noise"
        yield Claim(sentence, str(n), at(model, n, discriminator, "score", k), high=1.0, contains=r2)
    for model, k in ((LOGISTIC, 0), (STUDENT, 0), (GAUSSIAN, 0), (GAUSSIAN, 1)):
        n, of = sizes[model][-1], f"{model}{', scale' * k}"
        full = 1 / (1 + 1 / ratio)
        sentence = f"{of}: the score attains maximum likelihood's efficiency but for the simulation, 1 / (1 + n/m)"
        yield Claim(sentence, str(n), at(model, n, "score", k=k), low=MARGIN * full, contains=full)
        sentence = f"{of}: splines with 5 knots attain its efficiency without knowing it, same noise"
        yield Claim(sentence, str(n), at(model, n, "splines, 5 knots", "score", k), low=MARGIN)
        sentence = f"{of}: the network in a game attains maximum likelihood's efficiency"
        yield Claim(sentence, str(n), at(model, n, "network", k=k), low=MARGIN)
    for cell in (c for c in found if c.ratio != ratio):
        full, (interval,) = simulation(cell), efficiencies(found[cell].errors, found[cell].likeliest, level)
        sentence = f"{cell.model}: the score's efficiency is 1 / (1 + n/m) at m = {cell.ratio * cell.n:,}"
        yield Claim(sentence, str(cell.n), interval, low=MARGIN * full, contains=full)
        if (key := (cell.n, cell.ratio * cell.n)) in PUBLISHED:
            sentence = f"{cell.model}: √n RMSE is the published one at m = {key[1]:,}"
            rmse = parameter_errors(np.sqrt(cell.n) * found[cell].errors, np.zeros(1), level=level).rmse[0]
            yield Claim(sentence, str(cell.n), rmse, contains=PUBLISHED[key])
    for model in (LOGISTIC, STUDENT):
        few, many = sizes[model][0], sizes[model][-1]
        sentence = f"{model}: splines with 40 knots are worse than with 5, same noise"
        yield Claim(sentence, str(few), at(model, few, "splines, 40 knots", "splines, 5 knots"), high=1.0)
        sentence = f"{model}: splines with 10 knots lose less as n grows, efficiency at the one n over that at the other"
        pair = (at(model, n, "splines, 10 knots", "score") for n in (many, few))
        yield Claim(sentence, f"{many}, {few}", quotient(*pair, level), low=1.0)
    few = sizes[LOGISTIC][0]
    sentence = f"{LOGISTIC}: eleven moments are worse than three, same noise, though their theory is better"
    yield Claim(sentence, str(few), at(LOGISTIC, few, "x to x^11", "x to x^3"), high=1.0)


def of_likelihood(alone: Mapping[tuple[str, int], Any], level: float) -> Iterator[Claim]:
    """Yield claims: maximum likelihood is exactly efficient for a Gaussian location, and in the limit elsewhere."""
    sizes = sorted({n for _, n in alone})
    for (model, n), errors in alone.items():
        interval, *scale = over_bound(errors, model, n, level)
        if model == GAUSSIAN:
            yield Claim("Gaussian location: exactly efficient", str(n), interval, *NEAR, contains=1.0)
        elif n == sizes[0]:
            yield Claim(f"{model}: not yet efficient", str(n), interval, low=1.0)
        elif n == sizes[-1]:
            yield Claim(f"{model}: efficient in the limit", str(n), interval, *NEAR, contains=1.0)
        if scale and n == sizes[0]:
            yield Claim("Gaussian scale: not yet efficient", str(n), scale[0], low=1.0, contains=scale_over_bound(n))
        elif scale and n == sizes[-1]:
            yield Claim("Gaussian scale: efficient in the limit", str(n), scale[0], *NEAR, contains=1.0)
