"""Golden figures: short games of every kind whose numbers are kept in golden.json, so that a change of names changes none.

``python -m tests.golden`` plays them and says how long each takes; with ``--record`` it rewrites the file. Names in the file
are those of the field and stay when a public name changes: only this module knows what the package calls things today, in
`FIGURES`, `STUDY_NAMES` and `KINDS`. A game returns its `rounds`, figures by name with one entry per round, and what it left
`after` them.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.metadata
import importlib.util
import json
import math
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # before NumPy and torch are loaded, which read it; tests have it from conftest
    for _pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(_pool, "1")

import numpy as np
import threadpoolctl
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KernelDensity
from sklearn.svm import SVC

from turinglearn import Game, Replicas, TuringLearner, bias, metrics
from turinglearn import discriminators as d
from turinglearn import generators as g
from turinglearn import nn as layers
from turinglearn import objectives as o
from turinglearn import signals as s
from turinglearn.game.replay import Replay
from turinglearn.protocols import Batch
from turinglearn.study import Inline, Store, Writer, read_specification, run

PATH = Path(__file__).with_suffix(".json")

# ------------------------------------------------------------------------------------------- names: in the file -> of today
FIGURES = {
    "generator_loss": "generator_loss",
    "discriminator_loss": "discriminator_loss",
    "accuracy": "accuracy",
    "fake_recall": "fake_recall",
    "effective_sample_size": "effective_sample_size",
    "mean_ratio": "mean_ratio",
    "effective_share": "effective_share",
}
STUDY_NAMES = {  # parts of names of a study's figures
    "fake_recall[": "balanced_accuracy[",
    "variance_training_sets": "variance_training_sets",
    "variance_fits": "variance_fits",
}
KINDS = {"discriminator": "discriminator", "game": "game", "truth": "truth"}

EARLY = 2  # rounds that another machine repeats up to rounding: see tests/test_golden.py


@dataclass(frozen=True)
class Golden:
    """A game whose figures are kept. play: without arguments. rtol: what another machine may differ by.

    after: whether what is left at the end is compared there too; not where many rounds have amplified rounding. needs:
    libraries of extras.
    """

    play: Callable[[], dict[str, Any]]
    rtol: float
    after: bool
    needs: tuple[str, ...]


GAMES: dict[str, Golden] = {}


def golden(*needs, rtol=1e-6, after=False):
    """Keep the figures of the decorated function, a game; see `Golden`."""

    def keep(play):
        GAMES[play.__name__] = Golden(play, rtol, after, needs)
        return play

    return keep


# ------------------------------------------------------------------------------------------------------------------- data
def data(n=400):
    """A bent distribution in two columns of unlike units."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    return np.stack([3 + x, 20 * (x**2 / 2 + 0.5 * rng.normal(size=n))], axis=1)


def conditions(x):
    return np.sign(x[:, :1] - 3)


def frame(n=300):
    """Two columns of numbers, one of truth values, one of categories."""
    import pandas as pd

    rng = np.random.default_rng(1)
    length = rng.normal(5, 2, n)
    kind = rng.choice(["ash", "birch", "cedar"], n, p=[0.5, 0.3, 0.2])
    return pd.DataFrame(
        {
            "length": length,
            "count": rng.poisson(3 + (kind == "ash")),
            "tall": length > 6,
            "kind": pd.Categorical(kind),
        }
    )


# --------------------------------------------------------------------------------------------------------- what is written
def host(x):
    return x.detach().cpu().numpy() if hasattr(x, "detach") else np.asarray(x)


