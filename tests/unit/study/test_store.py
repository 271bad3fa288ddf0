"""The store of a study: rows that stay, one writer, errors of one line, exports that come back."""

from __future__ import annotations

import csv
import io
import os
import resource
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.study_plans import jobs, plan
from turinglearn.study import provenance
from turinglearn.study.jobs import Job, Limits, Outcome, Plan, StudyProblem
from turinglearn.study.parquet import export
from turinglearn.study.specification import plan_of, read_specification
from turinglearn.study.store import Store, StoreProblem
from turinglearn.study.writer import Writer, is_written

REPOSITORY = Path(__file__).parents[3]

SMOKE = Path(__file__).parents[3] / "benchmarks" / "bias" / "smoke.toml"


def outcome(job, status="ok", **figures):
    return Outcome(job.identity, status, figures, "" if status == "ok" else "why", 0.5, "2026-01-01T00:00:00+00:00", "here:1")


def filled(path, count, **payload):
    complete = Plan(jobs(count, **payload), "a:b", Limits(1.0, 2**20))
    with Writer(path) as writer:
        writer.begin(complete)
        for job in complete.jobs[: count - 1]:
            writer.write(outcome(job, x=job.payload["seed"] / 3, y=None))
    return complete


def test_rows_come_back(tmp_path):
    path = tmp_path / "s.sqlite"
    complete = filled(path, 4, name="ü", of=[1, {"a": None}])
    with Store(path) as store:
        assert store.plan() == complete
        assert store.finished() == {job.identity for job in complete.jobs[:3]}
        assert list(store.unfinished()) == complete.jobs[3:]
        assert store.counts() == {"cells": 4, "ok": 3, "error": 0, "timeout": 0, "crashed": 0}
        rows = list(store.rows())
    assert [row.identity for row in rows] == ["cell-000000", "cell-000001", "cell-000002"]
    assert rows[2].payload == complete.jobs[2].payload
    assert rows[2].figures == {"x": 2 / 3, "y": None}
    assert rows[2].versions["turinglearn"]
    assert rows[2].hardware["cores"] == os.cpu_count()
    assert rows[2].limits == {"seconds": 1.0, "memory in MiB": 1.0}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["s.sqlite", "s.sqlite.lock"]  # the log is in the file


def test_a_part_of_a_study_says_so(tmp_path):
    """Also in its export, in the plan that is resumed, and in the report."""
    selected = plan_of(SMOKE, only=["kind=discriminator", "n=100"])
    assert 0 < len(selected.jobs) < selected.planned_cells == len(plan_of(SMOKE).jobs)
    with Writer(tmp_path / "s.sqlite") as writer:
        writer.begin(selected)
        for job in selected.jobs:
            writer.write(outcome(job, excess_log_loss_bias=0.1))
        assert writer.planned_cells() == writer.plan().planned_cells == selected.planned_cells
        export(writer, tmp_path / "s.parquet")
    with Store(tmp_path / "s.parquet") as store:
        assert store.planned_cells() == selected.planned_cells
    environment = os.environ | {"PYTHONPATH": str(SMOKE.parent.parent.parent)}
    done = subprocess.run(
        [sys.executable, "-m", "turinglearn", "study", "report", "s.sqlite"], cwd=tmp_path, env=environment, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "s-report" / "report.md").read_text()
    assert f"{len(selected.jobs)} of {selected.planned_cells} cells are finished" in page
    assert "This is a part of the study" in page


def test_paths_may_be_texts(tmp_path):
    path = str(tmp_path / "s.sqlite")
    filled(path, 3)
    with Store(path) as store:
        assert export(store, str(tmp_path / "s.csv")) == 3
    assert read_specification(str(SMOKE)).cells


def test_readers_see_rows_while_a_driver_writes_and_others_may_not_write(tmp_path):
    path = tmp_path / "s.sqlite"
    complete = plan(None, None)
    with Writer(path) as writer:
        writer.begin(complete)
        assert is_written(path)
        with Store(path) as store:
            for done, job in enumerate(complete.jobs):
                assert store.counts()["ok"] == done
                writer.write(outcome(job))
        with pytest.raises(StoreProblem, match="Another driver is at work"), Writer(path):
            pass
    assert not is_written(path)
    with Writer(path) as writer:
        assert writer.counts()["ok"] == 2


