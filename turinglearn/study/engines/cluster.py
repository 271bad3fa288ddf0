"""Engine on a Dask cluster. Each worker plays cells in a child process, so a cell that ends its process ends no worker."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from itertools import islice
from types import TracebackType
from typing import Any, Protocol

from turinglearn.study.engines import harness
from turinglearn.study.engines.children import Child
from turinglearn.study.jobs import Job, Limits, Outcome, StudyProblem
from turinglearn.study.provenance import hardware, versions

__all__ = ["Cluster"]

_ANSWER = 30  # seconds in which a scheduler must answer, and have a worker
_ALONE = 300.0  # seconds for which it may have no worker while cells wait
_LOOK, _TICK = 5.0, 0.02  # seconds between two checks of the workers, and of the results
_AHEAD = 1000  # cells that the scheduler has at a time: its costs grow with them

_of_thread = threading.local()  # on a worker: the child of each of its threads
_children: dict[str, list[Child]] = {}  # the children of each run, to be closed at its end


class _Completed(Protocol):
    """Part of `distributed.as_completed` that is used here."""

    def has_ready(self) -> bool: ...


class Cluster:
    """Engine that plays cells on the workers of a Dask scheduler.

    A cell that kills its worker is lost with it. Dask then blames all cells that waited there: they are "crashed", and the
    driver tries each again, alone.

    Parameters
    ----------
    function : str
        "module:function" of the plan.
    limits : Limits
        Limits of the plan.
    address : str or None
        Address of a scheduler, such as "tcp://10.0.0.1:8786"; None starts a cluster on this machine.
    workers : int
        Number of processes of a cluster on this machine.

    Raises
    ------
    StudyProblem
        On entry, without Dask, if no scheduler with workers answers, if a worker lacks turinglearn or has other versions, or
        if no cluster starts on this machine.
    """

    def __init__(self, function: str, limits: Limits, address: str | None = None, workers: int = 1) -> None:
        self.function = function
        self.limits = limits
        self.address = address
        self.workers = workers
        self.dashboard: str | None = None
        self._run = uuid.uuid4().hex
        self._versions = versions()
        self._stack = ExitStack()
        self._client: Any = None

    def __enter__(self) -> Cluster:
        try:
            import dask
            import distributed
        except ImportError as error:
            raise StudyProblem("Dask is not installed. Install it: pip install 'turinglearn[dask]'") from error
        with ExitStack() as stack:
            stack.enter_context(_hushed())
            where: Any = self.address
            if where is None:
                ours = {
                    "distributed.deploy.lost-worker-timeout": _ALONE,  # restarting a worker can take longer than 15 s
                    "distributed.scheduler.allowed-failures": 0,  # the driver tries again, alone
                }
                stack.enter_context(dask.config.set(ours))
                try:
                    where = distributed.LocalCluster(
                        n_workers=self.workers, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
                    )
                except (OSError, RuntimeError, TimeoutError) as error:
                    raise StudyProblem(
                        f"Dask cannot start workers on this machine: {str(error).removesuffix('.')}. A script has to ask for "
                        'them under `if __name__ == "__main__":`. Local processes need no Dask: leave out --engine dask.'
                    ) from error
                stack.enter_context(where)
            try:
                self._client = stack.enter_context(distributed.Client(where, timeout=_ANSWER, set_as_default=False))
                self._client.wait_for_workers(1, timeout=_ANSWER)
            except (OSError, TimeoutError, ValueError) as error:
                raise StudyProblem(
                    f"No scheduler with workers answers at {self._address()} in {_ANSWER} s: {error}. Start both, then resume."
                ) from error
            self._check_versions()
            self.dashboard = self._client.dashboard_link
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        with self._stack:
            if self._client.status == "running":
                with suppress(OSError, TimeoutError):
                    self._client.run(_ended, self._run, on_error="ignore")

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Yield outcomes as they come; cells are submitted in the order of the jobs."""
        from distributed import as_completed

        waiting, done = iter(jobs), as_completed(loop=self._client.loop, with_results=True, raise_errors=False)
        running: dict[Any, Job] = {}
        while True:
            for job in islice(waiting, _AHEAD - len(running)):
                asked = (self._run, self.function, self.limits, self._versions, job)
                future = self._client.submit(_play, *asked, pure=False, retries=0)
                running[future] = job
                done.add(future)
            if not running:
                return
            self._await(done)
            future, result = next(done)
            yield self._outcome(result, running.pop(future))

    def _await(self, done: _Completed) -> None:
        """Wait for a result. Raises StudyProblem where the cluster stays without workers."""
        begun = peopled = looked = time.monotonic()
        while not done.has_ready():
            now = time.monotonic()
            if now > looked + _LOOK:
                looked = now
                with suppress(OSError, TimeoutError):  # of a scheduler that is gone, which the results report
                    peopled = now if self._client.nthreads() else peopled
                if now > peopled + _ALONE:
                    raise StudyProblem(f"{self._address()} has had no worker for {_ALONE:.0f} s. Start some, then resume.")
            time.sleep(min(_TICK, now - begun))  # short cells are not kept waiting

    def _outcome(self, result: object, job: Job) -> Outcome:
        from distributed import CancelledError, KilledWorker

        if isinstance(result, Outcome):
            return result
        error = result[1] if isinstance(result, tuple) else result
        if isinstance(error, KilledWorker):
            lost = "Its worker was lost with it."
            return Outcome(job.identity, "crashed", {}, lost, 0.0, harness.now(), "")
        if isinstance(error, StudyProblem):
            raise error
        cause = error if isinstance(error, BaseException) else None
        if isinstance(error, CancelledError):
            raise StudyProblem(
                f"The scheduler at {self._address()} went away. Finished cells are in the store: start one, then resume."
            ) from cause
        raise StudyProblem(f"A worker of {self._address()} cannot play cells: {type(error).__name__}: {error}") from cause

    def _check_versions(self) -> None:
        for worker, theirs in self._client.run(versions, on_error="return").items():
            if isinstance(theirs, BaseException):  # in most cases there is no turinglearn
                raise StudyProblem(
                    f"The worker {worker} cannot report its versions: {theirs}. Install turinglearn "
                    f"{self._versions['turinglearn']} there, with what it needs here, then resume."
                )
            _check(worker, theirs, self._versions)

    def _address(self) -> str:
        return self.address or "this machine"