def exact(value):
    """Numbers as texts that lose no bit, in lists and dictionaries as they were."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, dict):
        return {name: exact(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [exact(each) for each in value]
    value = host(value)
    return float(value).hex() if value.ndim == 0 else [exact(each) for each in value]


def sketch(x, rows=3):
    """An array: its shape and dtype, its first rows, its mean, and a digest of all that it holds."""
    x = np.ascontiguousarray(host(x))
    return {
        "shape": str(x.shape),
        "dtype": str(x.dtype),
        "first": x[:rows],
        "mean": x.astype(float).mean(),
        "sha256": hashlib.sha256(x.tobytes()).hexdigest(),
    }


def columns(table, rows=4):
    """A data frame, column by column."""
    found = {}
    for name in table:
        whole = table[name].tolist()
        digest = hashlib.sha256(repr(whole).encode()).hexdigest()
        found[str(name)] = {"dtype": str(table[name].dtype), "first": whole[:rows], "sha256": digest}
    return found


def scores(player, x, condition=None):
    """What a discriminator says of rows."""
    return player.score_samples(Batch(x, condition)).values


def series(figures):
    """Figures of rounds by name, one entry per round."""
    return {name: [each[today] for each in figures] for name, today in FIGURES.items()}


def played(game, rounds=6, x=None, condition=None, ask=True):
    """Play, and look at the samples and at what the discriminator says of a few real rows."""
    x = data() if x is None else x
    found = {"rounds": series([r.figures() for r in islice(game.rounds(x, condition), rounds)])}
    few = None if condition is None else condition[:32]
    left = {"sample": sketch(game.sample(32, few))}
    if ask:
        left["discriminator scores"] = scores(game.discriminator, x[:4], None if condition is None else condition[:4])
    return {**found, "after": left}


def network(**options):
    return g.NeuralGenerator(3, (16, 8), **options)


def game(generator, discriminator, replicas=None, **options):
    options = {"batch_size": 40, "random_state": 5, **options}
    if replicas is None:
        return Game(generator, discriminator, **options)
    return Replicas(generator, discriminator, replicas, **options)


# ---------------------------------------------------------------------------------------------------------- plain networks
DOUBLE = {"dtype": "float64"}


@golden(rtol=1e-3)
def networks():
    generator = network(ema_decay=0.9, learning_rate=layers.LinearDecay(1e-2, 40))
    return played(game(generator, d.NeuralDiscriminator((8, 16), learning_rate=1e-2)), 20)


@golden()
def networks_in_double_precision():
    return played(game(network(**DOUBLE), d.NeuralDiscriminator((8,), **DOUBLE)), 10)


@golden()
def schedule_of_several_steps():
    options = {"discriminator_steps": 2, "generator_steps": 3, "samples_per_fit": 70, "subsample": 120}
    return played(game(network(**DOUBLE), d.NeuralDiscriminator((8,), **DOUBLE), **options))


@golden()
def fused_replicas():
    together = game(network(ema_decay=0.5, **DOUBLE), d.NeuralDiscriminator((8,), **DOUBLE), replicas=3, subsample=200)
    return played(together, ask=False)


@golden()
def separate_replicas():
    return played(game(g.MixtureGenerator(2), RandomForestClassifier(5), replicas=3), 3, ask=False)


@golden()
def packed_replicas():
    return played(game(network(**DOUBLE), d.NeuralDiscriminator((8,), **DOUBLE), replicas=2, pack=2), 4, ask=False)


@golden("torch", rtol=1e-3)
def networks_on_torch_tensors():
    import torch

    x = torch.asarray(data(), dtype=torch.float32)
    torch_game = game(network(backend="torch"), d.NeuralDiscriminator((8, 16), backend="torch"))
    return played(torch_game, 10, x)


@golden("torch")
def fused_replicas_on_torch():
    place = {"backend": "torch", **DOUBLE}
    return played(game(network(**place), d.NeuralDiscriminator((8,), **place), replicas=2), 5, ask=False)


@golden("torch", rtol=1e-3)
def modules_of_torch():
    import torch
    from torch import nn

    torch.manual_seed(0)
    maker = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
    critic = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(), nn.Linear(16, 1))
    return played(game(g.TorchGenerator(maker, 3), d.TorchDiscriminator(critic), batch_size=50), 8)


# ---------------------------------------------------------------------------------------------- other parts of the networks
@golden()
def relativistic_with_penalties():
    critic = d.NeuralDiscriminator((8, 8), criterion=o.Relativistic(), penalties=(layers.R1(0.1), layers.R2(0.1)), **DOUBLE)
    return played(game(network(activation=layers.GELU(), **DOUBLE), critic), 8)


@golden()
def spectral_and_batch_normalisation():
    critic = d.NeuralDiscriminator((8, 8), normalization=layers.SpectralNorm(), activation=layers.LeakyReLU(), **DOUBLE)
    generator = network(normalization=layers.BatchNorm(), activation=layers.Tanh(), dropout=0.1, ema_decay=0.8, **DOUBLE)
    return played(game(generator, critic), 8)


@golden()
def layer_normalisation_and_maxout():
    critic = d.NeuralDiscriminator((8, 8), activation=layers.Maxout(), dropout=0.1, minibatch_stddev=True, **DOUBLE)
    return played(game(network(normalization=layers.LayerNorm(), **DOUBLE), critic))


@golden()
def batch_normalised_discriminator():
    critic = d.NeuralDiscriminator((8, 8), normalization=layers.BatchNorm(), **DOUBLE)
    return played(game(network(optimizer=layers.RMSprop(), clip_norm=1.0, **DOUBLE), critic))


@golden()
def wasserstein_with_gradient_penalty():
    critic = d.NeuralDiscriminator((8,), criterion=o.Wasserstein(clip=None), penalties=(layers.GradientPenalty(),), **DOUBLE)
    return played(game(network(optimizer=layers.SGD(), **DOUBLE), critic, discriminator_steps=2))


@golden()
def least_squares():
    return played(game(network(**DOUBLE), d.NeuralDiscriminator((8,), criterion=o.LeastSquares(), **DOUBLE)))


@golden()
def hinge():
    return played(game(network(**DOUBLE), d.NeuralDiscriminator((8,), criterion=o.Hinge(), **DOUBLE)))


# -------------------------------------------------------------------------------------------------- ways to play a game
@golden()
def packing():
    return played(game(network(**DOUBLE), d.NeuralDiscriminator((8,), **DOUBLE), pack=2), ask=False)


@golden()
def simultaneous_play():
    return played(game(network(**DOUBLE), d.NeuralDiscriminator((8,), **DOUBLE), simultaneous=True))


@golden()
def replay():
    return played(game(network(**DOUBLE), d.NeuralDiscriminator((8,), **DOUBLE), replay=Replay(100, 0.5)), 8)


@golden()
def conditional_networks():
    x = data()
    return played(game(network(**DOUBLE), d.NeuralDiscriminator((8,), **DOUBLE)), 6, x, conditions(x))


@golden()
def conditional_mixture():
    x = data()
    return played(game(g.MixtureGenerator(2), LogisticRegression(), replay=None), 5, x, conditions(x))


@golden()
def checkpoint():
    """Five rounds, and five more by a game that was restored; and ten at once."""

    def fresh(seed):
        generator = network(ema_decay=0.9, learning_rate=layers.LinearDecay(1e-2, 40), **DOUBLE)
        return game(generator, d.NeuralDiscriminator((8,), **DOUBLE), replay=Replay(50), subsample=150, random_state=seed)

    x, begun, resumed = data(), fresh(5), fresh(6)
    first = series([r.figures() for r in islice(begun.rounds(x), 5)])
    resumed.restore(begun.state())
    rest, whole = played(resumed, 5, x), played(fresh(5), 10, x)
    halves = {name: first[name] + rest["rounds"][name] for name in first}
    assert exact(halves) == exact(whole["rounds"])
    assert exact(rest["after"]) == exact(whole["after"])
    return whole


# ------------------------------------------------------------------------------------------------- families of generators
@golden()
def mixture_by_weights():
    return played(game(g.MixtureGenerator(3), LogisticRegression(), batch_size=100), 8)


@golden()
def mixture_by_losses():
    rule = g.ScoreFunction()
    return played(game(g.MixtureGenerator(2, covariance="diagonal", rule=rule), RandomForestClassifier(10), replay=Replay()))


@golden()
def damped_weights():
    mixture = g.MixtureGenerator(2, rule=g.WeightedEM())
    return played(game(mixture, SVC(), signal=s.ImportanceWeights(0.5, 0.3), batch_size=100))


@golden()
def refitted_by_resampling():
    model = GaussianMixture(2, random_state=0)
    critic = d.ClassifierDiscriminator(HistGradientBoostingClassifier(max_iter=10), calibrate="isotonic")
    return played(game(g.RefittedGenerator(model, memory=3), critic, batch_size=100), 4)


@golden()
def refitted_by_reweighting():
    return played(game(g.RefittedGenerator(KernelDensity(bandwidth=1.0), rule=g.Reweight()), GaussianNB(), batch_size=100), 4)


@golden()
def refitted_by_moving():
    generator = g.RefittedGenerator(GaussianMixture(2, random_state=0), rule=g.GradientMove(0.2), memory=2)
    return played(game(generator, d.KernelSVMDiscriminator(), batch_size=100), 4)


@golden()
def leaves_of_a_forest():
    """One column takes few values, so that some leaves are as narrow as they can be."""
    x, critic = np.round(data() / [1e-6, 10]) * [1e-6, 10], ExtraTreesClassifier(10, min_samples_leaf=5)
    return played(game(g.ForestGenerator(), critic, batch_size=60), 12, x)


@golden()
def leaves_of_a_conditional_forest():
    x, critic = data(), ExtraTreesClassifier(10, min_samples_leaf=5)
    return played(game(g.ForestGenerator(), critic, batch_size=100), 5, x, conditions(x))


@golden()
def conditional_student():
    x, critic = data(), RandomForestClassifier(5)
    return played(game(network(**DOUBLE), critic, signal=s.Student(), samples_per_fit=60), 3, x, conditions(x))


@golden(after=True)
def adversarial_forest():
    forest = g.AdversarialForest(RandomForestClassifier(10, min_samples_leaf=5, oob_score=True, bootstrap=True), random_state=2)
    x = data()
    forest.fit(x)
    left = {
        "accuracies": forest.accuracies_,
        "log_density": forest.score_samples(x[:5]),
        "sample": sketch(forest.sample(20, random_state=3)),
        "conditional": sketch(forest.sample(20, random_state=4, where={0: (3, None)})),
    }
    return {"rounds": {}, "after": left}


@golden("pandas")
def adversarial_forest_of_a_table():
    forest = g.AdversarialForest(random_state=2, max_iter=2).fit(frame())
    return {"rounds": {}, "after": {"accuracies": forest.accuracies_, "sample": columns(forest.sample(20, random_state=3))}}


@golden("cmaes")
def evolved_simulator():
    def simulate(parameters, n, rng):
        return parameters[:2] + rng.standard_normal((n, 2)) * np.exp(parameters[2:])

    bounds = [(-10, 10), (-50, 50), (-2, 2), (0, 5)]
    generator = g.EvolvedGenerator(simulate, bounds, population=8, explore=10, average=3)
    return played(game(generator, RandomForestClassifier(10), batch_size=80), 14)


# ----------------------------------------------------------------------------------------- signals without exact gradients
@golden()
def smoothed_gradients():
    critic = HistGradientBoostingClassifier(max_iter=10, random_state=0)
    return played(game(network(**DOUBLE), critic, signal=s.Smoothed(probes=4), samples_per_fit=100), 3)


@golden()
def gradients_of_a_student():
    return played(game(network(**DOUBLE), RandomForestClassifier(10), signal=s.Student(), samples_per_fit=100), 3)


# --------------------------------------------------------------------------------------------- families of discriminators
@golden()
def logistic_regression():
    return played(game(network(**DOUBLE), LogisticRegression(), samples_per_fit=100), 5)


@golden()
def calibrated_support_vectors():
    critic = d.ClassifierDiscriminator(SVC(), calibrate="platt")
    return played(game(network(**DOUBLE), critic, samples_per_fit=100, generator_steps=2), 4)


@golden()
def forest_by_temperature():
    critic = d.ClassifierDiscriminator(RandomForestClassifier(10), calibrate="temperature")
    return played(game(g.MixtureGenerator(2), critic, batch_size=100), 4)


@golden()
def incremental_classifier():
    critic = d.ClassifierDiscriminator(SGDClassifier(loss="log_loss", random_state=0), incremental=True)
    return played(game(network(**DOUBLE), critic))


@golden()
def kernel_support_vectors():
    return played(game(network(**DOUBLE), d.KernelSVMDiscriminator(), samples_per_fit=100), 4)


@golden()
def nearest_neighbours():
    return played(game(network(**DOUBLE), d.NeighboursDiscriminator("loo"), samples_per_fit=100), 4)


@golden()
def kernel_densities():
    return played(game(network(**DOUBLE), d.KernelDensityDiscriminator("loo"), samples_per_fit=100), 4)


@golden()
def ulsif():
    return played(game(network(**DOUBLE), d.ULSIFDiscriminator(50), samples_per_fit=100), 4)


@golden()
def kliep():
    return played(game(network(**DOUBLE), d.KLIEPDiscriminator(50), samples_per_fit=100), 4)


@golden()
def handwritten_score():
    def score(x):
        return -((x[:, 0] - 3) ** 2) + x[:, 1] / 20

    def gradient(x):
        return np.stack([-2 * (x[:, 0] - 3), np.full(len(x), 1 / 20)], axis=1)

    return played(game(network(**DOUBLE), d.HandwrittenDiscriminator(score, fit_intercept=True, gradient=gradient)))


# ------------------------------------------------------------------------------------------------------- the learner
def learned(learner, x, sample):
    learner.fit(x)
    history = {name: learner.history_[today] for name, today in {**FIGURES, "distance": "distance"}.items()}
    left = {"score": learner.score(x), "scores": learner.decision_function(x[:6]), "sample": sample(learner.sample(30))}
    return {"rounds": history, "after": {**left, "sample of a seed": sample(learner.sample(10, random_state=3))}}


def learner(**options):
    players = network(**DOUBLE), d.NeuralDiscriminator((8,), **DOUBLE)
    return TuringLearner(*players, **{"rounds": 30, "batch_size": 40, "random_state": 0, **options})


@golden()
def learner_keeps_the_best():
    return learned(learner(keep="best"), data(), sketch)


@golden()
def learner_keeps_the_average():
    return learned(learner(keep="average"), data(), sketch)


@golden(rtol=1e-3)  # the usual generator is in float32
def learner_keeps_the_last():
    return learned(TuringLearner(discriminator=LogisticRegression(), rounds=5, keep="last", random_state=0), data(), sketch)


@golden(rtol=1e-3)
def usual_learner():
    return learned(TuringLearner(rounds=20, random_state=0), data(), sketch)


@golden("pandas")
def learner_of_a_table():
    return learned(learner(), frame(), columns)


# --------------------------------------------------------------------------------------------------- studies and measures
STUDY = """\
seeds = 2
replicas = 2
[limits]
seconds = 60
memory = 4000
[problems]
circle = "ring(sigma=0.1)"
near = "pair(family='shifted', dimension=2, kl=0.5)"
normal = "gaussian(covariance=((2.0, 0.5), (0.5, 1.0)), mean=(1.0, -1.0))"
[generators]
net = "neural(hidden=(8,), dtype='float64')"
mix = "mixture(n_components=1)"
[discriminators]
critic = "neural(hidden=(8,), dtype='float64')"
line = "logistic"
trees = "forest(n_estimators=5)"
[[discriminator]]
problems = "near"
discriminators = ["line", "trees", "critic"]
n = 30
training_sets = 3
fits = 2
points = 50
steps = 20
[[game]]
problems = ["circle", "normal"]
generators = ["net", "mix"]
discriminators = ["critic", "line"]
signals = "usual"
rounds = 4
rows = 60
draws = 100
batch_size = 20
cross_examiners = ["line"]
"""


@golden(after=True)
def study():
    """Cells of every kind, played in this process; figures by what was played, as the file names it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "study.toml")
        path.write_text(STUDY)
        plan = read_specification(path).plan()
        with Writer(Path(folder, "study.sqlite")) as store:
            store.begin(plan)
            run(plan, Inline(plan.function, plan.limits), store)
        with Store(Path(folder, "study.sqlite")) as store:
            rows = list(store.rows())
    kinds = {today: name for name, today in KINDS.items()}
    found = {}
    for row in rows:
        assert row.status == "ok", row.error
        cell = row.cell()
        factors = [level.label for level in (cell.problem, cell.generator, cell.discriminator) if level is not None]
        label = " / ".join([kinds[cell.kind], *factors, f"seeds {' '.join(map(str, cell.seeds))}"])
        found[label] = {renamed(name): value if np.ndim(value) == 0 else sketch(value) for name, value in row.figures.items()}
    return {"rounds": {}, "after": {label: dict(sorted(found[label].items())) for label in sorted(found)}}


