"""Demonstration: one network against six discriminators on three data sets, and a simulator against boosting.

``python -m turinglearn.cli.demo --out demo`` prints a table of distances beside their floors and writes pictures and one page.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as TextTable

from turinglearn import plots
from turinglearn.cli.demo_games import (
    BOUNDS,
    DISCRIMINATORS,
    G_AND_K,
    HANDWRITTEN,
    SCORED,
    SEED,
    DemoData,
    DemoResult,
    evolve,
    load,
    play_by_name,
    simulate,
)
from turinglearn.generators import EvolvedGenerator
from turinglearn.metrics import energy_distance, mmd, mode_coverage
from turinglearn.protocols import Array, Batch
from turinglearn.report import Page

__all__ = ["DISCRIMINATORS", "HANDWRITTEN", "load", "main", "run"]

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
DESCRIPTIONS = {
    "ring": "ring: eight Gaussians on a circle, σ = .1",
    "digits": "digits: handwritten, 8 × 8 pixels",
    "breast cancer": "breast cancer: 30 measurements",
    "g-and-k": "g-and-k: a handwritten simulator with four parameters",
}
PLAYED = (
    "One generator, a small network, learns three data sets against six discriminators, one at a time; a handwritten simulator "
    "learns its four parameters against gradient boosting. The tables show the distance of the fakes from held-out real "
    "samples, beside two floors: other real samples, and a Gaussian fitted by maximum likelihood."
)
READING = (
    "Distances are unbiased, so they can be negative if the distributions are equal; those of breast cancer are in units of "
    "the standard deviation of each column. Each game was played once, with one seed, so small differences mean nothing. A "
    "linear discriminator compares only means, and a handwritten one only what its author thought of, so neither notices poor "
    "fakes. The intercept of the handwritten discriminator is fitted: without it, the game would have no equilibrium."
)
COLUMNS = ("energy distance", "MMD²", "modes", "high quality", "reverse KL", "rounds", "seconds")


# ------------------------------------------------------------------------------------------------------------------ table
def measured(data: DemoData, x: Array) -> list[str]:
    """Return the distances of x from held-out real samples, and on the ring the coverage of its modes."""
    there, held_out = x / data.unit, data.held_out / data.unit
    cells = [f"{energy_distance(there, held_out):.4f}", f"{mmd(there, held_out):.5f}"]
    if data.name != "ring":
        return [*cells, "", "", ""]
    found = mode_coverage(x, data.distribution.modes, data.distribution.sigma)
    return [*cells, f"{found.captured} of 8", f"{100 * found.high_quality:.0f} %", f"{found.reverse_kl:.3f}"]


def table_of(data: DemoData, results: list[DemoResult]) -> tuple[list[list[str]], int]:
    """Return rows of text, the two floors first, and the index of the row of the best discriminator."""
    rng = np.random.default_rng(SEED)
    real = data.train if data.distribution is None else data.distribution.sample(SCORED, SEED + 2)
    covariance = np.cov(data.train.T, bias=True).reshape(data.train.shape[1], -1)
    gaussian = rng.multivariate_normal(np.mean(data.train, axis=0), covariance, SCORED, method="eigh")
    rows = [["floor: real samples", *measured(data, real), "", ""]]
    rows += [["floor: fitted Gaussian", *measured(data, gaussian), "", ""]]
    for result in results:
        rounds = str(result.history[-1]["index"])
        rows.append([result.discriminator, *measured(data, result.fake), rounds, f"{result.seconds:.1f}"])
    best = 2 + int(np.argmin([float(row[1]) for row in rows[2:]]))
    return rows, best


def show(console: Console, title: str, rows: list[list[str]], best: int) -> None:
    """Print the table of one data set."""
    text = TextTable(title=title, title_justify="left", title_style="bold")
    used = [i for i in range(len(COLUMNS)) if any(row[i + 1] for row in rows)]
    text.add_column("discriminator", no_wrap=True)
    for i in used:
        text.add_column(COLUMNS[i], justify="right")
    for number, row in enumerate(rows):
        style = "dim" if number < 2 else "bold" if number == best else ""
        text.add_row(row[0], *(row[i + 1] for i in used), style=style)
    console.print(text)


# ------------------------------------------------------------------------------------------------------------------- page
def pictures_of(data: DemoData, results: list[DemoResult]) -> dict[str, Any]:
    """Return plots of real and fake samples and of the losses for each discriminator, by the names of their files."""
    figures = {}
    for result in results:
        name = f"{data.name} {result.discriminator}".replace(" ", "-").lower()
        title = f"{data.name}: {result.discriminator}"
        real, fake = (v.reshape((-1, *data.event)) for v in (data.held_out, result.fake))
        figures[name] = plots.real_beside_fake(real, fake, title=title)
        figures[f"{name}-losses"] = plots.losses(
            result.history, result.objective, result.criterion, title=f"{title}, dashed at equilibrium"
        )
        for index, (x, q, D) in result.panels.items():
            p = np.exp(data.distribution.log_density(x))
            title = f"{data.name}: densities and the discriminator's D after round {index}"
            figures[f"{data.name}-density-{index}"] = plots.density_panel(x, p, q, D, title=title)
    return figures


def write(out: Path, sections: list[tuple[DemoData, list[DemoResult], list[list[str]], int]], source: str) -> None:
    """Write the plots as PNG files, and then the page."""
    page = Page("Any generator against any discriminator")
    page.paragraph(PLAYED)
    page.paragraph(READING)
    for data, results, rows, best in sections:
        page.heading(DESCRIPTIONS[data.name])
        used = [i for i in range(len(COLUMNS)) if any(row[i + 1] for row in rows)]
        cells = [[row[0], *(row[i + 1] for i in used)] for row in rows]
        caption = "Bold: smallest energy distance. Italics: floors."
        page.table(caption, ["discriminator", *(COLUMNS[i] for i in used)], cells, (0, 1), (best,))
        page.paragraph(remark(results, rows))
    for data, results, _, _ in sections:
        page.heading(f"Plots: {data.name}")
        figures = pictures_of(data, results)
        page.pictures(list(figures.values()))
        for name, figure in figures.items():
            figure.savefig(out / f"{name}.png", dpi=150)
    page.heading("Provenance")
    page.paragraph(source)
    page.write(out / "page.html")


def remark(results: list[DemoResult], rows: list[list[str]]) -> str:
    """Return a remark on a table: the parameters that were found, or what is worse than a fitted Gaussian."""
    if results[0].found is not None:
        found = ", ".join(f"{value:.2f}" for value in results[0].found)
        truth = ", ".join(f"{value:.2f}" for value in G_AND_K)
        return f"Parameters (a, b, g, k) found: {found}; the truth is {truth}. No density was used."
    worse = [row[0] for row in rows[2:] if float(row[1]) > float(rows[1][1])]
    return f"Further from real than a Gaussian fitted by maximum likelihood: {', '.join(worse) or 'none'}."


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
        jobs |= {
            pool.submit(play_by_name, name, discriminator.name, most): (name, discriminator.name)
            for name in names
            for discriminator in DISCRIMINATORS
        }
        with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
            for job in progress.track(as_completed(jobs), total=len(jobs), description="games"):
                results[jobs[job]] = job.result()
    finally:
        pool.shutdown(cancel_futures=True)  # after an interruption only running games are awaited
    sections = []
    for name in (*names, "g-and-k"):
        data = load(name)
        played = [results[key] for key in results if key[0] == name]
        played.sort(key=lambda result: [discriminator.name for discriminator in DISCRIMINATORS].index(result.discriminator))
        rows, best = table_of(data, played)
        show(console, DESCRIPTIONS[name], rows, best)
        console.print(remark(played, rows), end="\n\n")
        sections.append((data, played, rows, best))
    write(out, sections, provenance(most, time.perf_counter() - begun))
    console.print(READING, end="\n\n")
    console.print(f"Plots and page: {out / 'page.html'}", soft_wrap=True)


def provenance(most: int | None, seconds: float) -> str:
    """Return what is needed to repeat the demonstration."""
    packages = []
    for name in ("turinglearn", "numpy", "scipy", "scikit-learn", "cmaes", "matplotlib"):
        try:
            packages.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # imported from a folder, without an installation
            packages.append(name)
    command = "python -m turinglearn.cli.demo" + (f" --rounds {most}" if most else "")
    return (
        f"{command}; seed {SEED}; Python {platform.python_version()}, {', '.join(packages)}; {platform.system()} "
        f"{platform.machine()}. {seconds:.0f} s for all games and tables; in the tables, seconds of one core."
    )


def main(
    out: Annotated[Path, typer.Option(help="Folder of the plots and the page.")] = Path("demo"),
    rounds: Annotated[int | None, typer.Option(help="Most rounds of a game.", min=1)] = None,
    workers: Annotated[int, typer.Option(help="Games played at the same time.", min=1)] = min(2, os.cpu_count() or 1),
) -> None:
    """Play one network against six discriminators on three data sets, and a simulator against boosting."""
    try:
        plots.losses([{"index": 1, "generator_loss": 0.0, "discriminator_loss": 0.0, "accuracy": 0.5}])
        EvolvedGenerator(simulate, BOUNDS).start(
            Batch(np.zeros((1, 1))), np.random.default_rng()
        )  # a missing library is an error now
        out.mkdir(parents=True, exist_ok=True)
        run(out, rounds, workers)
    except (ImportError, OSError) as error:
        typer.echo(f"demo: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    typer.run(main)
