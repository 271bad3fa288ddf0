"""Signals: estimators against closed forms, the table of legal pairs, refusals with their remedies."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.kernel_ridge import KernelRidge

from tests.players import ExactJudge, Judge, Shift
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
    bridge,
    effective_sample_size,
)

ONE = np.ones(1)


def batches(n=40, d=3, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return Batch(scale * rng.normal(1, 1, (n, d))), Batch(scale * rng.normal(0, 2, (n, d)))


# --------------------------------------------------------------------------------------------------------- smoothing
def test_smoothing_is_unbiased_for_the_smoothed_evidence():
    """E grad sin(w.(x + s u)) = w cos(w.x) exp(-|w s|^2 / 2), s in units of each feature's spread."""
    fake, real = batches(n=4, d=2)
    w, scale, probes = np.array([1.5, -0.7]), 0.3, 200_000
    judge = Judge(lambda x: np.sin(x @ w))
    _, pullback = Smoothed((scale,), probes).vjp(judge, fake, real, np.random.default_rng(1))
    s = scale * real.x.std(axis=0)
    exact = w * np.cos(fake.x @ w)[:, None] * np.exp(-np.sum((w * s) ** 2) / 2)
    np.testing.assert_allclose(pullback(np.ones(4)), exact, atol=5 * 2 / math.sqrt(probes))


def test_smoothing_is_exact_in_the_mean_for_a_quadratic_at_every_scale():
    fake, real = batches(n=3, d=2)
    judge = Judge(lambda x: (x**2).sum(axis=1))
    _, pullback = Smoothed((0.05, 0.5, 2.0), 30_000).vjp(judge, fake, real, np.random.default_rng(2))
    np.testing.assert_allclose(pullback(np.ones(3)), 2 * fake.x, atol=0.15)


def test_every_probe_and_the_batch_itself_go_in_one_call():
    judge, (fake, real) = Judge(), batches(n=10)
    scores, _ = Smoothed(probes=6).vjp(judge, fake, real, np.random.default_rng(0))
    assert [call.n for call in judge.calls] == [13 * 10]
    np.testing.assert_array_equal(scores.values, fake.x.sum(axis=1))


def test_smoothing_follows_the_units_of_the_features():
    """In other units the gradient is the same covector."""
    units = np.array([1000.0, 1.0, 0.01])
    fake, real = batches()
    derivative, judge = Smoothed(), Judge(lambda x: np.tanh(x).sum(axis=1))
    scaled = Judge(lambda x: np.tanh(x / units).sum(axis=1))
    g = derivative.vjp(judge, fake, real, np.random.default_rng(0))[1](np.ones(40))
    there = Batch(fake.x * units), Batch(real.x * units)
    h = derivative.vjp(scaled, *there, np.random.default_rng(0))[1](np.ones(40))
    np.testing.assert_allclose(g, h * units, rtol=1e-9)


@pytest.mark.parametrize("derivative", [Smoothed(), Student()], ids=["smoothed", "student"])
def test_a_feature_that_does_not_vary_is_left_alone(derivative):
    fake, real = batches()
    fake.x[:, 1] = real.x[:, 1] = 5.0
    seen = []
    judge = Judge(lambda x: seen.append(np.unique(x[:, 1])) or x.sum(axis=1))
    _, pullback = derivative.vjp(judge, fake, real, np.random.default_rng(0))
    assert seen[0].tolist() == [5.0]
    assert not pullback(np.ones(40))[:, 1].any()


@pytest.mark.parametrize("derivative", [Smoothed(), Student()], ids=["smoothed", "student"])
def test_probes_keep_their_condition(derivative):
    rng, told = np.random.default_rng(0), np.arange(40.0)[:, None]
    fake, real = Batch(told + 0.001 * rng.standard_normal((40, 1)), told), Batch(told.copy(), told)
    judge = Judge()
    derivative_of = derivative.vjp(judge, fake, real, rng)
    call = judge.calls[0]
    assert call.given.shape == (call.n, 1)
    assert np.abs(call.x - call.given).max() < 40  # a shuffled condition would be off by up to 39 plus the probes
    np.testing.assert_array_equal(call.given[:40], told)
    assert derivative_of[1](np.ones(40)).shape == (40, 1)


@pytest.mark.parametrize("derivative", [Smoothed(), Student()], ids=["smoothed", "student"])
def test_probes_of_tuples_keep_their_conditions(derivative):
    """Packed: x (n/m, m, d) and given (n/m, m, c); the condition is far larger than the probes, and tells the tuple."""
    told = 1000 * np.arange(20.0).reshape(10, 2, 1)
    x = told + np.random.default_rng(0).standard_normal((10, 2, 1)) * 1e-3
    judge = Judge()
    derivative.vjp(judge, Batch(x, told), Batch(x - told, told), np.random.default_rng(0))
    call = judge.calls[0]
    own = np.abs(call.x - call.given).max(axis=(1, 2)) < 1
    assert own.mean() > 0.6  # all counterfeits and their probes; the student's genuine samples lie near 0
    assert own[:10].all()


