"""Misbehaving classifiers: each is named in an error, with what was expected, and no wrong number gets through."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.linear_model import LogisticRegression

from turinglearn.discriminators.classifiers.adapter import ClassifierDiscriminator
from turinglearn.protocols import Batch, LogOdds, PlayerError, Scores

N = 12


class Stub:
    """A classifier with fixed outputs."""

    classes_ = (0, 1)

    def __init__(self, answer):
        self.answer = answer

    def fit(self, X, y):
        return self

    def reply(self, X):
        return self.answer(X) if callable(self.answer) else self.answer


class Probabilities(Stub):
    def predict_proba(self, X):
        return self.reply(X)


class Decisions(Stub):
    def decision_function(self, X):
        return self.reply(X)


class Votes(Stub):
    def predict(self, X):
        return self.reply(X)


def batch(n=N, d=2, seed=0):
    return Batch(np.random.default_rng(seed).normal(size=(n, d)))


def examined(estimator, n=N):
    discriminator = ClassifierDiscriminator(estimator)
    discriminator.update(batch(3 * N), batch(3 * N, seed=1), np.random.default_rng(0))
    return discriminator.score_samples(batch(n, seed=2))


def raising(X):
    raise KeyError("no such thing")


def with_value(value, shape):
    answer = np.full(shape, 0.5)
    answer.flat[0] = value
    return answer


half = np.full((N, 2), 0.5)
MISBEHAVING = {
    "raises": (Probabilities(raising), "KeyError"),
    "ragged list": (Probabilities([[0.5, 0.5], [0.5]]), "a list"),
    "list too short": (Probabilities(half.tolist()[1:]), r"\(11, 2\).*expected \(12, 2\)"),
    "None": (Probabilities(None), "None"),
    "NaN": (Probabilities(with_value(np.nan, (N, 2))), "expected finite"),
    "infinite": (Probabilities(with_value(np.inf, (N, 2))), "expected finite"),
    "too few rows": (Probabilities(half[1:]), r"\(11, 2\).*expected \(12, 2\)"),
    "one column": (Probabilities(half[:, :1]), r"\(12, 1\).*expected \(12, 2\)"),
    "three columns": (Probabilities(np.full((N, 3), 1 / 3)), r"\(12, 3\).*expected \(12, 2\)"),
    "one dimension": (Probabilities(half[:, 0]), r"\(12,\).*expected \(12, 2\)"),
    "text": (Probabilities(half.astype(str)), "floating-point"),
    "complex": (Probabilities(half.astype(complex)), "floating-point"),
    "negative": (Probabilities(np.tile([-0.5, 1.5], (N, 1))), "not probabilities"),
    "log-probabilities": (Probabilities(np.log(half)), "not probabilities"),
    "unnormalised": (Probabilities(2 * half), "not probabilities"),
    "decision raises": (Decisions(raising), "KeyError"),
    "decision list of text": (Decisions(lambda X: ["much"] * len(X)), "floating-point"),
    "decision NaN": (Decisions(lambda X: with_value(np.nan, len(X))), "expected finite"),
    "decision infinite": (Decisions(lambda X: with_value(-np.inf, len(X))), "expected finite"),
    "decision of two columns": (Decisions(lambda X: X), r"\(24, 2\).*expected \(24,\)"),
    "decision too short": (Decisions(lambda X: X[1:, 0]), r"\(23,\).*expected \(24,\)"),
    "votes raise": (Votes(raising), "KeyError"),
    "votes None": (Votes(None), "a NoneType"),
    "votes of other labels": (Votes(np.full(N, 2)), "label 0 or 1"),
    "votes of other words": (Votes(np.full(N, "real")), "label 0 or 1"),
    "votes NaN": (Votes(with_value(np.nan, N)), "label 0 or 1"),
    "votes too short": (Votes(np.ones(N - 1)), "label 0 or 1"),
    "votes as columns": (Votes(np.ones((N, 1))), "label 0 or 1"),
}


@pytest.mark.parametrize("name", MISBEHAVING)
def test_a_misbehaving_classifier_is_named_with_what_was_expected(name):
    estimator, problem = MISBEHAVING[name]
    with pytest.raises(PlayerError, match=problem) as raised:
        examined(estimator)
    message = str(raised.value)
    assert message.startswith(type(estimator).__name__ + ".")
    assert "xpected" in message
    if "raise" in name:
        assert isinstance(raised.value.__cause__, KeyError)
        assert "no such thing" in message


def test_a_fit_that_raises_is_named_with_its_cause():
    with pytest.raises(PlayerError, match=r"LogisticRegression raised .*asked to fit 72 rows of 2 features") as raised:
        examined(LogisticRegression(C=-1))
    assert raised.value.__cause__ is not None


ONE_CLASS = {
    "one column": (np.array([1]), np.ones((N, 1))),
    "two columns": (np.array([0]), half),
    "list": ([1], half),
    "none at all": (None, half),
    "names": (np.array(["fake", "real"]), half),
    "three": (np.array([0, 1, 2]), half),
    "mixed": ([0, "one"], half),
}


@pytest.mark.parametrize("name", ONE_CLASS)
@pytest.mark.parametrize("kind", [Probabilities, Decisions])
def test_a_classifier_without_both_classes_is_refused(kind, name):
    classes, answer = ONE_CLASS[name]

    class Blinkered(kind):
        classes_ = classes

    with pytest.raises(PlayerError, match=r"Blinkered has (classes_=|no classes_ ).*expected both.*Let fit set classes_"):
        examined(Blinkered(answer))


def test_a_classifier_that_cannot_be_copied_is_named_with_the_remedy():
    with pytest.raises(PlayerError, match=r"Probabilities can be copied neither by .*inherit sklearn\.base\.BaseEstimator"):
        examined(Probabilities(Lock()))


def test_votes_need_no_classes():
    class Silent(Votes):
        classes_ = None

    assert type(examined(Silent(np.ones(N, dtype=int)))) is Scores


def test_methods_that_disappear_are_named():
    class Fickle(Probabilities):
        def fit(self, X, y):
            self.predict_proba = None
            return self

    with pytest.raises(PlayerError, match=r"Fickle\.predict_proba raised TypeError"):
        examined(Fickle(half))


@pytest.mark.parametrize("estimator", [LogisticRegression, object(), None, Probabilities])
def test_other_objects_are_refused(estimator):
    with pytest.raises(ValueError, match=r"expected a classifier object with a fit method.*Give an instance"):
        examined(estimator)


def test_a_classifier_without_outputs_is_refused():
    with pytest.raises(ValueError, match=r"predict_proba, decision_function or predict; it has none"):
        _ = ClassifierDiscriminator(Stub(0)).score_type


@pytest.mark.parametrize(("n1", "n0"), [(0, 5), (5, 0)])
def test_empty_batches_are_refused(n1, n0):
    with pytest.raises(ValueError, match=rf"{n1} real and {n0} fake samples; expected some of both"):
        ClassifierDiscriminator(LogisticRegression()).update(batch(n1), batch(n0), np.random.default_rng(0))


def test_calibration_needs_two_of_each_class():
    discriminator = ClassifierDiscriminator(LogisticRegression(), calibrate="platt")
    with pytest.raises(ValueError, match="1 fake samples; expected at least 2"):
        discriminator.update(batch(5), batch(1), np.random.default_rng(0))


@pytest.mark.parametrize("calibrate", [True, False, None, "sigmoid", ["platt"]])
def test_unknown_calibrations_are_refused(calibrate):
    discriminator = ClassifierDiscriminator(LogisticRegression(), calibrate=calibrate)
    for use in (lambda: discriminator.score_type, lambda: discriminator.update(batch(5), batch(5), np.random.default_rng(0))):
        with pytest.raises(ValueError, match=r"calibrate=.*expected 'auto', 'none', 'platt', 'isotonic' or 'temperature'"):
            use()


def test_the_smallest_batches_work():
    for estimator, n in ((LogisticRegression(), 1), (Decisions(lambda X: X[:, 0]), 2)):
        discriminator = ClassifierDiscriminator(estimator)
        discriminator.update(batch(n), batch(n, seed=1), np.random.default_rng(0))
        assert np.all(np.isfinite(discriminator.score_samples(batch()).values))


# --------------------------------------------------------------------------------------- any output of a classifier
answers = st.one_of(
    hnp.arrays(
        dtype=st.sampled_from([np.float64, np.float32, np.int64, np.bool_, np.complex128, np.dtype("U3"), np.object_]),
        shape=st.sampled_from([(), (0,), (N,), (N - 1,), (N, 1), (N, 2), (N, 3), (2, N), (N, 2, 1)]),
    ),
    hnp.arrays(np.float64, (N, 2), elements=st.floats(0, 1)).map(lambda p: p / np.maximum(p.sum(1, keepdims=True), 1e-9)),
    hnp.arrays(np.float64, (N,), elements=st.floats(allow_subnormal=False)),
    hnp.arrays(np.int64, (N,), elements=st.integers(0, 1)),
    st.none(),
    st.lists(st.floats(), max_size=N),
    st.floats(),
)


@given(answers, st.sampled_from([Probabilities, Votes]))
def test_any_output_becomes_finite_evidence_or_a_player_error(answer, kind):
    with suppress(PlayerError):
        scores = examined(kind(answer))
        assert type(scores) is (LogOdds if kind is Probabilities else Scores)
        assert scores.values.shape == (N,)
        assert scores.values.dtype == np.float64
        assert np.all(np.isfinite(scores.values))


@given(st.lists(st.floats(-1e100, 1e100, allow_subnormal=False), min_size=2, max_size=2 * N), st.booleans())
def test_any_finite_decision_function_becomes_finite_log_odds(values, single):
    def answer(X):
        said = np.resize(values, len(X))
        return np.clip(said, -1e30, 1e30).astype(np.float32) if single else said

    scores = examined(Decisions(answer))
    assert type(scores) is LogOdds
    assert np.all(np.isfinite(scores.values))
