"""Settings of runs: what was varied beside the discriminator and the seed, and what the runs of a comparison share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from turinglearn.study.factors import CellKind, Factor, FactorKind, Level, problem_family

__all__ = ["Setting", "SharedSettings", "unequal_efforts"]

_BUDGETS = (FactorKind.DESIGN, FactorKind.EFFORT)


@dataclass(frozen=True)
class Setting:
    """Levels of all factors of a cell but its discriminator.

    Parameters
    ----------
    kind : CellKind
        Kind of the cell.
    problem : Level
        Problem.
    factors : tuple of Factor
        Other named levels, and budgets.
    continuous : tuple of (str, float)
        Continuous factors by name, in the order n, d, KL.
    """

    kind: CellKind
    problem: Level
    factors: tuple[Factor, ...]
    continuous: tuple[tuple[str, float], ...]

    @cached_property
    def order(self) -> tuple[object, ...]:
        """Key by which settings are sorted: labels, then numbers."""
        return self.kind, self.problem.label, tuple((f.name, f.label) for f in self.factors), self.continuous

    @property
    def budget(self) -> tuple[Factor, ...]:
        """Budgets that are not continuous factors."""
        return tuple(factor for factor in self.factors if factor.kind in _BUDGETS)

    @property
    def efforts(self) -> dict[str, Factor]:
        """Budgets that each discriminator may have of its own, by name."""
        return {factor.name: factor for factor in self.factors if factor.kind is FactorKind.EFFORT}

    @property
    def training_sets(self) -> int | None:
        """Number of training sets of each seed, or None where cells have no training sets."""
        found = (factor.value for factor in self.factors if factor.name == "training_sets")
        return next((value for value in found if isinstance(value, int)), None)

    @property
    def problem_family(self) -> str:
        """Recipe of the problem without its continuous options."""
        return str(problem_family(self.problem.recipe))

    @property
    def problem_label(self) -> str:
        """Label of the problem without its continuous options, which stand beside it as numbers."""
        kept = {name for name, _ in problem_family(self.problem.recipe).options}
        return self.problem.label_without(name for name, _ in self.problem.recipe.options if name not in kept)

    def family(self) -> Setting:
        """Return the setting with the family of its problem for the problem, and without continuous factors."""
        recipe = problem_family(self.problem.recipe)
        return replace(self, problem=Level(str(recipe), recipe), continuous=())

    def without(self, names: Collection[str]) -> Setting:
        """Return the setting without the factors of these names."""
        return replace(self, factors=tuple(factor for factor in self.factors if factor.name not in names))

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.kind, self.problem, self.factors, self.continuous))


class SharedSettings:
    """Settings in which runs are compared: without the efforts of which each discriminator has only one.

    A round of one discriminator is not a round of another, so a study may give each its own effort. Where one discriminator
    has several efforts, only runs with the same effort are compared.

    Parameters
    ----------
    runs : iterable of (Setting, str)
        Setting and discriminator of each run.
    """

    def __init__(self, runs: Iterable[tuple[Setting, str]]) -> None:
        levels: dict[Setting, dict[tuple[str, str], set[Factor | None]]] = defaultdict(lambda: defaultdict(set))
        pairs = {*runs}
        self._names = {name for setting, _ in pairs for name in setting.efforts}
        for setting, discriminator in pairs:
            efforts, found = setting.efforts, levels[setting.without(self._names)]
            for name in self._names:
                found[name, discriminator].add(efforts.get(name))
        self._shared = {
            setting: {name for (name, _), found in each.items() if len(found) > 1} for setting, each in levels.items()
        }
        self._known: dict[Setting, Setting] = {}

    def of(self, setting: Setting) -> Setting:
        """Return the setting of a run without the efforts that belong to its discriminator."""
        if setting not in self._known:
            shared = self._shared[setting.without(self._names)]
            self._known[setting] = setting.without(self._names - shared)
        return self._known[setting]


def unequal_efforts(shared: Setting, first: Setting, second: Setting) -> list[tuple[str, Factor | None, Factor | None]]:
    """Return the efforts in which two runs of a shared setting differ: name, first, second; None for the default."""
    one, other = first.efforts, second.efforts
    names = sorted((one.keys() | other.keys()) - shared.efforts.keys())
    return [(name, one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name)]
