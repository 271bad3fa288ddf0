"""Short names of settings: the problem, its continuous factors, and what else differs between the settings of a study."""

from __future__ import annotations

from collections.abc import Iterable

from turinglearn.report.analysis.settings import Setting
from turinglearn.study.factors import CellKind, Factor

__all__ = ["Labels", "numbers_of"]


def numbers_of(continuous: Iterable[tuple[str, float]]) -> str:
    """Return continuous factors as text, such as "n = 500, d = 4"."""
    return ", ".join(f"{name} = {value:g}" for name, value in continuous)


class Labels:
    """Names of settings, which mention the factors that vary among the settings of their kind.

    Parameters
    ----------
    settings : iterable of Setting
        All settings of a report.
    """

    def __init__(self, settings: Iterable[Setting]) -> None:
        self._varied: set[tuple[CellKind, str]] = set()
        by_kind: dict[CellKind, list[dict[str, Factor]]] = {}
        for setting in settings:
            by_kind.setdefault(setting.kind, []).append({factor.name: factor for factor in setting.factors})
        for kind, found in by_kind.items():
            for name in {name for factors in found for name in factors}:
                if len({factors.get(name) for factors in found}) > 1:  # to be without a factor is a level too
                    self._varied.add((kind, name))

    def of(self, setting: Setting) -> str:
        """Return the name of a setting."""
        others = [f"{f.name} {f.label}" for f in setting.factors if (setting.kind, f.name) in self._varied]
        inside = ", ".join(filter(None, [numbers_of(setting.continuous), *others]))
        return f"{setting.problem_label} ({inside})" if inside else setting.problem_label
