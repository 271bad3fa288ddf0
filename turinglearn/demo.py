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
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
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

__all__ = ["main"]

SEED, JUDGED = 0, 3_000
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
G_AND_K, BOUNDS = (3.0, 1.0, 2.0, 0.5), ((0, 10), (0.1, 5), (0, 5), (0, 1))
DESCRIPTIONS = {
    "ring": "ring: eight Gaussians on a circle, σ = .1",
    "digits": "digits: handwritten, 8 × 8 pixels",
    "breast cancer": "breast cancer: 30 measurements",
    "g-and-k": "g-and-k: a handwritten simulator with four parameters",
}
PLAYED = (
    "One generator, a small network, learns three data sets by deceiving six judges, one at a time; a handwritten simulator "
    "learns its four parameters by deceiving gradient boosting. The tables say how far its counterfeits then are from genuine "
    "samples that no player has seen, beside two floors: other genuine samples, and a Gaussian fitted by maximum likelihood."
)
READING = (
    "Distances are unbiased, so they can be negative where nothing is left to find; those of breast cancer are in units of "
    "each column's spread. Each game was played once, with one seed: small differences mean nothing. A linear judge sees "
    "means alone, and a handwritten one what its author thought of; both are content long before the counterfeits are good. "
    "The level of the handwritten judge's scores is fitted: without that it would have no equilibrium."
)
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
    """A judge of the demonstration: how to make it for a data set and so many rounds, and how many of them it plays there.

    Rounds are chosen for about ten seconds on a quiet core; that they are counted makes the table the same each time.
    """

    name: str
    make: Callable[[str, int], Any]
    rounds: dict[str, int]


def rounds(ring: int, digits: int, breast_cancer: int) -> dict[str, int]:
    """How many rounds on each data set."""
    return {"ring": ring, "digits": digits, "breast cancer": breast_cancer}


def pace(data: str, steps: int) -> LinearDecay:
    """The neural judge's learning rate: on few rows it falls to nothing, or else the judge learns them by heart."""
    return LinearDecay(2e-3, steps, 1e-3) if data == "ring" else LinearDecay(1e-3, steps)


def boosting() -> Any:
    """Fast boosting: many quick fits teach a generator more than a few good ones."""
    return HistGradientBoostingClassifier(max_iter=20, learning_rate=0.2, max_leaf_nodes=15, max_bins=63)


HANDWRITTEN = {"ring": distance_from_centre, "digits": smoothness, "breast cancer": roundness}
JUDGES = (
    Judge("neural network", lambda data, n: NeuralDiscriminator(learning_rate=pace(data, n)), rounds(8_000, 3_000, 4_000)),
    Judge("RBF SVM", lambda *_: KernelSVMDiscriminator(), rounds(550, 280, 600)),
    Judge("random forest", lambda *_: RandomForestClassifier(15, min_samples_leaf=5, max_samples=0.5), rounds(180, 110, 190)),
    Judge("gradient boosting", lambda *_: boosting(), rounds(210, 110, 180)),
    Judge("logistic regression", lambda *_: make_pipeline(StandardScaler(), LogisticRegression()), rounds(300, 200, 200)),
    Judge(
        "handwritten judge",
        lambda data, _: HandwrittenDiscriminator(HANDWRITTEN[data], fit_level=True),
        rounds(300, 100, 200),
    ),
)


def generator_for(data: str, judge: str, steps: int) -> NeuralGenerator:
    """Wide and shallow in many dimensions, narrow and deep in the plane; against refitted judges few and large steps."""
    latent, hidden = {"ring": (16, (64, 64)), "digits": (64, (256,)), "breast cancer": (32, (128,))}[data]
    trained = judge == "neural network"
    rate = (1e-3 if data == "ring" else 2e-3) if trained else 2e-3 if (data, judge) == ("digits", "RBF SVM") else 5e-3
    averaging = 0.999 if trained else 0.99
    return NeuralGenerator(latent, hidden, learning_rate=LinearDecay(rate, steps), averaging=averaging)


# ------------------------------------------------------------------------------------------------------------------ games
@dataclass(frozen=True)
class Data:
    """Genuine samples to play on, and others that no player sees; events are drawn in this shape."""

    name: str
    train: Array
    unseen: Array
    event: tuple[int, ...]
    law: Any = None
    unit: Any = 1.0  # of each column, where columns differ in kind


@dataclass(frozen=True)
class Result:
    """What came of a game. panels: along x the density of the candidates and the judge's D, by round."""

    data: str
    judge: str
    fake: Array
    history: list[dict[str, Any]]
    seconds: float
    objective: GeneratorObjective
    criterion: DiscriminatorObjective | None
    found: Array | None = None
    panels: dict[int, tuple[Array, Array, Array]] = field(default_factory=dict)


