"""Which pictures of a figure are drawn, and in which order: the first ones show as many problems as they can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence

from turinglearn.report.estimates import Block

__all__ = ["Drawing", "drawn", "problem_of", "spread"]

# The groups that a drawing is one of, the widest first, and what makes its picture, or several that belong together.
Drawing = tuple[tuple[Hashable, ...], Callable[[], str | list[str]]]

_MOST = 60  # pictures of a figure


def drawn(drawings: Sequence[Drawing], filed: str = "the numbers of all are in the file") -> tuple[list[str], str]:
    """Pictures in the order of `spread`, and what the caption says where drawings are left out, of which the first is made.

    filed: what it says of the file.
    """
    pictures: list[str] = []
    for count, (_, draw) in enumerate(spread(drawings)):
        made = draw()
        found = [made] if isinstance(made, str) else made
        if pictures and len(pictures) + len(found) > _MOST:
            return pictures, f" The first {count} of {len(drawings)} are drawn; {filed}."
        pictures += found
    return pictures, ""


def spread(drawings: Sequence[Drawing]) -> list[Drawing]:
    """One of each group after another, and in each group so again: see `Drawing`."""
    found = list(drawings)
    for level in reversed(range(len(found[0][0]) if found else 0)):
        seen: Counter[Hashable] = Counter()
        ranked = []
        for drawing in found:
            group = drawing[0][: level + 1]
            ranked.append((seen[group], drawing))
            seen[group] += 1
        found = [drawing for _, drawing in sorted(ranked, key=lambda pair: pair[0])]
    return found


def problem_of(block: Block) -> str:
    """What the problem of a block is made of, but for its dials."""
    return dict(block.family).get("problem", "")
