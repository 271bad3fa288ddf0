"""The driver of a study: it plays what is not finished, and each outcome is in the store before it is spoken of."""

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
from turinglearn.study.outcomes import Job, Outcome, Plan
from turinglearn.study.writer import Writer

__all__ = ["Engine", "Stopped", "run"]


class Engine(Protocol):
    """Where cells are played; used by `with`. Whatever a cell does, it comes to an outcome, within its limits."""

    dashboard: str | None

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None: ...

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """The outcomes as they come; jobs are begun in their order. Raises StudyProblem where it can play no more."""
        ...


class Stopped(Interruption):
    """A signal, such as Ctrl-C, has ended the run; what was finished is in the store."""

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
    """Play the cells of a plan that are not finished, and count what came of them.

    store: open, and begun with this plan. watch: called with each outcome once it is in the store. again:
    identities of cells that failed, which are played once more. Returns how many of the
    cells that were played came to each status.

    A cell that crashed may have suffered for another, or from the outside: it is played once more, alone, after all others,
    and what comes of that counts. Raises ``Stopped`` on SIGINT and SIGTERM, `StudyProblem` where the store or the engine fails.
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
                    again = f"Twice, the second time alone. {outcome.error}"
                    keep(replace(outcome, error=again) if crashed else outcome)
    return counts


class _Signals:
    """SIGINT and SIGTERM raise Stopped, but not while they are held. Other threads than the main one get none."""

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
