"""The contract suite: players of the package and every classifier pass it, and each broken player fails the check for it."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity, KNeighborsClassifier

from tests.broken_players import DISCRIMINATORS, GENERATORS, ExactDiscriminator, SoundDiscriminator, SoundGenerator
from tests.every_classifier import KNOWN, every_classifier, others
from turinglearn.checks import BrokenContract, check_discriminator, check_generator, feedback
from turinglearn.checks.samples import make_samples, watch_global_randomness
from turinglearn.discriminators import HandwrittenDiscriminator, KernelSVMDiscriminator, NeuralDiscriminator, TorchDiscriminator
from turinglearn.generators import (
    EvolvedGenerator,
    ForestGenerator,
    GradientMove,
    MixtureGenerator,
    NeuralGenerator,
    RefittedGenerator,
    ScoreFunction,
    TorchGenerator,
)
from turinglearn.nn import R1, BatchNorm, LayerNorm, SpectralNorm, Tanh
from turinglearn.objectives import Hinge, LeastSquares, Relativistic, Wasserstein
from turinglearn.protocols import Gradients, IncompatiblePlayers, LogOdds, PlayerError, Samples
from turinglearn.signals import ScoredFeedback


def outcomes(checks):
    return {check.name: check.run() for check in checks}


def failures(checks):
    return {name: result.message for name, result in outcomes(checks).items() if result.status == "failed"}


# ------------------------------------------------------------------------------------------------------- broken players
@pytest.mark.parametrize("broken", DISCRIMINATORS, ids=lambda kind: kind.__name__)
def test_a_broken_discriminator_fails_the_check_that_is_meant_for_it(broken):
    assert list(failures(check_discriminator(broken()))) == [DISCRIMINATORS[broken]]


@pytest.mark.parametrize("broken", GENERATORS, ids=lambda kind: kind.__name__)
def test_a_broken_generator_fails_the_check_that_is_meant_for_it(broken):
    assert list(failures(check_generator(broken()))) == [GENERATORS[broken]]


def test_every_check_can_fail():
    for suite, broken in (
        (check_discriminator(SoundDiscriminator()), DISCRIMINATORS),
        (check_generator(SoundGenerator()), GENERATORS),
    ):
        assert {check.name for check in suite} | set(suite.omitted) == set(broken.values())


@pytest.mark.parametrize("broken", [*DISCRIMINATORS, *GENERATORS], ids=lambda kind: kind.__name__)
def test_a_failure_says_what_was_expected_and_the_remedy(broken):
    suite = check_discriminator if broken in DISCRIMINATORS else check_generator
    name = DISCRIMINATORS.get(broken) or GENERATORS[broken]
    (check,) = (check for check in suite(broken()) if check.name == name)
    with pytest.raises(BrokenContract) as raised:
        check()
    message = str(raised.value)
    assert broken.__name__ in message or "Logistic" in message or "score_" in message
    assert "xpected" in message
    assert raised.value.__cause__ is not None
    assert isinstance(raised.value, PlayerError)
    assert isinstance(raised.value, AssertionError)


# ------------------------------------------------------------------------------------------------------- sound players
def first(x):
    return -x.reshape(len(x), -1)[:, 0]


def slope(x):
    g = np.zeros((len(x), x[0].size))
    g[:, 0] = -1
    return g.reshape(x.shape)


DISCRIMINATORS_OF_THE_PACKAGE = {
    "sound": SoundDiscriminator(),
    "sound, exact": ExactDiscriminator(),
    "network": NeuralDiscriminator(),
    "network, batch norm, dropout": NeuralDiscriminator(normalization=BatchNorm(), dropout=0.1),
    "network, tanh, layer norm, R1": NeuralDiscriminator(activation=Tanh(), normalization=LayerNorm(), penalties=(R1(1.0),)),
    "network, least squares": NeuralDiscriminator(criterion=LeastSquares()),
    "network, hinge, spectral norm": NeuralDiscriminator(criterion=Hinge(), normalization=SpectralNorm()),
    "network, deviation": NeuralDiscriminator(minibatch_stddev=True),
    "network, double": NeuralDiscriminator(dtype="float64"),
    "critic": NeuralDiscriminator(criterion=Wasserstein()),
    "relativistic": NeuralDiscriminator(criterion=Relativistic()),
    "SVM": KernelSVMDiscriminator(),
    "handwritten": HandwrittenDiscriminator(first),
    "handwritten, level": HandwrittenDiscriminator(first, fit_intercept=True),
    "handwritten, gradient": HandwrittenDiscriminator(first, gradient=slope),
}


@pytest.mark.parametrize("discriminator", DISCRIMINATORS_OF_THE_PACKAGE.values(), ids=DISCRIMINATORS_OF_THE_PACKAGE)
def test_discriminators_of_the_package_keep_the_contract(discriminator):
    assert failures(check_discriminator(discriminator)) == {}


def normal(parameters, n, rng):
    return parameters + rng.standard_normal((n, 2))


GENERATORS_OF_THE_PACKAGE = {
    "sound": SoundGenerator(),
    "network": NeuralGenerator(),
    "network, batch norm, averaging": NeuralGenerator(normalization=BatchNorm(), ema_decay=0.9, dropout=0.1),
    "mixture": MixtureGenerator(),
    "mixture, score function": MixtureGenerator(rule=ScoreFunction()),
    "density": KernelDensity(bandwidth=0.3),
    "density, moved": RefittedGenerator(KernelDensity(bandwidth=0.3), rule=GradientMove()),
    "GaussianMixture": RefittedGenerator(GaussianMixture(2), memory=2),
    "simulator": EvolvedGenerator(normal, [(-10, 20), (-10, 20)], explore=20),
}
ONE_SHAPE = {"simulator": {"accepts_events_of_any_shape": "the simulator makes pairs"}}


@pytest.mark.parametrize("name", GENERATORS_OF_THE_PACKAGE)
def test_generators_of_the_package_keep_the_contract(name):
    assert failures(check_generator(GENERATORS_OF_THE_PACKAGE[name], expected_failures=ONE_SHAPE.get(name))) == {}


def test_torch_modules_keep_the_contract():
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    torch.manual_seed(0)
    discriminator = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    maker = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 2))
    rows, condition = "it is a module for rows of two features", "it is a module of one argument"
    expected = {"accepts_tuples": rows, "accepts_conditions": condition}
    assert failures(check_discriminator(TorchDiscriminator(discriminator), expected_failures=expected)) == {}
    expected = {"accepts_events_of_any_shape": rows, "accepts_conditions": condition}
    assert failures(check_generator(TorchGenerator(maker, 4), expected_failures=expected)) == {}


CLASSIFIERS = every_classifier() | others()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_keeps_the_contract_or_is_known_not_to(name):
    try:
        checks = check_discriminator(CLASSIFIERS[name], expected_failures=KNOWN.get(name))
    except TypeError as refusal:  # one that can be no discriminator at all
        assert name in str(refusal)
    else:
        assert failures(checks) == {}


# --------------------------------------------------------------------------------------------------- what checks are
def test_checks_are_named_described_and_pass_or_are_skipped():
    for check in check_discriminator(SoundDiscriminator()):
        assert str(check) == check.name
        assert repr(check) == f"ContractCheck({check.name!r}, SoundDiscriminator)"
        assert check.description.endswith(".")
        assert check().status in ("passed", "skipped")


def test_what_rests_on_a_failed_check_is_skipped():
    (broken,) = (kind for kind, name in DISCRIMINATORS.items() if kind.__name__ == "Column" and name)
    results = outcomes(check_discriminator(broken()))
    assert results["plays_a_game"].status == "skipped"
    assert results["plays_a_game"].message == "it depends on scores_every_sample, which failed"


def test_a_check_alone_knows_what_it_rests_on():
    (broken,) = (kind for kind in DISCRIMINATORS if kind.__name__ == "Column")
    *_, last = check_discriminator(broken())
    assert last().status == "skipped"


def test_expected_failures_carry_a_reason_and_must_fail():
    reason = {"scores_real_samples_higher": "it is contrary"}
    (contrary,) = (kind for kind in DISCRIMINATORS if kind.__name__ == "Contrary")
    results = outcomes(check_discriminator(contrary(), expected_failures=reason))
    assert failures(check_discriminator(contrary(), expected_failures=reason)) == {}
    assert (results["scores_real_samples_higher"].status, results["scores_real_samples_higher"].message) == (
        "expected",
        "it is contrary",
    )
    (message,) = failures(check_discriminator(SoundDiscriminator(), expected_failures=reason)).values()
    assert "passes scores_real_samples_higher, though expected_failures says that it fails (it is contrary)" in message
    with pytest.raises(ValueError, match="expected_failures names 'nonsense', which is not the name of a check"):
        check_discriminator(SoundDiscriminator(), expected_failures={"nonsense": "?"})


def test_the_player_itself_is_not_taught_and_nothing_else_is_disturbed():
    discriminator, before = SoundDiscriminator(), (np.random.get_state()[1].copy(), random.getstate())  # noqa: NPY002
    outcomes(check_discriminator(discriminator))
    assert vars(discriminator) == {"label": "sound", "floor": 0.3}
    assert np.array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert random.getstate() == before[1]


def test_global_randomness_is_watched_and_put_back():
    before = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    with watch_global_randomness() as disturbed:
        random.random()
        np.random.rand()  # noqa: NPY002
    assert disturbed == ["numpy.random", "random"]
    assert np.array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert random.getstate() == before[1]


@pytest.mark.parametrize("player", [KNeighborsClassifier, 3, GaussianMixture()])
def test_what_is_no_discriminator_is_refused(player):
    with pytest.raises(TypeError):
        check_discriminator(player)


def test_players_are_checked_on_data_of_their_own():
    class Histogram:
        score_type = LogOdds

        def update(self, real, fake, rng):
            counts = [1 + np.bincount(self.bins(b), minlength=30) for b in (real, fake)]
            self.log_odds = np.log(counts[0] / counts[0].sum()) - np.log(counts[1] / counts[1].sum())

        def score_samples(self, batch):
            return LogOdds(self.log_odds[self.bins(batch)])

        def bins(self, batch):
            assert np.all(batch.x >= 0), "lives on positive numbers"
            return np.digitize(batch.x.reshape(batch.n, -1)[:, 0], np.arange(1, 30))

    X = np.random.default_rng(0).exponential(3.0, (300, 1))
    assert failures(check_discriminator(Histogram(), real=X)) == {}
    assert failures(check_discriminator(Histogram(), real=X, fake=X[:40] + 12)) == {}
    assert list(failures(check_discriminator(Histogram()))) == ["scores_every_sample"]


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        ([[1.0, np.nan]] * 3, None, r"real has shape \(3, 2\) and NaN or infinity; expected finite numbers"),
        ([1.0, 2.0], None, r"real has shape \(2,\); expected finite numbers, \(n, \*event\)"),
        ([["a"], ["b"]], None, "real contains values that are not numbers"),
        (np.zeros((5, 2)), np.zeros((5, 3)), r"fake has events of shape \(3,\), and real of shape \(2,\)"),
    ],
)
def test_data_that_cannot_be_used_are_named(real, fake, message):
    with pytest.raises(ValueError, match=message):
        check_discriminator(SoundDiscriminator(), real=real, fake=fake)


# ---------------------------------------------------------------------------------------------- feedback of other types
class Direction(Gradients):
    """A feedback type of a user's own: where each sample should go."""


