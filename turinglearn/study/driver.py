"""Driver of a study: it plays the unfinished cells; each outcome is in the store before it is reported."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType, TracebackType
from typing import Protocol, Self

from turinglearn.study.engines.harness import Interruption
from turinglearn.study.jobs import Job, Outcome, Plan
from turinglearn.study.writer import Writer

__all__ = ["Engine", "Stopped", "run"]


class Engine(Protocol):
    """Place where cells are played, used in a `with` statement. Each cell ends in an outcome, within its limits."""

    dashboard: str | None

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None: ...

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Yield outcomes as they come; jobs begin in order. Raises StudyProblem where no more can be played."""
        ...


class Stopped(Interruption):
    """End of a run by a signal, such as Ctrl-C. Finished cells are in the store."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number


def run(
    plan: Plan,
    engine: Engine,
    store: Writer,
    watch: Callable[[Outcome], None] = lambda outcome: None,
    *,
    again: Collection[str] = (),
) -> Counter[str]:
    """Play the unfinished cells of a plan, and count their outcomes.

    Another cell, or something outside, may be the cause of a crash. A cell that crashed is therefore played once more, alone,
    after all others, and only that outcome counts.

    Parameters
    ----------
    plan : Plan
        Cells and their limits.
    engine : Engine
        Place where they are played.
    store : Writer
        Open store that has begun with this plan.
    watch : callable
        Called with each outcome once it is in the store.
    again : collection of str
        Identities of failed cells to be played once more.

    Returns
    -------
    Counter
        Number of played cells by status.

    Raises
    ------
    Stopped
        On SIGINT and SIGTERM.
    StudyProblem
        If the store or the engine fails.
    """
    finished, counts, suspects = store.finished() - set(again), Counter[str](), set()
    left = [job for job in plan.jobs if job.identity not in finished]
    with _Signals() as signals, engine:

        def keep(outcome: Outcome) -> None:
            with signals.held():
                store.write(outcome)
            counts[outcome.status] += 1
            watch(outcome)

        for outcome in engine.run(left):
            if outcome.status == "crashed":
                suspects.add(outcome.identity)
            else:
                keep(outcome)
        for job in left:
            if job.identity in suspects:
                for outcome in engine.run([job]):
                    crashed = outcome.status == "crashed"
                    error = f"Twice, the second time alone. {outcome.error}"
                    keep(replace(outcome, error=error) if crashed else outcome)
    return counts


class _Signals:
    """Handlers that raise Stopped on SIGINT and SIGTERM, except while they are held; only the main thread has them."""

    def __init__(self) -> None:
        self._before: dict[int, signal._HANDLER] = {}
        self._holding = False
        self._asked: int | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._asked = number
        if not self._holding:
            raise Stopped(number)

    @contextmanager
    def held(self) -> Iterator[None]:
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
        if self._asked is not None:
            raise Stopped(self._asked)
