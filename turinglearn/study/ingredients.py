"""The problems, players, signals and objectives of a specification, by the names that its tables use."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from turinglearn.catalogue import ended
from turinglearn.discriminators import as_discriminator
from turinglearn.game import Game
from turinglearn.protocols import IncompatiblePlayers, LogOdds
from turinglearn.study.positions import Path
from turinglearn.study.reading import Document
from turinglearn.study.recipes import FACTORS, Recipe, make, read

__all__ = ["Check", "Ingredients", "Named"]

Named = tuple[str, Recipe]  # a label, and what it stands for
Check = Callable[[Named, Path], None]

_MOST = 1_000  # recipes that one table crosses to
_REMEDIES = {  # of a game in Python, and in a specification
    "Game(..., signal=Student()), or Smoothed()": 'signals = "student", or "smoothed"',
    "Leave objective out, or pass ForwardKL()": 'Leave objectives out, or choose "forward_kl"',
}


class Ingredients:
    """What the tables of recipes name. Everything that is used is made once, so that what cannot be made is told at once."""

    def __init__(self, document: Document, *, allow_imports: bool) -> None:
        self.document, self.allow_imports = document, allow_imports
        self.named: dict[str, dict[str, list[Named]]] = {}
        self._made: dict[tuple[str, Recipe], Any] = {}
        for factor in FACTORS:
            path: Path = (f"{factor}s",)
            table = document.table(path)
            if any(not label.strip() for label in table):
                document.fail(path, f"a name in [{factor}s] is empty; expected one that a report can show")
            self.named[factor] = {label: list(self._read(factor, label, (*path, label))) for label in table}

    def chosen(self, factor: str, path: Path, usual: str | None = None, check: Check | None = None) -> list[Named]:
        """The ingredients that the value at a path names, one or several; the usual one where there is no value.

        check: called with each and its place, to raise where it does not fit there.
        """
        if self.document.get(path) is None:
            if usual is None:
                self.document.fail(path[:-1], f"{path[-1]} is missing; expected the names of {factor}s", key=True)
            self.made(factor, Recipe(usual), path)
            return [(usual, Recipe(usual))]
        found: dict[str, Recipe] = {}
        for place in self.document.several(path):
            name = self.document.get(place)
            if not isinstance(name, str):
                self.document.fail(place, f"{name!r:.60} is no {factor}; expected the name of one, or a recipe")
            named = self.named[factor][name] if name in self.named[factor] else [self._by_itself(factor, name, place)]
            if check is not None:
                for each in named:
                    check(each, place)
            found.update(named)
        return list(found.items())

    def made(self, factor: str, recipe: Recipe, path: Path) -> Any:
        """The thing itself; one that cannot be made is an error at the path."""
        if (factor, recipe) not in self._made:
            try:
                self._made[factor, recipe] = make(factor, recipe, allow_imports=self.allow_imports)
            except ValueError as error:
                self.document.fail(path, str(error))
        return self._made[factor, recipe]

    def why_not(self, players: Sequence[Named], path: Path) -> str | None:
        """Why a generator, a discriminator, a signal and an objective cannot meet in a game; None where they can."""
        made = (self._made[factor, recipe] for factor, (_, recipe) in zip(FACTORS[1:], players, strict=True))
        g, d, signal, objective = made
        names = [label for label, _ in players]
        try:
            Game(g, d, signal=signal, objective=objective)
        except IncompatiblePlayers as error:
            return _in_toml(str(error))
        except Exception as error:  # a player's own mistake
            self.document.fail(path, f"{names[0]} against {names[1]} cannot play: {error}", key=True)
        return None

    def check_pair(self, problem: Named, path: Path) -> None:
        """An error at the path for a problem without known log-odds."""
        if problem[1].name != "pair":
            self.document.fail(path, f"{problem[0]!r} is no pair, so there are no log-odds; expected one made by 'pair'")

    def check_judge(self, judge: Named, path: Path) -> None:
        """An error at the path for a judge that does not say log-odds, since there is no truth to compare with."""
        try:
            says = as_discriminator(self._made["discriminator", judge[1]]).says
            whether = issubclass(says, LogOdds)
        except Exception as error:  # a player's own mistake
            self.document.fail(path, f"{judge[0]!r} is no judge: {error}")
        if not whether:
            self.document.fail(path, f"{judge[0]!r} says {says.__name__}; expected a judge that says log-odds")

    def _by_itself(self, factor: str, text: str, path: Path) -> Named:
        try:
            recipe = read(text)
        except ValueError as error:
            self.document.fail(path, str(error))
        if not recipe.options and self.named[factor]:
            self._check_known(factor, recipe, path)
        self.made(factor, recipe, path)
        return str(recipe), recipe

    def _check_known(self, factor: str, recipe: Recipe, path: Path) -> None:
        """A word that is neither a name of the table nor a recipe may be meant as either."""
        try:
            make(factor, recipe, allow_imports=self.allow_imports)
        except ValueError as error:
            names = ", ".join(self.named[factor])
            self.document.fail(path, f"{ended(str(error))} Or a name of [{factor}s]: {names}")

    def _read(self, factor: str, label: str, path: Path) -> Iterator[Named]:
        """The ingredients of one entry of a table: of a text one, of a table as many as its lists cross to."""
        value = self.document.get(path)
        if isinstance(value, str):
            try:
                recipe = read(value)
            except ValueError as error:
                self.document.fail(path, str(error))
            self.made(factor, recipe, path)
            yield label, recipe
            return
        if not isinstance(value, dict) or not isinstance(value.get("make"), str):
            self.document.fail(path, f"{label!r:.80} is no recipe; expected a text, or a table with make = 'name' and options")
        yield from self._crossed(factor, label, path, value)

    def _crossed(self, factor: str, label: str, path: Path, table: dict[str, Any]) -> Iterator[Named]:
        options = {name: each if isinstance(each, list) else [each] for name, each in table.items() if name != "make"}
        count = math.prod(map(len, options.values()))
        if not 0 < count <= _MOST:
            shown = f"{count:,}" if count < 10**15 else "more than 10^15"
            self.document.fail(path, f"{label!r:.80} crosses to {shown} recipes; expected 1 to {_MOST:,}")
        place: Path = (*path, "make")
        try:
            base = read(table["make"])
            if base.options:
                raise ValueError(f"make = {table['make']!r} has options; expected a name, with its options beside it")
            for name, values in options.items():
                for i, value in enumerate(values):
                    place = (*path, name, i) if isinstance(table[name], list) else (*path, name)
                    Recipe.of(base.name, {name: value})
        except ValueError as error:
            self.document.fail(place, str(error))
        varied = [name for name, values in options.items() if len(values) > 1]
        for chosen in itertools.product(*options.values()):
            recipe = Recipe.of(base.name, dict(zip(options, chosen, strict=True)))
            self.made(factor, recipe, path)
            has = dict(recipe.options)
            inside = ", ".join(f"{name}={has[name]}" for name in varied)
            yield (f"{label}[{inside}]" if inside else label), recipe


def _in_toml(said: str) -> str:
    """What a game says, with its remedy as a specification has it."""
    for python, toml in _REMEDIES.items():
        said = said.replace(python, toml)
    return said
