"""Cells that the tables of a specification cross to."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence, Sized

from turinglearn.recipes import Recipe, read
from turinglearn.registry import FACTORS, nearest
from turinglearn.study.cells import Cell, Texts, groups, versions_of
from turinglearn.study.components import Check, Components
from turinglearn.study.factors import BudgetField, CellKind, Level, budget_fields
from turinglearn.study.measures import METRICS
from turinglearn.study.toml_document import TomlDocument
from turinglearn.study.toml_positions import KeyPath

__all__ = ["Grid"]

_MOST = 200_000  # cells
_LARGEST_SEED = 2**31 - 1
_SCORED, _PLAYED = budget_fields(CellKind.DISCRIMINATOR), budget_fields(CellKind.GAME)
_TRUTH = {"draws": 2_000, "kept": 4_096}
_DEFAULT = Recipe("usual")  # signal, objective
_SCORED_FACTORS = ("problems", "discriminators")
_PLAYED_FACTORS = ("problems", "generators", "discriminators", "signals", "objectives")


class Grid:
    """Cells in the order of the tables, each once.

    Parameters
    ----------
    document : TomlDocument
        Specification.
    components : Components
        Levels that its tables name.
    """

    def __init__(self, document: TomlDocument, components: Components) -> None:
        self.document, self.components = document, components
        self._incompatible: dict[str, dict[str, None]] = {}  # games, by the reason why they cannot be played
        self._count = 0

    @property
    def incompatible(self) -> tuple[str, ...]:
        """Players that cannot play each other, and why: each reason once."""
        return tuple(f"{', '.join(games)}: {reason}" for reason, games in self._incompatible.items())

    def cells(self) -> Iterator[Cell]:
        """Yield all cells. Raises SpecificationError where there are none, or too many."""
        discriminators, games = self.document.tables(("discriminator",)), self.document.tables(("game",))
        if not discriminators and not games:
            self.document.fail((), "there is nothing to run; expected a table [[discriminator]] or [[game]]")
        for key, remedy in (("seeds", "set seeds in each [[discriminator]]"), ("replicas", "leave it out")):
            if not games and self.document.get((key,)) is not None:
                self.document.fail((key,), f"{key} at the top is for games, and there is no [[game]]; {remedy}", key=True)
        found: dict[Cell, None] = {}
        for path in discriminators:
            found.update(dict.fromkeys(self._scored(path)))
        played = [cell for path in games for cell in self._played(path)]
        found.update(dict.fromkeys(_truth(cell) for cell in played))
        found.update(dict.fromkeys(played))
        if not found:
            self.document.fail(games[0], f"none of its players can play each other: {self.incompatible[0]}", key=True)
        yield from found

    def _scored(self, path: KeyPath) -> Iterator[Cell]:
        self.document.table(path, (*_SCORED_FACTORS, *_SCORED, "seeds"))
        problems = self._chosen(path, "problems", self.components.check_pair)
        discriminators = self._chosen(path, "discriminators", self.components.check_discriminator)
        if self.document.get((*path, "n")) is None:
            self.document.fail(path, "n is missing; expected the number of training rows of each class", key=True)
        seeds = self._seeds(path) if self.document.get((*path, "seeds")) is not None else [0]
        size = _SCORED["n"]
        sizes = [self.document.integer(p, least=size.least, most=size.most) for p in self.document.several((*path, "n"))]
        budget = self._budget(path, {name: field for name, field in _SCORED.items() if name != "n"})
        self._check_count(path, problems, discriminators, seeds, sizes)
        for problem, discriminator, n, seed in itertools.product(problems, discriminators, sizes, seeds):
            levels = {"problem": problem, "discriminator": discriminator}
            yield _cell(CellKind.DISCRIMINATOR, levels, (seed,), budget | {"n": n})

    def _played(self, path: KeyPath) -> Iterator[Cell]:
        self.document.table(path, (*_PLAYED_FACTORS, *_PLAYED, "seconds", "seeds", "replicas", "metrics", "cross_examiners"))
        problems, *players = [self._chosen(path, name) for name in _PLAYED_FACTORS]
        budget = self._budget(path, _PLAYED)
        timed = self.document.get((*path, "seconds")) is not None
        if ("rounds" in budget) == timed:
            self.document.fail(path, "expected either rounds, the length of each game, or seconds, its duration", key=True)
        if timed:
            budget["seconds"] = self.document.number((*path, "seconds"))
        examiners, metrics = self._cross_examiners(path), self._metrics(path)
        seeds, size = self._seeds(path), self._replicas(path)
        self._check_count(path, problems, *players, seeds)
        for generator, discriminator, signal, objective in itertools.product(*players):
            game = (generator, discriminator, signal, objective)
            reason = self.components.incompatibility(game, (*path, "discriminators"))
            if reason is not None:
                self._incompatible.setdefault(reason, {})[_game_label(*game)] = None
                continue
            together = size if not timed and _is_neural(generator) and _is_neural(discriminator) else 1
            for problem, group in itertools.product(problems, groups(seeds, together)):
                levels = dict(zip(FACTORS, (problem, *game), strict=True))
                yield _cell(CellKind.GAME, levels, group, budget, metrics, examiners)

    def _chosen(self, path: KeyPath, name: str, check: Check | None = None) -> list[Level]:
        default = _DEFAULT.name if name in ("signals", "objectives") else None
        return self.components.chosen(name.removesuffix("s"), (*path, name), default, check)

    def _budget(self, path: KeyPath, fields: Mapping[str, BudgetField]) -> dict[str, int | float]:
        """Read the budget of a table: what it sets, and the defaults of the other fields."""
        found: dict[str, int | float] = {}
        for name, field in fields.items():
            if self.document.get((*path, name)) is not None:
                found[name] = self.document.integer((*path, name), least=field.least, most=field.most)
            elif field.default is not None:
                found[name] = field.default
        return found

    def _seeds(self, path: KeyPath) -> list[int]:
        """Read the seeds of the table, or of the whole study: their number, or a list."""
        place = (*path, "seeds") if self.document.get((*path, "seeds")) is not None else ("seeds",)
        if isinstance(self.document.get(place), list):
            seeds = [self.document.integer(p, least=0, most=_LARGEST_SEED) for p in self.document.several(place)]
            if len(set(seeds)) < len(seeds):
                self.document.fail(place, "a seed is listed twice; expected each once")
            return seeds
        return list(range(self.document.integer(place, 1, most=_MOST)))

    def _replicas(self, path: KeyPath) -> int:
        place = (*path, "replicas") if self.document.get((*path, "replicas")) is not None else ("replicas",)
        return self.document.integer(place, 1, most=64)

    def _metrics(self, path: KeyPath) -> tuple[str, ...]:
        place = (*path, "metrics")
        if self.document.get(place) is None:
            return tuple(METRICS)
        names = []
        for each in self.document.several(place):
            name = self.document.get(each)
            if name not in METRICS:
                self.document.fail(each, f"there is no metric {name!r:.60}{nearest(str(name), METRICS)}")
            names.append(name)
        return tuple(name for name in METRICS if name in names)

    def _cross_examiners(self, path: KeyPath) -> Texts:
        place = (*path, "cross_examiners")
        if self.document.get(place) is None:
            return ()
        chosen = self.components.chosen("discriminator", place, check=self.components.check_discriminator)
        return tuple(sorted((level.label, str(level.recipe)) for level in chosen))

    def _check_count(self, path: KeyPath, *factors: Sized) -> None:
        count = math.prod(map(len, factors))
        self._count += count
        if self._count > _MOST:
            self.document.fail(path, f"this crosses to {count:,} cells; expected at most {_MOST:,} in a study", key=True)


def _cell(
    kind: CellKind,
    levels: Mapping[str, Level],
    seeds: tuple[int, ...],
    budget: Mapping[str, int | float],
    metrics: Sequence[str] = (),
    cross_examiners: Texts = (),
) -> Cell:
    """Return a cell, with the versions of what its levels need."""
    recipes = {name: [level.recipe] for name, level in levels.items()}
    recipes["discriminator"] = recipes.get("discriminator", []) + [read(text) for _, text in cross_examiners]
    return Cell(
        kind=kind,
        problem=levels["problem"],
        generator=levels.get("generator"),
        discriminator=levels.get("discriminator"),
        signal=levels.get("signal"),
        objective=levels.get("objective"),
        seeds=seeds,
        budget=tuple(sorted(budget.items())),
        metrics=tuple(metrics),
        cross_examiners=cross_examiners,
        versions=versions_of(recipes),
    )


def _game_label(generator: Level, discriminator: Level, signal: Level, objective: Level) -> str:
    """Return a name such as "network against forest with exact"."""
    others = [level.label for level in (signal, objective) if level.recipe != _DEFAULT]
    return f"{generator.label} against {discriminator.label}{' with ' * bool(others)}{', '.join(others)}"


def _truth(cell: Cell) -> Cell:
    """Return the cell of a game's problem by itself."""
    return _cell(CellKind.TRUTH, {"problem": cell.problem}, (0,), _TRUTH)


def _is_neural(player: Level) -> bool:
    """Return whether games of this player and another one can be played side by side."""
    return player.recipe.name == "neural"
