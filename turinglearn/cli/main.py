"""Command line: fit a table, sample, score, list and check players, run the demonstration and studies."""

from __future__ import annotations

import json
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, TypeVar

import numpy as np
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text
from sklearn.exceptions import ConvergenceWarning

from turinglearn.checks import CheckResult, CheckSuite, check_discriminator, check_generator
from turinglearn.checks.examples import make_example
from turinglearn.checks.samples import make_samples
from turinglearn.cli.errors import INTERRUPTED, USER_ERROR, errors_as_lines
from turinglearn.cli.study import app as study_app
from turinglearn.data.files import read_table, write_table
from turinglearn.estimator import TuringLearner
from turinglearn.game.records import Round
from turinglearn.metrics import energy_distance, mmd
from turinglearn.registry import make, players, role_of
from turinglearn.streams import as_seed

__all__ = ["app", "main"]

_SCORED = 5000  # rows of a table that are scored, since the time grows with their square
_REFRESH = 0.2  # seconds between two displays of the discriminator's accuracy, which takes time to compute

_LISTED = {  # columns of each role in `turinglearn players`
    "generator": ("is", "learns from"),
    "discriminator": ("returns", "accepts"),
    "signal": ("makes", "needs"),
    "objective": ("loss of a score r", "requires"),
    "problem": ("is", "used by"),
}

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.add_typer(study_app, name="study")


_Key = TypeVar("_Key", bound=Hashable)