@pytest.mark.parametrize("derivative", [Smoothed(), Student()], ids=["smoothed", "student"])
def test_rounding_is_no_spread(derivative):
    fake, real = batches()
    fake.x[:, 1] = real.x[:, 1] = 0.1  # whose standard deviation is 1e-16, not 0
    _, pullback = derivative.vjp(Judge(), fake, real, np.random.default_rng(0))
    assert not pullback(np.ones(40))[:, 1].any()


@pytest.mark.parametrize("derivative", [Smoothed(), Student()], ids=["smoothed", "student"])
def test_one_sample_has_no_spread(derivative):
    with pytest.raises(ValueError, match=r"by the spread of genuine samples, but has 1. Choose a batch_size of at least 2"):
        derivative.vjp(Judge(), Batch(np.ones((1, 2))), Batch(np.ones((1, 2))), np.random.default_rng(0))


@pytest.mark.parametrize("derivative", [Smoothed(), Student()], ids=["smoothed", "student"])
def test_judges_see_probes_as_they_see_counterfeits(arrays_on, derivative):
    x = np.random.default_rng(0).standard_normal((20, 2))
    fake = Batch(arrays_on.asarray(x, arrays_on.xp.float32))
    seen = []
    judge = Judge(lambda x: seen.append(x) or arrays_on.xp.sum(x, axis=1))
    derivative.vjp(judge, fake, Batch(arrays_on.asarray(x)), np.random.default_rng(0))
    assert type(seen[0]) is type(fake.x)
    assert seen[0].dtype == fake.x.dtype


@pytest.mark.parametrize("derivative", [Smoothed(), Student()], ids=["smoothed", "student"])
def test_events_of_any_shape(derivative):
    rng = np.random.default_rng(0)
    fake, real = Batch(rng.standard_normal((30, 2, 3))), Batch(rng.standard_normal((30, 2, 3)))
    _, pullback = derivative.vjp(Judge(), fake, real, rng)
    gradient = pullback(np.ones(30))
    assert gradient.shape == (30, 2, 3)
    assert np.mean(gradient * np.ones((2, 3))) > 0.3  # the score is the sum: every slope is 1


@pytest.mark.parametrize("arguments", [{"scales": ()}, {"scales": (0.1, -1)}, {"scales": (0.1, 0.2), "probes": 1}])
def test_bad_smoothing(arguments):
    with pytest.raises(ValueError, match=r"Smoothed\(.*expected"):
        Smoothed(**arguments)


# ----------------------------------------------------------------------------------------------------------- students
def test_the_students_gradient_is_that_of_kernel_ridge_regression():
    rng, student = np.random.default_rng(0), Student(width=1.3, ridge=1e-2)
    points, step = rng.standard_normal((60, 3)), 1e-6
    r = np.sin(points.sum(axis=1))
    distances = np.sqrt(((points[:20, None] - points[None, :20]) ** 2).sum(-1))
    h = 1.3 * np.median(distances[np.triu_indices(20, 1)])
    reference = KernelRidge(kernel="rbf", gamma=1 / (2 * h**2), alpha=1e-2 * 60).fit(points, r - r.mean())
    for axis in range(3):
        e = step * np.eye(3)[axis]
        difference = (reference.predict(points[:20] + e) - reference.predict(points[:20] - e)) / (2 * step)
        np.testing.assert_allclose(student._gradient(points, r, 20)[:, axis], difference, atol=1e-6)


def test_the_student_points_the_right_way_in_many_dimensions():
    """Where smoothing with the same number of queries is mostly noise."""
    rng, d, n = np.random.default_rng(0), 30, 200
    w = rng.standard_normal(d) / math.sqrt(d)
    judge = Judge(lambda x: np.sign(x @ w) * 2 + 0.5 * rng.standard_normal(len(x)))
    fake, real = Batch(rng.standard_normal((n, d)) - w), Batch(rng.standard_normal((n, d)) + w)

    def cosine(derivative):
        g = derivative.vjp(judge, fake, real, rng)[1](np.ones(n))
        return float(np.mean(g @ w / np.linalg.norm(g, axis=1) / np.linalg.norm(w)))

    student, smoothed = cosine(Student()), cosine(Smoothed((0.3,), 1))
    assert student > 0.6
    assert student > 2 * smoothed


def test_a_judge_without_an_opinion_teaches_the_student_nothing():
    fake, real = batches()
    _, pullback = Student().vjp(Judge(lambda x: np.zeros(len(x))), fake, real, np.random.default_rng(0))
    assert not pullback(np.ones(40)).any()


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
SCORE, LEVEL, ODDS = Judge(says=Scores), Judge(says=LogRatio), Judge(says=LogOdds)
EXACT = ExactJudge(lambda x: x.sum(axis=1), np.ones_like)


