"""Which runs are compared with each other: those of one setting, where each discriminator may have a budget of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from turinglearn.report.rows import Pairs, Run

__all__ = ["Common", "unequal"]

# How long and on how much at a time players learn. A round of one judge is not a round of another, so that a study may give
# each its own; how many samples there are in all, and how much time, belongs to the setting.
_OWN = {
    f"budget: {name}" for name in ("rounds", "batch_size", "samples_per_fit", "discriminator_steps", "generator_steps", "steps")
}


class Common:
    """What the runs that are compared have in common: the setting, less budgets of which each discriminator has only one."""

    def __init__(self, runs: Iterable[Run]) -> None:
        levels: dict[Any, dict[tuple[str, str], set[str | None]]] = defaultdict(lambda: defaultdict(set))
        seen = {(run.kind, run.setting, run.dials, run.arm) for run in runs}
        for kind, setting, dials, arm in seen:
            budgets = dict(setting)
            for name in _OWN:
                levels[kind, _without(setting, _OWN), dials][name, arm].add(budgets.get(name))
        self._own = {
            key: _OWN - {name for (name, _), values in found.items() if len(values) > 1} for key, found in levels.items()
        }
        self._known: dict[Any, tuple[Pairs, Pairs]] = {}

    def of(self, run: Run) -> tuple[Pairs, Pairs]:
        """The setting and the family of a run, without the budgets that are its discriminator's own."""
        key = run.kind, run.setting, run.dials
        if key not in self._known:
            own = self._own.get((run.kind, _without(run.setting, _OWN), run.dials), _OWN)
            self._known[key] = _without(run.setting, own), _without(run.family, own)
        return self._known[key]


def unequal(setting: Pairs, ours: Run, theirs: Run) -> list[tuple[str, str | None, str | None]]:
    """The budgets of two runs of this setting that differ: name, ours, theirs, None where a run was given none."""
    common = {name for name, _ in setting}
    mine, other = (dict(_without(run.setting, common)) for run in (ours, theirs))
    names = sorted(mine.keys() | other.keys())
    return [(name, mine.get(name), other.get(name)) for name in names if mine.get(name) != other.get(name)]


def _without(pairs: Pairs, names: set[str]) -> Pairs:
    return tuple((name, value) for name, value in pairs if name not in names)
