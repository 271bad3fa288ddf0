"""Short names of settings: the problem, its dials, and what else differs between the settings of a study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from turinglearn.report.estimates import Block
from turinglearn.report.rows import DIALS, Pairs

__all__ = ["Labels", "dials_of"]


def dials_of(dials: Iterable[tuple[str, float]]) -> str:
    """Such as "n = 500, d = 4"."""
    return ", ".join(f"{sign} = {value:g}" for sign, value in dials)


class Labels:
    """Names settings by what varies among these blocks."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        settings: dict[str, list[Mapping[str, str]]] = {}
        for block in blocks:
            settings.setdefault(block.kind, []).append(dict(block.setting))
        self._varied = {
            (kind, name)
            for kind, found in settings.items()
            for name in {name for setting in found for name in setting}
            if len({setting.get(name) for setting in found}) > 1  # to be without it is a level too
        }

    def of(self, block: Block) -> str:
        """The name of a block's setting."""
        return self.text(block.kind, block.setting, block.dials)

    def text(self, kind: str, setting: Pairs, dials: Iterable[tuple[str, float]]) -> str:
        """The name of a setting of this kind of cells."""
        parts: Mapping[str, str] = dict(setting)
        others = [
            f"{name.removeprefix('budget: ')} {value}"
            for name, value in parts.items()
            if name != "problem" and (kind, name) in self._varied
        ]
        inside = ", ".join(filter(None, [dials_of(dials), *others]))
        problem = _without_dials(parts.get("problem", "?"))
        return f"{problem} ({inside})" if inside else problem


def _without_dials(problem: str) -> str:
    """A name such as "ring[dimension=4, modes=8]" without what stands beside it as a dial."""
    head, bracket, inside = problem.removesuffix("]").partition("[")
    if not bracket or not problem.endswith("]"):
        return problem
    known = {name for names in DIALS.values() for name in names}
    left = [option for option in inside.split(", ") if option.partition("=")[0] not in known]
    return f"{head}[{', '.join(left)}]" if left else head
