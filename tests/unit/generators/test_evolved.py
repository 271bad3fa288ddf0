"""The evolved simulator: what a proposal holds, what an update learns, and every way in which a simulator can be wrong."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from tests.players import SimpleDiscriminator
from turinglearn import Game
from turinglearn.generators import EvolvedGenerator
from turinglearn.protocols import Batch, Losses, PlayerError, Samples, Weights

BOUNDS = [(-4.0, 6.0), (0.1, 5.0)]
TRUTH = np.array([2.0, 0.5])


def normal(parameters, n, rng):
    """x ~ N(mean, deviation^2), (n, 1)."""
    return parameters[0] + parameters[1] * rng.standard_normal((n, 1))


def started(simulate=normal, bounds=BOUNDS, *, seed=0, event=(1,), condition=None, **parameters):
    rng = np.random.default_rng(seed)
    generator = EvolvedGenerator(simulate, bounds, **parameters)
    generator.start(Batch(np.zeros((10, *event)), condition), rng)
    return generator, rng


def log_normal(x, parameters):
    """log density of N(mean, deviation^2), up to the same constant for all parameters; x is (n,)."""
    return -0.5 * ((x - parameters[0]) / parameters[1]) ** 2 - np.log(parameters[1])


def play(generator, rng, rounds, n):
    """Rounds against the discriminator that is exact for the present candidates: l = softplus(-log p/q), q their mixture."""
    low, high = np.transpose(generator.bounds)
    for _ in range(rounds):
        samples = generator.propose(n, rng)
        x, candidates = samples.x[:, 0], low + samples.context.candidates * (high - low)
        log_q = np.logaddexp.reduce([log_normal(x, c) for c in candidates]) - np.log(len(candidates))
        generator.update(samples, Losses(np.logaddexp(0, log_q - log_normal(x, TRUTH))))


# ------------------------------------------------------------------------------------------------------------- learning
@pytest.mark.parametrize("population", [8, 16])
def test_an_exact_discriminator_leads_to_the_real_parameters(population):
    errors = []
    for seed in range(3):
        generator, rng = started(seed=seed, population=population)
        play(generator, rng, 150, 256)
        errors.append(np.abs(generator.parameters_ - TRUTH))
    assert np.max(errors) < 0.05


def test_a_fixed_loss_is_minimised():
    generator, rng = started(lambda parameters, n, rng: np.tile(parameters, (n, 1)), event=(2,), population=8, average=5)
    for _ in range(50):
        samples = generator.propose(8, rng)
        generator.update(samples, Losses(((samples.x - TRUTH) ** 2).sum(axis=1)))
    np.testing.assert_allclose(generator.parameters_, TRUTH, atol=1e-3)


def test_after_the_exploration_the_candidates_draw_together():
    generator, rng = started(explore=30, population=8)
    spread = []
    for _ in range(200):
        samples = generator.propose(64, rng)
        spread.append(np.ptp(samples.context.candidates, axis=0).max())
        generator.update(samples, Losses(rng.standard_normal(64)))  # a discriminator that knows nothing
    assert 1e-4 < np.mean(spread[180:]) < 0.5 * np.mean(spread[10:30])


def test_the_incumbent_is_the_mean_of_the_centres():
    generator, rng = started(average=100, explore=100)
    centres = []
    for _ in range(7):
        samples = generator.propose(32, rng)
        generator.update(samples, Losses(samples.x[:, 0] ** 2))
        centres.append(generator.search_.mean.copy())
    low, high = np.transpose(BOUNDS)
    np.testing.assert_allclose(generator.parameters_, low + np.mean(centres, axis=0) * (high - low))


def test_it_begins_at_the_initial_parameters():
    np.testing.assert_allclose(started()[0].parameters_, np.mean(BOUNDS, axis=1))
    np.testing.assert_allclose(started(initial=[6.0, 0.1])[0].parameters_, [6.0, 0.1])


def test_a_search_that_has_converged_goes_on():
    """All losses equal for long enough: CMA-ES would stop, the game does not."""
    generator, rng = started(population=4, explore=400)
    for _ in range(300):
        samples = generator.propose(4, rng)
        generator.update(samples, Losses(np.zeros(4)))
    assert np.isfinite(generator.parameters_).all()


# ------------------------------------------------------------------------------------------------------------ proposals
@settings(max_examples=30)
@given(n=st.integers(4, 60), population=st.integers(4, 12))
def test_candidates_come_in_order_with_nearly_equal_shares(n, population):
    generator, rng = started(lambda parameters, n, rng: np.tile(parameters, (n, 1)), event=(2,), population=population)
    if n < population:
        with pytest.raises(ValueError, match=f"{n} samples cannot be shared among {population} candidates"):
            generator.propose(n, rng)
        return
    samples = generator.propose(n, rng)
    low, high = np.transpose(BOUNDS)
    context = samples.context
    np.testing.assert_allclose(samples.x, low + context.candidates[context.index] * (high - low))
    assert (np.diff(context.index) >= 0).all()
    shares = np.bincount(context.index, minlength=population)
    assert shares.sum() == n
    assert np.ptp(shares) <= 1


@pytest.mark.parametrize("n", [32, 35])
def test_candidates_share_their_random_numbers(n):
    """Also where shares differ by one sample and the simulator draws twice."""

    def two_draws(parameters, n, rng):
        return np.column_stack((rng.standard_normal(n), rng.standard_normal(n)))

    generator, rng = started(two_draws, event=(2,), population=8)
    samples = generator.propose(n, rng)
    parts = [samples.x[samples.context.index == j] for j in range(8)]
    for part in parts:
        np.testing.assert_array_equal(part, parts[0][: len(part)])
    assert not np.array_equal(generator.propose(n, rng).x, samples.x)


def test_all_proposals_before_an_update_come_from_the_same_candidates():
    generator, rng = started()
    first, second = generator.propose(32, rng), generator.propose(64, rng)
    np.testing.assert_array_equal(first.context.candidates, second.context.candidates)
    generator.update(second, Losses(np.zeros(64)))
    assert not np.array_equal(generator.propose(32, rng).context.candidates, first.context.candidates)


def test_an_update_hears_the_mean_loss_of_each_candidate(monkeypatch):
    generator, rng = started(population=4)
    samples, heard = generator.propose(10, rng), []
    monkeypatch.setattr(generator.search_, "tell", heard.extend)
    losses = np.arange(10.0)
    generator.update(samples, Losses(losses))
    candidates, means = zip(*heard, strict=True)
    np.testing.assert_array_equal(candidates, samples.context.candidates)
    assert means == (1.0, 4.0, 6.5, 8.5)  # shares 3, 3, 2, 2


def test_parameters_stay_within_the_bounds():
    seen = []

    def spy(parameters, n, rng):
        seen.append(parameters)
        return normal(parameters, n, rng)

    bounds = np.array([(-0.1, 0.3), (-1.1, 7.7)])  # in floating point -0.1 + (0.3 + 0.1) is more than 0.3
    generator, rng = started(spy, bounds, sigma=2.0, initial=bounds[:, 1])
    generator.sample(2, rng)
    for _ in range(80):
        samples = generator.propose(16, rng)
        generator.update(samples, Losses(-samples.x[:, 0]))
        generator.sample(2, rng)
    assert ((bounds[:, 0] <= seen) & (seen <= bounds[:, 1])).all()


def test_sample_deploys_the_incumbent():
    generator, rng = started(lambda parameters, n, rng: np.tile(parameters, (n, 1)), event=(2,))
    generator.update(generator.propose(16, rng), Losses(np.arange(16.0)))
    np.testing.assert_array_equal(generator.sample(5, rng), np.tile(generator.parameters_, (5, 1)))


def test_a_seed_repeats_a_run():
    def run(seed):
        generator, rng = started(seed=seed, explore=10)
        play(generator, rng, 15, 32)
        return np.append(generator.parameters_, generator.sample(3, rng))

    np.testing.assert_array_equal(run(1), run(1))
    assert not np.array_equal(run(1), run(2))


def test_conditions_reach_the_simulator_beside_their_samples():
    def simulate(parameters, n, rng, condition):
        assert condition.shape == (n, 2)
        return parameters[0] + condition

    generator, rng = started(simulate, event=(2,), condition=np.zeros((10, 2)), population=4)
    conditions = np.arange(22.0).reshape(11, 2)
    samples = generator.propose(11, rng, conditions)
    assert samples.condition is conditions
    first = -4 + 10 * samples.context.candidates[samples.context.index, :1]
    np.testing.assert_allclose(samples.x, first + conditions)
    np.testing.assert_allclose(generator.sample(3, rng, conditions[:3]), generator.parameters_[0] + conditions[:3])


def test_torch_simulators_give_torch_samples():
    torch = pytest.importorskip("torch")

    def simulate(parameters, n, rng):
        return torch.as_tensor(normal(parameters, n, rng))

    generator, rng = started(simulate)
    samples = generator.propose(20, rng)
    assert isinstance(samples.x, torch.Tensor)
    generator.update(samples, Losses(samples.x[:, 0] ** 2))
    assert isinstance(generator.sample(4, rng), torch.Tensor)


# --------------------------------------------------------------------------------------------------------------- errors
def raises_itself(parameters, n, rng):
    raise ZeroDivisionError("no rate")


@pytest.mark.parametrize(
    ("simulate", "message"),
    [
        (raises_itself, r"raises_itself raised ZeroDivisionError: no rate.*n=2"),
        (lambda parameters, n, rng: None, "None"),
        (lambda parameters, n, rng: [[0.0]] * n, "list"),
        (lambda parameters, n, rng: np.zeros(n), r"shape \(2,\); expected \(2, 1\)"),
        (lambda parameters, n, rng: np.zeros((n + 1, 1)), r"shape \(3, 1\); expected \(2, 1\)"),
        (lambda parameters, n, rng: np.zeros((n, 1), dtype=int), "dtype int64"),
        (lambda parameters, n, rng: np.zeros((n, 1), dtype=complex), "dtype complex128"),
        (lambda parameters, n, rng: np.array([["a"]] * n), "dtype <U1"),
        (lambda parameters, n, rng: np.full((n, 1), np.nan), "NaN"),
        (lambda parameters, n, rng: np.full((n, 1), np.inf), "infinity"),
        (lambda parameters, rng: np.zeros((2, 1)), "raised TypeError"),
    ],
)
def test_a_simulator_that_breaks_its_contract_is_named(simulate, message):
    generator, rng = started(simulate, population=4)
    for ask in (lambda: generator.propose(8, rng), lambda: generator.sample(2, rng)):
        with pytest.raises(PlayerError, match=message) as raised:
            ask()
        assert simulate.__name__ in str(raised.value)


def test_a_simulator_without_a_condition_is_refused_in_a_game_with_conditions():
    with pytest.raises(ValueError, match=r"normal\(parameters, n, rng\) does not take them.*named condition"):
        started(condition=np.zeros((10, 1)))


def test_conditions_are_those_of_the_example():
    generator, rng = started()
    with pytest.raises(ValueError, match="without conditions"):
        generator.propose(16, rng, np.zeros((16, 1)))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"simulate": 3}, "expected a function"),
        ({"bounds": [0.0, 1.0]}, r"shape \(2,\); expected \(p, 2\)"),
        ({"bounds": np.zeros((0, 2))}, r"expected \(p, 2\)"),
        ({"bounds": [(0, 1, 2)]}, r"expected \(p, 2\)"),
        ({"bounds": [(1.0, 1.0), (0.0, 1.0)]}, "below its upper one"),
        ({"bounds": [(0.0, np.inf), (0.0, 1.0)]}, "finite limits"),
        ({"initial": [0.0]}, "expected 2 numbers within the bounds"),
        ({"initial": [0.0, 9.0]}, "within the bounds"),
        ({"initial": [0.0, np.nan]}, "within the bounds"),
        ({"sigma": 0.0}, "sigma=0.0"),
        ({"population": 3}, "population=3"),
        ({"population": 8.0}, "population=8.0"),
        ({"average": 0}, "average=0"),
        ({"explore": 9}, "explore=9"),
    ],
)
def test_senseless_parameters_are_refused_at_the_start(parameters, message):
    with pytest.raises(ValueError, match=message):
        started(**parameters)


def test_samples_are_good_for_one_update():
    generator, rng = started()
    samples = generator.propose(16, rng)
    generator.update(samples, Losses(np.zeros(16)))
    with pytest.raises(PlayerError, match="proposed before update 1"):
        generator.update(samples, Losses(np.zeros(16)))
    with pytest.raises(PlayerError, match="not proposed by it"):
        generator.update(Samples(samples.x), Losses(np.zeros(16)))


def test_feedback_of_another_kind_or_shape_is_refused():
    generator, rng = started()
    samples = generator.propose(16, rng)
    with pytest.raises(PlayerError, match="learns from Losses"):
        generator.update(samples, Weights(np.ones(16)))
    with pytest.raises(PlayerError, match=r"expected \(16,\)"):
        generator.update(samples, Losses(np.zeros((16, 1))))


def test_it_must_be_started():
    generator, rng = EvolvedGenerator(normal, BOUNDS), np.random.default_rng(0)
    for ask in (lambda: generator.propose(16, rng), lambda: generator.sample(2, rng), lambda: generator.parameters_):
        with pytest.raises(PlayerError, match="has not been started"):
            ask()


def test_without_cmaes_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cmaes", None)
    with pytest.raises(ImportError, match=r"pip install 'turinglearn\[evolve\]'"):
        started()


def test_it_is_cloned_like_an_estimator():
    generator, _ = started(population=6)
    copy = clone(generator)
    assert copy.population == 6
    assert copy.simulate is normal
    assert not hasattr(copy, "search_")
    assert "population=6" in repr(copy)


# --------------------------------------------------------------------------------------------------------------- a game
def test_a_seed_repeats_the_game():
    def run():
        game = Game(
            EvolvedGenerator(normal, BOUNDS), SimpleDiscriminator(lambda x: -np.abs(x[:, 0])), batch_size=64, random_state=4
        )
        rounds = game.rounds(np.random.default_rng(0).normal(*TRUTH, (500, 1)))
        for _ in range(5):
            next(rounds)
        return game.sample(3)

    np.testing.assert_array_equal(run(), run())


def test_a_game_tells_conditions():
    def conditions(parameters, n, rng, condition):
        return parameters[0] * condition + rng.standard_normal((n, 1))

    x = np.random.default_rng(0).normal(*TRUTH, (500, 1))
    game = Game(EvolvedGenerator(conditions, [(0, 3)]), SimpleDiscriminator(lambda x: x[:, 0]), batch_size=64, random_state=0)
    next(game.rounds(x, np.ones(500)))
    assert game.sample(5, condition=np.ones(5)).shape == (5, 1)


def test_a_pack_never_mixes_candidates():
    with pytest.raises(ValueError, match=r"tuples of pack=2 and 16 candidates. Choose a multiple of 32"):
        Game(EvolvedGenerator(normal, BOUNDS), SimpleDiscriminator(), batch_size=50, pack=2).rounds(np.zeros((500, 1)))
