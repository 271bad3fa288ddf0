"""Replicas: each is the game that its seed makes alone, whether their rounds are fused or not."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from turinglearn import Game, Replicas
from turinglearn.arrays import to_numpy
from turinglearn.data.sources import as_source
from turinglearn.datasets import gaussian
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.game import fusion
from turinglearn.game.batches import RoundBatches
from turinglearn.generators import MixtureGenerator, NeuralGenerator
from turinglearn.nn import LinearDecay
from turinglearn.objectives import Logistic, sigmoid
from turinglearn.protocols import Batch
from turinglearn.streams import Streams

X = np.random.default_rng(0).normal([3, -1], [1, 0.2], (300, 2))
FIGURES = ("generator_loss", "discriminator_loss", "accuracy", "fake_recall")


def game(generator, discriminator, replicas=None, **options):
    """A game, or replicas of it."""
    if replicas is None:
        return Game(generator, discriminator, **options)
    return Replicas(generator, discriminator, replicas, **options)


def nets(backend="numpy", dtype="float64", **options):
    """A game of two small networks, with an average and a falling rate."""
    if backend == "torch":
        pytest.importorskip("torch", reason="needs torch, which is not installed")
    place = {"backend": backend, "dtype": dtype}
    generator = NeuralGenerator(3, (16, 8), ema_decay=0.9, learning_rate=LinearDecay(1e-3, 40), **place)
    return game(generator, NeuralDiscriminator((8, 16), **place), **{"batch_size": 40, "random_state": 5, **options})


def figures(records):
    return np.array([[getattr(r, name) for name in FIGURES] for r in records])


def assert_each_is_its_single_game(many, single, rounds, rtol=0.0, atol=0.0):
    together = figures(islice(many.rounds(X), rounds))  # (rounds, figures, R)
    for i, replica in enumerate(many.games):
        alone = single(random_state=replica.seed)
        np.testing.assert_allclose(together[..., i], figures(islice(alone.rounds(X), rounds)), rtol=rtol, atol=atol)
        for role in ("generator", "discriminator"):
            here, there = (to_numpy(getattr(each, role).network_.parameters) for each in (replica, alone))
            np.testing.assert_allclose(here, there, rtol=rtol, atol=atol)
        np.testing.assert_allclose(replica.sample(20), alone.sample(20), rtol=rtol, atol=atol)


SCHEDULES = {
    "usual": {},
    "steps": {"discriminator_steps": 2, "generator_steps": 3},
    "sizes": {"samples_per_fit": 70},
    "subsample": {"subsample": 120},
    "small data": {"subsample": 50},
}


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("options", SCHEDULES.values(), ids=SCHEDULES)
def test_a_replica_is_the_game_of_its_seed(options, backend):
    def single(**more):
        return nets(backend, **options, **more)

    many = single(replicas=4)
    assert [replica.seed for replica in many.games] == [5, 6, 7, 8]
    assert_each_is_its_single_game(many, single, 25, rtol=1e-9, atol=1e-12)
    assert many.fused


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_replica_is_the_game_of_its_seed_in_single_precision(backend):
    def single(**more):
        return nets(backend, "float32", **more)

    assert_each_is_its_single_game(single(replicas=3), single, 50, rtol=1e-3, atol=1e-4)


def test_as_many_play_on_an_axis_as_the_cache_holds(monkeypatch):
    many, one = nets(replicas=5), nets()
    next(one.rounds(X))
    batches = RoundBatches([Batch(X[:40])], Batch(X[:40]))
    monkeypatch.setattr(fusion, "CACHE", 2.5 * fusion.bytes_of_activations(one.players, batches))
    assert_each_is_its_single_game(many, nets, 10, rtol=1e-9, atol=1e-12)
    plan = fusion.FusionPlan.build([each.players for each in many.games], batches)
    assert [len(fused.generators) for fused in plan.rounds] == [2, 2, 1]


def test_games_that_cannot_be_fused_play_in_turn():
    def single(**options):
        return game(MixtureGenerator(2), RandomForestClassifier(5, random_state=0), batch_size=40, **options)

    many = single(replicas=3, random_state=2)
    together = figures(islice(many.rounds(X), 2))
    assert not many.fused
    for i in range(3):
        alone = single(random_state=2 + i)
        np.testing.assert_array_equal(together[..., i], figures(islice(alone.rounds(X), 2)))
    assert many.games[0].generator is not many.games[1].generator


def test_replicas_of_networks_that_are_packed_play_in_turn():
    many = nets(replicas=2, pack=2)
    next(many.rounds(X))
    assert not many.fused


def test_a_subsample_is_a_share_of_the_rows_of_each_replicas_own():
    many = nets(replicas=3, subsample=60)
    source = as_source(X)
    drawn = [[each.draw_batches(source).to_score.x for _ in range(20)] for each in many.games]
    shares = [{tuple(row) for row in np.concatenate(each)} for each in drawn]
    assert [len(share) for share in shares] == [60, 60, 60]
    assert len(set.union(*shares)) > 100
    assert set.union(*shares) <= {tuple(row) for row in X}


def test_a_subsample_of_an_endless_source_is_so_many_samples_of_each_replicas_own():
    endless, many = gaussian([0.0, 1.0], np.eye(2)), nets(replicas=2, subsample=50)
    for i, replica in enumerate(many.games):
        drawn = np.concatenate([replica.draw_batches(endless).to_score.x for _ in range(20)])
        own = endless.draw(50, Streams(many.seed + i)("subsample")).x
        np.testing.assert_array_equal(np.unique(drawn, axis=0), np.unique(own, axis=0))


def test_a_subsample_is_of_arrays_and_no_more_than_there_is():
    class Opaque:
        def draw(self, n, rng):
            return Batch([object()] * n)

    with pytest.raises(ValueError, match=r"subsample=9 takes rows of arrays, but Opaque draws a list"):
        nets(subsample=9).rounds(Opaque())
    with pytest.raises(ValueError, match=r"subsample=301 is more than the 300 rows"):
        nets(subsample=301).rounds(X)


def test_figures_and_samples_stand_on_a_leading_axis():
    many = nets(replicas=3)
    record = next(many.rounds(X))
    assert record.index == many.index == 1
    assert {name: np.shape(value) for name, value in record.figures().items()} == {
        "index": (),
        "generator_loss": (3,),
        "discriminator_loss": (3,),
        "accuracy": (3,),
        "fake_recall": (3,),
        "effective_sample_size": (3,),
        "mean_ratio": (3,),
        "effective_share": (3,),
    }
    assert many.sample(7).shape == (3, 7, 2)
    assert record.replicas[1].generator_loss == record.generator_loss[1]
    assert record.objective is record.replicas[0].objective
    assert record.criterion is record.replicas[0].criterion
    assert repr(record).startswith("Rounds(index=1, replicas=3, generator_loss=")


def test_a_copied_and_a_restored_game_go_on():
    many = nets(replicas=3)
    list(islice(many.rounds(X), 3))
    copied, restored = copy.deepcopy(many), nets(replicas=3, random_state=9)
    restored.restore(many.state())
    assert [restored.seed, *(replica.seed for replica in restored.games)] == [5, 5, 6, 7]
    expected = figures(islice(many.rounds(X), 4))
    for other in (copied, restored):
        np.testing.assert_array_equal(figures(islice(other.rounds(X), 4)), expected)
        np.testing.assert_array_equal(other.sample(5), many.sample(5)) if other is copied else None


def test_a_replica_may_go_on_alone():
    """What it learns alone stays its own, and its fellows go on; out of step, they are no longer fused."""
    many, alone = nets(replicas=3), nets(random_state=6)
    list(islice(many.rounds(X), 3))
    list(islice(many.games[1].rounds(X), 2))
    *_, record = islice(many.rounds(X), 2)
    assert (record.index, [replica.index for replica in record.replicas]) == (5, [5, 7, 5])  # together, and each
    list(islice(alone.rounds(X), 7))
    np.testing.assert_allclose(
        many.games[1].generator.network_.parameters, alone.generator.network_.parameters, rtol=1e-9, atol=1e-12
    )
    assert not many.fused
    others = nets(random_state=5)
    list(islice(others.rounds(X), 5))
    np.testing.assert_allclose(
        many.games[0].generator.network_.parameters, others.generator.network_.parameters, rtol=1e-9, atol=1e-12
    )


def test_a_number_of_replicas_is_a_whole_number():
    with pytest.raises(ValueError, match="n_replicas=0: expected an integer, at least 1"):
        nets(replicas=0)


def test_one_replica_still_has_a_leading_axis():
    one = nets(replicas=1)
    assert next(one.rounds(X)).generator_loss.shape == (1,)
    assert one.sample(2).shape == (1, 2, 2)


def test_a_restored_game_plays_on_the_rows_of_its_restored_seed():
    source = as_source(X)
    one, other = nets(subsample=60), nets(subsample=60, random_state=6)
    one.play(source), other.play(source)
    other.restore(one.state())
    one.play(source), other.play(source)
    np.testing.assert_array_equal(other.generator.network_.parameters, one.generator.network_.parameters)


@pytest.mark.parametrize("whose", [[1], [0, 1, 2]])
def test_replicas_follow_their_own_options_between_rounds(whose):
    many = nets(replicas=3)
    list(islice(many.rounds(X), 2))
    before = [replica.generator.network_.parameters.copy() for replica in many.games]
    for i in whose:
        many.games[i].generator.learning_rate = 0.0
    list(islice(many.rounds(X), 2))
    after = [replica.generator.network_.parameters for replica in many.games]
    moved = [i for i in range(3) if (after[i] != before[i]).any()]
    assert moved == [i for i in range(3) if i not in whose]
    assert many.fused == (len(whose) == 3)


@dataclass(frozen=True)
class Average(Logistic):
    """The average relativistic criterion (Jolicoeur-Martineau 2019), written for the scores of one game, (n,)."""

    def slopes(self, real, fake):
        return -sigmoid(fake.mean() - real) / len(real), sigmoid(fake - real.mean()) / len(fake)


def test_a_criterion_of_ones_own_is_shown_the_scores_of_one_game():
    def single(**options):
        discriminator = NeuralDiscriminator((8,), criterion=Average(), dtype="float64")
        return game(NeuralGenerator(3, (8,), dtype="float64"), discriminator, batch_size=40, **options)

    many = single(replicas=3, random_state=5)
    assert_each_is_its_single_game(many, single, 10)
    assert many.fused


def test_replicas_that_have_only_played_alone_can_be_sampled_and_saved():
    many, restored = nets(replicas=2), nets(replicas=2)
    with pytest.raises(RuntimeError, match="No round has been played"):
        many.sample(3)
    with pytest.raises(RuntimeError, match="No round has been played"):
        many.state()
    for replica in many.games:
        next(replica.rounds(X))
    restored.restore(many.state())
    np.testing.assert_array_equal(restored.sample(3), many.sample(3))


@pytest.mark.parametrize(
    ("saved", "restored", "said"),
    [
        (2, 3, "The state has 2 replicas, but there are 3 here. Restore it in as many."),
        (2, None, r"not a state of a game, but a dictionary with the keys \['index', 'replicas', 'seed'\]"),
        (None, 2, "not a state of replicas"),
    ],
)
def test_a_state_belongs_to_as_many_replicas(saved, restored, said):
    one, other = nets(replicas=saved), nets(replicas=restored)
    next(one.rounds(X))
    with pytest.raises(ValueError, match=said):
        other.restore(one.state())
    assert other.index == 0


def test_a_restored_torch_replica_does_not_hold_its_fellows_too():
    many, restored = nets("torch", replicas=3), nets("torch", replicas=3)
    next(many.rounds(X))
    restored.restore(many.state())
    generator = restored.games[1].generator
    held = (generator.network_.parameters, generator.average_, *generator.optimizer_.buffers)
    assert all(part.untyped_storage().nbytes() == part.nbytes for part in held)


def test_units_that_are_written_over_are_seen():
    many = nets(replicas=2)
    list(islice(many.rounds(X), 2))
    plan = fusion.FusionPlan.build([each.players for each in many.games], RoundBatches([Batch(X)], Batch(X)))
    assert plan.matches(RoundBatches([Batch(X)], Batch(X)))
    many.games[0].generator.spread_ *= 2
    many.games[0].discriminator.scale_ /= 2
    assert not plan.matches(RoundBatches([Batch(X)], Batch(X)))
    next(many.rounds(X))
    assert many.fused
    many.games[1].generator.spread_ *= 2  # no longer the units of its discriminator, in which a fused round works
    next(many.rounds(X))
    assert not many.fused
