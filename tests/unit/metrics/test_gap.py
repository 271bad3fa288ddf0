"""The duality gap against closed forms at and away from equilibrium; the measured game stays as it was."""

from __future__ import annotations

import copy
import math
from itertools import islice

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from tests.players import ExactDiscriminator, Shift
from turinglearn import Game
from turinglearn.datasets import gaussian
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import MixtureGenerator, NeuralGenerator
from turinglearn.metrics import duality_gap
from turinglearn.objectives import Hinge
from turinglearn.protocols import Gradients, IncompatiblePlayers, Losses, PlayerError, Samples

EQUILIBRIUM = -math.log(4)


def normal(n, seed=0, mean=0.0, d=1):
    return mean + np.random.default_rng(seed).standard_normal((n, d))


def value(score, mean, tilt=0.0):
    """E log D + E log(1 - D) for real N(mean, 1) and fakes N(tilt, 1), by quadrature."""

    def integrand(x):
        real = -np.logaddexp(0, -score(x)) * stats.norm.pdf(x, mean)
        return real - np.logaddexp(0, score(x)) * stats.norm.pdf(x, tilt)

    return quad(integrand, -12, 12)[0]


def played(generator, discriminator, data, rounds=1, **options):
    game = Game(generator, discriminator, random_state=0, **options)
    for _ in islice(game.rounds(data), rounds):
        pass
    return game


class Fixed:
    """A generator that knows its distribution, and has nothing to learn."""

    def __init__(self, mean=0.0):
        self.feedback_type, self.mean = Losses, mean

    def propose(self, n, rng, condition=None):
        return Samples(self.mean + rng.standard_normal((n, 1)), condition)

    def update(self, samples, feedback):
        pass


def flat_discriminator():
    return ExactDiscriminator(lambda x: 0.0 * x[:, 0], lambda x: 0.0 * x)


# -------------------------------------------------------------------------------------------------------- closed forms
@pytest.mark.parametrize("responder", [LogisticRegression(), NeuralDiscriminator(hidden=(16,))], ids=["refitted", "neural"])
def test_at_the_known_equilibrium_the_gap_is_near_0(responder):
    game = played(Shift(dimension=1), flat_discriminator(), normal(500))
    found = duality_gap(game, normal(8000, 1), discriminator=responder, rounds=200, random_state=0)
    assert found.value == pytest.approx(EQUILIBRIUM, abs=1e-12)
    assert found.best_generator == pytest.approx(EQUILIBRIUM, abs=1e-12)  # against no opinion nothing can be won
    assert abs(found.gap) < 0.005
    assert found.gap == found.best_discriminator - found.best_generator


@pytest.mark.parametrize("mean", [0.5, 1.0, 2.0])
def test_the_best_discriminator_s_value_is_twice_the_jsd_above_the_equilibrium(mean):
    """Real N(mean, 1), fakes N(0, 1): log p/q is linear, so that logistic regression can be the best discriminator."""
    truth = value(lambda x: mean * x - mean**2 / 2, mean)
    game = played(Fixed(), flat_discriminator(), normal(500, mean=mean))
    found = duality_gap(game, normal(40_000, 1, mean), discriminator=LogisticRegression(), rounds=1, random_state=0)
    assert EQUILIBRIUM < truth < 0
    assert found.best_discriminator == pytest.approx(truth, abs=0.03)
    assert found.gap == pytest.approx(truth - EQUILIBRIUM, abs=0.03)


def test_the_best_generator_goes_to_the_summit_of_the_frozen_discriminator():
    """r = 1 - (x - 2)²/4 is largest at 2: of all N(m, 1) the one at 2 deceives it best."""

    def score(x):
        return 1 - (x[..., 0] - 2) ** 2 / 4

    game = played(Shift(dimension=1, rate=0.0), ExactDiscriminator(score, lambda x: (2 - x) / 2), normal(500))
    mover = Shift(dimension=1, rate=0.2)
    found = duality_gap(game, normal(20_000, 1), generator=mover, rounds=200, random_state=0)

    def r(x):
        return 1 - (x - 2) ** 2 / 4

    assert found.value == pytest.approx(value(r, 0.0, 0.0), abs=0.04)
    assert found.best_generator == pytest.approx(value(r, 0.0, 2.0), abs=0.04)
    assert found.value - found.best_generator > 0.3


