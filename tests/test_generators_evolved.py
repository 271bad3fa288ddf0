"""Evolved simulators: the search, its clouds and what a misbehaving simulator is told."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.players import Judge
from turinglearn import Game
from turinglearn.generators import EvolvedGenerator
from turinglearn.protocols import Batch, Losses, PlayerError

BOUNDS = [(-5, 5), (0.1, 3)]
TRUTH = np.array([1.5, 0.8])
X = np.random.default_rng(0).normal(*TRUTH, (500, 1))


def simulate(parameters, n, rng):
    return parameters[0] + parameters[1] * rng.standard_normal((n, 1))


def started(**options):
    generator = EvolvedGenerator(simulate, BOUNDS, **options)
    generator.start(Batch(X), np.random.default_rng(0))
    return generator


def test_a_fixed_valley_is_found():
    """Losses with a minimum at the truth: (x - m)^2 pulls the mean there, a penalty on the candidate's spread its width."""
    generator, rng = started(explore=40), np.random.default_rng(1)
    for _ in range(80):
        samples = generator.propose(1600, rng)
        losses = np.empty(1600)
        for candidate in range(16):
            rows = samples.context.index == candidate
            x = samples.x[rows, 0]
            losses[rows] = (x.mean() - TRUTH[0]) ** 2 + (x.std() - TRUTH[1]) ** 2
        generator.update(samples, Losses(losses))
    np.testing.assert_allclose(generator.parameters_, TRUTH, atol=0.1)


def test_the_exact_ratio_to_the_proposals_finds_the_parameters():
    """r = log p/q with q the mixture of all candidates: a best response each round, where free CMA-ES never settles."""
    generator, rng = started(), np.random.default_rng(1)
    low, high = np.array(BOUNDS, float).T

    def log_normal(x, parameters):
        return -0.5 * ((x - parameters[0]) / parameters[1]) ** 2 - np.log(parameters[1])

    for _ in range(300):
        samples = generator.propose(1600, rng)
        x = samples.x[:, 0]
        cloud = [log_normal(x, low + u * (high - low)) for u in samples.context.candidates]
        r = log_normal(x, TRUTH) - (np.logaddexp.reduce(cloud, axis=0) - np.log(16))
        generator.update(samples, Losses(-r))
    np.testing.assert_allclose(generator.parameters_, TRUTH, atol=0.1)


def test_candidates_share_their_random_numbers():
    samples = started().propose(48, np.random.default_rng(1))
    low, high = np.array(BOUNDS, float).T
    noise = []
    for candidate, u in enumerate(samples.context.candidates):
        parameters = low + u * (high - low)
        noise.append((samples.x[samples.context.index == candidate, 0] - parameters[0]) / parameters[1])
    for other in noise[1:]:
        np.testing.assert_allclose(other, noise[0], rtol=1e-9)


@pytest.mark.parametrize("n", [16, 50, 101])
def test_candidates_come_in_order_with_nearly_equal_shares(n):
    index = started().propose(n, np.random.default_rng(1)).context.index
    assert (np.diff(index) >= 0).all()
    shares = np.bincount(index)
    assert len(shares) == 16
    assert shares.max() - shares.min() <= 1


def test_candidates_stay_within_the_bounds():
    generator, rng = started(sigma=2.0), np.random.default_rng(1)
    for _ in range(30):
        samples = generator.propose(64, rng)
        assert (samples.context.candidates >= 0).all()
        assert (samples.context.candidates <= 1).all()
        generator.update(samples, Losses(-samples.x[:, 0]))  # drives the first parameter to its limit
    assert generator.parameters_[0] <= 5


def test_the_incumbent_is_deployed():
    generator = started()
    rng = np.random.default_rng(1)
    for _ in range(5):
        samples = generator.propose(160, rng)
        generator.update(samples, Losses(samples.x[:, 0] ** 2))
    expected = simulate(generator.parameters_, 9, np.random.default_rng(7))
    np.testing.assert_allclose(generator.sample(9, np.random.default_rng(7)), expected)


