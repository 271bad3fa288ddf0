"""Every kind of generator against every kind of discriminator, by every possible signal, on a mixture in the plane.

    python benchmarks/any_by_any.py                     # all cells, 5 seeds: writes benchmarks/any_by_any.md and its CSV
    python benchmarks/any_by_any.py --seeds 1 --scale .05 --out small        # a small run

Each cell plays a fixed number of rounds, chosen so that a cell takes a few seconds of one core, and is measured by the
unbiased squared energy distance to fresh real samples. It is compared with the floor of the generator's family: the distance
when the same family is fitted by maximum likelihood to the same real samples (for networks, which have no likelihood, that of
the real samples drawn with replacement).
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
from any_by_any_page import Outcome, page
from rich.progress import track
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from turinglearn import Game, IncompatiblePlayers
from turinglearn import objectives as o
from turinglearn.arrays import to_numpy
from turinglearn.datasets import mixture
from turinglearn.discriminators import (
    ClassifierDiscriminator,
    HandwrittenDiscriminator,
    KernelSVMDiscriminator,
    NeuralDiscriminator,
    TorchDiscriminator,
)
from turinglearn.generators import (
    EvolvedGenerator,
    GradientMove,
    MixtureGenerator,
    NeuralGenerator,
    RefittedGenerator,
    Resample,
    Reweight,
    ScoreFunction,
    TorchGenerator,
    WeightedEM,
)
from turinglearn.metrics import energy_distance
from turinglearn.nn import LinearDecay
from turinglearn.protocols import Batch, Weights
from turinglearn.signals import Exact, Smoothed, Student
from turinglearn.streams import Streams

N_TRAIN, N_SCORED = 1_000, 5_000
WEIGHTS = (0.6, 0.4)
MEANS = ((2.0, 1.0), (4.0, -1.0))
COVARIANCES = (((0.5, 0.2), (0.2, 0.3)), ((0.3, -0.1), (-0.1, 0.6)))
PROBLEM = mixture(WEIGHTS, MEANS, COVARIANCES)
BANDWIDTH = 0.1


# --------------------------------------------------------------------------------------------------------------- players
def simulate(parameters: Any, n: int, rng: np.random.Generator) -> Any:
    """Simulate two round clouds, from their share, two centres and two widths."""
    first = rng.random(n) < parameters[0]
    centre = np.where(first[:, None], parameters[1:3], parameters[3:5])
    return centre + np.where(first, parameters[5], parameters[6])[:, None] * rng.standard_normal((n, 2))


def rate(steps: int) -> float:
    """Return Adam's initial rate, which falls to 0; it is larger where there are few steps."""
    return 1e-3 if steps > 1000 else 5e-3


def torch_generator(steps: int) -> Any:
    import torch
    from torch import nn

    class FallingAdam(torch.optim.Adam):  # the same schedule as the network of the core
        def step(self, closure: Any = None) -> Any:
            self.made = getattr(self, "made", -1) + 1
            self.param_groups[0]["lr"] = LinearDecay(rate(steps), steps)(self.made)
            return super().step(closure)

    net = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    return TorchGenerator(net, 4, optimizer=lambda parameters: FallingAdam(parameters, betas=(0.5, 0.999)))


def torch_discriminator() -> Any:
    from torch import nn

    return TorchDiscriminator(nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)))


def neural_discriminator(criterion: Any) -> Callable[[], Any]:
    return lambda: NeuralDiscriminator((64, 64), criterion=criterion)


SIMULATOR_BOUNDS = [(0.05, 0.95), (0, 6), (-4, 4), (0, 6), (-4, 4), (0.1, 2), (0.1, 2)]

GENERATORS: dict[str, Callable[[int], Any]] = {  # from the number of steps
    "network": lambda steps: NeuralGenerator(4, (64, 64), learning_rate=LinearDecay(rate(steps), steps), ema_decay=0.99),
    "torch module": torch_generator,
    "mixture, score function": lambda steps: MixtureGenerator(2, rule=ScoreFunction()),
    "mixture, weighted EM": lambda steps: MixtureGenerator(2, rule=WeightedEM()),
    "simulator, CMA-ES": lambda steps: EvolvedGenerator(simulate, SIMULATOR_BOUNDS),
    "kernel density, weights": lambda steps: RefittedGenerator(KernelDensity(bandwidth=BANDWIDTH), rule=Reweight()),
    "kernel density, moved": lambda steps: RefittedGenerator(KernelDensity(bandwidth=BANDWIDTH), rule=GradientMove(0.2)),
    "Gaussian mixture, resampled": lambda steps: RefittedGenerator(GaussianMixture(2), rule=Resample()),
}


def distance_to_centre(x: Any) -> Any:
    """Score samples by their distance to (3, 0), a guess of where real samples lie."""
    return -((to_numpy(x) - np.array([3.0, 0.0])) ** 2).sum(axis=1)