def renamed(name):
    """The file's name of a study's figure."""
    for ours, today in STUDY_NAMES.items():
        name = name.replace(today, ours)
    return name


@golden(after=True)
def distances_and_tests():
    x, y = data(200), np.random.default_rng(2).normal([3, 10], [1, 15], (150, 2))
    test = metrics.two_sample_test(x, y, permutations=49, random_state=0)
    tested = metrics.two_sample_test(x, y, classifier=LogisticRegression(), permutations=49, random_state=0)
    precision = metrics.precision_recall(x, y)
    left = {
        "energy_distance": metrics.energy_distance(x, y),
        "mmd": metrics.mmd(x, y),
        "mmd of bandwidths": metrics.mmd(x, y, bandwidths=[1.0, 5.0]),
        "sliced_wasserstein": metrics.sliced_wasserstein(x, y, random_state=0),
        "two-sample test": [test.auc, test.accuracy, test.p_value, test.n],
        "two-sample test by a line": [tested.auc, tested.accuracy, tested.p_value, tested.n],
        "precision and recall": [precision.precision, precision.recall],
    }
    return {"rounds": {}, "after": left}


@golden()
def duality_gap():
    x = data(600)
    begun = game(network(**DOUBLE), d.NeuralDiscriminator((8,), **DOUBLE))
    found = played(begun, 5, x[:300])
    for name, responder in {"own": None, "line": LogisticRegression()}.items():
        gap = metrics.duality_gap(begun, x[300:], discriminator=responder, rounds=20, random_state=0)
        found["after"][f"gap, {name}"] = [gap.value, gap.best_discriminator, gap.best_generator, gap.gap]
    return found


