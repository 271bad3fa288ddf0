"""The command line: fit a table, sample, score, list the players, show the demonstration, run studies."""

from __future__ import annotations

import json
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text
from sklearn.exceptions import ConvergenceWarning

from turinglearn import bench
from turinglearn.catalogue import make, players, role_of
from turinglearn.checks import Check, Result, check_discriminator, check_generator
from turinglearn.estimator import TuringLearner
from turinglearn.files import read_table, write_table
from turinglearn.metrics import energy_distance, mmd
from turinglearn.mistakes import INTERRUPTED, MISTAKE, mistakes
from turinglearn.rounds import Round
from turinglearn.streams import as_seed

__all__ = ["main"]

_SCORED = 5000  # rows of a table that a score looks at: its time grows with their square
_REFRESH = 0.2  # seconds between two looks at the judge's accuracy, which costs an examination

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.add_typer(bench.app, name="bench")


class _Piped(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # for `mistakes`, where Console would exit with an error


_out, _err = _Piped(), Console(stderr=True)

TableFile = Annotated[Path, typer.Argument(help="A CSV or Parquet file with a line of column names.", show_default=False)]
Model = Annotated[Path, typer.Argument(help="The folder of a model that `turinglearn fit` wrote.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, for machines.")]
Seed = Annotated[int | None, typer.Option(help="A seed; without one each run differs.")]


def main() -> None:
    """The command `turinglearn`."""
    app()


@app.callback()
def _about() -> None:
    """Any generator against any discriminator: learn a table by deceiving a judge."""


@app.command()
def fit(
    table: TableFile,
    out: Annotated[Path, typer.Option(help="The folder for the model.", show_default=False)],
    generator: Annotated[str | None, typer.Option(help="A name from `turinglearn players`, or module.Class(options).")] = None,
    discriminator: Annotated[str | None, typer.Option(help="Likewise, such as 'sklearn.svm.SVC(C=10)'.")] = None,
    rounds: Annotated[int | None, typer.Option(help="How many rounds to play in all; 1000 for a new model.")] = None,
    keep: Annotated[str | None, typer.Option(help="best, average or last: which stage of the generator is kept.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Counterfeits per step of the generator.")] = None,
    samples_per_fit: Annotated[int | None, typer.Option(help="Genuine rows per update of the judge.")] = None,
    random_state: Seed = None,
    checkpoint_every: Annotated[int | None, typer.Option(help="Save after every so many rounds.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the model in --out, on the same table.")] = False,
    as_json: AsJson = False,
) -> None:
    """Learn a table, and save the model."""
    with mistakes(as_json):
        from turinglearn.persistence import save

        if checkpoint_every is not None and checkpoint_every < 1:
            raise ValueError(f"--checkpoint-every {checkpoint_every}: expected at least 1.")
        options = {"keep": keep, "batch_size": batch_size, "samples_per_fit": samples_per_fit, "random_state": random_state}
        chosen: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
        if resume:
            _refuse(chosen | {n: v for n, v in {"generator": generator, "discriminator": discriminator}.items() if v})
            learner = _resumed(out, rounds)
        else:
            _check_free(out)
            maker = None if generator in (None, "neural") else make("generator", str(generator))
            judge = None if discriminator in (None, "neural") else make("discriminator", str(discriminator))
            learner = TuringLearner(maker, judge, rounds=1000 if rounds is None else rounds, **chosen)
        frame, begun = read_table(table), time.perf_counter()
        idle = resume and learner.game_.index >= learner.rounds
        stopped = _played(learner, frame, out, resume, checkpoint_every, quiet=as_json)
        if not idle:
            save(learner, out)
        report: dict[str, Any] = {
            "model": str(out),
            "rounds": learner.game_.index,
            "seconds": round(time.perf_counter() - begun, 2),
            "distance": learner.keeper_.distance if learner.keeper_.kept else None,
            "finished": not stopped,
        }
        told = f"{out}: {report['rounds']} rounds in {report['seconds']} s{_distance(report['distance'])}."
        if idle:
            told = (
                f"{out} has played {report['rounds']} rounds already, so there was nothing to do; ask for more with --rounds."
            )
        _tell(report, as_json, told)
        if stopped:
            said = (
                f"Stopped after round {learner.game_.index} and saved. To go on: turinglearn fit {table} --out {out} --resume"
            )
            print(said, file=sys.stderr)
            raise typer.Exit(INTERRUPTED)


@app.command()
def sample(
    model: Model,
    n: Annotated[int, typer.Option("-n", help="How many rows.")] = 1000,
    out: Annotated[Path | None, typer.Option(help="A CSV or Parquet file; without it, CSV on standard output.")] = None,
    random_state: Seed = None,
    as_json: AsJson = False,
) -> None:
    """Draw rows from a model."""
    with mistakes(as_json):
        from turinglearn.persistence import load

        frame = _frame(load(model).sample(n, random_state=as_seed(random_state)))
        if out is None:
            frame.to_csv(sys.stdout, index=False)
            return
        write_table(frame, out)
        _tell({"file": str(out), "rows": n, "columns": frame.shape[1]}, as_json, f"{out}: {n} rows, {frame.shape[1]} columns.")


@app.command()
def score(model: Model, table: TableFile, as_json: AsJson = False) -> None:
    """How far a model's samples are from the rows of a table, which it should not have seen; of many rows 5,000 are used."""
    with mistakes(as_json):
        from turinglearn.persistence import load

        learner, frame = load(model), read_table(table)
        rows, used = len(frame), min(len(frame), _SCORED)
        if used < rows:
            frame = frame.iloc[np.random.default_rng(0).choice(rows, used, replace=False)]
        genuine, fake = learner.in_units(frame), learner.in_units(learner.sample(used, random_state=0))
        figures = {"rows": rows, "used": used, "energy_distance": energy_distance(fake, genuine), "mmd": mmd(fake, genuine)}
        text = "Squared energy distance {energy_distance:.4f} (units of each column's spread), MMD² {mmd:.5f}, ".format(
            **figures
        )
        _tell(figures, as_json, text + (f"{rows} rows." if used == rows else f"{used} of {rows} rows, drawn at random."))


@app.command("players")
def list_players(as_json: AsJson = False) -> None:
    """What exists, what it offers and what it accepts."""
    with mistakes(as_json):
        entries = players()
        if as_json:
            print(json.dumps([{name: getattr(entry, name) for name in entry.__dataclass_fields__} for entry in entries]))
            return
        for role, heading in (("generator", "learns from"), ("discriminator", "accepts")):
            columns = Column("class", no_wrap=True), Column("is / says", overflow="fold"), heading
            shown = Table("name", *columns, title=f"{role}s", title_justify="left")
            for entry in players(role):
                module, dot, kind = entry.path.rpartition(".")
                shown.add_row(entry.name, f"{module}{dot}\n{kind}".strip(), entry.offers, entry.accepts)
            _out.print(shown)


@app.command()
def check(
    player: Annotated[str, typer.Argument(help="my_module:MyPlayer, module.Class(options), or a name.", show_default=False)],
    role: Annotated[str | None, typer.Option(help="generator or discriminator, where the player could be either.")] = None,
    on: Annotated[Path | None, typer.Option(help="A table of numbers to try it on; two Gaussian features without.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check that a player keeps the contract; the exit code is 1 where it does not. Modules are sought here first."""
    with mistakes(as_json):
        sys.path.insert(0, str(Path.cwd()))
        if role not in (None, "generator", "discriminator"):
            raise ValueError(f"--role {role}: expected generator or discriminator.")
        role = role or role_of(player)
        suite = check_generator if role == "generator" else check_discriminator
        genuine = None if on is None else read_table(on).to_numpy()
        checks = {c.name: c for c in suite(make(role, player), genuine=genuine)}
        results = [c.run() for c in checks.values()]
        failed = sum(result.status == "failed" for result in results)
        if as_json:
            said = ("name", "status", "message")
            print(json.dumps([{n: getattr(r, n) for n in said} | {"description": checks[r.name].description} for r in results]))
        else:
            _show_checks(player, role, results, checks)
    if failed:
        raise typer.Exit(MISTAKE)


@app.command()
def demo(out: Annotated[Path, typer.Option(help="The folder for the pictures and the page.")] = Path("demo")) -> None:
    """The main job on real data: a table, pictures, one page."""
    with mistakes(False):
        from turinglearn.demo import run

        run(out, most=None, workers=2)


# --------------------------------------------------------------------------------------------------------------- helpers
def _played(learner: TuringLearner, frame: Any, out: Path, resume: bool, every: int | None, *, quiet: bool) -> bool:
    """Play all rounds, or until Ctrl-C; whether it was that. Saves after every so many rounds."""
    from turinglearn.persistence import save

    warnings.simplefilter("ignore", ConvergenceWarning)  # a judge that is stopped early judges all the same
    with _warned(quiet), _watched(quiet, learner.rounds) as watch, _finishing_rounds() as asked:
        for r in learner.play(frame, resume=resume):
            watch(r)
            if asked:
                return True
            if every and r.index % every == 0:
                save(learner, out)
    return False


@contextmanager
def _warned(as_json: bool) -> Iterator[None]:
    """A warning is one line, like an error."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        print(json.dumps({"warning": str(message)}) if as_json else f"Warning: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


@contextmanager
def _finishing_rounds() -> Iterator[list[int]]:
    """Ctrl-C fills the list that is yielded, so that the round at hand is finished first; a second one interrupts at once."""
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        _err.print("Finishing this round; press Ctrl-C again to leave at once.")

    before = signal.signal(signal.SIGINT, note)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _watched(quiet: bool, rounds: int) -> Iterator[Any]:
    """A progress bar on a terminal; in pipes nothing."""
    if quiet or not _err.is_terminal:
        yield lambda r: None
        return
    columns = (TextColumn("round {task.completed}/{task.total}"), BarColumn(), TextColumn("{task.fields[figures]}"))
    with Progress(*columns, TimeRemainingColumn(), console=_err, transient=True) as progress:
        task, shown, begun, first = progress.add_task("", total=rounds, figures=""), 0.0, time.perf_counter(), [0]

        def watch(r: Round) -> None:
            nonlocal shown
            now = time.perf_counter()
            first[0] = first[0] or r.index
            if now - shown > _REFRESH:
                shown = now
                speed = (r.index - first[0] + 1) / (now - begun)
                figures = f"{speed:.0f}/s, judge {r.accuracy:.0%}" if r.accuracy == r.accuracy else f"{speed:.0f}/s"
                progress.update(task, completed=r.index, figures=figures)

        yield watch


def _show_checks(player: str, role: str, results: list[Result], checks: dict[str, Check]) -> None:
    """One line for each check, and a last one with their number."""
    shown = Table(
        Column("check", no_wrap=True), "result", Column("what must hold, what broke, or why it was skipped", overflow="fold")
    )
    for result in results:
        shown.add_row(result.name, result.status, Text(result.message or checks[result.name].description))
    _out.print(shown)
    counts = Counter(result.status for result in results)
    _out.print(f"{player}, a {role}: " + ", ".join(f"{n} {status}" for status, n in counts.items()) + ".", markup=False)


def _check_free(out: Path) -> None:
    """A finished model is not lost to a forgotten --resume."""
    if (out / "manifest.json").exists():
        raise ValueError(
            f"{out} holds a model already. Go on with it by --resume, name another --out, or remove the folder first."
        )


def _resumed(out: Path, rounds: int | None) -> TuringLearner:
    """The model in a folder, to be gone on with."""
    from turinglearn.persistence import NoModel, load

    try:
        learner: TuringLearner = load(out)
    except NoModel as error:
        raise ValueError(f"There is no model in {out} to go on with: none was saved yet. Leave out --resume.") from error
    learner.rounds = learner.rounds if rounds is None else rounds
    return learner


def _refuse(chosen: dict[str, Any]) -> None:
    if chosen:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in chosen)
        raise ValueError(
            f"{names} cannot be changed with --resume, which goes on with what was saved. Leave it out, or start anew."
        )


def _frame(x: Any) -> Any:
    import pandas

    if isinstance(x, pandas.DataFrame):
        return x
    x = x.reshape(len(x), -1)
    return pandas.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])])


def _distance(distance: float | None) -> str:
    return "" if distance is None else f", squared energy distance {distance:.4f} on rows kept for choosing"


def _tell(report: dict[str, Any], as_json: bool, text: str) -> None:
    print(json.dumps(report) if as_json else text)


if __name__ == "__main__":
    main()
