"""The demonstration: one network against six judges on three data sets, and a simulator against boosting.

``python -m turinglearn.demo --out demo`` prints a table of distances beside their floors and writes pictures and one page.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as TextTable
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from turinglearn import datasets, plots
from turinglearn.discriminators import HandwrittenDiscriminator, KernelSVMDiscriminator, NeuralDiscriminator
from turinglearn.game import Game
from turinglearn.generators import EvolvedGenerator, NeuralGenerator
from turinglearn.metrics import energy_distance, mmd, mode_coverage
from turinglearn.nn import LinearDecay
from turinglearn.objectives import DiscriminatorObjective, GeneratorObjective, sigmoid
from turinglearn.protocols import Array, Batch
from turinglearn.report import Page
from turinglearn.signals import Smoothed, Student

__all__ = ["main"]

SEED, JUDGED = 0, 3_000
G_AND_K, BOUNDS = (3.0, 1.0, 2.0, 0.5), ((0, 10), (0.1, 5), (0, 5), (0, 1))
COLUMNS = ("energy distance", "MMD²", "modes", "high quality", "reverse KL", "rounds", "seconds")


# ---------------------------------------------------------------------------------------------------------------- players
def distance_from_centre(x: Array) -> Array:
    """A person's judge of the ring: genuine samples lie at distance 1 from the centre."""
    return -((np.linalg.norm(x, axis=1) - 1) ** 2)


def smoothness(x: Array) -> Array:
    """A person's judge of digits: neighbouring pixels of genuine ones are alike."""
    image = x.reshape(-1, 8, 8)
    return -(np.diff(image, axis=1) ** 2).sum(axis=(1, 2)) - (np.diff(image, axis=2) ** 2).sum(axis=(1, 2))


def roundness(x: Array) -> Array:
    """A person's judge of tumours: area goes with the square of the radius."""
    return -np.abs(np.log(np.maximum(x[:, 3], 1) / (np.pi * np.maximum(x[:, 0], 1) ** 2)))


def simulate(parameters: Array, n: int, rng: np.random.Generator) -> Array:
    """The handwritten simulator: n samples (n, 1) of the g-and-k distribution."""
    return datasets.g_and_k_quantile(rng.standard_normal((n, 1)), *parameters)


@dataclass(frozen=True)
class Judge:
    """A judge of the demonstration, how many rounds it plays and whether it is trained step by step."""

    name: str
    make: Callable[[str], Any]
    rounds: int
    trained: bool = False


HANDWRITTEN = {"ring": distance_from_centre, "digits": smoothness, "breast cancer": roundness}
JUDGES = (
    Judge("neural network", lambda data: NeuralDiscriminator((64, 64)), 10_000, trained=True),
    Judge("RBF SVM", lambda data: KernelSVMDiscriminator(gamma=1.0 if data == "ring" else "scale"), 300),
    Judge("random forest", lambda data: RandomForestClassifier(30, min_samples_leaf=5), 120),
    Judge("gradient boosting", lambda data: HistGradientBoostingClassifier(max_iter=30), 150),
    Judge("logistic regression", lambda data: make_pipeline(StandardScaler(), LogisticRegression()), 200),
    Judge("handwritten judge", lambda data: HandwrittenDiscriminator(HANDWRITTEN[data], fit_level=True), 60),
)


# ------------------------------------------------------------------------------------------------------------------ games
@dataclass(frozen=True)
class Data:
    """Genuine samples to play on, and others that no player sees; events are drawn in this shape."""

    name: str
    train: Array
    unseen: Array
    event: tuple[int, ...]
    law: Any = None

    def standard(self, x: Array) -> Array:
        """In units of the spread of what is played on, so that no column drowns the others."""
        return x / self.train.std(axis=0)


@dataclass(frozen=True)
class Result:
    """What came of a game, or the words for why it could not be played."""

    data: str
    judge: str
    fake: Array
    history: list[dict[str, Any]]
    seconds: float
    objective: GeneratorObjective
    criterion: DiscriminatorObjective | None
    found: Array | None = None
    panel: tuple[Array, Array] | None = None


def load(name: str) -> Data:
    """A data set of the demonstration."""
    law: Any
    if name == "ring":
        law = datasets.ring(sigma=0.1)
        return Data(name, law.sample(10_000, SEED), law.sample(JUDGED, SEED + 1), (2,), law)
    if name == "g-and-k":
        law = datasets.g_and_k(*G_AND_K)
        return Data(name, law.sample(10_000, SEED), law.sample(JUDGED, SEED + 1), (1,), law)
    table = datasets.digits() if name == "digits" else datasets.breast_cancer()
    event = (8, 8) if name == "digits" else (table.train.shape[1],)
    return Data(name, table.train, table.held_out, event)