class Follower(SoundGenerator):
    feedback_type = Direction

    def update(self, samples, feedback):
        assert type(feedback) is Direction
        self.mean_ = self.mean_ + self.rate * feedback.values.mean(axis=0)


@dataclass(frozen=True)
class DirectionSignal:
    discriminator: object

    def __call__(self, fake, real, rng):
        assert len(self.discriminator.score_samples(fake).values) == fake.n
        return ScoredFeedback(Direction(np.zeros(fake.x.shape) + real.x.mean(axis=0) - fake.x.mean(axis=0)), None, None)


def test_a_feedback_type_of_the_users_own_is_made_by_its_signal(monkeypatch):
    def serve(generator, discriminator):
        if not isinstance(discriminator, SoundDiscriminator):
            raise IncompatiblePlayers("Directions come from sound discriminators only.")
        return DirectionSignal(discriminator)

    (first, *_) = check_generator(Follower())
    assert "Follower.feedback_type is Direction, but no signal makes it from TargetDiscriminator or" in first.run().message
    monkeypatch.setattr(feedback, "make_signal", serve)
    assert "Directions come from sound discriminators only. Expected a type that a signal makes." in first.run().message
    results = outcomes(check_generator(Follower(), discriminator=SoundDiscriminator()))
    assert {name: result.message for name, result in results.items() if result.status == "failed"}.keys() <= {"plays_a_game"}
    assert results["lowers_its_loss"].status == "passed"


