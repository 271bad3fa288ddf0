"""Cells of benchmarks/bias/first_answer.py: problems, discriminators and their tuning, signals, and one game."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import threadpoolctl
from scipy.stats import loguniform, multivariate_normal, randint
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from turinglearn import Game
from turinglearn.bias import tune
from turinglearn.datasets import banana, gaussian, student_t
from turinglearn.discriminators import KernelDensityDiscriminator, KernelSVMDiscriminator, NeuralDiscriminator
from turinglearn.generators import MixtureGenerator, NeuralGenerator, ScoreFunction, WeightedEM
from turinglearn.nn import LinearDecay
from turinglearn.objectives import ForwardKL
from turinglearn.protocols import LogOdds

__all__ = ["ARMS", "CONTROL", "DISCRIMINATORS", "FIELDS", "FLOOR", "PROBLEMS", "ROUNDS", "ROWS", "SIGNALS", "TRIALS", "Cell"]
__all__ += ["errors_of", "play", "tuned"]

ROWS, ROUNDS, BATCH, FIT, STEPS, TRIALS = 1_000, 100, 250, 500, 20, 20
ARMS = ("equal rounds", "equal time")
CONTROL, FLOOR = "network", "knows p"
FIELDS = ("arm", "discriminator", "signal", "problem", "seed", "rounds", "status", "seconds", "errors")


class Cell(NamedTuple):
    """One game. With the same seed, all discriminators and both arms get the same rows and the same initial generator."""

    arm: str
    discriminator: str
    signal: str
    problem: str
    seed: int


def _correlated(d: int, rho: float) -> Any:
    mean, covariance = np.linspace(1, -1, d), rho ** np.abs(np.arange(d)[:, None] - np.arange(d))
    return gaussian(mean, covariance), mean, covariance


PROBLEMS: dict[str, tuple[Any, Any, Any]] = {  # the distribution, its mean, its covariance
    "normal, d 1": (gaussian([1.0], [[4.0]]), np.ones(1), 4 * np.eye(1)),
    "correlated, d 2": _correlated(2, 0.8),
    "correlated, d 5": _correlated(5, 0.7),
    "banana": (banana(0.5), np.zeros(2), np.diag([1.0, 1.5])),
    "Student, 5 degrees": (student_t(5, np.zeros(2)), np.zeros(2), 5 / 3 * np.eye(2)),
}


class KnowsP:
    """log p(x) - log q(x), within ±15, with the true p and q the Gaussian of the fakes' mean and covariance."""

    score_type, refits = LogOdds, True

    def __init__(self, problem: str) -> None:
        self.distribution, self.q = PROBLEMS[problem][0], None

    def update(self, real: Any, fake: Any, rng: Any) -> None:
        self.q = multivariate_normal(fake.x.mean(axis=0), np.atleast_2d(np.cov(fake.x.T)))

    def score_samples(self, batch: Any) -> LogOdds:
        return LogOdds(self._log_odds(np.asarray(batch.x, dtype=float)))

    def vjp(self, batch: Any, step: float = 1e-4) -> tuple[LogOdds, Any]:
        x = np.asarray(batch.x, dtype=float)
        moves = step * np.eye(x.shape[1])
        slopes = np.stack([(self._log_odds(x + e) - self._log_odds(x - e)) / (2 * step) for e in moves], axis=1)
        return LogOdds(self._log_odds(x)), lambda along: np.asarray(along)[:, None] * slopes

    def _log_odds(self, x: Any) -> Any:
        return np.clip(self.distribution.log_density(x) - np.atleast_1d(self.q.logpdf(x)), -15, 15)


