"""Engine of processes on this machine. A cell that ends its process affects no other cell."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from types import TracebackType

from turinglearn.study.engines.children import Child
from turinglearn.study.jobs import Job, Limits, Outcome

__all__ = ["Processes"]


class Processes:
    """Engine of several processes, each with one cell at a time, one thread, and the limits. It needs a POSIX system.

    Parameters
    ----------
    function : str
        "module:function" of the plan.
    limits : Limits
        Limits of the plan.
    workers : int
        Number of processes, at least 1.
    """

    dashboard: str | None = None

    def __init__(self, function: str, limits: Limits, workers: int) -> None:
        if workers < 1:
            raise ValueError(f"workers={workers}: expected at least 1.")
        self.function = function
        self.limits = limits
        self.workers = workers
        self._children: list[Child] = []

    def __enter__(self) -> Processes:
        self._children = [Child(self.function, self.limits) for _ in range(self.workers)]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        for child in self._children:
            child.close()

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Yield outcomes as they come; cells begin in the order of the jobs."""
        waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
        done: queue.SimpleQueue[Outcome | BaseException] = queue.SimpleQueue()
        for job in jobs:
            waiting.put(job)
        count = waiting.qsize()
        for child in self._children[:count]:
            threading.Thread(target=_play, args=(child, waiting, done), daemon=True).start()
        for _ in range(count):
            outcome = done.get()
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome


def _play(child: Child, waiting: queue.SimpleQueue[Job], done: queue.SimpleQueue[Outcome | BaseException]) -> None:
    """Play waiting cells in a child, in a thread of its own."""
    try:
        while True:
            done.put(child.run(waiting.get_nowait()))
    except queue.Empty:
        return
    except BaseException as error:  # for the thread that reads the outcomes
        done.put(error)
