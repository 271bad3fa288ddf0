"""The engines: the same numbers everywhere, limits that hold, and a cell that dies costs only itself."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.study_plans import LIMITS, jobs, lasting, plan
from turinglearn.study import Cluster, Inline, Limits, Plan, Processes, StudyProblem, Writer, run
from turinglearn.study.driver import Stopped
from turinglearn.study.engines import cluster as dask_engine
from turinglearn.study.engines.harness import perform
from turinglearn.study.provenance import versions

REPOSITORY = Path(__file__).parents[3]
TIGHT = Limits(10.0, 2**27)  # ten seconds, so that a busy machine is not taken for a cell without end
SURVIVED = [None, "fail", "interrupt", "exit", "print", "spin", "sleep", "eat", None]  # by every engine
MEANT = ["ok", "error", "error", "error", "ok", "timeout", "timeout", "crashed", "ok"]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")


def played(path, whole, engine):
    with Writer(path) as writer:
        writer.begin(whole)
        run(whole, engine, writer)
    return lasting(path)


def statuses(rows):
    return [row[2] for row in rows]


def test_each_cell_comes_to_its_outcome_inline_as_in_processes(tmp_path):
    whole = plan(*SURVIVED, limits=TIGHT)
    inline = played(tmp_path / "i.sqlite", whole, Inline(whole.function, whole.limits))
    beside = played(tmp_path / "p.sqlite", whole, Processes(whole.function, whole.limits, 2))
    assert statuses(inline) == MEANT
    assert [row[:4] for row in inline] == [row[:4] for row in beside]
    for mine, theirs in zip(inline, beside, strict=True):
        assert mine[4].splitlines()[-1:] == theirs[4].splitlines()[-1:]
    assert "ArithmeticError: no such number: <object object at 0x...>\n" in inline[1][4]
    assert inline[5][4] == "It was ended after its time limit of 10 s."
    assert inline[7][4] == "Twice, the second time alone. It was ended when it passed its memory limit of 128 MiB."


def test_what_a_cell_has_started_counts_as_its_memory(tmp_path):
    whole = plan("eat beside", None, limits=TIGHT)
    for name, engine in (("p", Processes(whole.function, whole.limits, 1)), ("i", Inline(whole.function, whole.limits))):
        rows = played(tmp_path / f"{name}.sqlite", whole, engine)
        assert statuses(rows) == ["crashed", "ok"]
        assert rows[0][4].endswith("It was ended when it passed its memory limit of 128 MiB.")


def test_a_signal_that_comes_twice_is_no_outcome_of_the_cell(tmp_path):
    whole = plan(None, "interrupted twice", None)
    with pytest.raises(Stopped):
        played(tmp_path / "i.sqlite", whole, Inline(whole.function, whole.limits))
    assert [row[0] for row in lasting(tmp_path / "i.sqlite")] == ["cell-000000"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_what_a_cell_leaves_running_ends_with_it(tmp_path, monkeypatch):
    monkeypatch.setenv("STUDY_MARK", str(tmp_path / "mark"))
    whole = plan("leave", None, None)
    with Writer(tmp_path / "p.sqlite") as writer:
        writer.begin(whole)
        run(whole, Processes(whole.function, whole.limits, 1), writer)
        workers = [row.worker for row in writer.rows("ok")]
    assert len(workers) == 3
    assert workers[0] != workers[1] == workers[2]
    state = Path(f"/proc/{(tmp_path / 'mark').read_text()}/cmdline")
    assert not state.exists() or not state.read_bytes()  # gone, or ended and not yet buried


def test_cells_that_kill_their_process_cost_only_themselves(tmp_path):
    whole = plan("kill", None, "vanish", "swallow", None, None, limits=TIGHT)
    rows = played(tmp_path / "p.sqlite", whole, Processes(whole.function, whole.limits, 2))
    assert statuses(rows) == ["crashed", "ok", "crashed", "timeout", "ok", "ok"]
    assert rows[0][4] == "Twice, the second time alone. Its process was killed by SIGKILL."
    assert rows[2][4] == "Twice, the second time alone. Its process ended by itself, with exit code 3."


def test_a_cell_whose_worker_was_killed_once_is_played_again(tmp_path, monkeypatch):
    monkeypatch.setenv("STUDY_MARK", str(tmp_path / "mark"))
    whole = plan("once", None)
    rows = played(tmp_path / "p.sqlite", whole, Processes(whole.function, whole.limits, 2))
    assert statuses(rows) == ["ok", "ok"]


def test_any_number_of_workers_gives_the_same_numbers(tmp_path):
    whole = Plan(jobs(12), "tests.study_cells:cell", LIMITS)
    engines = [Inline(whole.function, LIMITS), *(Processes(whole.function, LIMITS, n) for n in (1, 3))]
    one, *others = (played(tmp_path / f"{i}.sqlite", whole, engine) for i, engine in enumerate(engines))
    assert statuses(one) == ["ok"] * 12
    assert len({row[3]["sum"] for row in one}) == len({row[3]["global"] for row in one}) == 12
    for other in others:
        assert other == one


def test_a_function_that_is_none_is_one_error():
    for path, said in (
        ("no.such:module", "cannot be imported"),
        ("math:pi", "is not a function"),
        ("math:no", "cannot be imported"),
    ):
        for engine in (Inline(path, LIMITS), Processes(path, LIMITS, 2)):
            with engine, pytest.raises(StudyProblem, match=said):
                list(engine.run(jobs(3)))
    with pytest.raises(ValueError, match="workers=0: expected at least 1"):
        Processes("math:sqrt", LIMITS, 0)


def test_a_function_that_returns_no_figures_is_an_error_of_the_cell():
    with Inline("tests.study_cells:words", LIMITS) as engine:
        (outcome,) = engine.run(jobs(1))
    assert outcome.status == "error"
    assert "returned 'value': 'many'; expected a name, and a number, None or a list of rows" in outcome.error


def test_inline_leaves_global_streams_and_signals_as_they_were_and_wants_the_main_thread():
    import random

    random.seed(1)
    expected = random.random()
    random.seed(1)
    before, said = signal.getsignal(signal.SIGALRM), []
    with Inline("tests.study_cells:cell", LIMITS) as engine:
        assert [outcome.status for outcome in engine.run(jobs(2))] == ["ok", "ok"]

        def elsewhere():
            try:
                list(engine.run(jobs(1)))
            except StudyProblem as error:
                said.append(str(error))

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert random.random() == expected
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert "only in the main thread" in said[0]


def test_an_endless_call_ends_an_inline_run_with_its_place(tmp_path):
    """Such as compiled code that never returns; here a cell that swallows its interruptions."""
    code = (
        "from turinglearn.study.engines import inline\ninline._GRACE = 0.5\n"
        "from tests.study_plans import *\nwhole = plan('swallow', limits=Limits(0.5, 2**30))\n"
        "with inline.Inline(whole.function, whole.limits) as engine: list(engine.run(whole.jobs))\n"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 1
    assert "in swallow" in ended.stderr


def test_processes_end_with_the_engine_and_with_what_cells_started(tmp_path):
    with Processes("tests.study_cells:cell", LIMITS, 2) as engine:
        played_ = engine.run([*jobs(2), *jobs(1, act="sleep")])
        workers = {int(next(played_).worker.rpartition(":")[2]) for _ in range(2)}
        begun = time.perf_counter()
    assert time.perf_counter() - begun < 5.0
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


@pytest.mark.slow
def test_a_cluster_loses_only_the_cells_that_end_their_process(tmp_path):
    pytest.importorskip("distributed", reason="needs distributed, which is not installed")
    whole = plan("kill", None, "eat", "spin", "fail", *[None] * 6, limits=TIGHT)
    rows = played(tmp_path / "c.sqlite", whole, Cluster(whole.function, whole.limits, workers=2))
    assert statuses(rows) == ["crashed", "ok", "crashed", "timeout", "error", *["ok"] * 6]
    quiet = Plan(whole.jobs[5:], whole.function, whole.limits)
    assert rows[5:] == played(tmp_path / "i.sqlite", quiet, Inline(whole.function, whole.limits))


@pytest.mark.slow
def test_a_cell_that_kills_the_clusters_own_workers(tmp_path):
    pytest.importorskip("distributed", reason="needs distributed, which is not installed")
    whole = plan("kill both", *[None] * 5)
    rows = played(tmp_path / "c.sqlite", whole, Cluster(whole.function, whole.limits, workers=2))
    assert statuses(rows) == ["crashed", *["ok"] * 5]
    assert rows[0][4].startswith("Twice, the second time alone. Its worker was lost with it.")


@pytest.mark.slow
def test_a_worker_without_turinglearn_is_one_error_that_names_it():
    pytest.importorskip("distributed", reason="needs distributed, which is not installed")
    code = (
        "import sys, time\nsys.modules['turinglearn'] = None\nfrom distributed import LocalCluster\n"
        "with LocalCluster(n_workers=1, processes=False, protocol='tcp', dashboard_address=None) as cluster:\n"
        "    print(cluster.scheduler_address, *(w.address for w in cluster.workers.values()), flush=True)\n"
        "    time.sleep(600)\n"
    )
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    cluster = subprocess.Popen([sys.executable, "-c", code], **options)
    try:
        address, worker = cluster.stdout.readline().split()
        with pytest.raises(StudyProblem, match=f"The worker {worker} .*turinglearn.* Install turinglearn .* then resume"):
            Cluster("math:sqrt", LIMITS, address).__enter__()
    finally:
        cluster.kill()
        cluster.communicate()


def test_figures_are_numbers_or_rows_of_numbers():
    returned = {"a": np.float32(0.5), "b": math.inf, "x": [[1, math.nan], [np.int64(2), 3.5]], "y": []}
    found = perform(lambda payload: returned, "i", {})
    assert found == ("ok", {"a": 0.5, "b": None, "x": [[1.0, None], [2.0, 3.5]], "y": []}, "")
    for wrong in ([1.0, 2.0], ["12", "34"], [[1.0], [1.0, 2.0]], [["1", "2"]]):
        status, figures, error = perform(lambda payload, wrong=wrong: {"x": wrong}, "i", {})
        assert (status, figures) == ("error", {})
        assert f"returned 'x': {wrong!r}; expected rows of numbers, equally long" in error


def test_a_worker_tells_its_hardware(monkeypatch):
    monkeypatch.setattr(dask_engine, "hardware", lambda: {"cores": 96})
    whole = plan(None)
    try:
        found = dask_engine._play("this run", whole.function, whole.limits, versions(), whole.jobs[0])
        assert (found.status, found.hardware) == ("ok", {"cores": 96})
    finally:
        dask_engine._ended("this run")


def test_a_worker_that_comes_late_with_other_versions_is_one_error():
    with pytest.raises(StudyProblem, match=r"has numpy .* instead of 0\.1, so its figures would differ"):
        dask_engine._play("a run", "math:sqrt", LIMITS, versions() | {"numpy": "0.1"}, plan(None).jobs[0])


def test_a_cluster_that_does_not_start_is_one_error(monkeypatch):
    distributed = pytest.importorskip("distributed", reason="needs distributed, which is not installed")

    def fail(**options):
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr(distributed, "LocalCluster", fail)
    with pytest.raises(StudyProblem, match=r"this machine: Nanny failed to start\. A script .* leave out --engine dask\."):
        Cluster("math:sqrt", LIMITS).__enter__()


@pytest.mark.slow
def test_a_scheduler_that_goes_away_is_one_error_and_finished_rows_stay(tmp_path):
    pytest.importorskip("distributed", reason="needs distributed, which is not installed")
    code = (
        "import time\nfrom distributed import LocalCluster\n"
        "if __name__ == '__main__':\n"
        "    with LocalCluster(n_workers=1, threads_per_worker=1) as cluster:\n"
        "        print(cluster.scheduler_address, flush=True)\n        time.sleep(600)\n"
    )
    script = tmp_path / "scheduler.py"
    script.write_text(code)
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True, "env": environment}
    scheduler = subprocess.Popen([sys.executable, str(script)], **options, start_new_session=True)
    address = scheduler.stdout.readline().strip()
    whole, path = plan(*[None] * 200, wait=0.05), tmp_path / "c.sqlite"
    seen = []

    def watch(outcome):
        seen.append(outcome)
        if len(seen) == 3:
            os.killpg(scheduler.pid, signal.SIGKILL)

    with Writer(path) as writer:
        writer.begin(whole)
        with pytest.raises(StudyProblem, match=r"went away\. Finished cells are in the store"):
            run(whole, Cluster(whole.function, whole.limits, address), writer, watch)
    scheduler.communicate()
    rows = lasting(path)
    assert 3 <= len(rows) < 200
    with pytest.raises(StudyProblem, match="No scheduler with workers answers"):
        Cluster(whole.function, whole.limits, address).__enter__()
