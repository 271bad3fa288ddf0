"""The commands of a study: run, status, resume, export, report."""

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

from turinglearn.mistakes import mistakes, printable
from turinglearn.study.driver import Engine, Stopped, run
from turinglearn.study.engines import Cluster, Inline, Processes
from turinglearn.study.exports import export
from turinglearn.study.outcomes import Plan, StudyProblem
from turinglearn.study.progress import watching
from turinglearn.study.specification import read_specification
from turinglearn.study.store import Store
from turinglearn.study.trust import check_trusted
from turinglearn.study.writer import Writer, is_written

__all__ = ["app", "plan_of"]

_SIGNALLED = 128
_FAILURES, _LONGEST = 5, 200  # that status shows, and characters of what each said

app = typer.Typer(no_args_is_help=True, help="A study: many games, run, kept and reported.", rich_markup_mode=None)
_err = Console(stderr=True)


class Kind(StrEnum):
    """Where cells are played."""

    PROCESSES = "processes"
    INLINE = "inline"
    DASK = "dask"


StoreFile = Annotated[Path, typer.Argument(help="The store of a study.", show_default=False)]
TableFile = Annotated[Path, typer.Argument(help="A .parquet or .csv file.", show_default=False)]
EngineKind = Annotated[Kind | None, typer.Option("--engine", help="processes (the default), inline, or dask.")]
Workers = Annotated[int | None, typer.Option(help="How many processes, each on one core; as many as there are cores.")]
Scheduler = Annotated[str | None, typer.Option(help="The address of a Dask scheduler, such as tcp://10.0.0.1:8786.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, for machines.")]


Only = Annotated[
    list[str] | None,
    typer.Option(help="Cells of this kind alone, such as discriminator=forest or problem=ring[kl=0.5]; may be repeated."),
]
Imports = Annotated[
    bool, typer.Option("--allow-imports", help="Players may come from any module, here or on the path, whose code then runs.")
]
Retry = Annotated[
    bool, typer.Option("--retry", help="Play the cells that failed once more; those that are ok stay as they are.")
]


def plan_of(specification: Path, *, only: Sequence[str] = (), allow_imports: bool = False) -> Plan:
    """The cells of a specification, and how they are run; players that cannot meet are named."""
    found = read_specification(specification, only=only, allow_imports=allow_imports)
    for reason in found.left_out:
        print(f"left out: {printable(reason)}", file=sys.stderr)
    return found.plan()


@app.command("run")
def run_(
    specification: Annotated[Path, typer.Argument(help="A TOML file.", show_default=False)],
    store: Annotated[Path | None, typer.Option(help="The store; beside the specification, by its name.")] = None,
    only: Only = None,
    allow_imports: Imports = False,
    retry: Retry = False,
    engine: EngineKind = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Run the cells of a specification; those that the store has are not run again."""
    with mistakes(as_json):
        _seek_here(allow_imports)
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
    """Go on with a study that was stopped."""
    with mistakes(as_json):
        with Store(store) as opened:
            plan = opened.plan()
        check_trusted(store, plan, allow_imports=allow_imports)
        _seek_here(allow_imports)
        _play(plan, store, _engine(plan, engine, workers, scheduler), as_json, retry, allow_imports)


@app.command()
def status(store: StoreFile, as_json: AsJson = False) -> None:
    """How far a study is, also while it runs."""
    with mistakes(as_json), Store(store) as opened:
        counts = opened.counts()
        failures = [row for kind in ("error", "timeout", "crashed") for row in islice(opened.rows(kind), _FAILURES)]
        figures = _figures(store, counts) | {"running": is_written(store)}
        if as_json:
            print(json.dumps(figures))
            return
        print(f"{_told(figures)} {'A driver is at work.' if figures['running'] else 'No driver is at work.'}")
        for row in failures[:_FAILURES]:
            said = printable(row.error.strip().rpartition("\n")[2])
            print(f"{row.status} {row.identity[:12]}: {said if len(said) <= _LONGEST else f'{said[: _LONGEST - 1]}…'}")


@app.command("export")
def export_(store: StoreFile, file: TableFile) -> None:
    """Write the cells of a study as one table; `status` and `report` also read the Parquet file."""
    with mistakes(False), Store(store) as opened:
        print(f"{file}: {export(opened, file)} cells.")


@app.command()
def report(
    store: StoreFile,
    out: Annotated[Path | None, typer.Option(help="The folder for the report; beside the store, by its name.")] = None,
    title: Annotated[str | None, typer.Option(help="The title; the specification's without one.")] = None,
    control: Annotated[str | None, typer.Option(help="The discriminator to compare with; a network without one.")] = None,
) -> None:
    """Write the report of a study: report.html, report.md, and the numbers behind each figure. The same bytes each time."""
    with mistakes(False):
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
            planned=max(opened.counts()["cells"], opened.whole()),
        )
    try:
        return write(document, folder)
    except OSError as error:
        why = f"The report cannot be written to {folder}: {error.strerror or error}"
        raise StudyProblem(f"{why}. Choose another folder by --out.") from error


def _seek_here(allow_imports: bool) -> None:
    """Modules of players are sought in the current folder first, as by `turinglearn check`; also by the processes of cells."""
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
    """Those that this process may use."""
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
    print(json.dumps(figures) if as_json else _told(figures))
    if stopped is not None:
        command = f"turinglearn bench resume {path}{' --allow-imports' * allow_imports}{' --retry' * retry}"
        print(f"Stopped; what was finished is kept. To go on: {command}", file=sys.stderr)
        raise typer.Exit(_SIGNALLED + stopped.number)


def _figures(store: Path, counts: Counter[str]) -> dict[str, Any]:
    failed = {status: counts[status] for status in ("error", "timeout", "crashed")}
    done = counts["ok"] + sum(failed.values())
    return {"store": str(store), "cells": counts["cells"], "done": done, "ok": counts["ok"], **failed}


def _told(figures: dict[str, Any]) -> str:
    failed = ", ".join(f"{figures[kind]} {kind}" for kind in ("error", "timeout", "crashed") if figures[kind])
    return f"{figures['store']}: {figures['done']} of {figures['cells']} cells done, {failed or 'none failed'}."
