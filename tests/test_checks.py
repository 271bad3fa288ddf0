"""The contract suite: players of the package and every classifier pass it, and each broken player fails the check for it."""

from __future__ import annotations

import random

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity, KNeighborsClassifier

from tests.broken_players import GENERATORS, JUDGES, ExactJudge, SoundGenerator, SoundJudge
from tests.every_classifier import KNOWN, every_classifier, others
from turinglearn.checks import BrokenContract, check_discriminator, check_generator
from turinglearn.checks.problem import undisturbed
from turinglearn.discriminators import HandwrittenDiscriminator, KernelSVMDiscriminator, NeuralDiscriminator, TorchDiscriminator
from turinglearn.generators import (
    EvolvedGenerator,
    MixtureGenerator,
    Moved,
    NeuralGenerator,
    RefittedGenerator,
    ScoreFunction,
    TorchGenerator,
)
from turinglearn.nn import R1, BatchNorm, LayerNorm, SpectralNorm, Tanh
from turinglearn.objectives import Hinge, LeastSquares, Relativistic, Wasserstein
from turinglearn.protocols import LogOdds, PlayerError


def outcomes(checks):
    return {check.name: check.run() for check in checks}


def failures(checks):
    return {name: result.message for name, result in outcomes(checks).items() if result.status == "failed"}


# ------------------------------------------------------------------------------------------------------- broken players
@pytest.mark.parametrize("broken", JUDGES, ids=lambda kind: kind.__name__)
def test_a_broken_judge_fails_the_check_that_is_meant_for_it(broken):
    assert list(failures(check_discriminator(broken()))) == [JUDGES[broken]]


@pytest.mark.parametrize("broken", GENERATORS, ids=lambda kind: kind.__name__)
def test_a_broken_generator_fails_the_check_that_is_meant_for_it(broken):
    assert list(failures(check_generator(broken()))) == [GENERATORS[broken]]


def test_every_check_can_fail():
    assert {check.name for check in check_discriminator(SoundJudge())} == set(JUDGES.values())
    assert {check.name for check in check_generator(SoundGenerator())} == set(GENERATORS.values())


@pytest.mark.parametrize("broken", [*JUDGES, *GENERATORS], ids=lambda kind: kind.__name__)
def test_a_failure_says_what_was_expected_and_the_remedy(broken):
    suite = check_discriminator if broken in JUDGES else check_generator
    name = JUDGES.get(broken) or GENERATORS[broken]
    (check,) = (check for check in suite(broken()) if check.name == name)
    with pytest.raises(BrokenContract) as caught:
        check()
    message = str(caught.value)
    assert broken.__name__ in message or "Logistic" in message or "score_" in message
    assert "xpected" in message
    assert caught.value.__cause__ is not None
    assert isinstance(caught.value, PlayerError)
    assert isinstance(caught.value, AssertionError)


# ------------------------------------------------------------------------------------------------------- sound players
def first(x):
    return -x.reshape(len(x), -1)[:, 0]


def slope(x):
    g = np.zeros((len(x), x[0].size))
    g[:, 0] = -1
    return g.reshape(x.shape)


JUDGES_OF_THE_PACKAGE = {
    "sound": SoundJudge(),
    "sound, exact": ExactJudge(),
    "network": NeuralDiscriminator(),
    "network, batch norm, dropout": NeuralDiscriminator(normalization=BatchNorm(), dropout=0.1),
    "network, tanh, layer norm, R1": NeuralDiscriminator(activation=Tanh(), normalization=LayerNorm(), penalties=(R1(1.0),)),
    "network, least squares": NeuralDiscriminator(criterion=LeastSquares()),
    "network, hinge, spectral norm": NeuralDiscriminator(criterion=Hinge(), normalization=SpectralNorm()),
    "network, deviation": NeuralDiscriminator(minibatch_deviation=True),
    "network, double": NeuralDiscriminator(dtype="float64"),
    "critic": NeuralDiscriminator(criterion=Wasserstein()),
    "relativistic": NeuralDiscriminator(criterion=Relativistic()),
    "SVM": KernelSVMDiscriminator(),
    "handwritten": HandwrittenDiscriminator(first),
    "handwritten, level": HandwrittenDiscriminator(first, fit_level=True),
    "handwritten, gradient": HandwrittenDiscriminator(first, gradient=slope),
}


@pytest.mark.parametrize("judge", JUDGES_OF_THE_PACKAGE.values(), ids=JUDGES_OF_THE_PACKAGE)
def test_judges_of_the_package_keep_the_contract(judge):
    assert failures(check_discriminator(judge)) == {}