FOREST = RandomForestClassifier(15, min_samples_leaf=5, max_samples=0.5)
BOOSTING = HistGradientBoostingClassifier(learning_rate=0.2, max_iter=20, min_samples_leaf=15, max_bins=63)

DISCRIMINATORS: dict[str, tuple[Callable[[], Any], int]] = {  # and the number of rounds of a cell with the default signal
    "network, logistic": (neural_discriminator(o.Logistic()), 4000),
    "network, least squares": (neural_discriminator(o.LeastSquares()), 4000),
    "network, hinge": (neural_discriminator(o.Hinge()), 4000),
    "network, Wasserstein": (neural_discriminator(o.Wasserstein(clip=0.1)), 4000),
    "network, relativistic": (neural_discriminator(o.Relativistic()), 4000),
    "torch module": (torch_discriminator, 1600),
    "RBF SVM": (lambda: KernelSVMDiscriminator(gamma=1.0), 150),
    "SVC, Platt": (lambda: ClassifierDiscriminator(SVC(gamma=1.0)), 40),
    "random forest": (lambda: ClassifierDiscriminator(FOREST), 100),
    "boosting": (lambda: ClassifierDiscriminator(BOOSTING), 100),
    "30-NN": (lambda: ClassifierDiscriminator(KNeighborsClassifier(30)), 60),
    "MLPClassifier": (lambda: ClassifierDiscriminator(MLPClassifier((64,), learning_rate_init=5e-3, max_iter=60)), 60),
    "logistic regression": (lambda: ClassifierDiscriminator(LogisticRegression()), 100),
    "handwritten, an order": (lambda: HandwrittenDiscriminator(distance_to_centre), 300),
    "handwritten, level fitted": (lambda: HandwrittenDiscriminator(distance_to_centre, fit_intercept=True), 100),
}
SIGNALS = {"exact": Exact(), "smoothed": Smoothed(), "student": Student(), "usual": None}
SHARE = {
    "exact": 1.0,
    "smoothed": 0.25,
    "student": 0.25,
    "usual": 0.15,
}  # of the rounds of a trained discriminator, by their cost


def trained(discriminator: str) -> bool:
    """Return whether the discriminator is trained step by step, not refitted or fixed."""
    return discriminator.startswith(("network", "torch"))


# ----------------------------------------------------------------------------------------------------------------- cells
@dataclass(frozen=True)
class Cell:
    """One pair, one signal, one seed."""

    generator: str
    discriminator: str
    signal: str
    seed: int
    scale: float

    @property
    def rounds(self) -> int:
        rounds = DISCRIMINATORS[self.discriminator][1]
        if trained(self.discriminator):
            rounds = int(rounds * SHARE[self.signal])
        return max(2, int(rounds * self.scale))


def data(seed: int) -> tuple[Any, Any]:
    """Return real samples to learn from, and others to compare with; the same for every pair."""
    return PROBLEM.sample(N_TRAIN, 10 * seed), PROBLEM.sample(N_SCORED, 10 * seed + 1)


def legal(generator: str, discriminator: str) -> Iterator[tuple[str, str]]:
    """Yield each signal with the message that refuses it; an empty one if it can be played."""
    g, d = GENERATORS[generator](1), DISCRIMINATORS[discriminator][0]()
    names = ["exact", "smoothed", "student"] if g.feedback_type.__name__ == "Gradients" else ["usual"]
    for name in names:
        try:
            Game(g, d, signal=SIGNALS[name])
        except IncompatiblePlayers as refusal:
            yield name, str(refusal)
        else:
            yield name, ""


def play(cell: Cell) -> Outcome:
    """Play a cell; an error is recorded in the outcome."""
    warnings.simplefilter("ignore")  # an MLPClassifier that is stopped early warns each time
    real, held_out = data(cell.seed)
    outcome = {"generator": cell.generator, "discriminator": cell.discriminator, "signal": cell.signal, "seed": cell.seed}
    begun, half = time.process_time(), math.nan
    try:
        with threadpoolctl.threadpool_limits(1):
            _seed_torch(cell.seed)
            discriminator = DISCRIMINATORS[cell.discriminator][0]()
            generator = GENERATORS[cell.generator](cell.rounds * (5 if getattr(discriminator, "refits", False) else 1))
            before = _distance_before(clone(generator), real, held_out, cell.seed)
            game = Game(
                generator, discriminator, signal=SIGNALS[cell.signal], random_state=cell.seed, **schedule(cell, generator)
            )
            for r in islice(game.rounds(real), cell.rounds):
                if r.index == cell.rounds // 2:
                    half = energy_distance(game.sample(N_SCORED), held_out)
            after = energy_distance(game.sample(N_SCORED), held_out)
    except Exception as error:
        text = f"{type(error).__name__}: {error}".replace("\n", " ")
        return Outcome(**outcome, rounds=cell.rounds, error=text[:300])
    seconds = time.process_time() - begun
    return Outcome(**outcome, rounds=cell.rounds, before=before, half=half, after=after, seconds=seconds)


