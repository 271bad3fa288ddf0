"""A study whose driver and workers are killed at random moments: its store against that of an uninterrupted study.

python benchmarks/study_kill.py --kills 10
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from provenance import provenance

from turinglearn.study import Job, Limits, Plan, Processes, Store, StudyProblem, Writer, run

REPOSITORY = Path(__file__).parent.parent
FUNCTION, LIMITS = "study_kill:cell", Limits(60.0, 2**30)
PAGE = """# A study that is killed and resumed

Written by `python benchmarks/study_kill.py`: {provenance}.

{cells} cells of about 50 ms in two processes, every tenth of them an error. The driver is ended by SIGKILL {kills} times, each
at a random moment of the rest, and started again; then both its workers are ended too, {workers} times. The finished store is
compared with that of an uninterrupted study: identity, payload, status, figures bit for bit, traceback, versions and commit of
each row. Seconds, start and worker may differ.

| | |
|---|---|
| kills of the driver while it was at work | {met} of {kills} |
| cells finished at each kill | {finished} |
| workers killed | {killed} |
| finished rows that were lost or run again | {lost} |
| rows equal to those of the uninterrupted study | {equal} of {cells} |
"""


def cell(payload: dict[str, Any]) -> dict[str, float]:
    time.sleep(0.05)
    if payload["seed"] % 10 == 9:
        raise ArithmeticError(f"cell {payload['seed']} fails")
    values = np.random.default_rng(payload["seed"]).normal(size=1000)
    return {"mean": float(values.mean()), "spread": float(values.std()), "global": float(np.random.random())}  # noqa: NPY002


def drive(path: Path, cells: int) -> None:
    """Start or resume the study, in a driver process."""
    plan = Plan([Job(f"{seed:064x}", {"seed": seed}) for seed in range(cells)], FUNCTION, LIMITS)
    with Writer(path) as writer:
        writer.begin(plan)
        run(plan, Processes(FUNCTION, LIMITS, 2), writer)


def started(path: Path, cells: int) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(Path(__file__).parent)])}
    return subprocess.Popen([sys.executable, __file__, "--drive", str(path), "--cells", str(cells)], env=environment)


def finished(path: Path) -> dict[str, str]:
    """Return when each finished cell was started."""
    try:
        with Store(path) as store:
            return {row.identity: row.started for row in store.rows()}
    except StudyProblem:  # there is none yet
        return {}


def lasting(path: Path) -> dict[str, Any]:
    with Store(path) as store:
        return {r.identity: (r.payload, r.status, r.figures, r.error, r.versions, r.commit) for r in store.rows()}


def interrupted(path: Path, cells: int, kills: int, rng: random.Random) -> dict[str, Any]:
    """Kill the driver so many times, then let it end, and kill workers meanwhile."""
    met, counts, killed, lost = 0, [], 0, 0
    before: dict[str, str] = {}
    for kill in range(kills):
        driver, goal = started(path, cells), len(before) + rng.randrange(1, 2 + 2 * (cells - len(before)) // (kills - kill + 3))
        while len(finished(path)) < goal and driver.poll() is None:
            time.sleep(0.005)
        time.sleep(rng.uniform(0.0, 0.06))
        driver.kill()
        met += driver.wait() == -signal.SIGKILL
        after = finished(path)
        lost += sum(after.get(identity) != when for identity, when in before.items())
        before = after
        counts.append(len(before))
    driver = started(path, cells)
    while driver.poll() is None:
        if len(finished(path)) > counts[-1] + 5 * (killed // 2 + 1) and killed < 6:
            for worker in Path(f"/proc/{driver.pid}/task/{driver.pid}/children").read_text().split():
                os.kill(int(worker), signal.SIGKILL)
                killed += 1
        time.sleep(0.01)
    after = finished(path)
    lost += sum(after.get(identity) != when for identity, when in before.items())
    return {"met": met, "finished": ", ".join(map(str, counts)), "killed": killed, "lost": lost}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--cells", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments")
    parser.add_argument("--drive", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "study_kill.md")
    arguments = parser.parse_args()
    if arguments.drive is not None:
        drive(arguments.drive, arguments.cells)
        return 0
    with TemporaryDirectory() as folder:
        whole, broken = Path(folder) / "whole.sqlite", Path(folder) / "broken.sqlite"
        if started(whole, arguments.cells).wait():
            raise RuntimeError("the uninterrupted study failed")
        figures = interrupted(broken, arguments.cells, arguments.kills, random.Random(arguments.seed))
        expected, found = lasting(whole), lasting(broken)
    equal = sum(found.get(identity) == row for identity, row in expected.items())
    text = PAGE.format(
        provenance=provenance(),
        cells=arguments.cells,
        kills=arguments.kills,
        workers=figures["killed"] // 2,
        equal=equal,
        **figures,
    )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text)
    print(text)
    return 0 if equal == len(found) == arguments.cells and not figures["lost"] and figures["met"] == arguments.kills else 1


if __name__ == "__main__":
    sys.exit(main())
