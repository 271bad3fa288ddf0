"""Cells on a Dask cluster, where each worker plays them in a process of its own: a cell that ends it ends no worker."""

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
from typing import Any

from turinglearn.study.engines import harness
from turinglearn.study.engines.children import Child
from turinglearn.study.outcomes import Job, Limits, Outcome, StudyProblem
from turinglearn.study.provenance import hardware, versions

__all__ = ["Cluster"]

_ANSWER = 30  # seconds in which a scheduler answers, and has a worker
_ALONE = 300.0  # seconds for which it may have none while cells wait
_LOOK, _TICK = 5.0, 0.02  # seconds between two looks at the workers, and at the results
_AHEAD = 1000  # cells that the scheduler knows of at a time: its own costs grow with them

_mine = threading.local()  # on a worker: the child of each of its threads
_children: dict[str, list[Child]] = {}  # and those of each run, for its end


class Cluster:
    """The workers of a Dask scheduler, such as "tcp://10.0.0.1:8786"; without an address, so many processes on this machine.

    function, limits: of the plan. StudyProblem where no scheduler with workers answers, where a worker lacks turinglearn or has
    other versions, where no cluster starts on this machine, or without Dask.

    A cell is lost with its worker only where it ends that too. Dask, which may try it on others first, then blames all that
    waited there: they are "crashed", and whoever runs the study tries each again alone.
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
                    "distributed.deploy.lost-worker-timeout": _ALONE,  # a worker's restart can take longer than 15 s
                    "distributed.scheduler.allowed-failures": 0,  # whoever runs the study tries again, alone
                }
                stack.enter_context(dask.config.set(ours))
                try:
                    where = distributed.LocalCluster(
                        n_workers=self.workers, threads_per_worker=1, processes=True, dashboard_address=":0"
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
        """The outcomes as they come; cells are submitted in the order of the jobs."""
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

    def _await(self, done: Any) -> None:
        """Return when a result is there. Raises StudyProblem where the cluster stays without workers."""
        begun = peopled = looked = time.monotonic()
        while not done.has_ready():
            now = time.monotonic()
            if now > looked + _LOOK:
                looked = now
                with suppress(OSError, TimeoutError):  # of a scheduler that is gone: the results then say so
                    peopled = now if self._client.nthreads() else peopled
                if now > peopled + _ALONE:
                    raise StudyProblem(f"{self._address()} has had no worker for {_ALONE:.0f} s. Start some, then resume.")
            time.sleep(min(_TICK, now - begun))  # a result of a short cell is not waited for

    def _outcome(self, result: Any, job: Job) -> Outcome:
        from distributed import CancelledError, KilledWorker

        if isinstance(result, Outcome):
            return result
        error = result[1] if isinstance(result, tuple) else result
        if isinstance(error, KilledWorker):
            lost = "Its worker was lost with it."
            return Outcome(job.identity, "crashed", {}, lost, 0.0, harness.now(), "")
        if isinstance(error, StudyProblem):
            raise error
        if isinstance(error, CancelledError):
            raise StudyProblem(
                f"The scheduler at {self._address()} went away. What was finished is in the store: start one, then resume."
            ) from error
        raise StudyProblem(f"A worker of {self._address()} cannot play cells: {type(error).__name__}: {error}") from error

    def _check_versions(self) -> None:
        for worker, theirs in self._client.run(versions, on_error="return").items():
            if isinstance(theirs, BaseException):  # mostly that there is no turinglearn
                raise StudyProblem(
                    f"The worker {worker} cannot tell its versions: {theirs}. Install turinglearn "
                    f"{self._versions['turinglearn']} there, with what it needs here, then resume."
                )
            _check(worker, theirs, self._versions)

    def _address(self) -> str:
        return self.address or "this machine"


def _check(worker: str, theirs: Mapping[str, str], ours: Mapping[str, str]) -> None:
    differing = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
    if differing:
        said = ", ".join(f"{n} {theirs.get(n, 'not at all')} instead of {ours.get(n, 'nothing')}" for n in differing)
        raise StudyProblem(f"The worker {worker} has {said}: its figures would be others. Install the same there.")


def _play(run: str, function: str, limits: Limits, ours: Mapping[str, str], job: Job) -> Outcome:
    """On a worker: play one cell in the child of this thread. Workers that came late are checked here."""
    if getattr(_mine, "run", None) != run:
        _check(socket.gethostname(), versions(), ours)
        _mine.run, _mine.child, _mine.hardware = run, Child(function, limits), hardware()
        _children.setdefault(run, []).append(_mine.child)
    child: Child = _mine.child
    return replace(child.run(job), hardware=_mine.hardware)


def _ended(run: str) -> None:
    """On a worker: end the children of a run."""
    for child in _children.pop(run, []):
        child.close()


@contextmanager
def _hushed() -> Iterator[None]:
    """Dask says in its log, at length, what is said here in one line."""
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
