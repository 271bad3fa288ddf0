"""The cells that the tables of a specification cross to."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

from turinglearn.catalogue import nearest
from turinglearn.study.cells import Cell, groups, versions_of
from turinglearn.study.ingredients import Check, Ingredients, Named
from turinglearn.study.measures import METRICS
from turinglearn.study.positions import Path
from turinglearn.study.reading import Document

__all__ = ["Crossing"]

_MOST = 200_000  # cells
_LARGEST_SEED = 2**31 - 1
_JUDGE = {
    "n": (4, 10**6),
    "sets": (3, 10**4),
    "runs": (1, 10**3),
    "points": (2, 10**6),
    "steps": (1, 10**7),
    "batch_size": (1, 10**6),
}
_USUAL_JUDGE = {"sets": 20, "runs": 1, "points": 2_000, "steps": 1_000, "batch_size": 128}
_GAME = {
    "rounds": (1, 10**8),
    "rows": (4, 10**7),
    "batch_size": (1, 10**6),
    "samples_per_fit": (1, 10**6),
    "discriminator_steps": (1, 1_000),
    "generator_steps": (1, 1_000),
    "draws": (10, 10**6),
    "kept": (0, 512),
}
_USUAL_GAME = {"draws": 2_000, "kept": 64}
_TRUTH = (("draws", 2_000), ("kept", 4_096))
_JUDGED, _PLAYED = ("problems", "discriminators"), ("problems", "generators", "discriminators", "signals", "objectives")


class Crossing:
    """Cells in the order of the tables, each once."""

    def __init__(self, document: Document, ingredients: Ingredients) -> None:
        self.document, self.ingredients = document, ingredients
        self._apart: dict[str, dict[str, None]] = {}  # players, by why they cannot meet
        self._count = 0

    @property
    def left_out(self) -> tuple[str, ...]:
        """The players that cannot meet, and why: each reason once."""
        return tuple(f"{', '.join(players)}: {why}" for why, players in self._apart.items())

    def cells(self) -> Iterator[Cell]:
        """All cells. SpecificationError where there are none, or too many."""
        judges, games = self.document.tables(("judge",)), self.document.tables(("game",))
        if not judges and not games:
            self.document.fail((), "there is nothing to run; expected a table [[judge]] or [[game]]")
        for key, remedy in (("seeds", "give each [[judge]] its own"), ("replicas", "leave it out")):
            if not games and self.document.get((key,)) is not None:
                self.document.fail((key,), f"{key} at the top is for games, and there is no [[game]]; {remedy}", key=True)
        found: dict[Cell, None] = {}
        for path in judges:
            found.update(dict.fromkeys(self._judged(path)))
        played = [cell for path in games for cell in self._played(path)]
        found.update(dict.fromkeys(_truth(cell) for cell in played))
        found.update(dict.fromkeys(played))
        if not found:
            self.document.fail(games[0], f"no players of it can meet: {self.left_out[0]}", key=True)
        yield from found

    def _judged(self, path: Path) -> Iterator[Cell]:
        self.document.table(path, (*_JUDGED, *_JUDGE, "seeds"))
        problems = self._chosen(path, "problems", self.ingredients.check_pair)
        judges = self._chosen(path, "discriminators", self.ingredients.check_judge)
        if self.document.get((*path, "n")) is None:
            self.document.fail(path, "n is missing; expected how many rows of each kind a judge learns from", key=True)
        seeds = self._seeds(path) if self.document.get((*path, "seeds")) is not None else [0]
        sizes = [self.document.whole(p, least=4, most=_JUDGE["n"][1]) for p in self.document.several((*path, "n"))]
        budget = _USUAL_JUDGE | self._numbers(path, {name: bounds for name, bounds in _JUDGE.items() if name != "n"})
        self._check_count(path, problems, judges, seeds, sizes)
        for problem, judge, n, seed in itertools.product(problems, judges, sizes, seeds):
            chosen: dict[str, Named | None] = {"problem": problem, "discriminator": judge}
            yield _cell("judge", chosen, (seed,), budget | {"n": n}, (), ())

    def _played(self, path: Path) -> Iterator[Cell]:
        self.document.table(path, (*_PLAYED, *_GAME, "seconds", "seeds", "replicas", "metrics", "examiners"))
        factors = [self._chosen(path, name) for name in _PLAYED]
        budget: dict[str, Any] = _USUAL_GAME | self._numbers(path, _GAME)
        timed = self.document.get((*path, "seconds")) is not None
        if ("rounds" in budget) == timed:
            self.document.fail(path, "expected either rounds, how many each game plays, or seconds, how long", key=True)
        budget |= {"seconds": self.document.number((*path, "seconds"))} if timed else {}
        examiners = self._examiners(path)
        metrics = self._metrics(path)
        seeds, size = self._seeds(path), self._replicas(path)
        self._check_count(path, *factors, seeds)
        problems, *rest = factors
        for players in itertools.product(*rest):
            why = self.ingredients.why_not(players, (*path, "discriminators"))
            if why is not None:
                self._apart.setdefault(why, {})[_met(*players)] = None
                continue
            alike = size if not timed and _neural(players[0]) and _neural(players[1]) else 1
            for problem, group in itertools.product(problems, groups(seeds, alike)):
                chosen = dict(
                    zip(("problem", "generator", "discriminator", "signal", "objective"), (problem, *players), strict=True)
                )
                yield _cell("game", chosen, group, budget, metrics, examiners)

    def _chosen(self, path: Path, name: str, check: Check | None = None) -> list[Named]:
        usual = "usual" if name in ("signals", "objectives") else None
        return self.ingredients.chosen(name.removesuffix("s"), (*path, name), usual, check)

    def _numbers(self, path: Path, bounds: dict[str, tuple[int, int]]) -> dict[str, int]:
        return {
            name: self.document.whole((*path, name), least=low, most=high)
            for name, (low, high) in bounds.items()
            if self.document.get((*path, name)) is not None
        }

    def _seeds(self, path: Path) -> list[int]:
        """Those of the table, or of the whole study: a number of them, or a list."""
        place = (*path, "seeds") if self.document.get((*path, "seeds")) is not None else ("seeds",)
        value = self.document.get(place)
        if isinstance(value, list):
            seeds = [self.document.whole(p, least=0, most=_LARGEST_SEED) for p in self.document.several(place)]
            if len(set(seeds)) < len(seeds):
                self.document.fail(place, "a seed is there twice; expected each once")
            return seeds
        return list(range(self.document.whole(place, 1, most=_MOST)))

    def _replicas(self, path: Path) -> int:
        place = (*path, "replicas") if self.document.get((*path, "replicas")) is not None else ("replicas",)
        return self.document.whole(place, 1, most=64)

    def _metrics(self, path: Path) -> tuple[str, ...]:
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

    def _examiners(self, path: Path) -> tuple[tuple[str, str], ...]:
        place = (*path, "examiners")
        if self.document.get(place) is None:
            return ()
        chosen = self.ingredients.chosen("discriminator", place, check=self.ingredients.check_judge)
        return tuple(sorted((label, str(recipe)) for label, recipe in chosen))

    def _check_count(self, path: Path, *factors: Any) -> None:
        count = math.prod(map(len, factors))
        self._count += count
        if self._count > _MOST:
            self.document.fail(path, f"this crosses to {count:,} cells; expected at most {_MOST:,} in a study", key=True)


def _cell(
    kind: str,
    chosen: dict[str, Any],
    seeds: tuple[int, ...],
    budget: dict[str, Any],
    metrics: tuple[str, ...],
    examiners: tuple[tuple[str, str], ...],
) -> Cell:
    recipes = {factor: str(named[1]) for factor, named in chosen.items()}
    labels = {
        factor: chosen[factor][0] if factor in chosen else None
        for factor in ("generator", "discriminator", "signal", "objective")
    }
    versions = versions_of([*recipes.values(), *(recipe for _, recipe in examiners)])
    return Cell(
        kind=kind,
        problem=chosen["problem"][0],
        **labels,
        seeds=seeds,
        budget=tuple(sorted(budget.items())),
        metrics=metrics,
        recipes=tuple(sorted(recipes.items())),
        examiners=examiners,
        versions=versions,
    )


def _met(generator: Named, discriminator: Named, signal: Named, objective: Named) -> str:
    """Such as "network against forest by exact"."""
    ways = [label for label, recipe in (signal, objective) if recipe.name != "usual"]
    return f"{generator[0]} against {discriminator[0]}{' by ' * bool(ways)}{', '.join(ways)}"


def _truth(cell: Cell) -> Cell:
    """The cell of a game's problem by itself."""
    recipe = ("problem", dict(cell.recipes)["problem"])
    return Cell("truth", cell.problem, None, None, None, None, (0,), _TRUTH, (), (recipe,), (), versions_of([]))


def _neural(player: Named) -> bool:
    return player[1].name == "neural"