def test_a_lock_dies_with_its_holder(tmp_path):
    path = tmp_path / "s.sqlite"
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom turinglearn.study.writer import Writer\n"
        "with Writer(Path(sys.argv[1])): print('has it', flush=True); time.sleep(600)"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    holder = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True, env=environment)
    assert holder.stdout.readline() == "has it\n"
    with pytest.raises(StoreProblem, match="Another driver is at work"), Writer(path):
        pass
    holder.kill()
    holder.communicate()
    with Writer(path):
        pass


def test_a_title_is_that_of_the_last_plan(tmp_path):
    path = tmp_path / "s.sqlite"
    complete = filled(path, 2)
    for title in ("", "The <first>", "Über"):
        with Writer(path) as writer:
            writer.begin(replace(complete, title=title))
        with Store(path) as store:
            assert (store.title(), store.plan().title) == (title, title)
            assert (store.planned_cells(), len(list(store.rows()))) == (0, 1)
    with Writer(tmp_path / "empty.sqlite") as writer:  # no run has begun
        assert (writer.title(), writer.planned_cells()) == ("", 0)


def test_no_cell_is_written_before_a_run_has_begun(tmp_path):
    complete = filled(tmp_path / "s.sqlite", 3)
    with Writer(tmp_path / "s.sqlite") as writer:
        with pytest.raises(StoreProblem, match="No run has begun"):
            writer.write(outcome(complete.jobs[2], x=1.0))
        assert len(list(writer.rows())) == len(writer.finished()) == 2


def test_each_row_has_the_hardware_that_played_it(tmp_path):
    path, complete = tmp_path / "s.sqlite", Plan(jobs(4), "a:b", Limits(1.0, 2**20))
    machines = [None, {"cores": 96}, {"cores": 96}, provenance.hardware()]
    with Writer(path) as writer:
        writer.begin(complete)
        for job, machine in zip(complete.jobs, machines, strict=True):
            writer.write(replace(outcome(job, x=1.0), hardware=machine))
        assert [row.hardware for row in writer.rows()] == [machine or provenance.hardware() for machine in machines]
        assert writer.select("SELECT count(*), count(DISTINCT driver) FROM run") == [(2, 1)]
        assert writer.plan() == complete


def test_plans_grow_and_versions_do_not_mix(tmp_path, monkeypatch):
    path = tmp_path / "s.sqlite"
    filled(path, 3)
    with Writer(path) as writer:
        writer.begin(Plan([Job("new", {}), *jobs(3)], "a:c", Limits(2.0, 2**21)))
    with Store(path) as store:
        assert [job.identity for job in store.plan().jobs] == ["cell-000000", "cell-000001", "cell-000002", "new"]
        assert (store.plan().function, store.plan().limits) == ("a:c", Limits(2.0, 2**21))
    monkeypatch.setattr("turinglearn.study.provenance.versions", lambda: {"python": "2.7"})
    with Writer(path) as writer, pytest.raises(StoreProblem, match=r"were run with .* here are \{\"python\":\"2.7\"\}"):
        writer.begin(plan(None))


def test_cells_of_a_plan_differ_and_hold_what_json_holds(tmp_path):
    with pytest.raises(StudyProblem, match="Two cells have the identity 'a'"):
        Plan([Job("a", {}), Job("a", {})], "a:b", Limits(1.0, 1))
    with Writer(tmp_path / "s.sqlite") as writer, pytest.raises(StudyProblem, match="has values that JSON cannot hold"):
        writer.begin(Plan([Job("a", {"x": object()})], "a:b", Limits(1.0, 1)))
    for limits in ((0.0, 1), (float("nan"), 1), (float("inf"), 1), (1.0, 0)):
        with pytest.raises(ValueError, match="limit of"):
            Limits(*limits)


def test_a_file_that_is_not_a_store_is_an_error_and_is_left_as_it_was(tmp_path):
    text, other, torn = tmp_path / "text", tmp_path / "other", tmp_path / "torn"
    text.write_text("no database " * 100)
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    filled(torn, 50)
    torn.write_bytes(torn.read_bytes()[:5000])
    for path, said in ((text, "is not the store of a study"), (other, "is not the store of a study"), (torn, "damaged")):
        before = path.read_bytes()
        for kind in (Store, Writer):
            with pytest.raises(StoreProblem, match=said), kind(path) as store:
                list(store.rows())
        assert path.read_bytes() == before
    with pytest.raises(StoreProblem, match="does not exist"), Store(tmp_path / "none"):
        pass
    for kind, said in ((Store, "is not a file"), (Writer, "is a folder")):
        with pytest.raises(StoreProblem, match=said), kind(tmp_path):
            pass
    with pytest.raises(StoreProblem, match="folder is missing"), Writer(tmp_path / "none" / "s.sqlite"):
        pass


