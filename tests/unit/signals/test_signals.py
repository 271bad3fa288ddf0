"""Signals: estimators against closed forms, the table of legal pairs, refusals with their remedies."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import j1
from sklearn.kernel_ridge import KernelRidge

from tests.players import ExactDiscriminator, Shift, SimpleDiscriminator
from turinglearn import objectives as o
from turinglearn.protocols import (
    Batch,
    Gradients,
    IncompatiblePlayers,
    LogOdds,
    LogRatio,
    Losses,
    PlayerError,
    Scores,
    Weights,
)
from turinglearn.signals import (
    Exact,
    GradientSignal,
    ImportanceWeights,
    LossSignal,
    Smoothed,
    Student,
    WeightSignal,
    effective_sample_size,
    make_signal,
)

ONE = np.ones(1)


def batches(n=40, d=3, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return Batch(scale * rng.normal(1, 1, (n, d))), Batch(scale * rng.normal(0, 2, (n, d)))


# --------------------------------------------------------------------------------------------------------- smoothing
def test_smoothing_is_unbiased_for_the_evidence_averaged_over_balls():
    """E grad sin(w.(x + s b)) = w cos(w.x) 2 J_1(z) / z, z = |w s| sqrt(2), b uniform in the ball of radius sqrt(2)."""
    fake, real = batches(n=4, d=2)
    w, scale, probes = np.array([1.5, -0.7]), 0.6, 100_000
    discriminator = SimpleDiscriminator(lambda x: np.sin(x @ w))
    _, pullback = Smoothed((scale,), probes).vjp(discriminator, fake, real, np.random.default_rng(1))
    z = np.linalg.norm(w * scale * real.x.std(axis=0)) * math.sqrt(2)
    exact = w * np.cos(fake.x @ w)[:, None] * 2 * j1(z) / z
    assert 2 * j1(z) / z < 0.9  # another average would show
    np.testing.assert_allclose(pullback(np.ones(4)), exact, atol=5 * 2 / math.sqrt(probes))


@pytest.mark.parametrize(("d", "probes"), [(1, 4), (2, 4), (3, 6), (8, 8)])
def test_smoothing_is_exact_for_linear_evidence_with_as_many_probes_as_features(d, probes):
    fake, real = batches(n=5, d=d)
    w = np.arange(1.0, d + 1)
    _, pullback = Smoothed((0.1, 0.4), probes).vjp(SimpleDiscriminator(lambda x: x @ w), fake, real, np.random.default_rng(0))
    np.testing.assert_allclose(pullback(np.ones(5)), np.tile(w, (5, 1)), rtol=1e-9)


def test_smoothing_is_unbiased_with_fewer_probes_than_features():
    fake, real = batches(n=4000, d=6)
    w = np.arange(1.0, 7)
    _, pullback = Smoothed((0.1,), 2).vjp(SimpleDiscriminator(lambda x: x @ w), fake, real, np.random.default_rng(0))
    np.testing.assert_allclose(pullback(np.ones(4000)).mean(axis=0), w, atol=0.7)


def test_directions_of_a_sample_are_orthogonal_and_their_own():
    fake, real = batches(n=6, d=5)
    discriminator = SimpleDiscriminator()
    Smoothed((0.1,), 5).vjp(discriminator, fake, real, np.random.default_rng(0))
    step = (discriminator.calls[0].x.reshape(11, 6, 5)[1:6] - fake.x) / (0.1 * real.x.std(axis=0))
    for sample in range(6):
        np.testing.assert_allclose(step[:, sample] @ step[:, sample].T, 5 * np.eye(5), atol=1e-9)
    assert len(np.unique(step.reshape(-1, 5).round(9), axis=0)) == 30


def test_smoothing_is_exact_in_the_mean_for_a_quadratic_at_every_scale():
    fake, real = batches(n=3, d=2)
    discriminator = SimpleDiscriminator(lambda x: (x**2).sum(axis=1))
    _, pullback = Smoothed((0.05, 0.5, 2.0), 30_000).vjp(discriminator, fake, real, np.random.default_rng(2))
    np.testing.assert_allclose(pullback(np.ones(3)), 2 * fake.x, atol=0.15)


def test_every_probe_and_the_batch_itself_go_in_one_call():
    discriminator, (fake, real) = SimpleDiscriminator(), batches(n=10)
    scores, _ = Smoothed(probes=6).vjp(discriminator, fake, real, np.random.default_rng(0))
    assert [call.n for call in discriminator.calls] == [13 * 10]
    np.testing.assert_array_equal(scores.values, fake.x.sum(axis=1))


def test_smoothing_follows_the_units_of_the_features():
    """In other units the gradient is the same covector."""
    units = np.array([1000.0, 1.0, 0.01])
    fake, real = batches()
    derivative, discriminator = Smoothed(), SimpleDiscriminator(lambda x: np.tanh(x).sum(axis=1))
    scaled = SimpleDiscriminator(lambda x: np.tanh(x / units).sum(axis=1))
    g = derivative.vjp(discriminator, fake, real, np.random.default_rng(0))[1](np.ones(40))
    there = Batch(fake.x * units), Batch(real.x * units)
    h = derivative.vjp(scaled, *there, np.random.default_rng(0))[1](np.ones(40))
    np.testing.assert_allclose(g, h * units, rtol=1e-9)


@pytest.mark.parametrize("derivative", [Smoothed(), Student()], ids=["smoothed", "student"])
def test_a_feature_that_does_not_vary_is_left_alone(derivative):
    fake, real = batches()
    fake.x[:, 1] = real.x[:, 1] = 5.0
    seen = []
    discriminator = SimpleDiscriminator(lambda x: seen.append(np.unique(x[:, 1])) or x.sum(axis=1))
    _, pullback = derivative.vjp(discriminator, fake, real, np.random.default_rng(0))
    assert seen[0].tolist() == [5.0]
    assert not pullback(np.ones(40))[:, 1].any()


@pytest.mark.parametrize("derivative", [Smoothed(), Student()], ids=["smoothed", "student"])
def test_probes_keep_their_condition(derivative):
    rng, condition = np.random.default_rng(0), np.arange(40.0)[:, None]
    fake, real = Batch(condition + 0.001 * rng.standard_normal((40, 1)), condition), Batch(condition.copy(), condition)
    discriminator = SimpleDiscriminator()
    derivative_of = derivative.vjp(discriminator, fake, real, rng)
    call = discriminator.calls[0]
    assert call.condition.shape == (call.n, 1)
    assert np.abs(call.x - call.condition).max() < 40  # a shuffled condition would be off by up to 39 plus the probes
    np.testing.assert_array_equal(call.condition[:40], condition)
    assert derivative_of[1](np.ones(40)).shape == (40, 1)


@pytest.mark.parametrize("derivative", [Smoothed(), Student()], ids=["smoothed", "student"])
def test_probes_of_tuples_keep_their_conditions(derivative):
    """Packed: x (n/m, m, d) and given (n/m, m, c); the condition is far larger than the probes, and tells the tuple."""
    condition = 1000 * np.arange(20.0).reshape(10, 2, 1)
    x = condition + np.random.default_rng(0).standard_normal((10, 2, 1)) * 1e-3
    discriminator = SimpleDiscriminator()
    derivative.vjp(discriminator, Batch(x, condition), Batch(x - condition, condition), np.random.default_rng(0))
    call = discriminator.calls[0]
    own = np.abs(call.x - call.condition).max(axis=(1, 2)) < 1
    assert own.mean() > 0.6  # all fakes and their probes; the student's real samples lie near 0
    assert own[:10].all()


@pytest.mark.parametrize("derivative", [Smoothed(), Student()], ids=["smoothed", "student"])
def test_rounding_is_no_spread(derivative):
    fake, real = batches()
    fake.x[:, 1] = real.x[:, 1] = 0.1  # whose standard deviation is 1e-16, not 0
    _, pullback = derivative.vjp(SimpleDiscriminator(), fake, real, np.random.default_rng(0))
    assert not pullback(np.ones(40))[:, 1].any()


@pytest.mark.parametrize("derivative", [Smoothed(), Student()], ids=["smoothed", "student"])
def test_one_sample_has_no_spread(derivative):
    with pytest.raises(ValueError, match=r"by the spread of real samples, but has 1. Choose a batch_size of at least 2"):
        derivative.vjp(SimpleDiscriminator(), Batch(np.ones((1, 2))), Batch(np.ones((1, 2))), np.random.default_rng(0))


@pytest.mark.parametrize("derivative", [Smoothed(), Student()], ids=["smoothed", "student"])
def test_discriminators_see_probes_as_they_see_fakes(arrays_on, derivative):
    x = np.random.default_rng(0).standard_normal((20, 2))
    fake = Batch(arrays_on.asarray(x, arrays_on.xp.float32))
    seen = []
    discriminator = SimpleDiscriminator(lambda x: seen.append(x) or arrays_on.xp.sum(x, axis=1))
    derivative.vjp(discriminator, fake, Batch(arrays_on.asarray(x)), np.random.default_rng(0))
    assert type(seen[0]) is type(fake.x)
    assert seen[0].dtype == fake.x.dtype


@pytest.mark.parametrize("derivative", [Smoothed(), Student()], ids=["smoothed", "student"])
def test_events_of_any_shape(derivative):
    rng = np.random.default_rng(0)
    fake, real = Batch(rng.standard_normal((30, 2, 3))), Batch(rng.standard_normal((30, 2, 3)))
    _, pullback = derivative.vjp(SimpleDiscriminator(), fake, real, rng)
    gradient = pullback(np.ones(30))
    assert gradient.shape == (30, 2, 3)
    assert np.mean(gradient * np.ones((2, 3))) > 0.3  # the score is the sum: every slope is 1


@pytest.mark.parametrize("arguments", [{"scales": ()}, {"scales": (0.1, 0)}, {"scales": (0.1, 0.2), "probes": 1}])
def test_bad_smoothing(arguments):
    with pytest.raises(ValueError, match=r"Smoothed\(.*expected"):
        Smoothed(**arguments)


# ----------------------------------------------------------------------------------------------------------- students
def regression(discriminator, width, ridge, n):
    """Kernel ridge regression, by scikit-learn, on the points that a student showed its discriminator, and its width."""
    points = discriminator.calls[0].x
    distances = np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))
    h = width * np.median(distances[np.triu_indices(n, 1)])
    r = discriminator.score(points)
    return KernelRidge(kernel="rbf", gamma=1 / (2 * h**2), alpha=ridge * n).fit(points, r - r.mean()), h


def units(n, d, seed=0):
    """Batches whose real samples have spread 1 in each feature."""
    fake, real = batches(n, d, seed)
    return fake, Batch((real.x - real.x.mean(axis=0)) / real.x.std(axis=0))


def test_a_regressions_gradient_is_that_of_kernel_ridge_regression():
    fake, real = units(30, 3)
    discriminator, student = (
        SimpleDiscriminator(lambda x: np.sin(x.sum(axis=1))),
        Student((0.7,), 1e-2, scales=(0,), centres=90),
    )
    gradient = student.vjp(discriminator, fake, real, np.random.default_rng(0))[1](np.ones(30))
    reference, _ = regression(discriminator, 0.7, 1e-2, 90)
    for axis in range(3):
        e = 1e-6 * np.eye(3)[axis]
        difference = (reference.predict(fake.x + e) - reference.predict(fake.x - e)) / 2e-6
        np.testing.assert_allclose(gradient[:, axis], difference, atol=1e-4)


def test_a_regression_is_convolved_in_closed_form():
    """Against quadrature in two dimensions."""
    fake, real = units(20, 2)
    discriminator, student = (
        SimpleDiscriminator(lambda x: np.sin(2 * x.sum(axis=1))),
        Student((0.5,), 1e-2, scales=(0.4,), centres=60),
    )
    gradient = student.vjp(discriminator, fake, real, np.random.default_rng(0))[1](np.ones(20))
    reference, _ = regression(discriminator, 0.5, 1e-2, 60)
    nodes, weights = np.polynomial.hermite_e.hermegauss(30)
    offsets = 0.4 * np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2)
    mass = np.outer(weights, weights).reshape(-1) / (2 * np.pi)
    for axis in range(2):
        e = 1e-5 * np.eye(2)[axis]
        ends = [reference.predict((fake.x[:, None] + sign * e + offsets).reshape(-1, 2)) for sign in (1, -1)]
        difference = ((ends[0] - ends[1]) / 2e-5).reshape(20, -1) @ mass
        np.testing.assert_allclose(gradient[:, axis], difference, atol=1e-4)


@pytest.mark.parametrize("d", [1, 2, 10])
def test_students_are_nearly_exact_for_linear_evidence(d):
    rng, w = np.random.default_rng(0), np.arange(1.0, d + 1) / np.linalg.norm(np.arange(1.0, d + 1))
    fake, real = Batch(rng.standard_normal((100, d))), Batch(rng.standard_normal((100, d)) + w)

    def error(student):
        _, pullback = student.vjp(SimpleDiscriminator(lambda x: x @ w - 0.5), fake, real, np.random.default_rng(0))
        return np.sqrt(np.mean(np.sum((pullback(np.ones(100)) - w) ** 2, axis=1)))

    assert error(Student()) < 0.2  # |w| = 1
    assert error(Student(ridge=1e-7, scales=(0,))) < 0.05


def test_students_of_a_discriminator_that_is_wrong_are_wide():
    """Where the evidence says nothing of fresh labels, or the opposite, no width is likelier: weights go with the width."""
    fake, real = units(30, 2)
    fake, real = Batch(-np.abs(fake.x)), Batch(np.abs(real.x))
    discriminator = SimpleDiscriminator(lambda x: -x.sum(axis=1))  # it takes the fakes for real
    together, wide = (
        Student(w, 1e-2, scales=(0,), centres=90).vjp(discriminator, fake, real, np.random.default_rng(0))[1](np.ones(30))
        for w in ((0.2, 0.9), (0.9,))
    )
    spread = Batch(fake.x / real.x.std(axis=0)), Batch(real.x / real.x.std(axis=0))
    discriminator = SimpleDiscriminator(lambda x: -(x * real.x.std(axis=0)).sum(axis=1))
    Student((0.9,), 1e-2, scales=(0,), centres=90).vjp(discriminator, *spread, np.random.default_rng(0))
    points = discriminator.calls[0].x
    first, h = regression(discriminator, 0.9, 1e-2, 90)
    left = discriminator.score(points) - discriminator.score(points).mean() - first.predict(points)
    second = KernelRidge(kernel="rbf", gamma=1 / (2 * (0.2 / 0.9 * h) ** 2), alpha=0.9).fit(points, left)
    for axis in range(2):
        e = 1e-6 * np.eye(2)[axis]
        x = spread[0].x
        difference = (second.predict(x + e) - second.predict(x - e)) / 2e-6 / real.x.std(axis=0)[axis]
        np.testing.assert_allclose((together - wide)[:, axis], 0.2 / 1.1 * difference, atol=1e-3)


@pytest.mark.parametrize("score_type", [LogOdds, Scores])
def test_students_follow_what_holds_on_fresh_samples_and_no_further(score_type):
    """Steps around log p/q are smoothed away; the same oscillation, where it is log p/q, is followed."""
    rng, n = np.random.default_rng(0), 400
    fake, real = Batch(rng.standard_normal((n, 1)) - 1), Batch(rng.standard_normal((n, 1)) + 1)
    steps = SimpleDiscriminator(lambda x: 2 * np.round(x[:, 0] / 0.5) * 0.5, score_type)
    trend = Student().vjp(steps, fake, real, rng)[1](np.ones(n))
    assert np.mean(np.abs(trend - 2) < 0.6) > 0.9  # log p/q = 2 x: slope 2, not 0 and infinity
    frequency = 4 * np.pi
    x = rng.uniform(-1, 1, (20 * n, 1))
    odds = 3 * np.sin(frequency * x[:, 0])
    real_x = rng.random(len(x)) < 1 / (1 + np.exp(-odds))
    waves = SimpleDiscriminator(lambda x: 3 * np.sin(frequency * x[:, 0]), score_type)
    fake, real = Batch(x[~real_x][:n]), Batch(x[real_x][:n])
    gradient = Student().vjp(waves, fake, real, rng)[1](np.ones(n))
    assert np.corrcoef(gradient[:, 0], np.cos(frequency * fake.x[:, 0]))[0, 1] > 0.9


def test_scores_without_a_level_teach_students_the_same_in_any_unit():
    fake, real = batches()
    small, large = (
        Student().vjp(
            SimpleDiscriminator(lambda x, c=c: c * np.tanh(x).sum(axis=1) + c, Scores), fake, real, np.random.default_rng(0)
        )[1]
        for c in (1.0, 1e4)
    )
    np.testing.assert_allclose(large(np.ones(40)), 1e4 * small(np.ones(40)), rtol=1e-6)


def test_the_student_points_the_right_way_in_many_dimensions():
    """Where smoothing with the same number of queries is mostly noise."""
    rng, d, n = np.random.default_rng(0), 30, 200
    w = rng.standard_normal(d) / math.sqrt(d)
    discriminator = SimpleDiscriminator(lambda x: np.sign(x @ w) * 2 + 0.5 * rng.standard_normal(len(x)))
    fake, real = Batch(rng.standard_normal((n, d)) - w), Batch(rng.standard_normal((n, d)) + w)

    def cosine(derivative):
        g = derivative.vjp(discriminator, fake, real, rng)[1](np.ones(n))
        return float(np.mean(g @ w / np.linalg.norm(g, axis=1) / np.linalg.norm(w)))

    student, smoothed = cosine(Student()), cosine(Smoothed((0.3,), 1))
    assert student > 0.9
    assert student > 2 * smoothed


def test_a_discriminator_without_an_opinion_teaches_the_student_nothing():
    fake, real = batches()
    _, pullback = Student().vjp(SimpleDiscriminator(lambda x: np.zeros(len(x))), fake, real, np.random.default_rng(0))
    assert not pullback(np.ones(40)).any()


@pytest.mark.parametrize(
    "arguments", [{"widths": ()}, {"widths": (1, 0)}, {"scales": (-1,)}, {"ridge": 0}, {"jitter": 0}, {"centres": 0}]
)
def test_bad_students(arguments):
    with pytest.raises(ValueError, match=r"Student\(.*expected"):
        Student(**arguments)


# ------------------------------------------------------------------------------------------------------------ weights
@given(
    r=st.lists(st.floats(-200, 200), min_size=2, max_size=60),
    damping=st.floats(0.05, 1),
    least=st.floats(0, 0.9),
)
def test_weights_have_mean_one_and_enough_effective_samples(r, damping, least):
    r = np.array(r)
    w = ImportanceWeights(damping, least).weights(r)
    assert w.mean() == pytest.approx(1)
    assert (w >= 0).all()
    assert (np.diff(w[np.argsort(r)]) >= -1e-12).all()
    assert effective_sample_size(w) >= least * len(r) * (1 - 1e-6)


def test_weights_are_the_density_ratio_where_there_is_enough_of_it():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(200_000)
    w = ImportanceWeights().weights(0.5 * x - 0.125)  # N(0.5, 1) against N(0, 1)
    np.testing.assert_allclose(w, np.exp(0.5 * x - 0.125), rtol=0.01)
    assert np.mean(w * x) == pytest.approx(0.5, abs=0.02)
    assert effective_sample_size(w) / len(w) == pytest.approx(math.exp(-0.25), abs=0.01)


@pytest.mark.parametrize("arguments", [{"damping": 0}, {"damping": 2}, {"least_effective": 1}, {"least_effective": -1}])
def test_bad_weights(arguments):
    with pytest.raises(ValueError, match=r"ImportanceWeights\(.*expected"):
        ImportanceWeights(**arguments)


# ---------------------------------------------------------------------------------------------------------- the bridge
SCORE, LEVEL, ODDS = (
    SimpleDiscriminator(score_type=Scores),
    SimpleDiscriminator(score_type=LogRatio),
    SimpleDiscriminator(score_type=LogOdds),
)
EXACT = ExactDiscriminator(lambda x: x.sum(axis=1), np.ones_like)


@pytest.mark.parametrize(
    ("feedback_type", "discriminator", "signal", "objective"),
    [
        (Losses, ODDS, LossSignal, o.NonSaturating),
        (Losses, LEVEL, LossSignal, o.ReverseKL),
        (Losses, SCORE, LossSignal, o.LinearLoss),
        (Gradients, EXACT, GradientSignal, o.NonSaturating),
        (Gradients, ODDS, GradientSignal, o.NonSaturating),
        (Weights, ODDS, WeightSignal, o.ForwardKL),
        (Weights, LEVEL, WeightSignal, o.ForwardKL),
    ],
)
def test_the_usual_signal(feedback_type, discriminator, signal, objective):
    bound = make_signal(Shift(feedback_type), discriminator)
    assert isinstance(bound, signal)
    assert isinstance(bound.objective, objective)
    assert bound.discriminator is discriminator


def test_gradients_are_exact_where_they_can_be_had():
    assert make_signal(Shift(), EXACT).derivative == Exact()
    assert make_signal(Shift(), ODDS).derivative == Student()
    assert make_signal(Shift(), EXACT, signal=Smoothed()).derivative == Smoothed()


@pytest.mark.parametrize(
    ("feedback_type", "discriminator", "arguments", "message"),
    [
        (
            Weights,
            SCORE,
            {},
            r"Shift learns from weights.*Discriminator gives Scores.*Choose a discriminator that gives log-odds",
        ),
        (Weights, ODDS, {"objective": o.NonSaturating()}, r"always descend KL\(p \|\| q\).*Leave objective out"),
        (Weights, ODDS, {"replayed": True}, r"log p/q_fit.*Leave replay or incremental out"),
        (
            Gradients,
            SCORE,
            {"objective": o.NonSaturating()},
            r"Discriminator gives Scores.*\(LeastSquaresLoss, LinearLoss, RelativisticLoss\)",
        ),
        (
            Losses,
            LEVEL,
            {"objective": o.Minimax()},
            r"Minimax requires LogOdds, but SimpleDiscriminator gives LogRatio.*\(ForwardKL, .*ReverseKL\)",
        ),
        (Losses, ODDS, {"signal": Smoothed()}, r"makes gradients, but Shift learns from losses. Leave signal out"),
        (Gradients, ODDS, {"signal": ImportanceWeights()}, r"makes weights, but Shift learns from gradients"),
        (Weights, ODDS, {"signal": Student()}, r"makes gradients, but Shift learns from weights"),
        (Gradients, ODDS, {"signal": Exact()}, r"only scores. Estimate them: Game\(..., signal=Student\(\)\)"),
        ("votes", ODDS, {}, r"Shift.feedback_type is 'votes'; expected Gradients, Leaves, Losses, Weights"),
    ],
)
def test_no_honest_way(feedback_type, discriminator, arguments, message):
    with pytest.raises(IncompatiblePlayers, match=message):
        make_signal(Shift(feedback_type), discriminator, **arguments)


@pytest.mark.parametrize("discriminator", [SCORE, LEVEL], ids=["scores", "log-ratios"])
def test_the_losses_that_an_error_offers_are_those_that_play(discriminator):
    with pytest.raises(IncompatiblePlayers) as error:
        make_signal(Shift(Losses), discriminator, o.NonSaturating())
    offered = set(re.search(r"accepts these \((.*?)\)", str(error.value))[1].split(", "))
    for name in {name for name in o.__all__ if hasattr(getattr(o, name), "losses")} - {"GeneratorObjective"}:
        if name in offered:
            make_signal(Shift(Losses), discriminator, getattr(o, name)())
        else:
            with pytest.raises(IncompatiblePlayers):
                make_signal(Shift(Losses), discriminator, getattr(o, name)())


def test_batch_coupled_discriminators_are_not_probed():
    discriminator = SimpleDiscriminator()
    discriminator.batch_coupled = True
    with pytest.raises(
        IncompatiblePlayers, match=r"probes sample by sample, but a score of SimpleDiscriminator depends on its whole"
    ):
        make_signal(Shift(), discriminator)
    assert isinstance(make_signal(Shift(Losses), discriminator), LossSignal)


@pytest.mark.parametrize("arguments", [{"signal": 3}, {"signal": Smoothed}, {"objective": o.NonSaturating}, {"objective": 1}])
def test_signals_and_objectives_are_instances(arguments):
    with pytest.raises(TypeError, match=r"expected .*or None for the usual one"):
        make_signal(Shift(), ODDS, **arguments)


# ------------------------------------------------------------------------------------------------------------ lessons
@pytest.mark.parametrize("loss", [o.NonSaturating(), o.Minimax(), o.ReverseKL(), o.ForwardKL(), o.RelativisticLoss()])
def test_gradients_are_of_the_summed_losses(loss):
    """Against finite differences of sum l(r(x)), through the discriminator."""
    discriminator = ExactDiscriminator(lambda x: np.sin(x).sum(axis=1), np.cos)
    fake, real = batches(n=5)
    signal, rng, step = make_signal(Shift(), discriminator, loss), np.random.default_rng(0), 1e-6
    gradient = signal(fake, real, rng).feedback.values
    losses = make_signal(Shift(Losses), discriminator, loss)
    for index in np.ndindex(fake.x.shape):
        ends = []
        for sign in (1, -1):
            x = fake.x.copy()
            x[index] += sign * step
            ends.append(losses(Batch(x), real, rng).feedback.values.sum())
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(gradient[index], abs=1e-7)


def test_a_pullback_of_the_wrong_shape_is_named():
    discriminator = ExactDiscriminator(lambda x: x.sum(axis=1), lambda x: x[:, :1])
    fake, real = batches()
    with pytest.raises(PlayerError, match=r"ExactDiscriminator.vjp's pullback returned gradients of shape \(40, 1\)"):
        make_signal(Shift(), discriminator)(fake, real, np.random.default_rng(0))