def test_the_gap_falls_as_the_generator_comes_nearer():
    gaps = []
    for mean in (2.0, 1.0, 0.5, 0.0):
        game = played(Fixed(mean), LogisticRegression(), normal(2000), samples_per_fit=1000)
        gaps.append(duality_gap(game, normal(8000, 1), generator=Shift(dimension=1), rounds=20, random_state=0).gap)
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] > 0.4
    assert gaps[-1] < 0.02


def test_a_generator_that_cannot_move_is_at_equilibrium_with_its_best_discriminator():
    """The gap is that of the players there are: here neither can win more, though the distributions differ."""
    game = played(Fixed(1.0), LogisticRegression(), normal(4000), samples_per_fit=3000)
    found = duality_gap(game, normal(8000, 1), rounds=1, random_state=0)
    assert abs(found.gap) < 0.02 < found.value - EQUILIBRIUM


def test_a_trained_game_has_a_smaller_gap_than_an_untrained_one():
    problem = gaussian([2.0, -1.0], np.array([[1.0, 0.5], [0.5, 1.0]]))
    data = problem.sample(4000, 0)

    def gap(rounds):
        players = NeuralGenerator(2, (16,)), NeuralDiscriminator((16,))
        game = played(*players, data, rounds, batch_size=128)
        return duality_gap(game, problem, rounds=100, random_state=0).gap

    assert gap(600) < gap(1) / 2


def test_no_response_is_worse_than_the_player_as_it_is():
    """A tree that learned its fit by heart is worse than no opinion: the game's own discriminator is kept."""
    game = played(Fixed(), flat_discriminator(), normal(100))
    found = duality_gap(game, normal(400, 1), discriminator=DecisionTreeClassifier(), rounds=3, random_state=0)
    assert found.best_discriminator == found.value == pytest.approx(EQUILIBRIUM, abs=1e-12)


def test_a_response_is_measured_on_rows_and_fakes_that_neither_trained_nor_chose_it():
    shown = []

    class Witness(ExactDiscriminator):
        def __deepcopy__(self, memo):
            return self

        def score_samples(self, batch):
            shown.append(batch.x)
            return super().score_samples(batch)

    data = normal(400, 1)
    game = played(Fixed(), Witness(lambda x: 0.0 * x[:, 0], lambda x: 0.0 * x), normal(100))
    discriminator = game.discriminator
    shown.clear(), discriminator.shown.clear()
    duality_gap(game, data, rounds=2, random_state=0)
    valued = [x for x in shown if len(x) == 100]  # a quarter of the data: real and fake in turn
    values = {kind: {x.tobytes(): set(x[:, 0]) for x in valued[i::2]} for i, kind in enumerate(("real", "fake"))}
    trained = {"real": set(), "fake": set()}
    for real, fake in discriminator.shown:
        trained["real"] |= set(real.x[:, 0])
        trained["fake"] |= set(fake.x[:, 0])
    for kind, batches in values.items():
        sets = list(batches.values())
        assert len(sets) == 2  # chosen by, measured on
        assert not sets[0] & sets[1]
        assert not (sets[0] | sets[1]) & trained[kind]


# -------------------------------------------------------------------------------------------------------------- the game
def numbers(thing, seen=None):
    """Every array and number that can be reached from thing, in order."""
    seen = set() if seen is None else seen
    if isinstance(thing, np.ndarray | int | float):
        return [np.array(thing)]
    if id(thing) in seen:
        return []
    seen.add(id(thing))
    if isinstance(thing, np.random.Generator):
        return numbers(thing.bit_generator.state, seen)
    parts = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list | tuple) else ()
    parts = parts or [getattr(thing, name) for name in dir(type(thing)) if name in getattr(type(thing), "__slots__", ())]
    parts = parts or list(getattr(thing, "__dict__", {}).values())
    return [number for part in parts for number in numbers(part, seen)]