def test_a_store_of_another_version_is_refused(tmp_path):
    path = tmp_path / "s.sqlite"
    filled(path, 2)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for kind in (Store, Writer):
        with (
            pytest.raises(StoreProblem, match=r"version 99.* reads version 3.*Run its specification into a new store"),
            kind(path),
        ):
            pass


def test_an_export_of_another_version_is_refused(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow, which is not installed")
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow, which is not installed")
    table = pyarrow.table({"identity": ["a"]}).replace_schema_metadata({"turinglearn study": "2"})
    parquet.write_table(table, tmp_path / "s.parquet")
    message = r"version 2, and this turinglearn reads version 3.*Run its specification into a new store"
    with pytest.raises(StoreProblem, match=message), Store(tmp_path / "s.parquet"):
        pass


def test_a_store_that_another_program_has_locked(tmp_path, monkeypatch):
    monkeypatch.setattr("turinglearn.study.store._PATIENCE", 0.1)
    path = tmp_path / "s.sqlite"
    complete = filled(path, 3)
    with Writer(path) as writer:
        writer.begin(complete)
        greedy = sqlite3.connect(path, isolation_level=None)
        greedy.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreProblem, match="locked by another program"):
            writer.write(outcome(complete.jobs[2]))
        greedy.close()
        writer.write(outcome(complete.jobs[2]))
        assert writer.counts()["ok"] == 3


def full_by_pages(writer):
    (pages,) = writer._connection.execute("PRAGMA page_count").fetchone()
    writer._connection.execute(f"PRAGMA max_page_count = {pages + 2}")


def full_by_quota(writer):
    size = Path(f"{writer.path}-wal").stat().st_size + 100_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX limits")
@pytest.mark.parametrize(("fill", "said"), [(full_by_pages, "the disk is full"), (full_by_quota, "refused to read or write")])
def test_a_full_disk_loses_no_finished_row(tmp_path, fill, said):
    path, done = tmp_path / "s.sqlite", 0
    complete = Plan(jobs(2000), "a:b", Limits(1.0, 2**20))

    def write_all():
        nonlocal done
        with Writer(path) as writer:
            writer.begin(complete)
            fill(writer)
            for job in complete.jobs:
                writer.write(outcome(job, **{"x" * 100: 1.0}))
                done += 1

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(StoreProblem, match=said):
            write_all()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert 0 < done < 2000
    with Store(path) as store:
        assert store.finished() == {job.identity for job in complete.jobs[:done]}
    with Writer(path) as writer:  # there is room again
        writer.begin(complete)
        for job in complete.jobs[done:]:
            writer.write(outcome(job))
        assert writer.counts()["ok"] == 2000


def test_a_folder_that_is_read_only(tmp_path):
    path = tmp_path / "s.sqlite"
    filled(path, 3)
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom turinglearn.study.store import *\n"
        "from turinglearn.study.writer import Writer, is_written\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "path = Path(sys.argv[1])\nwith Store(path) as store: print(store.counts()['ok'], is_written(path))\n"
        "try:\n    with Writer(path): print('written')\nexcept StoreProblem as error: print(error)\n"
    )
    outside = [tmp_path, *tmp_path.parents[:3]]
    modes = [folder.stat().st_mode for folder in outside]
    try:
        for folder, mode in zip(outside, modes, strict=True):
            folder.chmod(mode | 0o555)
        (tmp_path / "s.sqlite.lock").unlink()
        tmp_path.chmod(0o555)
        path.chmod(0o444)
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)],
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            timeout=120,
        )
    finally:
        for folder, mode in zip(outside, modes, strict=True):
            folder.chmod(mode)
    assert done.stdout.splitlines()[0] == "2 False", done.stderr
    assert "cannot be opened: its folder is missing or read-only" in done.stdout