def limits(interval):
    return [interval.value, interval.low, interval.high, interval.standard_error]


@golden(after=True)
def bias_of_estimates():
    rng = np.random.default_rng(3)
    truth = rng.normal(size=40)
    estimates = truth + 0.1 + 0.3 * rng.normal(size=(6, 1, 40)) + 0.2 * rng.normal(size=(6, 2, 40))
    spread, split = bias.variance(estimates), bias.excess_log_loss(estimates, truth)
    errors = bias.parameter_errors(estimates[:, 0, :2], truth[:2])
    left = {
        "squared_bias": limits(bias.squared_bias(estimates, truth)),
        "variance": [*limits(spread.total), spread.training_sets, spread.fits],
        "excess_log_loss": [limits(each) for each in (split.total, split.bias, split.variance)],
        "parameter bias": [limits(each) for each in errors.bias],
        "parameter rmse": [limits(each) for each in errors.rmse],
        "paired_interval": limits(bias.paired_interval(estimates[:, 0, 0], estimates[:, 1, 0])),
    }
    return {"rounds": {}, "after": left}


@golden(after=True)
def bias_of_discriminators():
    found = {}
    for family, kl in {"shifted": 0.5, "correlated": 0.3, "bits": 0.4}.items():
        problem = bias.pair(family, 2, kl)
        scored = bias.discriminator_bias(LogisticRegression(), problem, 30, training_sets=4, fits=1, points=100, random_state=1)
        known = bias.divergences(problem, draws=2000)
        found[family] = {
            "squared_bias": limits(scored.squared_bias),
            "variance": limits(scored.variance.total),
            "excess_log_loss": limits(scored.log_loss.total),
            "divergences": [known.kl.value, known.jsd.value, known.accuracy.value, known.log_loss.value],
        }
    return {"rounds": {}, "after": found}