def _check(worker: str, theirs: Mapping[str, str], ours: Mapping[str, str]) -> None:
    differing = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
    if differing:
        listed = ", ".join(f"{n} {theirs.get(n, 'not at all')} instead of {ours.get(n, 'nothing')}" for n in differing)
        raise StudyProblem(f"The worker {worker} has {listed}, so its figures would differ. Install the same there.")


def _play(run: str, function: str, limits: Limits, ours: Mapping[str, str], job: Job) -> Outcome:
    """Play one cell in the child of this thread of a worker. Workers that joined late are checked here."""
    if getattr(_of_thread, "run", None) != run:
        _check(socket.gethostname(), versions(), ours)
        _of_thread.run, _of_thread.child, _of_thread.hardware = run, Child(function, limits), hardware()
        _children.setdefault(run, []).append(_of_thread.child)
    child: Child = _of_thread.child
    return replace(child.run(job), hardware=_of_thread.hardware)


def _ended(run: str) -> None:
    """End the children of a run on a worker."""
    for child in _children.pop(run, []):
        child.close()


@contextmanager
def _hushed() -> Iterator[None]:
    """Silence the log of Dask, whose long messages repeat the errors that are raised here."""
    log = logging.getLogger("distributed")
    before, name = log.level, "DASK_LOGGING__DISTRIBUTED"
    inherited = os.environ.get(name)
    log.setLevel(logging.CRITICAL + 1)
    os.environ[name] = "critical"  # for the workers of a cluster on this machine
    try:
        yield
    finally:
        log.setLevel(before)
        os.environ.pop(name) if inherited is None else os.environ.update({name: inherited})
