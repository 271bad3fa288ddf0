"""Commands of a study: run, status, resume, export, report."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from turinglearn.cli.errors import errors_as_lines, printable
from turinglearn.study.driver import Engine, Stopped, run
from turinglearn.study.engines import Cluster, Inline, Processes
from turinglearn.study.jobs import Plan, StudyProblem
from turinglearn.study.parquet import export
from turinglearn.study.progress import watching
from turinglearn.study.specification import read_specification
from turinglearn.study.store import Store
from turinglearn.study.trust import check_trusted
from turinglearn.study.writer import Writer, is_written

__all__ = ["app", "plan_of"]

_SIGNALLED = 128
_FAILURES, _LONGEST = 5, 200  # failures that status shows, and characters of each

app = typer.Typer(no_args_is_help=True, help="Studies of many games: run, export, report.", rich_markup_mode=None)
_err = Console(stderr=True)


class Kind(StrEnum):
    """Engines."""

    PROCESSES = "processes"
    INLINE = "inline"
    DASK = "dask"


StoreFile = Annotated[Path, typer.Argument(help="Store of a study.", show_default=False)]
TableFile = Annotated[Path, typer.Argument(help="A .parquet or .csv file.", show_default=False)]
EngineKind = Annotated[Kind | None, typer.Option("--engine", help="Engine: processes (the default), inline, or dask.")]
Workers = Annotated[int | None, typer.Option(help="Number of processes, each on one core; by default the number of cores.")]
Scheduler = Annotated[str | None, typer.Option(help="Address of a Dask scheduler, such as tcp://10.0.0.1:8786.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


Only = Annotated[
    list[str] | None,
    typer.Option(help="Run only matching cells, such as discriminator=forest or problem=near[kl=0.5]; may be repeated."),
]
Imports = Annotated[
    bool, typer.Option("--allow-imports", help="Allow players of any module, here or on the path; their code runs.")
]
Retry = Annotated[bool, typer.Option("--retry", help="Play failed cells once more.")]


def plan_of(specification: Path, *, only: Sequence[str] = (), allow_imports: bool = False) -> Plan:
    """Return the plan of a specification, and print the players that cannot play each other."""
    found = read_specification(specification, only=only, allow_imports=allow_imports)
    for reason in found.incompatible:
        print(f"left out: {printable(reason)}", file=sys.stderr)
    return found.plan()


@app.command("run")
def run_(
    specification: Annotated[Path, typer.Argument(help="A TOML file.", show_default=False)],
    store: Annotated[Path | None, typer.Option(help="Store; by default beside the specification.")] = None,
    only: Only = None,
    allow_imports: Imports = False,
    retry: Retry = False,
    engine: EngineKind = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Run the cells of a specification that its store does not have yet."""
    with errors_as_lines(as_json):
        _import_from_here(allow_imports)
        plan = plan_of(specification, only=only or (), allow_imports=allow_imports)
        path = store or specification.with_suffix(".sqlite")
        _play(plan, path, _engine(plan, engine, workers, scheduler), as_json, retry, allow_imports)