def test_a_seed_repeats_the_search():
    found = []
    for _ in range(2):
        game = Game(EvolvedGenerator(simulate, BOUNDS), Judge(lambda x: -np.abs(x[:, 0])), batch_size=64, random_state=4)
        rounds = game.rounds(X)
        for _ in range(5):
            next(rounds)
        found.append(game.generator.parameters_)
    np.testing.assert_array_equal(*found)


def test_conditions_reach_a_simulator_that_takes_them():
    def conditional(parameters, n, rng, given):
        return parameters[0] * given + rng.standard_normal((n, 1))

    game = Game(EvolvedGenerator(conditional, [(0, 3)]), Judge(lambda x: x[:, 0]), batch_size=64, random_state=0)
    next(game.rounds(X, np.ones(500)))
    assert game.sample(5, given=np.ones(5)).shape == (5, 1)
    with pytest.raises(ValueError, match=r"The game has conditions, but simulate\(parameters, n, rng\) takes none"):
        next(Game(EvolvedGenerator(simulate, BOUNDS), Judge(), batch_size=64).rounds(X, np.ones(500)))


def broken(answer):
    def simulator(parameters, n, rng):
        return answer(n)

    return simulator


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda n: None, "simulator.*returned its samples as None"),
        (lambda n: [[0.0]] * n, "simulator.*as a list"),
        (lambda n: np.zeros(n), r"simulator.*samples of shape \(\d+,\)"),
        (lambda n: np.zeros((n, 2)), r"simulator.*samples of shape \(\d+, 2\)"),
        (lambda n: np.zeros((n + 1, 1)), r"simulator.*samples of shape"),
        (lambda n: np.full((n, 1), np.nan), "simulator.*NaN or infinity"),
        (lambda n: np.zeros((n, 1), int), "simulator.*dtype int64"),
        (lambda n: 1 / 0, "simulator raised ZeroDivisionError"),
    ],
)
def test_bad_simulators(answer, message):
    with pytest.raises(PlayerError, match=message):
        next(Game(EvolvedGenerator(broken(answer), BOUNDS), Judge(), batch_size=64).rounds(X))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bounds": [(1, 0)]}, "expected finite limits, each lower one below its upper one"),
        ({"bounds": [(0, np.inf)]}, "expected finite limits"),
        ({"bounds": [0, 1]}, r"bounds has shape \(2,\); expected \(p, 2\)"),
        ({"bounds": BOUNDS, "initial": [9, 1]}, "initial=.*within the bounds"),
        ({"bounds": BOUNDS, "sigma": 0}, "sigma=0.*expected a positive share"),
        ({"bounds": BOUNDS, "population": 1}, "population=1.*expected a whole number from 4"),
        ({"bounds": BOUNDS, "explore": 3}, "explore=3.*expected a whole number from 10"),
        ({"bounds": BOUNDS, "average": 0}, "average=0.*expected a whole number from 1"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        EvolvedGenerator(simulate, **options).start(Batch(X), np.random.default_rng(0))


def test_too_few_samples_for_the_population():
    with pytest.raises((ValueError, PlayerError), match="8 samples cannot be shared among 16 candidates"):
        next(Game(EvolvedGenerator(simulate, BOUNDS), Judge(), batch_size=8).rounds(X))


def test_a_pack_never_mixes_candidates():
    with pytest.raises(ValueError, match=r"pack=2 would mix candidates: batch_size=50.*Choose a multiple of 32"):
        Game(EvolvedGenerator(simulate, BOUNDS), Judge(), batch_size=50, pack=2).rounds(X)


def test_cmaes_is_asked_for_by_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "cmaes", None)
    with pytest.raises(ImportError, match=r"needs the package cmaes: pip install 'turinglearn\[evolve\]'"):
        started()
