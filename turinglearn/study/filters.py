"""Filters that select cells: "discriminator=forest", "problem[kl=0.5]", "generator=neural[latent_dim=4]", "seed=0", "n=100".

Filters of different factors must all match; of several filters of one factor, one is enough. A selected cell has the same
identity as in the whole study: a seed selects its group of replicas. A game selects the cell of its problem, its truth, too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from turinglearn.registry import FACTORS, ended, nearest
from turinglearn.study.cells import Cell
from turinglearn.study.factors import CellKind

__all__ = ["Filter", "select"]

Options = tuple[tuple[str, object], ...]

_SHOWN = 40  # values of a factor, at most, that an error lists
_FORM = re.compile(r"\s*(\w+)\s*(?:=\s*([^\[\]]*?)\s*)?(\[.*\])?\s*", re.DOTALL)


@dataclass(frozen=True)
class Filter:
    """Filter of cells by one factor: the name that it must have, None for any, and options that its recipe must have."""

    factor: str
    name: str | None
    options: Options

    @classmethod
    def read(cls, text: str) -> Filter:
        """Return the filter that a text describes, factor=name[option=value]. Raises ValueError for any other text."""
        match = _FORM.fullmatch(text)
        if match is None or not (match[2] or match[3]):
            raise ValueError(
                f"{text!r:.80} is not a filter; expected factor=name, factor[option=value] or both, such as "
                "'discriminator=forest' or 'problem[kl=0.5]'."
            )
        factor, name, inside = match.groups()
        if inside is None:
            return cls(factor, name, ())
        try:
            options = _options(inside[1:-1])
        except ValueError as error:
            raise ValueError(f"The filter {text!r:.80}: {error}.") from error
        return cls(factor, name or None, options)

    def matches(self, cell: Cell) -> bool:
        """Return whether the filter selects a cell."""
        if self.factor not in FACTORS:
            return self.name in {str(value) for value in _values(cell, self.factor)}
        level = cell.levels.get(self.factor)
        if level is None or (self.name is not None and self.name not in (level.label, level.name, level.recipe.name)):
            return False
        has = dict(level.recipe.options)
        return all(name in has and (has[name] == value or str(has[name]) == str(value)) for name, value in self.options)


def select(cells: Sequence[Cell], texts: Iterable[str]) -> tuple[Cell, ...]:
    """Return the cells that the filters select, in their order, with the truths of their games; all cells without filters.

    Raises ValueError for a text that is not a filter, that selects no cell, or where no cell is left.
    """
    by_factor: dict[str, list[Filter]] = {}
    for text in texts:
        chosen = Filter.read(text)
        _check(chosen, text, cells)
        by_factor.setdefault(chosen.factor, []).append(chosen)
    left = [all(any(f.matches(cell) for f in some) for some in by_factor.values()) for cell in cells]
    if not any(left):
        raise ValueError("No cell is left: each filter selects some, but no cell is selected by all. Leave one out.")
    played = {cell.problem for cell, is_left in zip(cells, left, strict=True) if is_left and cell.kind is CellKind.GAME}
    return tuple(
        cell
        for cell, is_left in zip(cells, left, strict=True)
        if is_left or (cell.kind is CellKind.TRUTH and cell.problem in played)
    )


def _check(chosen: Filter, text: str, cells: Sequence[Cell]) -> None:
    factors = [*FACTORS, "kind", "seed", *sorted({name for cell in cells for name, _ in cell.budget})]
    if chosen.factor not in factors:
        raise _error(text, f": there is no factor {chosen.factor!r}{nearest(chosen.factor, factors)}")
    if any(chosen.matches(cell) for cell in cells):
        return
    if chosen.factor not in FACTORS:
        values = {value for cell in cells for value in _values(cell, chosen.factor)}
        known = [str(value) for value in sorted(values, key=lambda value: (isinstance(value, str), value))]
        few = f"{', '.join(known[:_SHOWN])}{', …' * (len(known) > _SHOWN)}"
        raise _error(text, f" selects no cell; expected one of: {few}")
    levels = {level for cell in cells if (level := cell.levels.get(chosen.factor)) is not None}
    options = sorted({name for level in levels for name, _ in level.recipe.options})
    unknown = next((name for name, _ in chosen.options if name not in options), None)
    if unknown is not None:
        remedy = nearest(unknown, options) if options else "; leave it out"
        raise _error(text, f": no {chosen.factor} sets {unknown!r}{remedy}")
    labels = sorted({level.label for level in levels})
    raise _error(text, f" selects no cell{nearest(chosen.name or '', labels)}")


def _error(text: str, reason: str) -> ValueError:
    return ValueError(ended(f"The filter {text!r:.80}{reason}"))


def _values(cell: Cell, factor: str) -> tuple[str | int | float, ...]:
    """Return the values of a factor without a recipe: the kind, the seeds, or an entry of the budget."""
    if factor == "kind":
        return (str(cell.kind),)
    if factor == "seed":
        return cell.seeds
    return tuple(value for name, value in cell.budget if name == factor)


def _options(inside: str) -> Options:
    """Read "kl=0.5, family=shifted": literals, and words as texts."""
    found = []
    for part in re.findall(r"(?:[^,(\[]|\([^)]*\)|\[[^\]]*\])+", inside):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (equals and name.isidentifier() and value):
            raise ValueError(f"{part.strip()!r} is not an option; expected option=value")
        found.append((name, _literal(value)))
    if not found:
        raise ValueError("there is no option between the brackets; expected option=value")
    return tuple(found)


def _literal(text: str) -> object:
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return text
    return tuple(value) if isinstance(value, list) else value
