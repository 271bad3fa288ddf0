"""How far a run is: done, failed, per second, the time left, and where the dashboard is."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from turinglearn.study.outcomes import Job, Outcome

__all__ = ["TimeLeft", "said", "watching"]

_ALIKE = ("kind", "generator", "discriminator", "signal", "objective")  # what decides most of how long a cell takes


class TimeLeft:
    """An estimate of the seconds that a run still takes, by those that cells with the same players took.

    A study begins with what is quick, so that the mean of all would be far too short. Of players that have played no cell yet
    the mean of all has to do.
    """

    def __init__(self, left: Sequence[Job]) -> None:
        self._group = {job.identity: tuple(str(job.payload.get(name)) for name in _ALIKE) for job in left}
        self._left = Counter(self._group.values())
        self._done: Counter[tuple[str, ...]] = Counter()
        self._took: dict[tuple[str, ...], float] = defaultdict(float)

    def note(self, outcome: Outcome) -> None:
        """A cell is finished."""
        group = self._group[outcome.identity]
        self._left[group] -= 1
        self._done[group] += 1
        self._took[group] += outcome.seconds

    def after(self, elapsed: float) -> float:
        """The seconds that are left when so many have passed, with as many cells at a time as there were on average."""
        took, done = sum(self._took.values()), self._done.total()
        if not took > 0:
            return 0.0
        work = sum(n * (self._took[g] / self._done[g] if self._done[g] else took / done) for g, n in self._left.items())
        return work / took * elapsed


@contextmanager
def watching(console: Console, left: Sequence[Job], dashboard: Callable[[], str | None]) -> Iterator[Callable[[Outcome], None]]:
    """A line on a terminal for the cells that are left, in pipes nothing; yields what to tell each outcome."""
    if not console.is_terminal:
        yield lambda outcome: None
        return
    columns = (
        TextColumn("cell {task.completed}/{task.total}"),
        BarColumn(),
        TextColumn("{task.fields[failed]} failed, {task.fields[speed]}{task.fields[left]}"),
        TextColumn("{task.fields[dashboard]}"),
    )
    estimate, begun = TimeLeft(left), time.perf_counter()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(left), failed=0, speed="-/s", left="", dashboard="")
        failed = 0

        def watch(outcome: Outcome) -> None:
            nonlocal failed
            failed += outcome.status != "ok"
            estimate.note(outcome)
            speed = progress.tasks[0].finished_speed or progress.tasks[0].speed or 0.0
            told = f"{speed:.1f}/s" if speed >= 0.1 else f"{speed * 60:.1f}/min"
            more = f", about {said(estimate.after(time.perf_counter() - begun))} left"
            progress.update(task, advance=1, failed=failed, speed=told, left=more, dashboard=dashboard() or "")

        yield watch


def said(seconds: float) -> str:
    """Such as "40 s", "12 min" or "3.5 h"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
