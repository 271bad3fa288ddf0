"""Games of the demonstration: its data sets, its players, and what is left of each game."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from turinglearn import datasets
from turinglearn.discriminators import HandwrittenDiscriminator, KernelSVMDiscriminator, NeuralDiscriminator
from turinglearn.game import Game
from turinglearn.generators import EvolvedGenerator, NeuralGenerator
from turinglearn.nn import LinearDecay
from turinglearn.objectives import DiscriminatorObjective, GeneratorObjective, sigmoid
from turinglearn.protocols import Array, Batch

__all__ = [
    "BOUNDS",
    "DISCRIMINATORS",
    "G_AND_K",
    "HANDWRITTEN",
    "SCORED",
    "SEED",
    "DemoData",
    "DemoDiscriminator",
    "DemoResult",
    "evolve",
    "load",
    "play_by_name",
    "simulate",
]

SEED, SCORED = 0, 3_000
G_AND_K, BOUNDS = (3.0, 1.0, 2.0, 0.5), ((0, 10), (0.1, 5), (0, 5), (0, 1))


# ---------------------------------------------------------------------------------------------------------------- players
def distance_from_centre(x: Array) -> Array:
    """Score points of the ring: real ones lie at distance 1 from the centre."""
    return -((np.linalg.norm(x, axis=1) - 1) ** 2)


def smoothness(x: NDArray[Any]) -> NDArray[Any]:
    """Score digits: neighbouring pixels of real ones are alike."""
    image = x.reshape(-1, 8, 8)
    return -(np.diff(image, axis=1) ** 2).sum(axis=(1, 2)) - (np.diff(image, axis=2) ** 2).sum(axis=(1, 2))


def roundness(x: Array) -> Array:
    """Score tumours: the area of real ones is proportional to the square of the radius."""
    return -np.abs(np.log(np.maximum(x[:, 3], 1) / (np.pi * np.maximum(x[:, 0], 1) ** 2)))


def simulate(parameters: Array, n: int, rng: np.random.Generator) -> Array:
    """Draw n samples (n, 1) of the g-and-k distribution: the handwritten simulator."""
    return datasets.g_and_k_quantile(rng.standard_normal((n, 1)), *parameters)


@dataclass(frozen=True)
class DemoDiscriminator:
    """Discriminator of the demonstration.

    The numbers of rounds take about ten seconds on an idle core. They are fixed, so that the table is the same each time.

    Parameters
    ----------
    name : str
        Name in the tables.
    make : callable
        Makes the discriminator, from the name of a data set and the number of rounds.
    rounds : dict of str to int
        Number of rounds on each data set.
    """

    name: str
    make: Callable[[str, int], object]
    rounds: dict[str, int]


def rounds(ring: int, digits: int, breast_cancer: int) -> dict[str, int]:
    """Return the number of rounds on each data set."""
    return {"ring": ring, "digits": digits, "breast cancer": breast_cancer}


def pace(data: str, steps: int) -> LinearDecay:
    """Return the learning rate of the neural discriminator; on few rows it falls to 0, which prevents overfitting."""
    return LinearDecay(2e-3, steps, 1e-3) if data == "ring" else LinearDecay(1e-3, steps)


def boosting() -> ClassifierMixin:
    """Return fast boosting: many quick fits help a generator more than a few good ones."""
    return HistGradientBoostingClassifier(max_iter=20, learning_rate=0.2, max_leaf_nodes=15, max_bins=63)


HANDWRITTEN = {"ring": distance_from_centre, "digits": smoothness, "breast cancer": roundness}
DISCRIMINATORS = (
    DemoDiscriminator(
        "neural network", lambda data, n: NeuralDiscriminator(learning_rate=pace(data, n)), rounds(8_000, 3_000, 4_000)
    ),
    DemoDiscriminator("RBF SVM", lambda *_: KernelSVMDiscriminator(), rounds(550, 280, 600)),
    DemoDiscriminator(
        "random forest", lambda *_: RandomForestClassifier(15, min_samples_leaf=5, max_samples=0.5), rounds(180, 110, 190)
    ),
    DemoDiscriminator("gradient boosting", lambda *_: boosting(), rounds(210, 110, 180)),
    DemoDiscriminator(
        "logistic regression", lambda *_: make_pipeline(StandardScaler(), LogisticRegression()), rounds(300, 200, 200)
    ),
    DemoDiscriminator(
        "handwritten discriminator",
        lambda data, _: HandwrittenDiscriminator(HANDWRITTEN[data], fit_intercept=True),
        rounds(300, 100, 200),
    ),
)


def generator_for(data: str, discriminator: str, steps: int) -> NeuralGenerator:
    """Return a generator: wide and shallow in many dimensions, narrow and deep in the plane.

    Against discriminators that are refitted, it takes few and large steps.
    """
    latent, hidden = {"ring": (16, (64, 64)), "digits": (64, (256,)), "breast cancer": (32, (128,))}[data]
    trained = discriminator == "neural network"
    rate = (1e-3 if data == "ring" else 2e-3) if trained else 2e-3 if (data, discriminator) == ("digits", "RBF SVM") else 5e-3
    ema_decay = 0.999 if trained else 0.99
    return NeuralGenerator(latent, hidden, learning_rate=LinearDecay(rate, steps), ema_decay=ema_decay)


# ------------------------------------------------------------------------------------------------------------------ games
@dataclass(frozen=True)
class DemoData:
    """Data set: training rows, held-out rows, and the shape in which a sample is drawn."""

    name: str
    train: Array
    held_out: Array
    event: tuple[int, ...]
    distribution: Any = None
    unit: Any = 1.0  # of each column, where columns have different units


@dataclass(frozen=True)
class DemoResult:
    """Result of a game; `panels` has, by round, points x, the density of the candidates there, and the D there."""

    data: str
    discriminator: str
    fake: Array
    history: list[dict[str, Any]]
    seconds: float
    objective: GeneratorObjective
    criterion: DiscriminatorObjective | None
    found: Array | None = None
    panels: dict[int, tuple[NDArray[Any], Array, Array]] = field(default_factory=dict)


def load(name: str) -> DemoData:
    """Load a data set of the demonstration."""
    distribution: Any
    if name in ("ring", "g-and-k"):
        distribution = datasets.ring(sigma=0.1) if name == "ring" else datasets.g_and_k(*G_AND_K)
        return DemoData(
            name,
            distribution.sample(10_000, SEED),
            distribution.sample(SCORED, SEED + 1),
            (distribution.dimension,),
            distribution,
        )
    if name == "digits":
        table = datasets.digits()
        return DemoData(name, table.train, table.held_out, (8, 8))
    table = datasets.breast_cancer()
    return DemoData(name, table.train, table.held_out, (table.train.shape[1],), unit=table.train.std(axis=0))


def play(name: str, discriminator: DemoDiscriminator, most: int | None) -> DemoResult:
    """Play one network against one discriminator."""
    data, rounds = load(name), min(discriminator.rounds[name], most or discriminator.rounds[name])
    trained = discriminator.name == "neural network"
    game = Game(
        generator_for(name, discriminator.name, rounds if trained else 5 * rounds),
        discriminator.make(name, rounds),
        batch_size=min(256, len(data.train) // 4 * 2),
        samples_per_fit=None if trained else min(500, len(data.train) // 2),
        random_state=SEED,
    )
    history, seconds = _drain(game, data.train, rounds)
    objective, criterion = game.signal.objective, game.criterion
    return DemoResult(name, discriminator.name, game.sample(SCORED), history, seconds, objective, criterion)


def evolve(most: int | None) -> DemoResult:
    """Play the handwritten simulator against boosting, and evaluate D along the line after two rounds and at the end."""
    data, rounds = load("g-and-k"), min(400, most or 400)
    generator = EvolvedGenerator(simulate, BOUNDS)
    game = Game(generator, boosting(), batch_size=4_800, samples_per_fit=10_000, generator_steps=1, random_state=SEED)
    low, high = np.quantile(data.held_out, (0.002, 0.98))
    x = np.linspace(low, high, 400)
    panels = {}

    def look(index: int) -> None:
        if index in (2, rounds):
            D = sigmoid(game.discriminator.score_samples(Batch(x[:, None])).values)
            panels[index] = (x, density_of_candidates(generator, x), D)

    history, seconds = _drain(game, data.train, rounds, look)
    objective, criterion = game.signal.objective, game.criterion
    fake = game.sample(SCORED)
    return DemoResult(
        "g-and-k", "gradient boosting", fake, history, seconds, objective, criterion, generator.parameters_, panels
    )


def density_of_candidates(generator: EvolvedGenerator, x: Array) -> Array:
    """Return the density at x of what the generator proposes: an equal mixture over the candidates of its search."""
    low, high = np.array(BOUNDS).T
    units = generator.propose(generator.population, np.random.default_rng(SEED)).context.candidates
    return np.mean([np.exp(datasets.g_and_k(*theta).log_density(x)) for theta in low + units * (high - low)], axis=0)


def _drain(
    game: Game, x: Array, rounds: int, look: Callable[[int], None] = lambda index: None
) -> tuple[list[dict[str, Any]], float]:
    """Play the rounds, and return the history and the seconds."""
    begun, every, history = time.process_time(), max(1, rounds // 200), []
    for r in islice(game.rounds(x), rounds):
        if r.index % every == 0 or r.index == rounds:
            history.append(r.figures())
        look(r.index)
    return history, time.process_time() - begun


def play_by_name(name: str, discriminator: str, most: int | None) -> DemoResult:
    """Play a game of a discriminator that is found by name, since functions cannot be sent to a worker process."""
    return play(name, next(each for each in DISCRIMINATORS if each.name == discriminator), most)