def normal(parameters, n, rng):
    return parameters + rng.standard_normal((n, 2))


GENERATORS_OF_THE_PACKAGE = {
    "sound": SoundGenerator(),
    "network": NeuralGenerator(),
    "network, batch norm, averaging": NeuralGenerator(normalization=BatchNorm(), averaging=0.9, dropout=0.1),
    "mixture": MixtureGenerator(),
    "mixture, score function": MixtureGenerator(rule=ScoreFunction()),
    "density": KernelDensity(bandwidth=0.3),
    "density, moved": RefittedGenerator(KernelDensity(bandwidth=0.3), rule=Moved()),
    "GaussianMixture": RefittedGenerator(GaussianMixture(2), memory=2),
    "simulator": EvolvedGenerator(normal, [(-10, 20), (-10, 20)], explore=20),
}
ONE_SHAPE = {"simulator": {"makes_events_of_any_shape": "the simulator makes pairs"}}


@pytest.mark.parametrize("name", GENERATORS_OF_THE_PACKAGE)
def test_generators_of_the_package_keep_the_contract(name):
    assert failures(check_generator(GENERATORS_OF_THE_PACKAGE[name], expected_failures=ONE_SHAPE.get(name))) == {}


def test_torch_modules_keep_the_contract():
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    torch.manual_seed(0)
    judge = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    maker = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 2))
    rows, told = "it is a module for rows of two features", "it is a module of one argument"
    expected = {"takes_tuples": rows, "takes_conditions": told}
    assert failures(check_discriminator(TorchDiscriminator(judge), expected_failures=expected)) == {}
    expected = {"makes_events_of_any_shape": rows, "passes_conditions_on": told}
    assert failures(check_generator(TorchGenerator(maker, 4), expected_failures=expected)) == {}


CLASSIFIERS = every_classifier() | others()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_keeps_the_contract_or_is_known_not_to(name):
    try:
        checks = check_discriminator(CLASSIFIERS[name], expected_failures=KNOWN.get(name))
    except TypeError as refusal:  # one that can be no judge at all
        assert name in str(refusal)
    else:
        assert failures(checks) == {}


# --------------------------------------------------------------------------------------------------- what checks are
def test_checks_are_named_described_and_pass_or_are_skipped():
    for check in check_discriminator(SoundJudge()):
        assert str(check) == check.name
        assert repr(check) == f"Check({check.name!r}, SoundJudge)"
        assert check.description.endswith(".")
        assert check().status in ("passed", "skipped")


def test_what_rests_on_a_failed_check_is_skipped():
    (broken,) = (kind for kind, name in JUDGES.items() if kind.__name__ == "Column" and name)
    results = outcomes(check_discriminator(broken()))
    assert results["plays"].status == "skipped"
    assert results["plays"].message == "it rests on gives_a_score_for_each_sample, which failed"


def test_a_check_alone_knows_what_it_rests_on():
    (broken,) = (kind for kind in JUDGES if kind.__name__ == "Column")
    *_, last = check_discriminator(broken())
    assert last().status == "skipped"


def test_expected_failures_carry_a_reason_and_must_fail():
    reason = {"scores_genuine_samples_higher": "it is contrary"}
    (contrary,) = (kind for kind in JUDGES if kind.__name__ == "Contrary")
    results = outcomes(check_discriminator(contrary(), expected_failures=reason))
    assert failures(check_discriminator(contrary(), expected_failures=reason)) == {}
    assert (results["scores_genuine_samples_higher"].status, results["scores_genuine_samples_higher"].message) == (
        "expected",
        "it is contrary",
    )
    (message,) = failures(check_discriminator(SoundJudge(), expected_failures=reason)).values()
    assert "passes scores_genuine_samples_higher, though expected_failures says that it fails (it is contrary)" in message
    with pytest.raises(ValueError, match="expected_failures names 'nonsense', which no check is called"):
        check_discriminator(SoundJudge(), expected_failures={"nonsense": "?"})


def test_the_player_itself_is_not_taught_and_nothing_else_is_disturbed():
    judge, before = SoundJudge(), (np.random.get_state()[1].copy(), random.getstate())  # noqa: NPY002
    outcomes(check_discriminator(judge))
    assert vars(judge) == {"label": "sound", "floor": 0.3}
    assert np.array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert random.getstate() == before[1]


def test_global_randomness_is_watched_and_put_back():
    before = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    with undisturbed() as disturbed:
        random.random()
        np.random.rand()  # noqa: NPY002
    assert disturbed == ["numpy.random", "random"]
    assert np.array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert random.getstate() == before[1]