@app.command()
def resume(
    store: StoreFile,
    allow_imports: Imports = False,
    retry: Retry = False,
    engine: EngineKind = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Resume a study that was stopped."""
    with errors_as_lines(as_json):
        with Store(store) as opened:
            plan = opened.plan()
        check_trusted(store, plan, allow_imports=allow_imports)
        _import_from_here(allow_imports)
        _play(plan, store, _engine(plan, engine, workers, scheduler), as_json, retry, allow_imports)


@app.command()
def status(store: StoreFile, as_json: AsJson = False) -> None:
    """Show the progress of a study, also while it runs."""
    with errors_as_lines(as_json), Store(store) as opened:
        counts = opened.counts()
        failures = [row for kind in ("error", "timeout", "crashed") for row in islice(opened.rows(kind), _FAILURES)]
        figures = _figures(store, counts) | {"running": is_written(store)}
        if as_json:
            print(json.dumps(figures))
            return
        print(f"{_summary(figures)} {'A driver is at work.' if figures['running'] else 'No driver is at work.'}")
        for row in failures[:_FAILURES]:
            line = printable(row.error.strip().rpartition("\n")[2])
            print(f"{row.status} {row.identity[:12]}: {line if len(line) <= _LONGEST else f'{line[: _LONGEST - 1]}…'}")


@app.command("export")
def export_(store: StoreFile, file: TableFile) -> None:
    """Write the cells of a study as one table. `status` and `report` can read a Parquet file instead of the store."""
    with errors_as_lines(False), Store(store) as opened:
        print(f"{file}: {export(opened, file)} cells.")


@app.command()
def report(
    store: StoreFile,
    out: Annotated[Path | None, typer.Option(help="Folder of the report; by default beside the store.")] = None,
    title: Annotated[str | None, typer.Option(help="Title; by default that of the specification.")] = None,
    control: Annotated[str | None, typer.Option(help="Discriminator to compare with; by default a network.")] = None,
) -> None:
    """Write the report of a study: report.html, report.md, and the numbers of each figure as CSV."""
    with errors_as_lines(False):
        from turinglearn.report.study import uncollected

        with uncollected():
            print(_reported(store, out or store.with_name(f"{store.stem}-report"), title, control))


def _reported(store: Path, folder: Path, title: str | None, control: str | None) -> Path:
    from turinglearn.report import compose, write

    with Store(store) as opened:
        document = compose(
            opened.rows(),
            title=title or opened.title() or store.stem,
            control=control,
            planned=max(opened.counts()["cells"], opened.planned_cells()),
        )
    try:
        return write(document, folder)
    except OSError as error:
        reason = error.strerror or error
        raise StudyProblem(f"The report cannot be written to {folder}: {reason}. Choose another folder with --out.") from error


def _import_from_here(allow_imports: bool) -> None:
    """Import players from the current folder first, also in the processes of cells, as `turinglearn check` does."""
    if allow_imports:
        sys.path.insert(0, str(Path.cwd()))


def _engine(plan: Plan, kind: Kind | None, workers: int | None, scheduler: str | None) -> Engine:
    if scheduler is not None:
        if kind not in (None, Kind.DASK) or workers is not None:
            raise ValueError("--scheduler names a Dask cluster, which has its own workers. Leave out --engine and --workers.")
        return Cluster(plan.function, plan.limits, scheduler)
    if kind is Kind.INLINE:
        if workers not in (None, 1):
            raise ValueError("--engine inline plays one cell after another. Leave out --workers.")
        return Inline(plan.function, plan.limits)
    count = _cores() if workers is None else workers
    if kind is Kind.DASK:
        return Cluster(plan.function, plan.limits, workers=count)
    return Processes(plan.function, plan.limits, count)


def _cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _play(plan: Plan, path: Path, engine: Engine, as_json: bool, retry: bool, allow_imports: bool) -> None:
    stopped: Stopped | None = None
    with Writer(path) as writer:
        writer.begin(plan)
        again = writer.failed() & {job.identity for job in plan.jobs} if retry else set()
        if retry and not as_json:
            print(f"Playing {len(again)} failed cell{'s' * (len(again) != 1)} once more.", file=sys.stderr)
        finished = writer.finished() - again
        left = [job for job in plan.jobs if job.identity not in finished]
        with watching(_err, left, lambda: engine.dashboard) as watch:
            try:
                run(plan, engine, writer, watch, again=again)
            except Stopped as error:
                stopped = error
        figures = _figures(path, writer.counts()) | ({"retried": len(again)} if retry else {})
    print(json.dumps(figures) if as_json else _summary(figures))
    if stopped is not None:
        command = f"turinglearn study resume {path}{' --allow-imports' * allow_imports}{' --retry' * retry}"
        print(f"Stopped; finished cells are in the store. To go on: {command}", file=sys.stderr)
        raise typer.Exit(_SIGNALLED + stopped.number)


def _figures(store: Path, counts: Counter[str]) -> dict[str, Any]:
    failed = {status: counts[status] for status in ("error", "timeout", "crashed")}
    done = counts["ok"] + sum(failed.values())
    return {"store": str(store), "cells": counts["cells"], "done": done, "ok": counts["ok"], **failed}


def _summary(figures: dict[str, Any]) -> str:
    failed = ", ".join(f"{figures[kind]} {kind}" for kind in ("error", "timeout", "crashed") if figures[kind])
    return f"{figures['store']}: {figures['done']} of {figures['cells']} cells done, {failed or 'none failed'}."