@pytest.mark.parametrize(
    ("generator", "discriminator", "options"),
    [
        (NeuralGenerator(2, (8,)), NeuralDiscriminator((8,)), {}),
        (NeuralGenerator(2, (8,)), NeuralDiscriminator((8,)), {"pack": 2}),
        (MixtureGenerator(2), LogisticRegression(), {}),
    ],
    ids=["neural", "packed", "mixture-classifier"],
)
def test_the_measured_game_stays_as_it_was(generator, discriminator, options):
    data = normal(400, d=2)
    game = played(generator, discriminator, data, 3, **options)
    twin = copy.deepcopy(game)
    before = numbers([game.generator, game.discriminator, game.streams.opened])
    found = duality_gap(game, normal(400, 1, d=2), rounds=3, random_state=0)
    assert all(map(math.isfinite, (found.value, found.best_discriminator, found.best_generator)))
    assert len(before) > 20
    for a, b in zip(before, numbers([game.generator, game.discriminator, game.streams.opened]), strict=True):
        np.testing.assert_array_equal(a, b)
    assert game.index == 3
    for g in (game, twin):
        next(g.rounds(data))
    np.testing.assert_array_equal(game.sample(20), twin.sample(20))


def test_a_seed_repeats_and_sources_and_conditions_are_played():
    c = np.random.default_rng(0).standard_normal((400, 1))
    data = 2 * c + normal(400)
    game = Game(NeuralGenerator(2, (8,)), NeuralDiscriminator((8,)), random_state=0)
    next(game.rounds(data, c))
    a, b, other = (duality_gap(game, data, c, rounds=5, random_state=seed) for seed in (1, 1, 2))
    assert a == b != other
    assert a.gap > 0


def test_responders_given_are_left_untouched():
    responder, mover = NeuralDiscriminator((4,)), Shift(dimension=1)
    game = played(Shift(dimension=1), flat_discriminator(), normal(100))
    duality_gap(game, normal(100), discriminator=responder, generator=mover, rounds=2, random_state=0)
    assert not hasattr(responder, "network_")
    assert mover.feedbacks == []


def test_a_game_on_torch(arrays_on):
    if arrays_on.name not in ("numpy", "torch"):
        pytest.skip("needs a library in which neural players have a backend on the host")
    players = NeuralGenerator(2, (8,), backend=arrays_on.library), NeuralDiscriminator((8,), backend=arrays_on.library)
    game = played(*players, arrays_on.asarray(normal(200), arrays_on.xp.float32))
    assert math.isfinite(duality_gap(game, arrays_on.asarray(normal(200, 1), arrays_on.xp.float32), rounds=2).gap)


# ---------------------------------------------------------------------------------------------------------------- errors
def test_errors():
    fresh = Game(Shift(dimension=1), flat_discriminator())
    with pytest.raises(RuntimeError, match="No round has been played"):
        duality_gap(fresh, normal(100))
    game = played(Shift(dimension=1), flat_discriminator(), normal(100))
    with pytest.raises(ValueError, match="rounds=0"):
        duality_gap(game, normal(100), rounds=0)
    with pytest.raises(ValueError, match="data has 7 rows; expected at least 8"):
        duality_gap(game, normal(7))
    with pytest.raises(IncompatiblePlayers, match="The evidence of NeuralDiscriminator is Scores; expected LogOdds"):
        duality_gap(game, normal(100), discriminator=NeuralDiscriminator(criterion=Hinge()))
    game.generator.held = (i for i in ())  # generators cannot be copied
    with pytest.raises(PlayerError, match="Shift cannot be copied"):
        duality_gap(game, normal(100))


def test_critics_are_refused():
    game = played(NeuralGenerator(2, (4,)), NeuralDiscriminator((4,), criterion=Hinge()), normal(100))
    assert game.generator.feedback_type is Gradients
    with pytest.raises(IncompatiblePlayers, match="needs log-odds"):
        duality_gap(game, normal(100))
