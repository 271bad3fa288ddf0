"""Rows of a store as runs: one for each seed, with a typed setting."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from turinglearn.report.analysis.settings import Setting
from turinglearn.study.cells import Cell, by_seed
from turinglearn.study.factors import CellKind, FactorKind, Level
from turinglearn.study.figures import SAMPLE
from turinglearn.study.jobs import Figure
from turinglearn.study.schema import Row

__all__ = ["Floats", "NamedRecipe", "Origin", "Run", "read_runs"]

Floats = NDArray[np.float64]
_FIELDS = tuple(field.name for field in fields(Row))


class NamedRecipe(NamedTuple):
    """Recipe that a name of a factor stands for."""

    factor: str
    name: str
    recipe: str


class Origin(NamedTuple):
    """Texts that say with what a cell ran."""

    commit: str
    versions: str
    hardware: str
    limits: str


@dataclass(frozen=True)
class Run:
    """One seed of a cell, and its outcome.

    Parameters
    ----------
    identity : str
        Identity of the cell.
    setting : Setting
        All that was varied but the discriminator and the seed.
    discriminator : Level or None
        Discriminator, None where the cell has none.
    label : str
        Label of the discriminator, "" without one.
    seed : int
        Seed.
    status : str
        Status of the cell, "ok" where it has figures.
    figures : dict of str to float
        Figures by name, nan for one that has no finite value.
    sample : array (n, d) or None
        Sample that the row keeps.
    error, started : str
        Traceback, and time of the start.
    seconds : float
        Duration, of each of several seeds an equal share.
    origin : Origin
        Versions and machine.
    recipes : tuple of NamedRecipe
        Recipes of the players, the problem and the cross-examiners.
    """

    identity: str
    setting: Setting
    discriminator: Level | None
    label: str
    seed: int
    status: str
    figures: dict[str, float]
    sample: Floats | None
    error: str
    seconds: float
    started: str
    origin: Origin
    recipes: tuple[NamedRecipe, ...]

    @property
    def kind(self) -> CellKind:
        """Kind of the cell."""
        return self.setting.kind

    @property
    def ended_well(self) -> bool:
        """True where the cell has figures."""
        return self.status == "ok"


def read_runs(rows: Iterable[Row | Mapping[str, Any]]) -> list[Run]:
    """Return the rows of a store as runs, in an order that does not depend on that of the rows.

    A name that stands for several recipes, since the specification was changed and its store was not, has its recipe beside
    it. Of runs that differ in nothing that is reported, those that ended well come last, and of these the later ones.

    Parameters
    ----------
    rows : iterable of Row or mapping
        Rows, or mappings with the fields of a `turinglearn.study.schema.Row`.

    Raises
    ------
    ValueError
        For a row without one of the fields, or with a payload that is not a cell.
    """
    shared = _Shared()
    runs = [run for row in rows for run in _runs(_checked(row), shared)]
    return sorted(_distinguished(runs), key=_order)


def _checked(row: Row | Mapping[str, Any]) -> Row:
    if isinstance(row, Row):
        return row
    lacking = [name for name in _FIELDS if name not in row]
    if lacking:
        raise ValueError(f"A row has no {lacking[0]}, only {sorted(row)}. Report on the rows of a study, such as Store.rows().")
    return Row(**{name: row[name] for name in _FIELDS})


def _order(run: Run) -> tuple[object, ...]:
    return (run.setting.order, run.label, run.seed, run.ended_well, run.started, run.identity)


class _Shared:
    """Values that many rows share and that are made once: settings, recipes, texts of versions and hardware."""

    def __init__(self) -> None:
        self._settings: dict[object, Setting] = {}
        self._recipes: dict[object, tuple[NamedRecipe, ...]] = {}
        self._origins: dict[object, Origin] = {}
        self._texts: dict[int, tuple[object, str]] = {}

    def setting(self, cell: Cell) -> Setting:
        """Return the setting of a cell."""
        key = (cell.kind, cell.problem, cell.generator, cell.signal, cell.objective, cell.budget)
        if key not in self._settings:
            self._settings[key] = _setting(cell)
        return self._settings[key]

    def recipes(self, cell: Cell) -> tuple[NamedRecipe, ...]:
        """Return the recipes of the levels and of the cross-examiners."""
        found = [NamedRecipe(name, level.label, str(level.recipe)) for name, level in sorted(cell.levels.items())]
        key = tuple(found + [NamedRecipe("cross_examiner", label, text) for label, text in cell.cross_examiners])
        return self._recipes.setdefault(key, key)

    def origin(self, row: Row) -> Origin:
        """Return the texts on what a row ran with."""
        found = Origin(row.commit or "unknown", self._text(row.versions), self._text(row.hardware), self._text(row.limits))
        return self._origins.setdefault(found, found)

    def _text(self, content: Mapping[str, object]) -> str:
        if id(content) not in self._texts:
            self._texts[id(content)] = content, _listed(content)  # kept, so that no other content can have its id
        return self._texts[id(content)][1]


def _setting(cell: Cell) -> Setting:
    factors = cell.factors()
    others = (f for f in factors if f.kind is not FactorKind.CONTINUOUS and f.name not in ("problem", "discriminator"))
    numbers = ((f.name, f.value) for f in factors if f.kind is FactorKind.CONTINUOUS)
    continuous = tuple((name, value) for name, value in numbers if isinstance(value, float))
    return Setting(cell.kind, cell.problem, tuple(others), continuous)


def _runs(row: Row, shared: _Shared) -> Iterator[Run]:
    cell = row.cell()
    setting, origin, recipes = shared.setting(cell), shared.origin(row), shared.recipes(cell)
    for seed, found in by_seed(row.payload, row.figures):
        figures = {name: _number(value) for name, value in found.items() if not isinstance(value, list)}
        yield Run(
            row.identity,
            setting,
            cell.discriminator,
            "" if cell.discriminator is None else cell.discriminator.label,
            seed,
            row.status,
            figures,
            _sample(found.get(SAMPLE.name)),
            row.error,
            row.seconds / len(cell.seeds),
            row.started,
            origin,
            recipes,
        )


def _number(value: Figure) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _sample(rows: Figure) -> Floats | None:
    """Return a sample (n, d), or None where there is none, or its rows are not equally long."""
    if not isinstance(rows, list) or len(set(map(len, rows))) != 1:
        return None
    return np.array(rows, dtype=float)


def _listed(content: Mapping[str, object]) -> str:
    """Return a mapping as "name value, name value"."""
    numbers = {name: f"{value:.15g}" if isinstance(value, float) else value for name, value in content.items()}
    return ", ".join(f"{name} {value}" for name, value in sorted(numbers.items())) or "unknown"


def _distinguished(runs: list[Run]) -> list[Run]:
    """Return the runs with the recipe beside each name that stands for several recipes, and with no empty name."""
    meant: dict[tuple[str, str], set[str]] = {}
    for recipes in {run.recipes for run in runs}:
        for factor, name, recipe in recipes:
            meant.setdefault((factor, name), set()).add(recipe)
    if all(name and len(recipes) == 1 for (_, name), recipes in meant.items()):
        return runs

    def named(factor: str, level: Level) -> Level:
        if len(meant[factor, level.label]) > 1:
            return replace(level, name=f"{level.label} = {level.recipe}", varied=())
        return level if level.label else replace(level, name="''")

    def renamed(setting: Setting) -> Setting:
        factors = [replace(f, value=named(f.name, f.value)) if isinstance(f.value, Level) else f for f in setting.factors]
        return replace(setting, problem=named("problem", setting.problem), factors=tuple(factors))

    settings = {setting: renamed(setting) for setting in {run.setting for run in runs}}
    found = []
    for run in runs:
        level = None if run.discriminator is None else named("discriminator", run.discriminator)
        label = "" if level is None else level.label
        found.append(replace(run, setting=settings[run.setting], discriminator=level, label=label))
    return found
