"""Kill a fit that saves checkpoints, at random moments, and check that it can be resumed with the same result.

    python benchmarks/kill.py     # prints a table and writes benchmarks/results/kill.md

Each time `turinglearn fit --checkpoint-every 5` is ended by SIGKILL, which no program can catch. Then the model must load, or
not exist yet. The fit is started again, with --resume if there is a model, and its result must equal that of an uninterrupted
fit in every array, figure and sample, bit for bit.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from provenance import provenance

from turinglearn.persistence import ModelNotFoundError, load
from turinglearn.persistence.codec import Attachments, encode

REPOSITORY = Path(__file__).parent.parent
EVERY, ROWS = 5, 200
SETUPS = {
    "network against network": ("--keep", "best"),
    "network against random forest": ("--discriminator", "sklearn.ensemble.RandomForestClassifier(n_estimators=10)"),
    "averaged mixture against network": ("--generator", "mixture", "--keep", "average"),
}
MOMENTS = ("before the first save", "during a save", "between saves", "after the end")

PAGE = """# A fit that is killed and resumed

Written by `python benchmarks/kill.py`: {provenance}.

`turinglearn fit --checkpoint-every {every} --rounds {rounds}` on a table of {rows} rows, ended by SIGKILL at {kills} random
moments: after a random number of its saves, from none to all, and then a random share of the usual time to the next one.
"During a save" are the kills that left half-written or unused files. Equal means that the model loaded or did not exist yet,
that the fit ended when it was started again, and that it then had the arrays, figures and samples of the uninterrupted fit, bit
for bit.

| players | kills | {moments} | equal |
|---|---|{bars}---|
{table}
"""


@dataclass(frozen=True)
class Reference:
    """An uninterrupted fit: its command, its model, the seconds before its first save and between later ones."""

    command: tuple[str, ...]
    model: Path
    before: float
    between: float


def started(command: tuple[str, ...], out: Path, *more: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    arguments = [sys.executable, "-m", "turinglearn", *command, "--out", str(out), *more]
    return subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finished(fit: subprocess.Popen[str]) -> None:
    _, errors = fit.communicate(timeout=300)
    if fit.returncode:
        raise RuntimeError(f"the fit ended with {fit.returncode}: {errors}")


def reference_fit(name: str, folder: Path, rounds: int) -> Reference:
    table = folder / "table.csv"
    options = ("--rounds", str(rounds), "--checkpoint-every", str(EVERY), "--random-state", "0", *SETUPS[name])
    command, model = ("fit", str(table), *options), folder / f"reference {name}"
    begun, fit = time.perf_counter(), started(("fit", str(table), *options), model)
    while not (model / "manifest.json").exists() and fit.poll() is None:
        time.sleep(0.01)
    first = time.perf_counter() - begun
    finished(fit)
    return Reference(command, model, first, (time.perf_counter() - begun - first) / (rounds // EVERY))


def killed(reference: Reference, out: Path, saves: int, share: float) -> tuple[str, bool]:
    """Kill a fit; return when that was, and whether the resumed fit had an equal result.

    It is killed after so many saves and a share of the time to the next one, since seconds alone depend on the load.
    """
    fit, seen, stamp = started(reference.command, out), 0, 0
    while seen < saves and fit.poll() is None:
        now = stamp_of(out)
        seen, stamp = seen + (now != stamp), now
        time.sleep(0.001)
    try:
        fit.communicate(timeout=share * (reference.between if saves else reference.before))
    except subprocess.TimeoutExpired:
        fit.kill()
        fit.communicate()
    when = moment_of(out) if fit.returncode else "after the end"
    try:
        load(out)
    except ModelNotFoundError:
        finished(started(reference.command, out))
    else:
        finished(started(reference.command[:2], out, "--resume"))
    return when, equal(out, reference.model)


def stamp_of(out: Path) -> int:
    """Return a number that changes with each save; 0 before the first."""
    try:
        return (out / "manifest.json").stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def moment_of(out: Path) -> str:
    """Return the moment of the kill, by the files that it left."""
    files = {file.name for file in out.iterdir()} if out.exists() else set()
    if "manifest.json" not in files:
        return "during a save" if files else "before the first save"
    manifest = (out / "manifest.json").read_text()
    stray = [name for name in files - {"manifest.json"} if name.rpartition("-")[2].partition(".")[0] not in manifest]
    return "during a save" if stray else "between saves"


def equal(one: Path, other: Path) -> bool:
    """Return whether two models are equal in everything, bit for bit."""
    learners, attached = (load(one), load(other)), (Attachments(), Attachments())
    states = [encode(learner.state(), "state", attachments) for learner, attachments in zip(learners, attached, strict=True)]
    arrays = [{key: (str(x.dtype), x.shape, x.tobytes()) for key, x in attachments.arrays.items()} for attachments in attached]
    samples = [learner.sample(100) for learner in learners]
    decisions = [learner.decision_function(samples[0]) for learner in learners]
    return states[0] == states[1] and arrays[0] == arrays[1] and samples[0].equals(samples[1]) and np.array_equal(*decisions)


def write_table(path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {"real": rng.normal(size=ROWS), "whole": rng.integers(0, 9, ROWS), "text": rng.choice(["a", "b", "c"], ROWS)}
    pd.DataFrame(columns).to_csv(path, index=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--setups", type=int, default=len(SETUPS), help="number of pairs of players")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "kill.md")
    arguments = parser.parse_args()
    names, rng = list(SETUPS)[: arguments.setups], np.random.default_rng(arguments.seed)
    with TemporaryDirectory() as folder, ThreadPoolExecutor(arguments.workers) as pool:
        write_table(Path(folder) / "table.csv")
        references = {name: reference_fit(name, Path(folder), arguments.rounds) for name in names}
        turns = [names[kill % len(names)] for kill in range(arguments.kills)]
        saves = rng.integers(0, arguments.rounds // EVERY, arguments.kills, endpoint=True).tolist()
        shares = rng.uniform(size=arguments.kills).tolist()
        outs = [Path(folder) / str(kill) for kill in range(arguments.kills)]
        done = list(pool.map(killed, [references[name] for name in turns], outs, saves, shares))
    rows = []
    for name in names:
        mine = [outcome for turn, outcome in zip(turns, done, strict=True) if turn == name]
        counts = Counter(when for when, _ in mine)
        figures = [name, len(mine), *(counts[moment] for moment in MOMENTS), sum(same for _, same in mine)]
        rows.append(f"| {' | '.join(map(str, figures))} |")
    text = PAGE.format(
        provenance=provenance(),
        every=EVERY,
        rounds=arguments.rounds,
        rows=ROWS,
        kills=arguments.kills,
        moments=" | ".join(MOMENTS),
        bars="---|" * len(MOMENTS),
        table="\n".join(rows),
    )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text)
    print(text)
    return 0 if all(same for _, same in done) else 1


if __name__ == "__main__":
    sys.exit(main())
