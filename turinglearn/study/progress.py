"""Progress of a run: cells done and failed, their rate, the time left, and the address of the dashboard."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from turinglearn.study.jobs import Job, Outcome

__all__ = ["TimeLeft", "duration", "watching"]

_ALIKE = ("kind", "generator", "discriminator", "signal", "objective")  # cells that share these take about the same time


class TimeLeft:
    """Estimate of the seconds that a run still takes, from the durations of cells with the same players.

    A study begins with quick cells, so the mean of all cells would be far too short. It is used only for players without a
    finished cell.

    Parameters
    ----------
    left : sequence of Job
        Cells of the run.
    """

    def __init__(self, left: Sequence[Job]) -> None:
        self._group = {job.identity: tuple(str(job.payload.get(name)) for name in _ALIKE) for job in left}
        self._left = Counter(self._group.values())
        self._done: Counter[tuple[str, ...]] = Counter()
        self._took: dict[tuple[str, ...], float] = defaultdict(float)

    def note(self, outcome: Outcome) -> None:
        """Note a finished cell."""
        group = self._group[outcome.identity]
        self._left[group] -= 1
        self._done[group] += 1
        self._took[group] += outcome.seconds

    def after(self, elapsed: float) -> float:
        """Return the seconds left after some elapsed seconds, with as many cells at a time as on average so far."""
        took, done = sum(self._took.values()), self._done.total()
        if not took > 0:
            return 0.0
        work = sum(n * (self._took[g] / self._done[g] if self._done[g] else took / done) for g, n in self._left.items())
        return work / took * elapsed


@contextmanager
def watching(console: Console, left: Sequence[Job], dashboard: Callable[[], str | None]) -> Iterator[Callable[[Outcome], None]]:
    """Show a progress bar on a terminal, and nothing in pipes; yields a function to call with each outcome."""
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
            rate = f"{speed:.1f}/s" if speed >= 0.1 else f"{speed * 60:.1f}/min"
            more = f", about {duration(estimate.after(time.perf_counter() - begun))} left"
            progress.update(task, advance=1, failed=failed, speed=rate, left=more, dashboard=dashboard() or "")

        yield watch


def duration(seconds: float) -> str:
    """Return a duration such as "40 s", "12 min" or "3.5 h"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