def schedule(cell: Cell, generator: Any) -> dict[str, int | None]:
    """Return options of the game.

    Discriminators that refit see 500 samples of each class. Trained ones make five steps per update of a generator that makes
    large steps. The cost of a student grows with the cube of the batch, so that its batch is small.
    """
    large_steps = cell.generator not in ("network", "torch module")
    small = (64 if trained(cell.discriminator) else 128) if cell.signal == "student" else 256
    return {
        "batch_size": 500 if generator.feedback_type is Weights else small,
        "samples_per_fit": None if trained(cell.discriminator) else 500,
        "discriminator_steps": 5 if trained(cell.discriminator) and large_steps else 1,
    }


def recorded(path: Path, played: list[Outcome]) -> list[Outcome]:
    """Return the outcomes of an earlier run, without those that were played now."""
    now = {(o.generator, o.discriminator, o.signal, o.seed) for o in played}
    with path.open(newline="") as file:
        kinds = {"seed": int, "rounds": int, **dict.fromkeys(("before", "half", "after", "seconds"), float)}
        rows = [Outcome(**{k: kinds.get(k, str)(v) for k, v in row.items()}) for row in csv.DictReader(file)]
    return [o for o in rows if (o.generator, o.discriminator, o.signal, o.seed) not in now]


def _seed_torch(seed: int) -> None:
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)


def _distance_before(generator: Any, real: Any, held_out: Any, seed: int) -> float:
    streams = Streams(seed)
    generator.start(Batch(real), streams("generator/start"))
    return energy_distance(to_numpy(generator.propose(N_SCORED, streams("generator")).x), held_out)


def floor(generator: str, seed: int) -> float:
    """Return the distance of the family fitted by maximum likelihood to the same real samples."""
    real, held_out = data(seed)
    rng = np.random.default_rng(seed)
    if generator in ("network", "torch module"):
        sample = real[rng.integers(0, len(real), N_SCORED)]
    elif generator.startswith("kernel"):
        sample = KernelDensity(bandwidth=BANDWIDTH).fit(real).sample(N_SCORED, random_state=seed)
    else:
        kind = "spherical" if generator.startswith("simulator") else "full"
        model = GaussianMixture(2, covariance_type=kind, n_init=3, random_state=seed).fit(real)
        sample = model.sample(N_SCORED)[0]
    return energy_distance(sample, held_out)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies every cell's rounds")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--generators", nargs="*", default=list(GENERATORS), choices=list(GENERATORS))
    parser.add_argument("--discriminators", nargs="*", default=list(DISCRIMINATORS), choices=list(DISCRIMINATORS))
    parser.add_argument("--update", action="store_true", help="keep recorded cells that are not played now")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    combinations = [(g, j, *verdict) for g in arguments.generators for j in arguments.discriminators for verdict in legal(g, j)]
    refused = [row for row in combinations if row[3]]
    cells = [
        Cell(g, j, s, seed, arguments.scale)
        for g, j, s, refusal in combinations
        if not refusal
        for seed in range(arguments.seeds)
    ]
    with ProcessPoolExecutor(arguments.workers) as pool:
        results = pool.map(play, cells)
        outcomes = list(track(results, "cells", len(cells), disable=not sys.stderr.isatty()))
        kept = recorded(arguments.out / "results" / "any_by_any.csv", outcomes) if arguments.update else []
        everyone = [g for g in GENERATORS if g in arguments.generators or any(outcome.generator == g for outcome in kept)]
        floors = {g: list(pool.map(floor, [g] * arguments.seeds, range(arguments.seeds))) for g in everyone}
    outcomes = sorted(
        [*kept, *outcomes], key=lambda o: (everyone.index(o.generator), list(DISCRIMINATORS).index(o.discriminator))
    )
    if arguments.update:
        refused = [(g, j, *verdict) for g in everyone for j in DISCRIMINATORS for verdict in legal(g, j) if verdict[1]]
    (arguments.out / "results").mkdir(parents=True, exist_ok=True)
    with (arguments.out / "results" / "any_by_any.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, asdict(outcomes[0]))
        writer.writeheader()
        writer.writerows(asdict(outcome) for outcome in outcomes)
    written = arguments.out / "any_by_any.md"
    written.write_text(page(outcomes, floors, refused, N_TRAIN, N_SCORED, arguments.scale))
    print(f"{len(cells)} cells, {sum(bool(x.error) for x in outcomes)} failed; wrote {written}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