DISCRIMINATORS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {  # how each is made, and what is tuned
    CONTROL: (
        lambda: NeuralDiscriminator((32, 32), learning_rate=3e-3),
        {"hidden": [(16,), (32, 32), (64, 64)], "learning_rate": loguniform(5e-4, 2e-2)},
    ),
    "logistic": (
        lambda: make_pipeline(StandardScaler(), LogisticRegression()),
        {"logisticregression__C": loguniform(1e-3, 1e3)},
    ),
    "quadratic logistic": (
        lambda: make_pipeline(StandardScaler(), PolynomialFeatures(2), LogisticRegression()),
        {"logisticregression__C": loguniform(1e-3, 1e3)},
    ),
    "RBF SVM": (KernelSVMDiscriminator, {"C": loguniform(1e-2, 1e2), "gamma": loguniform(1e-2, 1e1)}),
    "forest": (
        lambda: RandomForestClassifier(30, min_samples_leaf=5),
        {"min_samples_leaf": randint(1, 60), "max_features": ["sqrt", None]},
    ),
    "boosting": (
        lambda: HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=8, early_stopping=False),
        {"learning_rate": loguniform(2e-2, 5e-1), "max_leaf_nodes": randint(2, 32), "l2_regularization": loguniform(1e-2, 1e2)},
    ),
    "30 neighbours": (lambda: KNeighborsClassifier(30), {"n_neighbors": randint(5, 150)}),
    "kernel density": (KernelDensityDiscriminator, {"bandwidth": loguniform(5e-2, 2)}),
}
SIGNALS: dict[str, Callable[[int, int], Any]] = {  # of dimension and rounds
    "gradients": lambda d, rounds: NeuralGenerator(
        d, (), learning_rate=LinearDecay(0.02, 5 * rounds), ema_decay=0.95, clip_norm=1.0
    ),
    "losses": lambda d, rounds: MixtureGenerator(1, rule=ScoreFunction()),
    "weights": lambda d, rounds: MixtureGenerator(1, rule=WeightedEM()),
}


def tuned(discriminator: str, problem: str) -> dict[str, Any]:
    """Tune a discriminator for a problem; return its settings, and the log-loss of the first trial and of the best one.

    Real rows are compared with those of a generator half way: a Gaussian that is shifted, wider, and without correlation.
    """
    made, space = DISCRIMINATORS[discriminator]
    distribution, mean, covariance = PROBLEMS[problem]
    fake = gaussian(mean + 0.5 * np.sqrt(np.diag(covariance)), np.diag(1.5 * np.diag(covariance)))
    with threadpoolctl.threadpool_limits(1):
        found = tune(
            made(), space, distribution.sample(FIT, 1), fake.sample(FIT, 2), trials=TRIALS, steps=300, batch_size=BATCH
        )
    best = min(found.trials, key=lambda trial: trial.log_loss)
    return {"settings": best.settings, "first": found.trials[0].log_loss, "best": best.log_loss}


def errors_of(x: Any, problem: str) -> list[float]:
    """Return errors of mean and covariance in the units of the problem, such that KL is about half their squared length."""
    _, mean, covariance = PROBLEMS[problem]
    inverse = np.linalg.inv(np.linalg.cholesky(covariance))
    spread = inverse @ np.atleast_2d(np.cov(x.T)) @ inverse.T - np.eye(len(mean))
    return [*(inverse @ (x.mean(axis=0) - mean)), *(spread / np.sqrt(2)).ravel()]


def discriminator_of(cell: Cell, settings: Mapping[str, Any]) -> Any:
    if cell.discriminator == FLOOR:
        return KnowsP(cell.problem)
    return DISCRIMINATORS[cell.discriminator][0]().set_params(**settings)


def play(cell: Cell, settings: Mapping[str, Any], rounds: int) -> dict[str, Any]:
    """Play a cell; a failure is recorded in the row."""
    begun, errors, neural = time.process_time(), [], cell.discriminator == CONTROL
    try:
        with threadpoolctl.threadpool_limits(1):
            distribution = PROBLEMS[cell.problem][0]
            game = Game(
                SIGNALS[cell.signal](distribution.dimension, rounds),
                discriminator_of(cell, settings),
                objective=ForwardKL(),
                batch_size=BATCH,
                samples_per_fit=BATCH if neural else FIT,
                discriminator_steps=STEPS if neural else 1,
                generator_steps=5 if cell.signal == "gradients" else 1,
                random_state=cell.seed,
            )
            for _ in islice(game.rounds(distribution.sample(ROWS, 1_000 + cell.seed)), rounds):
                pass
            errors = errors_of(game.sample(50_000), cell.problem)
        status = "ok" if np.all(np.isfinite(errors)) else "not finite"
    except Exception as error:  # recorded, whatever it is
        status = f"{type(error).__name__}: {error}"[:200]
    spent = round(time.process_time() - begun, 2)
    return {**cell._asdict(), "rounds": rounds, "status": status, "seconds": spent, "errors": json.dumps(errors)}
