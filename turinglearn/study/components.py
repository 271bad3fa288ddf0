"""Problems, players, signals and objectives of a specification, by the names that its tables use."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from turinglearn.discriminators import as_discriminator
from turinglearn.game import Game
from turinglearn.protocols import IncompatiblePlayers, LogOdds
from turinglearn.recipes import Recipe, read
from turinglearn.registry import FACTORS, check_permitted, ended, make
from turinglearn.study.factors import Level
from turinglearn.study.toml_document import TomlDocument
from turinglearn.study.toml_positions import KeyPath

__all__ = ["Check", "Components"]

Check = Callable[[Level, KeyPath], None]

_MOST = 1_000  # recipes that one entry of a table crosses to


class Components:
    """Levels that the tables of a specification name.

    Each object that is used is made once, while the specification is read, so that what cannot be made is an error at once.

    Parameters
    ----------
    document : TomlDocument
        Specification.
    allow_imports : bool
        Whether players may come from any module.
    """

    def __init__(self, document: TomlDocument, *, allow_imports: bool) -> None:
        self.document, self.allow_imports = document, allow_imports
        self.levels: dict[str, dict[str, list[Level]]] = {}
        self._made: dict[tuple[str, Recipe], object] = {}
        for factor in FACTORS:
            path: KeyPath = (f"{factor}s",)
            table = document.table(path)
            if any(not name.strip() for name in table):
                document.fail(path, f"a name in [{factor}s] is empty; expected one that a report can show")
            self.levels[factor] = {name: list(self._read(factor, name, (*path, name))) for name in table}

    def chosen(self, factor: str, path: KeyPath, default: str | None = None, check: Check | None = None) -> list[Level]:
        """Return the levels that the value at a path names, one or several; the default where there is no value.

        `check` is called with each level and its path, to raise where the level does not fit there.
        """
        if self.document.get(path) is None:
            if default is None:
                self.document.fail(path[:-1], f"{path[-1]} is missing; expected the names of {factor}s", key=True)
            self.made(factor, Recipe(default), path)
            return [Level(default, Recipe(default))]
        found: dict[str, Level] = {}
        for place in self.document.several(path):
            name = self.document.get(place)
            if not isinstance(name, str):
                self.document.fail(place, f"{name!r:.60} is not a {factor}; expected the name of one, or a recipe")
            levels = self.levels[factor][name] if name in self.levels[factor] else [self._by_itself(factor, name, place)]
            if check is not None:
                for level in levels:
                    check(level, place)
            found |= {level.label: level for level in levels}
        return list(found.values())

    def made(self, factor: str, recipe: Recipe, path: KeyPath) -> object:
        """Return the object of a recipe; one that cannot be made is an error at the path."""
        if (factor, recipe) not in self._made:
            try:
                if not self.allow_imports:
                    check_permitted(factor, recipe)
                self._made[factor, recipe] = make(factor, recipe)
            except ValueError as error:
                self.document.fail(path, str(error))
        return self._made[factor, recipe]

    def incompatibility(self, levels: Sequence[Level], path: KeyPath) -> str | None:
        """Return why a generator, a discriminator, a signal and an objective cannot play; None where they can."""
        made: dict[str, Any] = {
            factor: self._made[factor, level.recipe] for factor, level in zip(FACTORS[1:], levels, strict=True)
        }
        try:
            Game(**made)
        except IncompatiblePlayers as error:
            return str(error)
        except Exception as error:  # a player's own mistake
            self.document.fail(path, f"{levels[0].label} against {levels[1].label} cannot play: {error}", key=True)
        return None

    def check_pair(self, problem: Level, path: KeyPath) -> None:
        """Fail at the path for a problem without known log-odds."""
        if problem.recipe.name != "pair":
            self.document.fail(
                path, f"{problem.label!r} is not a pair, so its log-odds are not known; expected a problem made by 'pair'"
            )

    def check_discriminator(self, discriminator: Level, path: KeyPath) -> None:
        """Fail at the path for a discriminator that does not return log-odds, since there is no truth to compare it with."""
        try:
            score_type = as_discriminator(self._made["discriminator", discriminator.recipe]).score_type
            has_log_odds = issubclass(score_type, LogOdds)
        except Exception as error:  # a player's own mistake
            self.document.fail(path, f"{discriminator.label!r} is not a discriminator: {error}")
        if not has_log_odds:
            self.document.fail(
                path, f"{discriminator.label!r} returns {score_type.__name__}; expected a discriminator that returns LogOdds"
            )

    def _by_itself(self, factor: str, text: str, path: KeyPath) -> Level:
        """Return the level of a recipe that stands where a name could."""
        try:
            recipe = read(text)
        except ValueError as error:
            self.document.fail(path, str(error))
        if not recipe.options and self.levels[factor]:
            self._check_known(factor, recipe, path)
        self.made(factor, recipe, path)
        return Level(str(recipe), recipe)

    def _check_known(self, factor: str, recipe: Recipe, path: KeyPath) -> None:
        """Fail for a word that is neither a name of the table nor a recipe, and may be meant as either."""
        try:
            if not self.allow_imports:
                check_permitted(factor, recipe)
            make(factor, recipe)
        except ValueError as error:
            names = ", ".join(self.levels[factor])
            self.document.fail(path, f"{ended(str(error))} Names of [{factor}s]: {names}")

    def _read(self, factor: str, name: str, path: KeyPath) -> Iterator[Level]:
        """Yield the levels of one entry of a table: of a text one, of a table as many as its lists cross to."""
        value = self.document.get(path)
        if isinstance(value, str):
            try:
                recipe = read(value)
            except ValueError as error:
                self.document.fail(path, str(error))
            self.made(factor, recipe, path)
            yield Level(name, recipe)
            return
        if not isinstance(value, dict) or not isinstance(value.get("make"), str):
            self.document.fail(
                path, f"{name!r:.80} is not a recipe; expected a text, or a table with make = 'name' and options"
            )
        yield from self._crossed(factor, name, path, value)

    def _crossed(self, factor: str, name: str, path: KeyPath, table: Mapping[str, object]) -> Iterator[Level]:
        options = {option: each if isinstance(each, list) else [each] for option, each in table.items() if option != "make"}
        count = math.prod(map(len, options.values()))
        if not 0 < count <= _MOST:
            shown = f"{count:,}" if count < 10**15 else "more than 10^15"
            self.document.fail(path, f"{name!r:.80} crosses to {shown} recipes; expected 1 to {_MOST:,}")
        place: KeyPath = (*path, "make")
        try:
            base = read(str(table["make"]))
            if base.options:
                raise ValueError(f"make = {table['make']!r} has options; expected a name, with its options beside it")
            for option, values in options.items():
                for i, value in enumerate(values):
                    place = (*path, option, i) if isinstance(table[option], list) else (*path, option)
                    Recipe.of(base.name, {option: value})
        except ValueError as error:
            self.document.fail(place, str(error))
        varied = [option for option, values in options.items() if len(values) > 1]
        for chosen in itertools.product(*options.values()):
            recipe = Recipe.of(base.name, dict(zip(options, chosen, strict=True)))
            self.made(factor, recipe, path)
            has = dict(recipe.options)
            yield Level(name, recipe, tuple((option, has[option]) for option in varied))
