"""Filters that select cells: "discriminator=forest", "problem[kl=0.5]", "generator=neural[latent_dim=4]", "seed=0", "n=100".

Filters of different factors must all hold; of one factor one is enough. What is selected has the identity that it has in the
whole study: a seed selects its group of replicas. A game takes along the cell of its problem by itself, its truth.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from turinglearn.catalogue import ended, nearest
from turinglearn.study.cells import Cell
from turinglearn.study.recipes import FACTORS, Recipe, read

__all__ = ["Filter", "select"]

_SHOWN = 40  # values of a factor, at most, that a mistake lists
_FORM = re.compile(r"\s*(\w+)\s*(?:=\s*([^\[\]]*?)\s*)?(\[.*\])?\s*", re.DOTALL)


@dataclass(frozen=True)
class Filter:
    """A factor, the name that it must have, and what options its recipe must have; no name means any."""

    factor: str
    name: str | None
    options: tuple[tuple[str, Any], ...]

    @classmethod
    def read(cls, text: str) -> Filter:
        """The filter that a text describes, factor=name[option=value]. ValueError for any other text."""
        match = _FORM.fullmatch(text)
        if match is None or not (match[2] or match[3]):
            raise ValueError(
                f"The filter {text!r:.80} is none; expected factor=name, factor[option=value] or both, such as "
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

    def holds(self, cell: Cell) -> bool:
        """Whether the cell is one of those that it selects."""
        if self.factor not in FACTORS:
            return self.name in {str(value) for value in _plain(cell, self.factor)}
        label, recipe = getattr(cell, self.factor), _recipe(cell, self.factor)
        if label is None or recipe is None:
            return False
        if self.name is not None and self.name not in (label, label.partition("[")[0], recipe.name):
            return False
        has = dict(recipe.options)
        return all(name in has and (has[name] == value or str(has[name]) == str(value)) for name, value in self.options)


def select(cells: Sequence[Cell], texts: Iterable[str]) -> tuple[Cell, ...]:
    """The cells that the filters select, with the truths of their games, in their order; all, where there are none.

    ValueError for a filter that is none, names what no cell has, or leaves nothing.
    """
    by_factor: dict[str, list[Filter]] = {}
    for text in texts:
        chosen = Filter.read(text)
        _check(chosen, text, cells)
        by_factor.setdefault(chosen.factor, []).append(chosen)
    left = [all(any(f.holds(cell) for f in some) for some in by_factor.values()) for cell in cells]
    if not any(left):
        raise ValueError("The filters leave no cell: each selects some, and none is selected by all. Leave one out.")
    played = {cell.problem for cell, is_left in zip(cells, left, strict=True) if is_left and cell.kind == "game"}
    return tuple(
        cell for cell, is_left in zip(cells, left, strict=True) if is_left or (cell.kind == "truth" and cell.problem in played)
    )


def _check(chosen: Filter, text: str, cells: Sequence[Cell]) -> None:
    factors = [*FACTORS, "kind", "seed", *sorted({name for cell in cells for name, _ in cell.budget})]
    if chosen.factor not in factors:
        raise _none(text, f": there is no factor {chosen.factor!r}{nearest(chosen.factor, factors)}")
    if any(chosen.holds(cell) for cell in cells):
        return
    if chosen.factor not in FACTORS:
        values = {value for cell in cells for value in _plain(cell, chosen.factor)}
        known = [str(value) for value in sorted(values)]
        few = f"{', '.join(known[:_SHOWN])}{', …' * (len(known) > _SHOWN)}"
        raise _none(text, f" selects no cell; expected one of: {few}")
    recipes = {r for r in (_recipe(cell, chosen.factor) for cell in cells) if r is not None}
    options = sorted({name for recipe in recipes for name, _ in recipe.options})
    unknown = next((name for name, _ in chosen.options if name not in options), None)
    if unknown is not None:
        remedy = nearest(unknown, options) if options else "; leave it out"
        raise _none(text, f": no {chosen.factor} sets {unknown!r}{remedy}")
    labels = sorted({str(getattr(cell, chosen.factor)) for cell in cells if getattr(cell, chosen.factor) is not None})
    raise _none(text, f" selects no cell{nearest(chosen.name or '', labels)}")


def _none(text: str, why: str) -> ValueError:
    return ValueError(ended(f"The filter {text!r:.80}{why}"))


def _plain(cell: Cell, factor: str) -> tuple[Any, ...]:
    """What a cell has of a factor without a recipe: its kind, its seeds, an entry of its budget."""
    if factor == "kind":
        return (cell.kind,)
    if factor == "seed":
        return cell.seeds
    return tuple(value for name, value in cell.budget if name == factor)


def _recipe(cell: Cell, factor: str) -> Recipe | None:
    text = dict(cell.recipes).get(factor)
    return None if text is None else read(text)


def _options(inside: str) -> tuple[tuple[str, Any], ...]:
    """ "kl=0.5, family=shifted": literals, and words as texts."""
    found = []
    for part in re.findall(r"(?:[^,(\[]|\([^)]*\)|\[[^\]]*\])+", inside):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (equals and name.isidentifier() and value):
            raise ValueError(f"{part.strip()!r} is no option; expected option=value")
        found.append((name, _literal(value)))
    if not found:
        raise ValueError("there is no option between the brackets; expected option=value")
    return tuple(found)


def _literal(text: str) -> Any:
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return text
    return tuple(value) if isinstance(value, list) else value
