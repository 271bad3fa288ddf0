"""Cost of a round, relative to the same fits and predictions called by hand.

    python benchmarks/cost.py               # about 3 minutes of one core: writes benchmarks/results/cost.md

Rounds and direct calls alternate: after each round, its fits and predictions of the classifier are called again, on the same
rows and with the same random states, and nothing else.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import threadpoolctl
from provenance import provenance
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from turinglearn import Game
from turinglearn.protocols import Gradients, Losses, Samples
from turinglearn.signals import Smoothed, Student

DIMENSION, BAR = 10, 1.05
CLASSIFIERS = {
    "random forest, 100 trees": RandomForestClassifier(100),
    "histogram boosting": HistGradientBoostingClassifier(),
    "30-NN": KNeighborsClassifier(30),
    "SVC, calibrated": SVC(),
}
LEARNERS = {
    "losses": (Losses, None),
    "gradients, Student()": (Gradients, Student()),
    "gradients, Smoothed()": (Gradients, Smoothed()),
}

PAGE = """# Cost of a round, relative to its fits and predictions

Written by `python benchmarks/cost.py --repeats {repeats}`: {provenance}.

Each round fits the classifier to 1,000 samples, half of them real, in {dimension} dimensions, and scores 256 fakes: once for a
generator that learns from losses, five times for one that learns from gradients, with their probes. The generator itself learns
nothing, so that its cost does not count. *By hand*: the same fits and predictions, on the same rows with the same random
states, and nothing else. Rounds and direct calls alternate; medians of {repeats}. Processor time, one thread, on a machine that
was not otherwise idle. The goal was {bar} for the random forest.

| classifier | generator learns from | predictions per update | round, ms | by hand, ms | ratio, median | quartiles |
|---|---|---|---|---|---|---|
{rows}
"""


class Recorded(BaseEstimator):
    """A classifier that records every call, in a list that its copies share."""

    calls: ClassVar[list[tuple[str, Any, tuple[Any, ...]]]] = []

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any) -> Recorded:
        """Fit, and record a copy of the unfitted classifier."""
        self._record("fit", clone(self.estimator), X, y)
        self.estimator.fit(X, y)
        self.classes_ = self.estimator.classes_
        return self

    def __getattr__(self, name: str) -> Any:
        if name not in ("predict_proba", "decision_function"):
            raise AttributeError(name)
        method = getattr(self.estimator, name)

        def recorded(X: Any) -> Any:
            self._record(name, self.estimator, X)
            return method(X)

        return recorded

    def _record(self, *call: Any) -> None:
        name, estimator, *arguments = call
        self.calls.append((name, estimator, tuple(arguments)))

    @classmethod
    def repeat(cls) -> None:
        """Repeat every call; a fit with a fresh copy."""
        for name, estimator, arguments in cls.calls:
            getattr(clone(estimator) if name == "fit" else estimator, name)(*arguments)


class Noise:
    """A generator of normal noise that learns nothing."""

    def __init__(self, feedback_type: type) -> None:
        self.feedback_type = feedback_type

    def propose(self, n: int, rng: np.random.Generator, condition: Any = None) -> Samples:
        """Propose n points of noise."""
        return Samples(rng.standard_normal((n, DIMENSION)), condition)

    def update(self, samples: Samples, feedback: Any) -> None:
        """Learn nothing."""


def measure(classifier: str, learner: str, repeats: int) -> tuple[Any, Any, float]:
    """Return seconds of each round and of the same calls by hand, (repeats,) each, and predictions per generator update."""
    feedback_type, signal = LEARNERS[learner]
    X = np.random.default_rng(0).normal(0.3, 1, (20_000, DIMENSION))
    discriminator = Recorded(CLASSIFIERS[classifier])
    game = Game(Noise(feedback_type), discriminator, signal=signal, samples_per_fit=500, batch_size=256, random_state=0)
    rounds, direct = [], []
    source = game.rounds(X)
    next(source)
    for _ in range(repeats):
        Recorded.calls.clear()
        begun = time.process_time()
        next(source)
        rounds.append(time.process_time() - begun)
        begun = time.process_time()
        Recorded.repeat()
        direct.append(time.process_time() - begun)
    predictions = sum(name != "fit" for name, *_ in Recorded.calls) - (
        classifier == "SVC, calibrated"
    )  # once for its calibration
    return np.array(rounds), np.array(direct), predictions / game.schedule.generator_steps


def row(classifier: str, learner: str, repeats: int) -> str:
    """Return a line of the table."""
    rounds, direct, predictions = measure(classifier, learner, repeats)
    low, middle, high = np.quantile(rounds / direct, (0.25, 0.5, 0.75))
    times = " | ".join(f"{1e3 * np.median(seconds):.1f}" for seconds in (rounds, direct))
    return f"| {classifier} | {learner} | {predictions:g} | {times} | {middle:.3f} | {low:.3f} to {high:.3f} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "cost.md")
    arguments = parser.parse_args()
    rows = []
    with threadpoolctl.threadpool_limits(1):
        for classifier in CLASSIFIERS:
            for learner in LEARNERS:
                rows.append(row(classifier, learner, arguments.repeats))
                print(rows[-1], flush=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(
        PAGE.format(repeats=arguments.repeats, provenance=provenance(), dimension=DIMENSION, bar=BAR, rows="\n".join(rows))
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
