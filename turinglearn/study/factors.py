"""Factors of a cell, typed: what was varied, of which kind it is, and which level of it a cell has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from turinglearn.recipes import Recipe, Value, read

__all__ = [
    "BUDGET",
    "CONTINUOUS",
    "BudgetField",
    "CellKind",
    "Factor",
    "FactorKind",
    "Level",
    "budget_factors",
    "budget_fields",
    "continuous_factors",
    "problem_family",
]


class CellKind(StrEnum):
    """Kinds of cells: a discriminator on a pair with known log-odds, a game, or a problem by itself."""

    DISCRIMINATOR = "discriminator"
    GAME = "game"
    TRUTH = "truth"


class FactorKind(StrEnum):
    """Kinds of factors.

    EFFORT is a budget that belongs to a player: how long, and on how much data at a time, it learns. A round of one
    discriminator is not a round of another, so a study may set it for each. DESIGN is a budget that belongs to the setting.
    CONTINUOUS is a number over which a curve can be drawn: the sample size, the dimension, the divergence.
    """

    PROBLEM = "problem"
    PLAYER = "player"
    SIGNAL = "signal"
    OBJECTIVE = "objective"
    CONTINUOUS = "continuous"
    DESIGN = "design"
    EFFORT = "effort"


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a factor that a specification names: a problem, a player, a signal or an objective.

    Parameters
    ----------
    name : str
        Name in the specification, such as "correlated", or the text of the recipe where the recipe stands by itself.
    recipe : Recipe
        Recipe that the name stands for.
    varied : tuple of (str, Value)
        Options of the recipe in which it differs from the other levels of that name.

    Examples
    --------
    >>> level = Level("near", read("pair(dimension=2, family='shifted', kl=0.5)"), (("kl", 0.5),))
    >>> level.label
    'near[kl=0.5]'
    """

    name: str
    recipe: Recipe
    varied: tuple[tuple[str, Value], ...] = ()

    @property
    def label(self) -> str:
        """Name and varied options, for a reader."""
        return self.label_without(())

    def label_without(self, options: Iterable[str]) -> str:
        """Return the label without these options, such as those that a table has in columns of their own."""
        left = set(options)
        inside = ", ".join(f"{name}={value}" for name, value in self.varied if name not in left)
        return f"{self.name}[{inside}]" if inside else self.name

    def payload(self) -> dict[str, object]:
        """Return the level as JSON has it."""
        return {"name": self.name, "recipe": str(self.recipe), "varied": dict(self.varied)}

    @classmethod
    def of(cls, payload: Mapping[str, object]) -> Level:
        """Return the level of a payload. Raises KeyError, TypeError or ValueError for any other content."""
        name, text, varied = payload["name"], payload["recipe"], payload["varied"]
        if not (isinstance(name, str) and isinstance(text, str) and isinstance(varied, Mapping)):
            raise TypeError("a level is a name, a recipe and a table of options")
        recipe = read(text)
        options = dict(Recipe.of(recipe.name, varied).options)
        return cls(name, recipe, tuple((option, options[option]) for option in varied))


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor and its level in one cell.

    Parameters
    ----------
    name : str
        "problem", "generator", "discriminator", "signal", "objective", the name of a budget, or the symbol of a continuous
        factor: "n", "d" or "KL".
    kind : FactorKind
        Kind of the factor; it, not the name, decides how the factor is treated.
    value : Level, int or float
        Level of the factor.
    """

    name: str
    kind: FactorKind
    value: Level | int | float

    @property
    def label(self) -> str:
        """Level as a text, for a reader."""
        return self.value.label if isinstance(self.value, Level) else str(self.value)


@dataclass(frozen=True, slots=True)
class BudgetField:
    """A whole number that the budget of a cell can hold, its bounds, and its default, None where there is none."""

    name: str
    cell: CellKind
    kind: FactorKind
    least: int
    most: int
    default: int | None = None


_SCORED, _PLAYED = CellKind.DISCRIMINATOR, CellKind.GAME
_CONTINUOUS, _DESIGN, _EFFORT = FactorKind.CONTINUOUS, FactorKind.DESIGN, FactorKind.EFFORT
BUDGET = (
    BudgetField("n", _SCORED, _CONTINUOUS, 4, 10**6),
    BudgetField("training_sets", _SCORED, _DESIGN, 3, 10**4, 20),
    BudgetField("fits", _SCORED, _DESIGN, 1, 10**3, 1),
    BudgetField("points", _SCORED, _DESIGN, 2, 10**6, 2_000),
    BudgetField("steps", _SCORED, _EFFORT, 1, 10**7, 1_000),
    BudgetField("batch_size", _SCORED, _EFFORT, 1, 10**6, 128),
    BudgetField("rounds", _PLAYED, _EFFORT, 1, 10**8),
    BudgetField("rows", _PLAYED, _CONTINUOUS, 4, 10**7),
    BudgetField("batch_size", _PLAYED, _EFFORT, 1, 10**6),
    BudgetField("samples_per_fit", _PLAYED, _EFFORT, 1, 10**6),
    BudgetField("discriminator_steps", _PLAYED, _EFFORT, 1, 1_000),
    BudgetField("generator_steps", _PLAYED, _EFFORT, 1, 1_000),
    BudgetField("draws", _PLAYED, _DESIGN, 10, 10**6, 2_000),
    BudgetField("kept", _PLAYED, _DESIGN, 0, 512, 64),
)

# Continuous factors: a symbol, the budgets and the options of the problem that hold it. The order is that of tables.
_SYMBOLS = (("n", ("n", "rows"), ()), ("d", (), ("dimension",)), ("KL", (), ("kl",)))
CONTINUOUS = tuple(symbol for symbol, _, _ in _SYMBOLS)
_OPTIONS = frozenset(option for _, _, options in _SYMBOLS for option in options)
_KINDS = {field.name: field.kind for field in BUDGET}


def budget_fields(kind: CellKind) -> dict[str, BudgetField]:
    """Return the budget fields of a kind of cells by name."""
    return {field.name: field for field in BUDGET if field.cell is kind}


def budget_factors(budget: Mapping[str, int | float]) -> tuple[Factor, ...]:
    """Return the budgets of a cell as factors, by name; those that are continuous factors are left out."""
    kinds = ((name, _KINDS.get(name, _DESIGN), value) for name, value in sorted(budget.items()))
    return tuple(Factor(name, kind, value) for name, kind, value in kinds if kind is not _CONTINUOUS)


def continuous_factors(problem: Recipe, budget: Mapping[str, int | float]) -> tuple[Factor, ...]:
    """Return the continuous factors of a cell, in the order n, d, KL."""
    options, found = dict(problem.options), []
    for symbol, budgets, names in _SYMBOLS:
        candidates = [budget.get(name) for name in budgets] + [options.get(name) for name in names]
        numbers = [v for v in candidates if isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)]
        found += [Factor(symbol, _CONTINUOUS, float(value)) for value in numbers[:1]]
    return tuple(found)


def problem_family(problem: Recipe) -> Recipe:
    """Return the recipe of a problem without its continuous options.

    >>> str(problem_family(read("pair(dimension=2, family='shifted', kl=0.5)")))
    "pair(family='shifted')"
    """
    return Recipe(problem.name, tuple((name, value) for name, value in problem.options if name not in _OPTIONS))