def play(name: str, judge: Judge, most: int | None) -> Result:
    """One network against one judge."""
    data, rounds = load(name), min(judge.rounds, most or judge.rounds)
    steps = rounds if judge.trained else 5 * rounds
    game = Game(
        NeuralGenerator(2 if name == "ring" else 16, learning_rate=LinearDecay(1e-3, steps, 1e-4), averaging=0.99),
        judge.make(name),
        signal=None if judge.name in ("neural network", "RBF SVM", "logistic regression") else usual_estimate(name),
        batch_size=min(256, len(data.train) // 2),
        samples_per_fit=None if judge.trained or name != "ring" else 1_000,
        random_state=SEED,
    )
    history, seconds = _drain(game, data.train, rounds)
    last = game.signal
    return Result(name, judge.name, game.sample(JUDGED), history, seconds, last.objective, game.criterion)


def usual_estimate(name: str) -> Smoothed | Student:
    """Probes in two dimensions, a student in many."""
    return Smoothed((0.03, 0.1, 0.3)) if name == "ring" else Student()


def evolve(most: int | None) -> Result:
    """The handwritten simulator against boosting, and what the judge then says along the line."""
    data, rounds = load("g-and-k"), min(400, most or 400)
    generator = EvolvedGenerator(simulate, BOUNDS)
    judge = HistGradientBoostingClassifier(max_iter=50)
    game = Game(generator, judge, batch_size=1_600, samples_per_fit=5_000, random_state=SEED)
    history, seconds = _drain(game, data.train, rounds)
    low, high = np.quantile(data.unseen, (0.002, 0.98))
    x = np.linspace(low, high, 400)
    D = sigmoid(game.discriminator.examine(Batch(x[:, None])).values)
    return Result(
        "g-and-k", "gradient boosting", game.sample(JUDGED), history, seconds, game.signal.objective, game.criterion,
        generator.parameters_, (x, D),
    )  # fmt: skip


def _drain(game: Game, x: Array, rounds: int) -> tuple[list[dict[str, Any]], float]:
    begun, every = time.process_time(), max(1, rounds // 200)
    history = [r.figures() for r in islice(game.rounds(x), rounds) if r.index % every == 0 or r.index == rounds]
    return history, time.process_time() - begun


# ------------------------------------------------------------------------------------------------------------------ table
def measured(data: Data, x: Array) -> list[str]:
    """The distances of x from unseen genuine samples, and on the ring its modes."""
    x, unseen = data.standard(x), data.standard(data.unseen)
    cells = [f"{energy_distance(x, unseen):.4f}", f"{mmd(x, unseen):.5f}"]
    if data.name != "ring":
        return [*cells, "", "", ""]
    scale = data.train.std(axis=0)
    found = mode_coverage(x * scale, data.law.modes, data.law.sigma)
    return [*cells, f"{found.captured} of 8", f"{100 * found.high_quality:.0f} %", f"{found.reverse_kl:.3f}"]


def table_of(data: Data, results: list[Result]) -> tuple[list[list[str]], int]:
    """Rows of text, the two floors first, and which row is the best judge's."""
    rng = np.random.default_rng(SEED)
    genuine = data.train if data.law is None else data.law.sample(JUDGED, SEED + 2)
    covariance = np.cov(data.train.T).reshape(data.train.shape[1], -1)
    gaussian = rng.multivariate_normal(data.train.mean(axis=0), covariance, JUDGED, method="eigh")
    rows = [["floor: genuine samples", *measured(data, genuine), "", ""]]
    rows += [["floor: fitted Gaussian", *measured(data, gaussian), "", ""]]
    for result in results:
        rounds = str(result.history[-1]["index"])
        rows.append([result.judge, *measured(data, result.fake), rounds, f"{result.seconds:.1f}"])
    best = 2 + int(np.argmin([float(row[1]) for row in rows[2:]]))
    return rows, best


def show(console: Console, title: str, rows: list[list[str]], best: int) -> None:
    """One data set's table in the terminal."""
    text = TextTable(title=title, title_justify="left", title_style="bold")
    used = [i for i in range(len(COLUMNS)) if any(row[i + 1] for row in rows)]
    text.add_column("judge", no_wrap=True)
    for i in used:
        text.add_column(COLUMNS[i], justify="right")
    for number, row in enumerate(rows):
        style = "dim" if number < 2 else "bold" if number == best else ""
        text.add_row(row[0], *(row[i + 1] for i in used), style=style)
    console.print(text)


# ------------------------------------------------------------------------------------------------------------------- page
def pictures_of(data: Data, results: list[Result]) -> list[Any]:
    """Genuine beside counterfeit and the course of the losses, for each judge."""
    figures = []
    for result in results:
        real, fake = (v.reshape((-1, *data.event)) for v in (data.unseen, result.fake))
        figures.append(plots.real_beside_fake(real, fake, title=f"{data.name}: {result.judge}"))
        title = f"{data.name}: {result.judge}, dashed at equilibrium"
        figures.append(plots.losses(result.history, result.objective, result.criterion, title=title))
    found, panel = results[0].found, results[0].panel
    if found is not None and panel is not None:
        x, D = panel
        q = np.exp(datasets.g_and_k(*found).log_density(x))
        p = np.exp(data.law.log_density(x))
        figures.append(plots.density_panel(x, p, q, D, title="g-and-k: densities and the judge's opinion"))
    return figures


def write(out: Path, sections: list[tuple[Data, list[Result], list[list[str]], int]], command: str) -> None:
    """The pictures as PNG files and the page."""
    page = Page("Any generator against any discriminator")
    page.paragraph(
        "One generator, a small network, learns three data sets by deceiving six judges, one at a time; a handwritten "
        "simulator learns its four parameters by deceiving gradient boosting. Distances are to genuine samples that no "
        "player has seen, in units of each column's spread; they are unbiased, so they can be negative where nothing is "
        "left to find. Each game was played once, with one seed and one setting: small differences mean nothing."
    )
    for data, results, rows, best in sections:
        page.heading(data.name)
        used = [i for i in range(len(COLUMNS)) if any(row[i + 1] for row in rows)]
        cells = [[row[0], *(row[i + 1] for i in used)] for row in rows]
        page.table(
            "Distances; in bold the smallest energy distance. Floors: other genuine samples, and a Gaussian fitted by "
            "maximum likelihood.",
            ["judge", *(COLUMNS[i] for i in used)],
            cells,
            (0, 1),
            (best,),
        )
        page.paragraph(remark(data, results, rows))
        figures = pictures_of(data, results)
        page.pictures(figures)
        for number, figure in enumerate(figures, start=1):
            figure.savefig(out / f"{data.name.replace(' ', '-')}-{number:02}.png", dpi=150)
    packages = ", ".join(f"{name} {version(name)}" for name in ("turinglearn", "numpy", "scipy", "scikit-learn", "cmaes"))
    page.heading("Where this comes from")
    page.paragraph(f"{command}; seed {SEED}; Python {platform.python_version()}, {packages}. Seconds are of one core.")
    page.write(out / "page.html")


def remark(data: Data, results: list[Result], rows: list[list[str]]) -> str:
    """What the table does not say by itself."""
    if results[0].found is not None:
        found = ", ".join(f"{value:.2f}" for value in results[0].found)
        truth = ", ".join(f"{value:.2f}" for value in G_AND_K)
        return f"Parameters found: {found}; the truth is {truth}. The simulator was never told a density."
    worse = [row[0] for row in rows[2:] if float(row[1]) > float(rows[1][1])]
    text = f"Worse than a Gaussian fitted by maximum likelihood: {', '.join(worse) or 'none'}. "
    return text + (
        "A linear judge sees means alone, and a handwritten one what its author thought of; each is content, at accuracy one "
        "half, long before the counterfeits are good."
    )


# ------------------------------------------------------------------------------------------------------------------- main
def run(out: Path, most: int | None, workers: int) -> None:
    """Play every game, print the tables and write the page."""
    errors = Console(stderr=True)
    console = Console(width=None if sys.stdout.isatty() else 110)
    names = ("ring", "digits", "breast cancer")
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(threads, "1")  # for the workers, which share the cores
    with (
        ProcessPoolExecutor(workers, get_context("spawn")) as pool,
        Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress,
    ):
        jobs = {pool.submit(_play_by_name, name, judge.name, most): (name, judge.name) for name in names for judge in JUDGES}
        jobs[pool.submit(evolve, most)] = ("g-and-k", "gradient boosting")
        task = progress.add_task("games", total=len(jobs))
        results = {}
        for job in as_completed(jobs):
            results[jobs[job]] = job.result()
            progress.advance(task)
    sections = []
    for name in (*names, "g-and-k"):
        data = load(name)
        played = [results[key] for key in results if key[0] == name]
        played.sort(key=lambda result: [judge.name for judge in JUDGES].index(result.judge))
        rows, best = table_of(data, played)
        show(console, f"{name}, {data.train.shape[1]} columns", rows, best)
        console.print(remark(data, played, rows), end="\n\n")
        sections.append((data, played, rows, best))
    command = "python -m turinglearn.demo" + (f" --rounds {most}" if most else "")
    write(out, sections, command)
    console.print(f"Pictures and page: {out / 'page.html'}")


def _play_by_name(name: str, judge: str, most: int | None) -> Result:
    """Judges are found by name in the worker, since functions do not travel."""
    return play(name, next(j for j in JUDGES if j.name == judge), most)


def main(
    out: Annotated[Path, typer.Option(help="The folder for pictures and page.")] = Path("demo"),
    rounds: Annotated[int | None, typer.Option(help="At most so many rounds per game.", min=1)] = None,
    workers: Annotated[int, typer.Option(help="Games played at a time.", min=1)] = min(2, os.cpu_count() or 1),
) -> None:
    """Play one network against six judges on three data sets, and a simulator against boosting."""
    try:
        plots.losses([{"index": 1, "generator_loss": 0.0, "discriminator_loss": 0.0, "accuracy": 0.5}])
        out.mkdir(parents=True, exist_ok=True)
        run(out, rounds, workers)
    except (ImportError, OSError) as error:
        typer.echo(f"demo: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    typer.run(main)