# ------------------------------------------------------------------------------------------------- playing and comparing
@contextmanager
def one_thread():
    """Sums in one order: the linear algebra of all libraries on one thread."""
    torch = importlib.import_module("torch") if importlib.util.find_spec("torch") else None
    before = torch.get_num_threads() if torch else 1
    with threadpoolctl.threadpool_limits(limits=1):
        if torch:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(before)


def play(name):
    """The figures of a game, as the file has them."""
    with one_thread():
        return exact(GAMES[name].play())


def versions():
    """The libraries that figures come from."""
    names = ("numpy", "scipy", "scikit-learn", "torch", "pandas", "cmaes")
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def machine():
    """What decides how sums are rounded: the processor, and the kernels that libraries chose for it."""
    wanted = ("vendor_id", "cpu family", "model", "model name", "stepping")
    info, cpuinfo = {}, Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else ():
        key, _, value = line.partition(":")
        if key.strip() in wanted:
            info.setdefault(key.strip(), value.strip())
        if key.strip() == "flags":
            info.setdefault("flags", " ".join(f for f in value.split() if f.startswith(("avx", "fma", "sse4", "f16c", "amx"))))
    blas = {
        " ".join(str(pool.get(key)) for key in ("prefix", "internal_api", "version", "architecture"))
        for pool in threadpoolctl.threadpool_info()
        if pool["user_api"] == "blas"
    }
    info |= {"system": f"{platform.system()} {platform.machine()}", "libc": " ".join(platform.libc_ver())}
    info |= {"blas": sorted(blas), "numpy": np.show_config(mode="dicts")["SIMD Extensions"]}
    if importlib.util.find_spec("torch"):
        info["torch"] = importlib.import_module("torch").backends.cpu.get_cpu_capability()
    return json.loads(json.dumps(info))


