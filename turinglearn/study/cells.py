"""Cells of a study: a frozen record of what is played, scored and measured, whose hash is its identity."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import Any

from turinglearn.recipes import Recipe
from turinglearn.registry import FACTORS, packages_of
from turinglearn.study.factors import (
    CellKind,
    Factor,
    FactorKind,
    Level,
    budget_factors,
    continuous_factors,
)
from turinglearn.study.jobs import Figure, canonical

__all__ = ["Budget", "Cell", "Texts", "by_seed", "groups", "replica_figures", "versions_of"]

Budget = tuple[tuple[str, int | float], ...]
Texts = tuple[tuple[str, str], ...]

_TABLES, _LISTS = ("budget", "cross_examiners", "versions"), ("seeds", "metrics")
_KINDS = {
    "problem": FactorKind.PROBLEM,
    "generator": FactorKind.PLAYER,
    "discriminator": FactorKind.PLAYER,
    "signal": FactorKind.SIGNAL,
    "objective": FactorKind.OBJECTIVE,
}


@dataclass(frozen=True, slots=True)
class Cell:
    """Record of what is played, and with what budget.

    Parameters
    ----------
    kind : CellKind
        DISCRIMINATOR, a discriminator on a pair with known log-odds; GAME, a generator against a discriminator on a problem;
        or TRUTH, a problem by itself.
    problem : Level
        Problem, or pair.
    generator, discriminator, signal, objective : Level or None
        Players, and how evidence becomes feedback; None where the kind has none.
    seeds : tuple of int
        Seeds; several are replicas of one game, played side by side: their grouping is part of the cell.
    budget : tuple of (str, number)
        Whole numbers by name, and seconds.
    metrics : tuple of str
        Names of what is measured of a generator.
    cross_examiners : tuple of (str, str)
        Recipes of fresh discriminators, by label.
    versions : tuple of (str, str)
        Versions of the packages that it needs, by name.
    """

    kind: CellKind
    problem: Level
    generator: Level | None
    discriminator: Level | None
    signal: Level | None
    objective: Level | None
    seeds: tuple[int, ...]
    budget: Budget
    metrics: tuple[str, ...]
    cross_examiners: Texts
    versions: Texts

    @property
    def identity(self) -> str:
        """SHA-256 of the canonical text of the payload."""
        return hashlib.sha256(canonical(self.payload()).encode()).hexdigest()

    @property
    def levels(self) -> dict[str, Level]:
        """Levels of the factors that the cell has, by name."""
        found = {name: getattr(self, name) for name in FACTORS}
        return {name: level for name, level in found.items() if level is not None}

    def factors(self) -> tuple[Factor, ...]:
        """Return all factors of the cell: its levels, its budgets, and its continuous factors n, d and KL."""
        budget = dict(self.budget)
        named = tuple(Factor(name, _KINDS[name], level) for name, level in self.levels.items())
        return named + budget_factors(budget) + continuous_factors(self.problem.recipe, budget)

    def payload(self) -> dict[str, Any]:
        """Return the cell as JSON has it: tables as objects, tuples as lists."""
        levels = {name: None if getattr(self, name) is None else getattr(self, name).payload() for name in FACTORS}
        tables = {name: dict(getattr(self, name)) for name in _TABLES}
        return {"kind": str(self.kind)} | levels | tables | {name: list(getattr(self, name)) for name in _LISTS}

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Cell:
        """Return the cell of a payload. Raises ValueError for a payload that describes none."""
        try:
            levels = {name: None if payload[name] is None else Level.of(payload[name]) for name in FACTORS}
            tables = {name: tuple(sorted(payload[name].items())) for name in _TABLES}
            lists = {name: tuple(payload[name]) for name in _LISTS}
            if levels["problem"] is None or len(payload) != len(fields(cls)):
                raise KeyError("problem")
            content: dict[str, Any] = {**levels, **tables, **lists}
            return cls(kind=CellKind(payload["kind"]), **content)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{dict(payload)!r:.80} is not a cell of a study. Use the rows of a study.") from error


def groups(seeds: Sequence[int], size: int) -> list[tuple[int, ...]]:
    """Return seeds in groups of consecutive ones, of at most this size.

    >>> groups([0, 1, 2, 3, 7, 8], 3)
    [(0, 1, 2), (3,), (7, 8)]
    """
    found: list[tuple[int, ...]] = []
    for seed in sorted(set(seeds)):
        if found and len(found[-1]) < size and found[-1][-1] + 1 == seed:
            found[-1] += (seed,)
        else:
            found.append((seed,))
    return found


def replica_figures(found: Sequence[Mapping[str, Figure]]) -> dict[str, Figure]:
    """Return the figures of several replicas as those of one row: the figure "name" of the replica i is called "name@i"."""
    if len(found) == 1:
        return dict(found[0])
    return {f"{name}@{i}": value for i, figures in enumerate(found) for name, value in figures.items()}


def by_seed(payload: Mapping[str, Any], figures: Mapping[str, Figure]) -> Iterator[tuple[int, dict[str, Figure]]]:
    """Yield each seed of a finished cell with its own figures, from the payload and the figures of its row.

    In a row of several replicas, the figure "name" of the replica i is called "name@i".

    >>> dict(by_seed({"seeds": [4, 5]}, {"modes@0": 3.0, "modes@1": 8.0}))
    {4: {'modes': 3.0}, 5: {'modes': 8.0}}
    """
    seeds: Sequence[int] = payload["seeds"]
    if len(seeds) == 1:
        yield seeds[0], dict(figures)
        return
    found: list[dict[str, Figure]] = [{} for _ in seeds]
    for name, value in figures.items():
        plain, index = _replica(name)
        found[index][plain] = value
    yield from zip(seeds, found, strict=True)


@lru_cache(2**16)
def _replica(name: str) -> tuple[str, int]:
    """Take "name@i" apart."""
    plain, _, index = name.rpartition("@")
    return plain, int(index)


def versions_of(recipes: Mapping[str, Sequence[Recipe]]) -> Texts:
    """Return the versions of what recipes need, by role: of the core always, of other packages where a recipe needs them."""
    names = {"turinglearn", "numpy", "scipy", "scikit-learn"}
    for role, each in recipes.items():
        for recipe in each:
            root, dotted, _ = recipe.name.partition(".")
            names.update(packages_of(role, recipe))
            names.update(_distributions().get(root, ()) if dotted else ())
            names.update({"torch"} if dict(recipe.options).get("library") == "torch" else ())
    return tuple(sorted((name, _version(name)) for name in names))


@cache
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        if name != "turinglearn":
            return "none"
        return str(sys.modules["turinglearn"].__version__)  # a working copy on the path
