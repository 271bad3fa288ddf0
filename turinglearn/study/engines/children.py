"""Child processes that play cells one by one, and are killed where a cell passes its limits."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from turinglearn.study.engines import harness
from turinglearn.study.engines.memory import descendants, resident
from turinglearn.study.jobs import Job, Limits, Outcome, StudyProblem

__all__ = ["Child"]

_TICK = 0.02  # seconds between two checks of the clock and the memory
_STARTING = 300.0  # seconds to import what the cells need
_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Child:
    """Process for the cells of one function.

    It starts with the first cell, and again after each cell that ends it or leaves processes behind.

    Parameters
    ----------
    function : str
        "module:function" that plays a cell.
    limits : Limits
        Limits of each cell.
    """

    def __init__(self, function: str, limits: Limits) -> None:
        self.function = function
        self.limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None
        self._closed = False

    def run(self, job: Job) -> Outcome:
        """Play one cell. Raises StudyProblem where no process can start."""
        process, connection = self._ready()
        held, started, begun = resident(process.pid), harness.now(), time.perf_counter()
        status, error = "crashed", ""
        try:
            connection.send_bytes(json.dumps([job.identity, job.payload]).encode())
            while not connection.poll(_TICK):
                if time.perf_counter() - begun > self.limits.seconds:
                    status, error = "timeout", self.limits.too_long()
                    break
                if resident(process.pid) - held > self.limits.memory:
                    error = self.limits.too_large()
                    break
            else:
                reply = json.loads(connection.recv_bytes())
                if descendants(process.pid):  # the next cell must not pay for what this one left running
                    self._kill()
                return Outcome(identity=job.identity, worker=self._name(process), **reply)
        except (EOFError, OSError):
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            error = _end_of(process)
        self._kill()
        return Outcome(job.identity, status, {}, error, time.perf_counter() - begun, started, self._name(process))

    def close(self) -> None:
        """End the process, from any thread; it does not start again."""
        self._closed = True
        self._kill()

    def _ready(self) -> tuple[subprocess.Popen[bytes], Connection[Any, Any]]:
        if self._process is None or self._connection is None or self._process.poll() is not None:
            self._kill()
            return self._started()
        return self._process, self._connection

    def _started(self) -> tuple[subprocess.Popen[bytes], Connection[Any, Any]]:
        here, there = Pipe()
        places = os.pathsep.join(os.path.abspath(place) for place in sys.path)
        environment = os.environ | dict.fromkeys(_POOLS, "1") | {"PYTHONPATH": places}
        command = [sys.executable, "-P", harness.__file__, str(there.fileno()), self.function]
        with tempfile.TemporaryFile() as output:
            process = self._process = subprocess.Popen(
                command,
                pass_fds=[there.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                env=environment,
                start_new_session=True,  # Ctrl-C goes to the driver, and processes of a cell end with this one
            )
            there.close()
            self._connection = here
            if self._closed:  # in the meantime, by another thread
                self._kill()
            try:
                if not here.poll(_STARTING):
                    raise TimeoutError(f"nothing in {_STARTING:g} s")
                answer = json.loads(here.recv_bytes())
            except (EOFError, OSError) as error:
                self._kill()
                output.seek(0)
                last = output.read().decode(errors="replace").strip().rpartition("\n")[2] or str(error) or "it ended at once"
                raise StudyProblem(f"The process for {self.function} did not start: {last}. Fix that, then resume.") from error
        if "broken" in answer:
            self._kill()
            raise StudyProblem(answer["broken"])
        return process, here

    def _kill(self) -> None:
        process, connection = self._process, self._connection
        if process is not None:
            started = descendants(process.pid) if process.returncode is None else []  # else its number may be reused
            with suppress(ProcessLookupError, PermissionError):  # its session has ended already
                os.killpg(process.pid, signal.SIGKILL)
            for each in started:  # also processes with a session of their own
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(each, signal.SIGKILL)
            process.wait()
        if connection is not None and not self._closed:  # a thread that still reads it finds its end
            connection.close()
            self._process = self._connection = None

    @staticmethod
    def _name(process: subprocess.Popen[bytes]) -> str:
        return f"{socket.gethostname()}:{process.pid}"


def _end_of(process: subprocess.Popen[bytes]) -> str:
    code = process.returncode
    if code is None:
        return "Its process closed the line to the driver."
    if code < 0:
        return f"Its process was killed by {signal.Signals(-code).name}."
    return f"Its process ended by itself, with exit code {code}."