def test_generators_are_taught_to_the_same_target_by_every_type_of_feedback():
    samples = make_samples()
    example, fake = samples.real(), Samples(samples.real(seed=3).x)
    for generator in (SoundGenerator(), MixtureGenerator(), ForestGenerator(), MixtureGenerator(rule=ScoreFunction())):
        (check, *_) = check_generator(generator)
        assert type(feedback.make_feedback(check.case, generator, fake, example)) is generator.feedback_type


def test_what_does_not_apply_is_omitted_with_the_reason():
    suite = check_discriminator(LogisticRegression())
    assert suite.omitted == {}
    assert len(suite) == len(list(suite)) == 26
    scores = {"log_odds_have_no_prior": "its scores are not log-odds"}
    assert scores.items() <= check_discriminator(HandwrittenDiscriminator(first)).omitted.items()
    assert set(check_generator(MixtureGenerator()).omitted) == {"sample_is_reproducible"}


# ------------------------------------------------------------------------------------------------- gradients, closely
class Bent(SoundDiscriminator):
    """r = sum of |x_j|, or of another function of x_j, with a gradient that is right but for a factor."""

    def __init__(self, score=np.abs, slope=np.sign, factor=1.0, dtype=float):
        super().__init__()
        self.score, self.slope, self.factor, self.dtype = score, slope, factor, dtype

    def _places(self, batch):
        return batch.x.reshape(batch.n, -1)

    def score_samples(self, batch):
        return LogOdds(self.score(self._places(batch)).sum(axis=1).astype(self.dtype))

    def vjp(self, batch):
        g = self.factor * self.slope(self._places(batch))
        return self.score_samples(batch), lambda s: (s[:, None] * g).reshape(batch.x.shape)