@pytest.mark.parametrize(
    ("learns_from", "judge", "signal", "objective"),
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
def test_the_usual_signal(learns_from, judge, signal, objective):
    bound = bridge(Shift(learns_from), judge)
    assert isinstance(bound, signal)
    assert isinstance(bound.objective, objective)
    assert bound.discriminator is judge


def test_gradients_are_exact_where_they_can_be_had():
    assert bridge(Shift(), EXACT).derivative == Exact()
    assert bridge(Shift(), ODDS).derivative == Smoothed()
    assert bridge(Shift(), EXACT, signal=Student()).derivative == Student()


@pytest.mark.parametrize(
    ("learns_from", "judge", "arguments", "message"),
    [
        (Weights, SCORE, {}, r"Shift learns from weights.*Judge says Scores.*Choose a judge that says log-odds"),
        (Weights, ODDS, {"objective": o.NonSaturating()}, r"always descend KL\(p \|\| q\).*Leave objective out"),
        (Weights, ODDS, {"replayed": True}, r"log p/q_fit.*Leave replay or incremental out"),
        (
            Gradients,
            SCORE,
            {"objective": o.NonSaturating()},
            r"Judge says Scores.*\(LeastSquaresLoss, LinearLoss, RelativisticLoss\)",
        ),
        (
            Losses,
            LEVEL,
            {"objective": o.Minimax()},
            r"Minimax reads LogOdds, but Judge says LogRatio.*\(ForwardKL, .*ReverseKL\)",
        ),
        (Losses, ODDS, {"signal": Smoothed()}, r"makes gradients, but Shift learns from losses. Leave signal out"),
        (Gradients, ODDS, {"signal": ImportanceWeights()}, r"makes weights, but Shift learns from gradients"),
        (Weights, ODDS, {"signal": Student()}, r"makes gradients, but Shift learns from weights"),
        (Gradients, ODDS, {"signal": Exact()}, r"only scores. Estimate them: Game\(..., signal=Smoothed\(\)\)"),
        ("votes", ODDS, {}, r"Shift.learns_from is 'votes'; expected Losses, Gradients, Weights or Cells"),
    ],
)
def test_no_honest_way(learns_from, judge, arguments, message):
    with pytest.raises(IncompatiblePlayers, match=message):
        bridge(Shift(learns_from), judge, **arguments)


@pytest.mark.parametrize("judge", [SCORE, LEVEL], ids=["scores", "log-ratios"])
def test_the_losses_that_an_error_offers_are_those_that_play(judge):
    with pytest.raises(IncompatiblePlayers) as error:
        bridge(Shift(Losses), judge, o.NonSaturating())
    offered = set(re.search(r"reads these \((.*?)\)", str(error.value))[1].split(", "))
    for name in {name for name in o.__all__ if hasattr(getattr(o, name), "losses")} - {"GeneratorObjective"}:
        if name in offered:
            bridge(Shift(Losses), judge, getattr(o, name)())
        else:
            with pytest.raises(IncompatiblePlayers):
                bridge(Shift(Losses), judge, getattr(o, name)())


def test_batch_coupled_judges_are_not_probed():
    judge = Judge()
    judge.batch_coupled = True
    with pytest.raises(IncompatiblePlayers, match=r"probes sample by sample, but a score of Judge depends on its whole"):
        bridge(Shift(), judge)
    assert isinstance(bridge(Shift(Losses), judge), LossSignal)


@pytest.mark.parametrize("arguments", [{"signal": "smoothed"}, {"signal": Smoothed}, {"objective": "hinge"}])
def test_signals_and_objectives_are_instances(arguments):
    with pytest.raises(TypeError, match=r"expected .*or None for the usual one"):
        bridge(Shift(), ODDS, **arguments)


# ------------------------------------------------------------------------------------------------------------ lessons
@pytest.mark.parametrize("loss", [o.NonSaturating(), o.Minimax(), o.ReverseKL(), o.ForwardKL(), o.RelativisticLoss()])
def test_gradients_are_of_the_summed_losses(loss):
    """Against finite differences of sum l(r(x)), through the judge."""
    judge = ExactJudge(lambda x: np.sin(x).sum(axis=1), np.cos)
    fake, real = batches(n=5)
    signal, rng, step = bridge(Shift(), judge, loss), np.random.default_rng(0), 1e-6
    gradient = signal(fake, real, rng).feedback.values
    losses = bridge(Shift(Losses), judge, loss)
    for index in np.ndindex(fake.x.shape):
        ends = []
        for sign in (1, -1):
            x = fake.x.copy()
            x[index] += sign * step
            ends.append(losses(Batch(x), real, rng).feedback.values.sum())
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(gradient[index], abs=1e-7)


def test_a_pullback_of_the_wrong_shape_is_named():
    judge = ExactJudge(lambda x: x.sum(axis=1), lambda x: x[:, :1])
    fake, real = batches()
    with pytest.raises(PlayerError, match=r"ExactJudge.vjp's pullback returned gradients of shape \(40, 1\)"):
        bridge(Shift(), judge)(fake, real, np.random.default_rng(0))
