"""Choice of the pictures of a figure, and their order: the first ones show as many problems as they can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence

from turinglearn.report.render.html import Markup

__all__ = ["Drawing", "drawn", "spread"]

# Groups of a drawing, the widest first, and a function that makes its picture, or several that belong together.
Drawing = tuple[tuple[Hashable, ...], Callable[[], Markup | list[Markup]]]

_MOST = 60  # pictures of a figure


def drawn(drawings: Sequence[Drawing], filed: str = "the numbers of all are in the file") -> tuple[list[Markup], str]:
    """Return pictures in the order of `spread`, and a sentence for the caption where some drawings are not made.

    Parameters
    ----------
    drawings : sequence of Drawing
        Drawings, of which at least the first is made.
    filed : str
        What the sentence says of the file.
    """
    pictures: list[Markup] = []
    for count, (_, draw) in enumerate(spread(drawings)):
        found = draw()
        made = [found] if isinstance(found, Markup) else found
        if pictures and len(pictures) + len(made) > _MOST:
            return pictures, f" The first {count} of {len(drawings)} are drawn; {filed}."
        pictures += made
    return pictures, ""


def spread(drawings: Sequence[Drawing]) -> list[Drawing]:
    """Return one drawing of each group after another, and so within each group."""
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