@pytest.mark.parametrize("player", [KNeighborsClassifier, 3, GaussianMixture()])
def test_what_is_no_judge_is_refused(player):
    with pytest.raises(TypeError):
        check_discriminator(player)


def test_players_are_checked_on_data_of_their_own():
    class Histogram:
        says = LogOdds

        def update(self, real, fake, rng):
            counts = [1 + np.bincount(self.bins(b), minlength=30) for b in (real, fake)]
            self.log_odds = np.log(counts[0] / counts[0].sum()) - np.log(counts[1] / counts[1].sum())

        def examine(self, batch):
            return LogOdds(self.log_odds[self.bins(batch)])

        def bins(self, batch):
            assert np.all(batch.x >= 0), "lives on positive numbers"
            return np.digitize(batch.x.reshape(batch.n, -1)[:, 0], np.arange(1, 30))

    X = np.random.default_rng(0).exponential(3.0, (300, 1))
    assert failures(check_discriminator(Histogram(), genuine=X)) == {}
    assert failures(check_discriminator(Histogram(), genuine=X, counterfeit=X[:40] + 12)) == {}
    assert list(failures(check_discriminator(Histogram()))) == ["gives_a_score_for_each_sample"]


@pytest.mark.parametrize(
    ("genuine", "counterfeit", "message"),
    [
        ([[1.0, np.nan]] * 3, None, r"genuine has shape \(3, 2\) and NaN or infinity; expected finite numbers"),
        ([1.0, 2.0], None, r"genuine has shape \(2,\); expected finite numbers, \(n, \*event\)"),
        ([["a"], ["b"]], None, "genuine holds other things than numbers"),
        (np.zeros((5, 2)), np.zeros((5, 3)), r"counterfeit has events of shape \(3,\), and genuine of shape \(2,\)"),
    ],
)
def test_data_that_cannot_be_used_are_named(genuine, counterfeit, message):
    with pytest.raises(ValueError, match=message):
        check_discriminator(SoundJudge(), genuine=genuine, counterfeit=counterfeit)


# ------------------------------------------------------------------------------------------------- gradients, closely
class Bent(SoundJudge):
    """r = sum of |x_j|, or of what bend makes of x_j, with a gradient that is right but for a factor."""

    def __init__(self, bend=np.abs, slope=np.sign, factor=1.0, dtype=float):
        super().__init__()
        self.bend, self.slope, self.factor, self.dtype = bend, slope, factor, dtype

    def _places(self, batch):
        return batch.x.reshape(batch.n, -1)

    def examine(self, batch):
        return LogOdds(self.bend(self._places(batch)).sum(axis=1).astype(self.dtype))

    def vjp(self, batch):
        g = self.factor * self.slope(self._places(batch))
        return self.examine(batch), lambda s: (s[:, None] * g).reshape(batch.x.shape)


def gradient_result(judge):
    return outcomes(check_discriminator(judge))["vjp_is_the_gradient"]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("factor", [1.0, 0.95, 1.05, 0.0, -1.0])
@pytest.mark.parametrize(
    ("bend", "slope"),
    [(np.abs, np.sign), (np.sin, np.cos), (lambda x: np.floor(20 * x) / 20, np.zeros_like), (lambda x: x**2, lambda x: 2 * x)],
    ids=["kinks", "waves", "steps", "parabola"],
)
def test_gradients_are_told_from_those_of_something_else(bend, slope, factor, dtype):
    result = gradient_result(Bent(bend, slope, factor, dtype))
    right = factor == 1.0 or slope is np.zeros_like
    assert (result.status == "passed") is right, result.message


def test_a_batch_coupled_gradient_is_that_of_the_whole_batch():
    class Coupled(Bent):
        batch_coupled = True

        def examine(self, batch):
            x = self._places(batch)
            return LogOdds((x * x.mean(axis=0)).sum(axis=1))

        def vjp(self, batch):
            x = self._places(batch)
            n, mean = len(x), x.mean(axis=0)

            def pullback(s):
                others = (s[:, None] * x).sum(axis=0) / n
                return self.factor * (s[:, None] * mean + others * (self.slope is np.sign)).reshape(batch.x.shape)

            return self.examine(batch), pullback

    assert gradient_result(Coupled()).status == "passed"
    assert gradient_result(Coupled(factor=1.1)).status == "failed"
    assert gradient_result(Coupled(slope=np.cos)).status == "failed"  # what a sample does to the others is left out


def test_classifiers_are_checked_as_adapted():
    assert next(iter(check_discriminator(LogisticRegression()))).subject.who == "LogisticRegression"
