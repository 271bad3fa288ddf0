"""Engine in the current process, for use with a debugger or a profiler."""

from __future__ import annotations

import faulthandler
import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType, TracebackType

import numpy as np
from threadpoolctl import threadpool_limits

from turinglearn.study.engines.harness import Function, Interruption, now, perform, resolve
from turinglearn.study.engines.memory import resident
from turinglearn.study.jobs import Job, Limits, Outcome, StudyProblem

__all__ = ["Inline"]

_TICK = 0.02  # seconds between two checks of the clock and the memory
_GRACE = 30.0  # seconds after which a cell that cannot be interrupted ends the run
_AGAIN = 1.0  # seconds until a cell that has swallowed an interruption is interrupted again


class _Over(Interruption):
    """End of a cell that has passed a limit."""

    def __init__(self, status: str, error: str) -> None:
        super().__init__(error)
        self.status = status


class Inline:
    """Engine that plays one cell after another in this process, on one thread of linear algebra.

    A timer interrupts a cell that passes its limits, between two steps of Python. A cell that cannot be interrupted, such as
    an endless call of compiled code, ends the run half a minute later, and its traceback is printed; a cell that kills its
    process ends the run, too. Finished cells are in the store, and `Processes` gets past such cells. It needs a POSIX system
    and the main thread.

    Parameters
    ----------
    function : str
        "module:function" of the plan.
    limits : Limits
        Limits of the plan.
    """

    dashboard: str | None = None

    def __init__(self, function: str, limits: Limits) -> None:
        self.function = function
        self.limits = limits

    def __enter__(self) -> Inline:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        pass

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Yield the outcomes, in the order of the jobs."""
        if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
            raise StudyProblem("Cells can be played inline only in the main thread of a POSIX process. Use local processes.")
        try:
            function = resolve(self.function)
        except ValueError as error:
            raise StudyProblem(str(error)) from error
        with ExitStack() as stack:
            loaded = 0
            for job in jobs:
                if len(sys.modules) != loaded:  # perhaps libraries with pools of threads, which take time to find
                    stack.enter_context(threadpool_limits(1))
                    loaded = len(sys.modules)
                with _own_streams():
                    outcome = self._played(function, job)
                yield outcome

    def _played(self, function: Function, job: Job) -> Outcome:
        started, begun = now(), time.perf_counter()
        try:
            with _watched(self.limits):
                status, figures, error = perform(function, job.identity, job.payload)
        except _Over as over:
            status, figures, error = over.status, {}, str(over)
        worker = f"{socket.gethostname()}:{os.getpid()}"
        return Outcome(job.identity, status, figures, error, time.perf_counter() - begun, started, worker)


@contextmanager
def _watched(limits: Limits) -> Iterator[None]:
    """Raise _Over in the block where time or memory pass their limits, and again a second later if it was swallowed."""
    held, begun, interrupted, watching = resident(os.getpid()), time.perf_counter(), -_AGAIN, True

    def look(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        passed = time.perf_counter() - begun
        if not watching or passed < interrupted + _AGAIN:
            return
        if passed > limits.seconds:
            interrupted = passed
            raise _Over("timeout", limits.too_long())
        if resident(os.getpid()) - held > limits.memory:
            interrupted = passed
            raise _Over("crashed", limits.too_large())

    before = signal.signal(signal.SIGALRM, look)
    faulthandler.dump_traceback_later(limits.seconds + _GRACE, exit=True, file=2)
    try:
        signal.setitimer(signal.ITIMER_REAL, _TICK, _TICK)
        yield
    finally:
        watching = False
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _own_streams() -> Iterator[None]:
    """Restore the global random streams after the block."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