def load(name: str) -> Data:
    """A data set of the demonstration."""
    law: Any
    if name in ("ring", "g-and-k"):
        law = datasets.ring(sigma=0.1) if name == "ring" else datasets.g_and_k(*G_AND_K)
        return Data(name, law.sample(10_000, SEED), law.sample(JUDGED, SEED + 1), (law.dimension,), law)
    if name == "digits":
        table = datasets.digits()
        return Data(name, table.train, table.held_out, (8, 8))
    table = datasets.breast_cancer()
    return Data(name, table.train, table.held_out, (table.train.shape[1],), unit=table.train.std(axis=0))


def play(name: str, judge: Judge, most: int | None) -> Result:
    """One network against one judge."""
    data, rounds = load(name), min(judge.rounds[name], most or judge.rounds[name])
    trained = judge.name == "neural network"
    game = Game(
        generator_for(name, judge.name, rounds if trained else 5 * rounds),
        judge.make(name, rounds),
        batch_size=min(256, len(data.train) // 4 * 2),
        samples_per_fit=None if trained else min(500, len(data.train) // 2),
        random_state=SEED,
    )
    history, seconds = _drain(game, data.train, rounds)
    objective, criterion = game.signal.objective, game.criterion
    return Result(name, judge.name, game.sample(JUDGED), history, seconds, objective, criterion)


def evolve(most: int | None) -> Result:
    """The handwritten simulator against boosting, and what the judge says along the line early on and at the end."""
    data, rounds = load("g-and-k"), min(400, most or 400)
    generator = EvolvedGenerator(simulate, BOUNDS)
    game = Game(generator, boosting(), batch_size=4_800, samples_per_fit=10_000, generator_steps=1, random_state=SEED)
    low, high = np.quantile(data.unseen, (0.002, 0.98))
    x = np.linspace(low, high, 400)
    panels = {}

    def look(index: int) -> None:
        if index in (2, rounds):
            D = sigmoid(game.discriminator.examine(Batch(x[:, None])).values)
            panels[index] = (x, density_of_candidates(generator, x), D)

    history, seconds = _drain(game, data.train, rounds, look)
    objective, criterion = game.signal.objective, game.criterion
    fake = game.sample(JUDGED)
    return Result("g-and-k", "gradient boosting", fake, history, seconds, objective, criterion, generator.parameters_, panels)


def density_of_candidates(generator: EvolvedGenerator, x: Array) -> Array:
    """The density along x of what the generator proposes: an equal mixture over the candidates of its search."""
    low, high = np.array(BOUNDS).T
    units = generator.propose(generator.population, np.random.default_rng(SEED)).context.candidates
    return np.mean([np.exp(datasets.g_and_k(*theta).log_density(x)) for theta in low + units * (high - low)], axis=0)


def _drain(
    game: Game, x: Array, rounds: int, look: Callable[[int], None] = lambda index: None
) -> tuple[list[dict[str, Any]], float]:
    begun, every, history = time.process_time(), max(1, rounds // 200), []
    for r in islice(game.rounds(x), rounds):
        if r.index % every == 0 or r.index == rounds:
            history.append(r.figures())
        look(r.index)
    return history, time.process_time() - begun


# ------------------------------------------------------------------------------------------------------------------ table
def measured(data: Data, x: Array) -> list[str]:
    """The distances of x from unseen genuine samples, and on the ring its modes."""
    there, unseen = x / data.unit, data.unseen / data.unit
    cells = [f"{energy_distance(there, unseen):.4f}", f"{mmd(there, unseen):.5f}"]
    if data.name != "ring":
        return [*cells, "", "", ""]
    found = mode_coverage(x, data.law.modes, data.law.sigma)
    return [*cells, f"{found.captured} of 8", f"{100 * found.high_quality:.0f} %", f"{found.reverse_kl:.3f}"]


def table_of(data: Data, results: list[Result]) -> tuple[list[list[str]], int]:
    """Rows of text, the two floors first, and which row is the best judge's."""
    rng = np.random.default_rng(SEED)
    genuine = data.train if data.law is None else data.law.sample(JUDGED, SEED + 2)
    covariance = np.cov(data.train.T, bias=True).reshape(data.train.shape[1], -1)
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
def pictures_of(data: Data, results: list[Result]) -> dict[str, Any]:
    """Genuine beside counterfeit and the course of the losses, for each judge; by the names of their files."""
    figures = {}
    for result in results:
        name = f"{data.name} {result.judge}".replace(" ", "-").lower()
        title = f"{data.name}: {result.judge}"
        real, fake = (v.reshape((-1, *data.event)) for v in (data.unseen, result.fake))
        figures[name] = plots.real_beside_fake(real, fake, title=title)
        figures[f"{name}-losses"] = plots.losses(
            result.history, result.objective, result.criterion, title=f"{title}, dashed at equilibrium"
        )
        for index, (x, q, D) in result.panels.items():
            p = np.exp(data.law.log_density(x))
            title = f"{data.name}: densities and the judge's opinion after round {index}"
            figures[f"{data.name}-density-{index}"] = plots.density_panel(x, p, q, D, title=title)
    return figures


def write(out: Path, sections: list[tuple[Data, list[Result], list[list[str]], int]], source: str) -> None:
    """The pictures as PNG files, and the page last: it is whole, or it is not there."""
    page = Page("Any generator against any discriminator")
    page.paragraph(PLAYED)
    page.paragraph(READING)
    for data, results, rows, best in sections:
        page.heading(DESCRIPTIONS[data.name])
        used = [i for i in range(len(COLUMNS)) if any(row[i + 1] for row in rows)]
        cells = [[row[0], *(row[i + 1] for i in used)] for row in rows]
        caption = "Bold: smallest energy distance. Italics: floors."
        page.table(caption, ["judge", *(COLUMNS[i] for i in used)], cells, (0, 1), (best,))
        page.paragraph(remark(results, rows))
    for data, results, _, _ in sections:
        page.heading(f"Pictures: {data.name}")
        figures = pictures_of(data, results)
        page.pictures(list(figures.values()))
        for name, figure in figures.items():
            figure.savefig(out / f"{name}.png", dpi=150)
    page.heading("Where this comes from")
    page.paragraph(source)
    page.write(out / "page.html")


def remark(results: list[Result], rows: list[list[str]]) -> str:
    """What the table does not say by itself."""
    if results[0].found is not None:
        found = ", ".join(f"{value:.2f}" for value in results[0].found)
        truth = ", ".join(f"{value:.2f}" for value in G_AND_K)
        return f"Parameters (a, b, g, k) found: {found}; the truth is {truth}. The simulator was never told a density."
    worse = [row[0] for row in rows[2:] if float(row[1]) > float(rows[1][1])]
    return f"Further from genuine than a Gaussian fitted by maximum likelihood: {', '.join(worse) or 'none'}."


# ------------------------------------------------------------------------------------------------------------------- main
def run(out: Path, most: int | None, workers: int) -> None:
    """Play every game, print the tables and write the page."""
    begun = time.perf_counter()
    errors = Console(stderr=True)
    console = Console(width=None if sys.stdout.isatty() else 110)
    names = ("ring", "digits", "breast cancer")
    os.environ.update(dict.fromkeys(THREADS, "1"))  # for the workers, which share the cores
    pool, results = ProcessPoolExecutor(workers, get_context("spawn")), {}
    try:
        jobs = {pool.submit(evolve, most): ("g-and-k", "gradient boosting")}  # first, since it takes longest
        jobs |= {pool.submit(_play_by_name, name, judge.name, most): (name, judge.name) for name in names for judge in JUDGES}
        with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
            for job in progress.track(as_completed(jobs), total=len(jobs), description="games"):
                results[jobs[job]] = job.result()
    finally:
        pool.shutdown(cancel_futures=True)  # who interrupts waits for the games under way, not for all
    sections = []
    for name in (*names, "g-and-k"):
        data = load(name)
        played = [results[key] for key in results if key[0] == name]
        played.sort(key=lambda result: [judge.name for judge in JUDGES].index(result.judge))
        rows, best = table_of(data, played)
        show(console, DESCRIPTIONS[name], rows, best)
        console.print(remark(played, rows), end="\n\n")
        sections.append((data, played, rows, best))
    write(out, sections, provenance(most, time.perf_counter() - begun))
    console.print(READING, end="\n\n")
    console.print(f"Pictures and page: {out / 'page.html'}", soft_wrap=True)


def provenance(most: int | None, seconds: float) -> str:
    """What to know for doing it again."""
    packages = []
    for name in ("turinglearn", "numpy", "scipy", "scikit-learn", "cmaes", "matplotlib"):
        try:
            packages.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # imported from a folder, without an installation
            packages.append(name)
    command = "python -m turinglearn.demo" + (f" --rounds {most}" if most else "")
    return (
        f"{command}; seed {SEED}; Python {platform.python_version()}, {', '.join(packages)}; {platform.system()} "
        f"{platform.machine()}. {seconds:.0f} s for all games and tables; in the tables, seconds of one core."
    )


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
        EvolvedGenerator(simulate, BOUNDS).start(Batch(np.zeros((1, 1))), np.random.default_rng())  # what it lacks shows now
        out.mkdir(parents=True, exist_ok=True)
        run(out, rounds, workers)
    except (ImportError, OSError) as error:
        typer.echo(f"demo: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    typer.run(main)
