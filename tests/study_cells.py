"""Cells for studies of no games: each does what its payload says. Engines import them by "tests.study_cells:cell".

It imports little, since each process that plays them imports it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np

FUNCTION = "tests.study_cells:cell"


def cell(payload):
    """Wait, misbehave as asked, then draw figures: from the payload's own seed, and from a global stream."""
    time.sleep(payload.get("wait", 0.0))
    ACTIONS.get(payload.get("act"), lambda: None)()
    rng = np.random.default_rng(payload["seed"])
    sums = rng.normal(size=(50, 50)) @ rng.normal(size=(50, 50))
    return {"sum": sums.sum(), "global": np.random.random(), "none": None, "seed": payload["seed"]}  # noqa: NPY002


def fail():
    raise ArithmeticError("no such number: " + repr(object()))


def escape():
    raise ValueError("\x1b]0;owned\a")


def kill_worker():
    os.kill(os.getpid(), signal.SIGKILL)


def kill_both():
    """This process, and on a cluster the worker that keeps it."""
    with open(f"/proc/{os.getppid()}/cmdline", "rb") as file:
        if b"multiprocessing" in file.read():  # a worker of Dask, and not whoever adopted this process
            os.kill(os.getppid(), signal.SIGKILL)
    kill_worker()


def eat():
    held = []
    while True:
        held.append(np.ones(2**20))


def eat_beside():
    """A process that this one has started eats."""
    subprocess.run([sys.executable, "-c", "from tests.study_cells import eat; eat()"], check=True)


def leave():
    """A process that goes on when the cell is over, in a session of its own."""
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    with open(os.environ["STUDY_MARK"], "w") as mark:
        mark.write(str(left.pid))


def spin():
    while True:
        pass


def swallow():
    """A cell that takes no interruption."""
    while True:
        with suppress(BaseException):
            time.sleep(60)


def interrupted_twice():
    """Two signals while the cell clears up after the first, as an impatient user sends them."""
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    finally:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)


def interrupt():
    raise KeyboardInterrupt


def once():
    """Kill the worker the first time."""
    mark = os.environ["STUDY_MARK"]
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    kill_worker()


def unready():
    """Fail while there is no mark."""
    if not os.path.exists(os.environ["STUDY_MARK"]):
        fail()


ACTIONS = {
    "escape": escape,
    "fail": fail,
    "unready": unready,
    "kill": kill_worker,
    "kill both": kill_both,
    "eat": eat,
    "eat beside": eat_beside,
    "leave": leave,
    "spin": spin,
    "swallow": swallow,
    "sleep": lambda: time.sleep(600),
    "interrupt": interrupt,
    "interrupted twice": interrupted_twice,
    "exit": lambda: sys.exit(3),
    "vanish": lambda: os._exit(3),
    "print": lambda: print("nobody reads this", file=sys.stderr),
    "once": once,
}


def nothing(payload):
    """The cell of no cost."""
    return {"value": 1.0}


def words(payload):
    """A function that returns no figures."""
    return {"value": "many"}