class _Piped(Console):
    """Console that raises on a broken pipe."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # for `errors_as_lines`, where Console would exit with an error


_out, _err = _Piped(), Console(stderr=True)

TableFile = Annotated[Path, typer.Argument(help="CSV or Parquet file with a line of column names.", show_default=False)]
Model = Annotated[Path, typer.Argument(help="Folder of a model that `turinglearn fit` wrote.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Seed = Annotated[int | None, typer.Option(help="Seed; without one, each run differs.")]


def main() -> None:
    """Run the command `turinglearn`."""
    app()


@app.callback()
def _about() -> None:
    """Any generator against any discriminator: learn a table, sample from it, and compare discriminators."""


@app.command()
def fit(
    table: TableFile,
    out: Annotated[Path, typer.Option(help="Folder of the model.", show_default=False)],
    generator: Annotated[str | None, typer.Option(help="Name from `turinglearn players`, or module.Class(options).")] = None,
    discriminator: Annotated[str | None, typer.Option(help="Name or class, such as 'sklearn.svm.SVC(C=10)'.")] = None,
    rounds: Annotated[int | None, typer.Option(help="Number of rounds in all; 1000 for a new model.")] = None,
    keep: Annotated[str | None, typer.Option(help="Stage of the generator that is kept: best, average or last.")] = None,
    objective: Annotated[str | None, typer.Option(help="Loss of the generator, such as hinge.")] = None,
    signal: Annotated[str | None, typer.Option(help="Signal from discriminator to generator, such as student.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Fakes per step of the generator.")] = None,
    samples_per_fit: Annotated[int | None, typer.Option(help="Real rows per update of the discriminator.")] = None,
    random_state: Seed = None,
    checkpoint_every: Annotated[int | None, typer.Option(help="Number of rounds between two saves.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the model in --out, on the same table.")] = False,
    as_json: AsJson = False,
) -> None:
    """Learn a table and save the model."""
    with errors_as_lines(as_json):
        from turinglearn.persistence import save

        if checkpoint_every is not None and checkpoint_every < 1:
            raise ValueError(f"--checkpoint-every {checkpoint_every}: expected at least 1.")
        options = {"keep": keep, "batch_size": batch_size, "samples_per_fit": samples_per_fit, "random_state": random_state}
        recipes = {"generator": generator, "discriminator": discriminator, "objective": objective, "signal": signal}
        chosen: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
        if resume:
            _refuse([*chosen, *(name for name, text in recipes.items() if text is not None)])
            learner = _resumed(out, rounds)
        else:
            _check_free(out)
            # The learner's own networks are better tuned than those that the name "neural" makes.
            chosen |= {role: make(role, text) for role, text in recipes.items() if text not in (None, "neural")}
            learner = TuringLearner(rounds=1000 if rounds is None else rounds, **chosen)
        frame, begun = read_table(table), time.perf_counter()
        idle = resume and learner.game_.index >= learner.rounds
        stopped = _played(learner, frame, out, resume, checkpoint_every, quiet=as_json)
        if not idle:
            save(learner, out)
        report: dict[str, Any] = {
            "model": str(out),
            "rounds": learner.game_.index,
            "seconds": round(time.perf_counter() - begun, 2),
            "distance": learner.selector_.distance if learner.selector_.kept else None,
            "finished": not stopped,
        }
        summary = f"{out}: {report['rounds']} rounds in {report['seconds']} s{_distance(report['distance'])}."
        if idle:
            summary = (
                f"{out} has played {report['rounds']} rounds already, so there was nothing to do; ask for more with --rounds."
            )
        _tell(report, as_json, summary)
        if stopped:
            remedy = f"turinglearn fit {table} --out {out} --resume"
            print(f"Stopped after round {learner.game_.index} and saved. To resume: {remedy}", file=sys.stderr)
            raise typer.Exit(INTERRUPTED)


@app.command()
def sample(
    model: Model,
    n: Annotated[int, typer.Option("-n", help="Number of rows.")] = 1000,
    out: Annotated[Path | None, typer.Option(help="CSV or Parquet file; by default, CSV on standard output.")] = None,
    random_state: Seed = None,
    as_json: AsJson = False,
) -> None:
    """Draw rows from a model."""
    with errors_as_lines(as_json):
        from turinglearn.persistence import load

        frame = _frame(load(model).sample(n, random_state=as_seed(random_state)))
        if out is None:
            frame.to_csv(sys.stdout, index=False)
            return
        write_table(frame, out)
        _tell({"file": str(out), "rows": n, "columns": frame.shape[1]}, as_json, f"{out}: {n} rows, {frame.shape[1]} columns.")


@app.command()
def score(model: Model, table: TableFile, as_json: AsJson = False) -> None:
    """Compute distances between samples of a model and held-out rows of a table; at most 5,000 rows are used."""
    with errors_as_lines(as_json):
        from turinglearn.persistence import load

        learner, frame = load(model), read_table(table)
        rows, used = len(frame), min(len(frame), _SCORED)
        if used < rows:
            frame = frame.iloc[np.random.default_rng(0).choice(rows, used, replace=False)]
        real, fake = learner.in_units(frame), learner.in_units(learner.sample(used, random_state=0))
        figures = {"rows": rows, "used": used, "energy_distance": energy_distance(fake, real), "mmd": mmd(fake, real)}
        text = "Squared energy distance {energy_distance:.4f} (units of each column's spread), MMD² {mmd:.5f}, ".format(
            **figures
        )
        _tell(figures, as_json, text + (f"{rows} rows." if used == rows else f"{used} of {rows} rows, drawn at random."))


@app.command("players")
def list_players(as_json: AsJson = False) -> None:
    """List the players, signals, objectives and problems that can be made by name."""
    with errors_as_lines(as_json):
        entries = players()
        if as_json:
            print(json.dumps([{name: getattr(entry, name) for name in entry.__dataclass_fields__} for entry in entries]))
            return
        for role, columns in _LISTED.items():
            shown = Table("name", Column("class", no_wrap=True), *columns, title=f"{role}s", title_justify="left")
            for entry in players(role):
                module, dot, kind = entry.path.rpartition(".")
                shown.add_row(entry.name, f"{module}{dot}\n{kind}".strip(), entry.offers, entry.accepts)
            _out.print(shown)
        _out.print("Any other class: module.Class(option=value), such as sklearn.svm.SVC(C=10).", markup=False)


@app.command()
def check(
    player: Annotated[str, typer.Argument(help="my_module:MyPlayer, module.Class(options), or a name.", show_default=False)],
    role: Annotated[str | None, typer.Option(help="generator or discriminator, where the name stands for both.")] = None,
    on: Annotated[Path | None, typer.Option(help="Table of numbers to check it on; by default two Gaussian features.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check that a player keeps the contract; the exit code is 1 if it does not. Modules of the current folder come first."""
    with errors_as_lines(as_json):
        sys.path.insert(0, str(Path.cwd()))
        if role not in (None, "generator", "discriminator"):
            raise ValueError(f"--role {role}: expected generator or discriminator.")
        role = role or role_of(player)
        real = None if on is None else read_table(on).to_numpy()
        made = make_example(role, player, make_samples(real).x)
        suite = check_generator(made, real=real) if role == "generator" else check_discriminator(made, real=real)
        results = [each.run() for each in suite]
        failed = any(result.status == "failed" for result in results)
        if as_json:
            fields = ("name", "status", "message")
            entries = zip(suite, results, strict=True)
            print(json.dumps([{n: getattr(r, n) for n in fields} | {"description": c.description} for c, r in entries]))
        else:
            _show_checks(player, role, suite, results)
    if failed:
        raise typer.Exit(USER_ERROR)