def test_exports_hold_everything(tmp_path):
    pytest.importorskip("pyarrow", reason="needs pyarrow, which is not installed")
    path, parquet, table = tmp_path / "s.sqlite", tmp_path / "s.parquet", tmp_path / "s.csv"
    again = filled(path, 4, name='a "quoted", ü\nname', many=[1, 2], budget={"n": 5})
    with Writer(path) as writer:
        writer.begin(replace(again, title="Ü"))
    with Store(path) as store:
        assert export(store, parquet) == export(store, table) == 4
        rows, complete, counts = list(store.rows()), store.plan(), store.counts()
    with Store(parquet) as store:
        assert list(store.rows()) == rows
        assert store.counts() == counts
        assert store.plan() == complete
        export(store, tmp_path / "again.parquet")
        export(store, tmp_path / "again.csv")
    assert (tmp_path / "again.parquet").read_bytes() == parquet.read_bytes()
    assert (tmp_path / "again.csv").read_bytes() == table.read_bytes()
    lines = list(csv.DictReader(io.StringIO(table.read_bytes().decode())))
    assert [line["status"] for line in lines] == ["ok", "ok", "ok", ""]
    assert lines[1]["payload.name"] == 'a "quoted", ü\nname'
    assert lines[1]["payload.many"] == "[1,2]"
    assert lines[1]["payload.budget.n"] == "5"
    assert float(lines[1]["figures.x"]) == 1 / 3
    assert lines[1]["figures.y"] == ""
    with pytest.raises(StoreProblem, match="is an export, which can only be read"), Writer(parquet):
        pass
    with Store(path) as store:
        with pytest.raises(StoreProblem, match=r"expected .parquet or .csv"):
            export(store, tmp_path / "s.txt")
        (tmp_path / "file").touch()
        with pytest.raises(StoreProblem, match=r"below\.csv cannot be written: Not a directory\. Nothing was changed\."):
            export(store, tmp_path / "file" / "below.csv")
        with pytest.raises(StoreProblem, match="cannot be written"):
            export(store, tmp_path / "none" / "s.csv")
    assert not list(tmp_path.glob("*.partial"))


def test_samples_take_no_columns_and_come_back(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow, which is not installed")
    complete = Plan(jobs(1), "a:b", Limits(1.0, 2**20))
    with Writer(tmp_path / "s.sqlite") as writer:
        writer.begin(complete)
        writer.write(outcome(complete.jobs[0], floor=0.5, x=[[i / 3, -i] for i in range(4000)], y=[]))
        rows = list(writer.rows())
        export(writer, tmp_path / "s.csv")
        export(writer, tmp_path / "s.parquet")
    header = (tmp_path / "s.csv").read_text().partition("\n")[0].split(",")
    for names in (header, parquet.read_schema(tmp_path / "s.parquet").names):
        assert [name for name in names if name.startswith("figures.")] == ["figures.floor"]
    with Store(tmp_path / "s.parquet") as store:
        assert list(store.rows()) == rows
        assert np.shape(rows[0].figures["x"]) == (4000, 2)


def test_parquet_of_something_else(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow, which is not installed")
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow, which is not installed")
    other, torn = tmp_path / "other.parquet", tmp_path / "torn.parquet"
    parquet.write_table(pyarrow.table({"x": [1]}), other)
    torn.write_bytes(other.read_bytes()[:50])
    for path in (other, torn):
        with pytest.raises(StoreProblem, match=r"is not the store of a study"), Store(path):
            pass


def test_many_rows_are_opened_counted_and_exported_in_seconds(tmp_path):
    pytest.importorskip("pyarrow", reason="needs pyarrow, which is not installed")
    path, count = tmp_path / "s.sqlite", 20_000
    complete = Plan(jobs(count, generator="mixture"), "a:b", Limits(1.0, 2**20))
    with Writer(path) as writer:
        writer.begin(complete)
        with writer._transaction(wait=False) as connection:
            row = (*writer._runs.values(), "ok", '{"kl":0.5}', "", 1.0, "2026-01-01", "here:1")
            connection.executemany(
                "INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?, ?)", ((job.identity, *row) for job in complete.jobs)
            )
    begun = time.process_time()
    with Store(path) as store:
        assert store.counts()["ok"] == count
        assert sum(1 for _ in store.rows()) == count
        export(store, tmp_path / "s.csv")
        export(store, tmp_path / "s.parquet")
    with Store(tmp_path / "s.parquet") as store:
        assert store.counts()["ok"] == count
    assert time.process_time() - begun < 6.0  # 100,000 then take less than 30 s
