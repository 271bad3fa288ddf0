"""How far a run is: done, failed, per second, the time left, and where the dashboard is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from turinglearn.study.outcomes import Outcome

__all__ = ["watching"]


@contextmanager
def watching(console: Console, total: int, dashboard: Callable[[], str | None]) -> Iterator[Callable[[Outcome], None]]:
    """A line on a terminal for the cells that are left, in pipes nothing; yields what to tell each outcome."""
    if not console.is_terminal:
        yield lambda outcome: None
        return
    columns = (
        TextColumn("cell {task.completed}/{task.total}"),
        BarColumn(),
        TextColumn("{task.fields[failed]} failed, {task.fields[speed]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[dashboard]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total, failed=0, speed="-/s", dashboard="")
        failed = 0

        def watch(outcome: Outcome) -> None:
            nonlocal failed
            failed += outcome.status != "ok"
            speed = progress.tasks[0].finished_speed or progress.tasks[0].speed or 0.0
            told = f"{speed:.1f}/s" if speed >= 0.1 else f"{speed * 60:.1f}/min"
            progress.update(task, advance=1, failed=failed, speed=told, dashboard=dashboard() or "")

        yield watch