def leaves(value, path=()):
    """Every entry of nested lists and dictionaries, by its path."""
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(each, (*path, key))
    else:
        yield path, value


def number(text):
    """What `exact` has written of a number; None for anything else."""
    known = isinstance(text, str) and text.lstrip("-").startswith(("0x", "nan", "inf"))
    return float.fromhex(text) if known else None


def differences(found, recorded, rtol=None, early=EARLY, after=True):
    """What differs, one line each; to the last bit, or, with rtol, by more than that in what another machine can repeat."""
    here, there = dict(leaves(found)), dict(leaves(recorded))
    for path in sorted(here.keys() | there.keys(), key=str):
        one, other = here.get(path, "nothing"), there.get(path, "nothing")
        if one == other or (rtol is not None and _excused(path, one, other, rtol, early, after)):
            continue
        place = " > ".join(f"[{key}]" if isinstance(key, int) else key for key in path)
        yield f"{place}: {_shown(one)}, but {_shown(other)} was recorded"


def _excused(path, one, other, rtol, early, after):
    if path[-1] == "sha256" or (path[0] == "rounds" and path[2] >= early) or (path[0] == "after" and not after):
        return True
    x, y = number(one), number(other)
    return None not in (x, y) and (math.isclose(x, y, rel_tol=rtol, abs_tol=rtol) or (math.isnan(x) and math.isnan(y)))


def _shown(value):
    return value if number(value) is None else f"{number(value)!r} ({value})"


def _compact(value):
    """JSON with a list of numbers on one line."""
    if isinstance(value, dict):
        return "{\n" + ",\n".join(f"{json.dumps(key)}: {_compact(each)}" for key, each in value.items()) + "\n}"
    return json.dumps(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help=f"rewrite {PATH.name}")
    chosen, figures = parser.parse_args(), {}
    for name in GAMES:
        begun = time.perf_counter()
        figures[name] = play(name)
        print(f"{name}: {time.perf_counter() - begun:.2f} s", file=sys.stderr)
    if chosen.record:
        PATH.write_text(_compact({"machine": machine(), "versions": versions(), "games": figures}) + "\n")


if __name__ == "__main__":
    main()