@app.command()
def demo(out: Annotated[Path, typer.Option(help="Folder of the plots and the page.")] = Path("demo")) -> None:
    """Run the demonstration on real data: a table, plots, and one page."""
    with errors_as_lines(False):
        from turinglearn.cli.demo import run

        run(out, most=None, workers=2)


# --------------------------------------------------------------------------------------------------------------- helpers
def _played(learner: TuringLearner, frame: object, out: Path, resume: bool, every: int | None, *, quiet: bool) -> bool:
    """Play all rounds, or until Ctrl-C, and save in between; return whether Ctrl-C ended it."""
    from turinglearn.persistence import save

    warnings.simplefilter("ignore", ConvergenceWarning)  # a discriminator that stops early still works
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
    """Print warnings as one line, like errors."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        print(json.dumps({"warning": str(message)}) if as_json else f"Warning: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


@contextmanager
def _finishing_rounds() -> Iterator[list[int]]:
    """Let Ctrl-C fill the yielded list, so that the current round is finished; a second Ctrl-C interrupts at once."""
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        _err.print("Finishing this round; press Ctrl-C again to stop at once.")

    before = signal.signal(signal.SIGINT, note)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _watched(quiet: bool, rounds: int) -> Iterator[Callable[[Round], None]]:
    """Show a progress bar on a terminal, and nothing in pipes."""
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
                figures = f"{speed:.0f}/s, discriminator {r.accuracy:.0%}" if r.accuracy == r.accuracy else f"{speed:.0f}/s"
                progress.update(task, completed=r.index, figures=figures)

        yield watch


def _show_checks(player: str, role: str, suite: CheckSuite, results: list[CheckResult]) -> None:
    """Print one line for each check, then what is wrong or could not be checked, what does not apply, and the counts."""
    shown = Table("result", Column("check", no_wrap=True), "requirement", box=SIMPLE_HEAD)
    for check, result in zip(suite, results, strict=True):
        style = {"failed": "bold red", "skipped": "yellow"}.get(result.status, "")
        shown.add_row(Text(result.status, style), result.name, Text(check.description, no_wrap=True, overflow="ellipsis"))
    _out.print(shown)
    for (status, message), names in _grouped(((r.status, r.message), r.name) for r in results if r.message).items():
        _out.print(f"{', '.join(names)} {status}:", markup=False, highlight=False)
        _out.print(Padding(Text(message), (0, 0, 1, 2)))
    for reason, names in _grouped((reason, name) for name, reason in suite.omitted.items()).items():
        _out.print(f"Not required, since {reason}: {', '.join(names)}.", markup=False, highlight=False)
    counts = Counter(result.status for result in results)
    summary = ", ".join(f"{n} {status}" for status, n in counts.items())
    _out.print(f"{player}, a {role}: {summary}.", markup=False, highlight=False)


def _grouped(pairs: Iterable[tuple[_Key, str]]) -> dict[_Key, list[str]]:
    """Return the names for each key, in the order of the keys."""
    groups: dict[_Key, list[str]] = {}
    for key, name in pairs:
        groups.setdefault(key, []).append(name)
    return groups


def _check_free(out: Path) -> None:
    """Raise ValueError where a model would be overwritten because --resume was forgotten."""
    if (out / "manifest.json").exists():
        raise ValueError(
            f"{out} holds a model already. Resume it with --resume, name another --out, or remove the folder first."
        )


def _resumed(out: Path, rounds: int | None) -> TuringLearner:
    """Load the model in a folder, to be resumed."""
    from turinglearn.persistence import ModelNotFoundError, load

    try:
        learner: TuringLearner = load(out)
    except ModelNotFoundError as error:
        raise ValueError(f"There is no model in {out} to resume: none was saved yet. Leave out --resume.") from error
    learner.rounds = learner.rounds if rounds is None else rounds
    return learner


def _refuse(chosen: Sequence[str]) -> None:
    """Raise ValueError for options that a resumed model cannot take."""
    if chosen:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in chosen)
        raise ValueError(
            f"{names} cannot be changed with --resume, which continues the saved model. Leave it out, or start again."
        )


def _frame(x: Any) -> Any:  # pandas is optional, so its types cannot be named here
    """Return a sample as a data frame."""
    import pandas

    if isinstance(x, pandas.DataFrame):
        return x
    x = x.reshape(len(x), -1)
    return pandas.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])])


def _distance(distance: float | None) -> str:
    return "" if distance is None else f", squared energy distance {distance:.4f} on validation rows"


def _tell(report: dict[str, Any], as_json: bool, text: str) -> None:
    print(json.dumps(report) if as_json else text)


if __name__ == "__main__":
    main()
