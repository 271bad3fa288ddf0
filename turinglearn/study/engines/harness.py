"""Harness around one cell: it finds the function, catches exceptions and checks figures; and the loop of a child process.

A child process runs this file by its path, so it imports only the standard library, and what the function of the cells needs.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import random
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any, SupportsFloat

__all__ = ["Function", "Interruption", "now", "perform", "resolve", "serve"]

Function = Callable[[dict[str, Any]], dict[str, Any]]

_IDLE = 600.0  # seconds without a cell after which a child ends: its owner may have forgotten it
_LOOK = 0.5  # seconds between two checks that the parent is alive
_LONGEST = 20_000  # characters of a traceback
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")


class Interruption(BaseException):
    """End of a cell by something outside it: a limit, or a signal."""


def now() -> str:
    """Return the time, as the store has it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def resolve(path: str) -> Function:
    """Return the function "module:function". Raises ValueError where there is none."""
    module, _, name = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:
        raise ValueError(f"The function {path!r} cannot be imported: {type(error).__name__}: {error}.") from error
    if not callable(found):
        raise ValueError(f"{path!r} is not a function; expected one that takes a payload and returns a dict of figures.")
    function: Function = found
    return function


def perform(function: Function, identity: str, payload: dict[str, Any]) -> tuple[str, dict[str, Any], str]:
    """Play one cell, and return its status, "ok" or "error", its figures and its traceback.

    Only an `Interruption` is raised. The global random streams of Python and NumPy are seeded by the identity of the cell, so
    that no cell changes the draws of another.
    """
    import numpy

    random.seed(identity)
    numpy.random.seed(list(identity.encode()))  # noqa: NPY002  # players of other packages may draw from it
    try:
        return "ok", _figures(function(payload)), ""
    except Interruption:
        raise
    except BaseException as error:  # also SystemExit and KeyboardInterrupt that the cell raises
        return "error", {}, _traceback(error)


def _figures(found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise TypeError(f"The cell's function returned {type(found).__name__}; expected a dict of figures.")
    for name, value in found.items():
        if not isinstance(name, str) or isinstance(value, str | bytes):
            raise TypeError(
                f"The cell's function returned {name!r}: {value!r:.80}; expected a name, and a number, None or a list of rows."
            )
        if isinstance(value, list) and not _are_rows(value):
            raise TypeError(f"The cell's function returned {name!r}: {value!r:.80}; expected rows of numbers, equally long.")
    return {name: [list(map(_finite, row)) for row in v] if isinstance(v, list) else _finite(v) for name, v in found.items()}


def _are_rows(value: list[Any]) -> bool:
    lists = all(isinstance(row, list) for row in value)
    return lists and len({len(row) for row in value}) <= 1 and not any(isinstance(v, str | bytes) for row in value for v in row)


def _finite(value: SupportsFloat | None) -> float | None:
    """Return a number, or None where it is not finite, which JSON cannot hold."""
    return None if value is None or not math.isfinite(value) else float(value)


def _traceback(error: BaseException) -> str:
    """Return the traceback, beginning with the function of the cell, without addresses, which differ from run to run."""
    begin = error.__traceback__.tb_next if error.__traceback__ else None
    text = "".join(traceback.format_exception(type(error), error, begin))
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]}\n[...]\n{text[-_LONGEST // 2 :]}"
    return _ADDRESS.sub("0x...", text).encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def serve(descriptor: int, path: str) -> None:
    """Play cells from a pipe until it closes, the parent dies, or no cell comes for a long time."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver handles it
    threading.Thread(target=_leave_with, args=(os.getppid(),), daemon=True).start()
    connection = Connection(descriptor)
    try:
        function = resolve(path)
    except ValueError as error:
        connection.send_bytes(json.dumps({"broken": str(error)}).encode())
        return
    _quiet()
    connection.send_bytes(b"{}")
    while connection.poll(_IDLE):
        identity, payload = json.loads(connection.recv_bytes())
        started, begun = now(), time.perf_counter()
        status, figures, traceback_text = perform(function, identity, payload)
        reply = {"status": status, "figures": figures, "error": traceback_text, "started": started}
        connection.send_bytes(json.dumps(reply | {"seconds": time.perf_counter() - begun}).encode())


def _quiet() -> None:
    """Discard what cells print."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK)
    _leave()


def _leave() -> None:
    """End this process and the processes of its session that cells have started, without any clean-up."""
    try:
        if os.getsid(0) == os.getpid():
            os.killpg(0, signal.SIGKILL)
    finally:
        os._exit(0)


if __name__ == "__main__":
    try:
        serve(int(sys.argv[1]), sys.argv[2])
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the driver has closed the pipe: the normal end
    finally:
        sys.stderr.flush()
        _leave()