def gradient_result(discriminator):
    return outcomes(check_discriminator(discriminator))["vjp_is_the_gradient"]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("factor", [1.0, 0.95, 1.05, 0.0, -1.0])
@pytest.mark.parametrize(
    ("score", "slope"),
    [(np.abs, np.sign), (np.sin, np.cos), (lambda x: np.floor(20 * x) / 20, np.zeros_like), (lambda x: x**2, lambda x: 2 * x)],
    ids=["kinks", "waves", "steps", "parabola"],
)
def test_gradients_are_told_from_those_of_something_else(score, slope, factor, dtype):
    result = gradient_result(Bent(score, slope, factor, dtype))
    right = factor == 1.0 or slope is np.zeros_like
    assert (result.status == "passed") is right, result.message


def test_a_batch_coupled_gradient_is_that_of_the_whole_batch():
    class Coupled(Bent):
        batch_coupled = True

        def score_samples(self, batch):
            x = self._places(batch)
            return LogOdds((x * x.mean(axis=0)).sum(axis=1))

        def vjp(self, batch):
            x = self._places(batch)
            n, mean = len(x), x.mean(axis=0)

            def pullback(s):
                others = (s[:, None] * x).sum(axis=0) / n
                return self.factor * (s[:, None] * mean + others * (self.slope is np.sign)).reshape(batch.x.shape)

            return self.score_samples(batch), pullback

    assert gradient_result(Coupled()).status == "passed"
    assert gradient_result(Coupled(factor=1.1)).status == "failed"
    assert gradient_result(Coupled(slope=np.cos)).status == "failed"  # what a sample does to the others is left out


def test_classifiers_are_checked_as_adapted():
    assert next(iter(check_discriminator(LogisticRegression()))).case.name == "LogisticRegression"
