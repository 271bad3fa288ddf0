"""The discriminators of benchmarks/frontier.py, how each is played, and what was tried beside."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier

from turinglearn.discriminators import KernelSVMDiscriminator, NeuralDiscriminator
from turinglearn.game.replay import Replay
from turinglearn.generators import NeuralGenerator
from turinglearn.objectives import ReverseKL
from turinglearn.protocols import Batch, Samples
from turinglearn.signals import Derivative, Smoothed, Student

__all__ = ["BEST", "MANY", "NARROW", "WIDE", "Arm", "Blur", "BlurredGenerator", "BlurredSource", "ClockDecay", "tries"]


class ClockDecay:
    """A learning rate that falls linearly to 0 over so many seconds of CPU time, from its first call."""

    def __init__(self, initial: float, seconds: float) -> None:
        self.initial, self.seconds, self.begun = initial, seconds, None

    def __call__(self, step: int) -> float:
        if self.begun is None:
            self.begun = time.process_time()
        return self.initial * max(0.0, 1 - (time.process_time() - self.begun) / self.seconds)


class Blur(Derivative):
    """Instance noise: Gaussian noise on real samples and fakes, so that narrow modes overlap at first.

    The discriminator sees p * N against q * N, so that the weights of modes are learned while modes overlap. Then the noise
    falls geometrically, and the scales of the probes with it, from `wide` to `narrow`, between the shares `begins` and `ends`
    of the seconds. Sønderby et al., "Amortised MAP inference for image super-resolution", ICLR 2017.
    """

    def __init__(
        self,
        seconds: float,
        noise: tuple[float, float],
        wide: tuple[float, ...],
        narrow: tuple[float, ...],
        begins: float = 0.25,
        ends: float = 0.65,
    ) -> None:
        self.noise, self.wide, self.narrow = noise, np.array(wide), np.array(narrow)
        self.seconds, self.begins, self.ends = seconds, begins, ends
        self.begun: float | None = None

    def between(self, first: Any, last: Any) -> Any:
        """Return the value between these two at the present time."""
        if self.begun is None:
            self.begun = time.process_time()
        gone = (time.process_time() - self.begun) / self.seconds
        return first * (last / first) ** np.clip((gone - self.begins) / (self.ends - self.begins), 0, 1)

    def blurred(self, x: Any, rng: np.random.Generator) -> Any:
        """Return the samples with the noise of the present time."""
        return x + x.dtype.type(self.between(*self.noise)) * rng.standard_normal(x.shape, dtype=x.dtype)

    def vjp(self, discriminator: Any, fake: Any, real: Any, rng: np.random.Generator) -> Any:
        """Return the evidence and its pullback, by probes with the scales of the present time."""
        return Smoothed(tuple(self.between(self.wide, self.narrow)), len(self.wide)).vjp(discriminator, fake, real, rng)


@dataclass(frozen=True)
class BlurredSource:
    """Real rows with the noise of the present time."""

    rows: Any
    blur: Blur

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        return Batch(self.blur.blurred(self.rows[rng.integers(0, len(self.rows), n)], rng))


class BlurredGenerator(NeuralGenerator):
    """A network whose proposals have the noise of the present time; its samples have none."""

    def blurs(self, blur: Blur) -> BlurredGenerator:
        """Set the noise, and return the generator itself."""
        self.blur_ = blur
        return self

    def propose(self, n: int, rng: np.random.Generator, condition: Any = None) -> Samples:
        samples = super().propose(n, rng, condition)
        return Samples(self.blur_.blurred(samples.x, rng), condition, samples.context)


@dataclass(frozen=True)
class Arm:
    """A discriminator and the options of its game.

    `note` is what the page says of it; `blur` makes instance noise for a number of seconds.
    """

    discriminator: Callable[[], Any]
    note: str = ""
    rate: float = 3e-3
    decays: bool = True
    ema_decay: float = 0.99
    signal: Any = None
    fit: int | None = None
    steps: int | None = 5
    objective: Any = None
    replay: Callable[[], Any] = field(default=lambda: None)
    blur: Callable[[float], Blur] | None = None


def boosting(**options: Any) -> HistGradientBoostingClassifier:
    """Make twenty shallow trees with a high rate; each split sees one feature of two, so that errors of fits differ."""
    usual = {"max_iter": 20, "learning_rate": 0.3, "max_leaf_nodes": 8, "max_bins": 64, "max_features": 0.5}
    return HistGradientBoostingClassifier(**{**usual, "early_stopping": False, **options})


def forest(trees: int = 10, leaf: int = 10) -> ExtraTreesClassifier:
    """Make a small forest with random thresholds."""
    return ExtraTreesClassifier(trees, min_samples_leaf=leaf)


WIDE = Smoothed((0.1, 0.25, 0.7), 3)
BEST = {
    "forest": Arm(forest, "10 extra trees, leaf 10", 5e-3, signal=WIDE, fit=2000),
    "boosting": Arm(boosting, "20 × 8 leaves, half of the features", 5e-3, signal=WIDE, fit=2000, steps=3),
    "SVM": Arm(lambda: KernelSVMDiscriminator(10.0, 10.0), "γ 10, C 10, exact gradient", fit=300, steps=3),
    "kNN": Arm(
        lambda: KNeighborsClassifier(10), "k 10, scales .1 to 1", 6e-3, signal=Smoothed((0.1, 0.3, 1.0), 3), fit=1000, steps=1
    ),
}


def blur(*wide: float) -> Callable[[float], Blur]:
    """Make instance noise from the width of the modes in the first table to their own; probes start with these scales."""
    return lambda seconds: Blur(seconds, (0.1, 0.01), wide, (0.04, 0.15, 0.6)[: len(wide)])


NARROW = {  # for modes of a third of the width
    "forest": replace(BEST["forest"], discriminator=lambda: forest(10, 5), rate=6e-3, blur=blur(0.1, 0.25, 0.7),
                      note="10 extra trees, leaf 5"),
    "boosting": replace(BEST["boosting"], discriminator=lambda: boosting(max_leaf_nodes=16, max_bins=255), rate=4e-3,
                        blur=blur(0.1, 0.25, 0.7), note="20 × 16 leaves, 255 bins"),
    "SVM": replace(BEST["SVM"], blur=blur()),
    "kNN": replace(BEST["kNN"], blur=blur(0.1, 0.3, 1.0), note="k 10"),
}  # fmt: skip
MANY = {  # for 64 features, where a probe covers one of many directions
    "forest": replace(BEST["forest"], discriminator=lambda: forest(30, 3), rate=3e-3, signal=Student(), fit=500),
    "boosting": replace(BEST["boosting"], signal=Student(), fit=500),
    "SVM": replace(BEST["SVM"], discriminator=lambda: KernelSVMDiscriminator(C=10.0), rate=2e-3, fit=500),
    "kNN": replace(BEST["kNN"], rate=3e-3, signal=Student(), fit=500, steps=5),
}


def tries() -> dict[str, dict[str, Arm]]:
    """Return the variants of the best arms, one change at a time unless the note says otherwise."""
    b = BEST
    plain = {"rate": 1e-3, "decays": False, "ema_decay": 0.0, "signal": None, "fit": None, "steps": None}

    def usual(discriminator: Callable[[], Any], note: str) -> Arm:
        return Arm(discriminator, note, **plain)

    return {
        "neural": {"reference": Arm(lambda: NeuralDiscriminator((64, 64)), "a network as discriminator", rate=1e-3, steps=1)},
        "forest": {
            "best": b["forest"],
            "defaults": usual(RandomForestClassifier, "RandomForestClassifier(), all defaults"),
            "bootstrap": replace(b["forest"], discriminator=lambda: RandomForestClassifier(10, min_samples_leaf=10),
                                 note="random forest of 10 trees, leaf 10"),
            "larger": replace(b["forest"], discriminator=lambda: forest(60, 5), note="60 extra trees, leaf 5"),
            "narrow scales": replace(b["forest"], signal=Smoothed((0.02, 0.05, 0.1, 0.3), 8), note="scales .02 to .3"),
            "student": replace(b["forest"], signal=Student(), note="a student's gradient in place of smoothing"),
            "constant rate": replace(b["forest"], decays=False, rate=1e-3, note="rate .001 without decay"),
            "no averaging": replace(b["forest"], ema_decay=0.0, note="the last weights, not the moving average"),
            "replay": replace(b["forest"], replay=Replay, note="half of the fakes from the past"),
            "reverse KL": replace(b["forest"], objective=ReverseKL(), note="loss -r"),
        },
        "boosting": {
            "best": b["boosting"],
            "defaults": usual(HistGradientBoostingClassifier, "HistGradientBoostingClassifier(), all defaults"),
            "all features": replace(b["boosting"], discriminator=lambda: boosting(max_features=1.0),
                                    note="each split sees both features"),
            "ten steps": replace(b["boosting"], steps=10, note="10 generator steps per fit"),
            "longer": replace(b["boosting"], discriminator=lambda: boosting(max_iter=100, learning_rate=0.1),
                              note="100 trees, rate .1"),
        },
        "SVM": {
            "best": b["SVM"],
            "defaults": usual(KernelSVMDiscriminator, "KernelSVMDiscriminator(), all defaults"),
            "smoothed": replace(b["SVM"], signal=WIDE, note="smoothed, not exact"),
            "larger": replace(b["SVM"], fit=2000, note="2,000 + 2,000 points per fit"),
        },
        "kNN": {
            "best": b["kNN"],
            "defaults": usual(KNeighborsClassifier, "KNeighborsClassifier(), all defaults"),
            "thirty": replace(b["kNN"], discriminator=lambda: KNeighborsClassifier(30), note="k 30"),
            "narrow scales": replace(b["kNN"], signal=Smoothed((0.05, 0.1, 0.2), 3), note="scales .05 to .2"),
            "slow": replace(b["kNN"], rate=2e-3, note="rate from .002"),
        },
    }  # fmt: skip
