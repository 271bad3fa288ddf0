"""The loop: what each player sees and when, streams, schedules, packing, conditions, and records."""

from __future__ import annotations

import math
from itertools import islice

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from tests.players import Diary, ExactDiscriminator, Shift, SimpleDiscriminator
from turinglearn import Game
from turinglearn import objectives as o
from turinglearn.data.sources import ArraySource, as_source
from turinglearn.discriminators import KernelSVMDiscriminator, NeuralDiscriminator
from turinglearn.game.packing import fold
from turinglearn.game.replay import Replay
from turinglearn.generators import MixtureGenerator, NeuralGenerator
from turinglearn.protocols import Batch, Gradients, LogOdds, Losses, Scores, Weights
from turinglearn.signals import Smoothed

X = np.random.default_rng(0).normal([3, -1], [1, 2], (500, 2))
C = np.arange(500.0)[:, None]


def play(game, rounds=3, data=X, condition=None):
    return [r.figures() for r in islice(game.rounds(data, condition), rounds)]


def happened(discriminator):
    return "".join(kind[0] for kind, *_ in discriminator.events)


# --------------------------------------------------------------------------------------------------------- the schedule
def test_a_round_is_k_updates_of_the_discriminator_then_the_generators_steps():
    discriminator = Diary()
    game = Game(Shift(Losses), discriminator, batch_size=20, discriminator_steps=3, generator_steps=2, random_state=0)
    for _ in islice(game.rounds(X), 2):
        pass
    assert happened(discriminator) == "uuuss" * 2
    assert len(game.generator.feedbacks) == 4


def test_sizes():
    discriminator = Diary()
    list(islice(Game(Shift(Losses), discriminator, batch_size=20, samples_per_fit=64, random_state=0).rounds(X), 1))
    kinds = {kind: (first.n, second.n if second else None) for kind, first, second in discriminator.events}
    assert kinds == {"update": (64, 64), "score_samples": (20, None)}


@pytest.mark.parametrize(("rows", "refits", "sizes"), [(5000, False, [256, 256]), (5000, True, [1000, 256])])
@pytest.mark.parametrize("small", [False, True])
def test_usual_sizes_fit_the_data(rows, refits, sizes, small):
    discriminator = Diary(refits=refits)
    game = Game(Shift(), discriminator, signal=Smoothed(), random_state=0)
    list(islice(game.rounds(np.random.default_rng(0).standard_normal((30 if small else rows, 2))), 1))
    scored = discriminator.events[1][1].n // 17  # eight probes on either side, and the batch itself
    assert [discriminator.events[0][1].n, scored] == ([15, 15] if small else sizes)
    assert len(game.generator.feedbacks) == (5 if refits else 1)


def test_large_batches_do_not_starve_a_refitted_discriminator():
    discriminator = Diary(refits=True)
    next(Game(Shift(Losses), discriminator, batch_size=500, random_state=0).rounds(X))
    assert discriminator.events[0][1].n == 250


def test_simultaneous_play_with_a_refitted_discriminator():
    discriminator = Diary(refits=True)
    next(
        Game(Shift(Losses), discriminator, simultaneous=True, random_state=0).rounds(
            np.random.default_rng(0).standard_normal((3000, 2))
        )
    )
    assert [first.n for _, first, _ in discriminator.events] == [256] * 3


def test_two_iterators_of_one_game():
    game = Game(Shift(Losses), SimpleDiscriminator(), random_state=0)
    small, large = game.rounds(X[:20]), game.rounds(X)
    assert [next(small).index, next(large).index, next(small).index] == [1, 2, 3]


def test_a_round_can_be_played_by_hand():
    assert Game(Shift(Losses), SimpleDiscriminator(), random_state=0).play(ArraySource(X)).index == 1


@pytest.mark.parametrize("data", [(X[:, :1], None), (X, C)], ids=["other width", "new conditions"])
def test_a_game_keeps_to_its_kind_of_data(data):
    game = Game(Shift(Losses), SimpleDiscriminator(), random_state=0)
    next(game.rounds(X))
    for play in (lambda: game.rounds(*data), lambda: game.play(as_source(*data)), lambda: game.play(Endless(*data))):
        with pytest.raises(ValueError, match=r"The game began with events of shape \(2,\) and no.*or start a new Game"):
            play()
    other = Game(Shift(Losses), SimpleDiscriminator(), random_state=0)
    next(other.rounds(X))
    for each in (game, other):
        next(each.rounds(X + 1))  # other rows of that kind; and no rows were dealt of the others
    assert game.index == 2


class Endless:
    """Rows of an array, as a source that does not say what they are before it draws."""

    def __init__(self, x, condition):
        self.rows = as_source(x, condition)

    def draw(self, n, rng):
        return self.rows.rows(rng.integers(0, len(self.rows), n))


@pytest.mark.parametrize("data", [X[:, :1], np.c_[X, X]], ids=["narrower", "wider"])
def test_data_of_another_width_are_refused_before_rows_are_dealt(data):
    game, undisturbed = (Game(NeuralGenerator(2, (4,)), NeuralDiscriminator((4,)), random_state=0) for _ in range(2))
    play(game), play(undisturbed)
    with pytest.raises(ValueError, match="The game began with"):
        game.play(as_source(data))
    play(game, data=X + 1), play(undisturbed, data=X + 1)
    np.testing.assert_array_equal(game.sample(5), undisturbed.sample(5))


@pytest.mark.parametrize("constant", [0.1, 1e5])
def test_precision_gives_no_fake_away(constant):
    """float32 fakes beside float64 real samples: a discriminator must not tell them by their rounding."""
    data = np.column_stack([X[:400, 0], np.full(400, constant)])
    game = Game(NeuralGenerator(4, (8,)), KernelSVMDiscriminator(), batch_size=100, samples_per_fit=200, random_state=0)
    accuracies = [r.accuracy for r in islice(game.rounds(data), 30)]
    assert np.mean(accuracies[-10:]) < 0.8


def test_weights_are_used_once_for_each_fit():
    """A second refit by the same discriminator would count its evidence twice."""
    game = Game(Shift(Weights), Diary(refits=True), random_state=0)
    next(game.rounds(X))
    assert len(game.generator.feedbacks) == 1


def test_a_discriminator_is_never_asked_about_what_it_was_fitted_to():
    discriminator = Diary(refits=True)
    game = Game(Shift(Losses), discriminator, batch_size=100, samples_per_fit=400, generator_steps=5, random_state=0)
    for record in islice(game.rounds(X), 5):
        record.figures()
    fitted = set()
    for kind, first, second in discriminator.events:
        rows = set(map(bytes, first.x))
        if kind == "update":
            fitted = rows | set(map(bytes, second.x))
        else:
            assert not rows & fitted
    assert happened(discriminator) == "ussssss" * 5  # five lessons, and the real samples for the record


@pytest.mark.parametrize("fit", [200, 300], ids=["fits of their own rows", "fits that share rows"])
def test_several_fits_leave_rows_for_judging(fit):
    discriminator = Diary(refits=True)
    game = Game(Shift(Losses), discriminator, batch_size=100, samples_per_fit=fit, discriminator_steps=2, random_state=0)
    next(game.rounds(X[:500])).figures()
    first, second = (set(map(bytes, real.x)) for kind, real, _ in discriminator.events if kind == "update")
    scored = set(map(bytes, discriminator.events[-1][1].x))
    assert len(scored) == 100
    assert not scored & (first | second)
    assert bool(first & second) == (fit == 300)


@pytest.mark.parametrize(
    ("option", "message"),
    [({"replay": True}, r"replay=True: expected a Replay"), ({"simultaneous": "no"}, r"simultaneous='no': expected True or")],
)
def test_options_of_the_wrong_kind(option, message):
    with pytest.raises(TypeError, match=message):
        Game(Shift(Losses), SimpleDiscriminator(), **option)


def test_play_takes_a_source():
    with pytest.raises(TypeError, match=r"play takes a source.*For an array: next\(game.rounds\(X\)\)"):
        Game(Shift(Losses), SimpleDiscriminator()).play(X)


def test_real_samples_of_one_batch_are_distinct():
    discriminator = Diary()
    list(islice(Game(Shift(Losses), discriminator, batch_size=400, random_state=0).rounds(X), 1))
    assert len(np.unique(discriminator.events[0][1].x, axis=0)) == 400


def test_simultaneous_players_learn_from_the_same_fakes():
    discriminator = Diary()
    game = Game(Shift(Losses), discriminator, batch_size=20, simultaneous=True, random_state=0)
    for record in islice(game.rounds(X), 2):
        assert math.isfinite(record.accuracy)  # although the discriminator has moved on
    assert happened(discriminator) == "ssu" * 2
    shown = [fake for kind, _, fake in discriminator.events if kind == "update"]
    for fake, (samples, _) in zip(shown, game.generator.feedbacks, strict=True):
        np.testing.assert_array_equal(fake.x, samples.x)


def test_exact_steps_reach_the_truth():
    """The whole loop on a problem with a known answer: r = log p/q of two Gaussians, whose KL is minimised at the mean."""
    generator = Shift(rate=0.2)
    mean = X.mean(axis=0)
    discriminator = ExactDiscriminator(lambda x: None, None)
    discriminator.score = lambda x: ((x - generator.mean) ** 2 - (x - mean) ** 2).sum(axis=1) / 2
    discriminator.slope = lambda x: np.broadcast_to(mean - generator.mean, x.shape)
    play(Game(generator, discriminator, objective=o.ReverseKL(), batch_size=50, random_state=0), 60)
    np.testing.assert_allclose(generator.mean, mean, atol=1e-4)


# -------------------------------------------------------------------------------------------------------------- streams
def players(kind):
    return {
        "neural": lambda: (NeuralGenerator(4, (8,)), NeuralDiscriminator((8,))),
        "classifier": lambda: (NeuralGenerator(4, (8,)), LogisticRegression()),
        "mixture": lambda: (MixtureGenerator(2), NeuralDiscriminator((8,))),
    }[kind]()


@pytest.mark.parametrize("kind", ["neural", "classifier", "mixture"])
def test_a_seed_gives_the_same_run_bit_for_bit(kind):
    runs = []
    for seed in (1, 1, 2):
        game = Game(
            *players(kind),
            batch_size=50,
            samples_per_fit=100,
            replay=Replay(50) if kind == "neural" else None,
            random_state=seed,
        )
        runs.append((play(game), game.sample(10)))
    assert repr(runs[0][0]) == repr(runs[1][0])
    np.testing.assert_array_equal(runs[0][1], runs[1][1])
    assert not np.array_equal(runs[0][1], runs[2][1])


def test_changing_one_player_never_changes_the_draws_of_the_other():
    seen = []
    for discriminator in (
        NeuralDiscriminator((8,)),
        NeuralDiscriminator((32, 32)),
        LogisticRegression(),
        SimpleDiscriminator(),
    ):
        generator = Shift(rate=0)  # its proposals show its draws
        game = Game(
            generator, discriminator, batch_size=30, samples_per_fit=30, generator_steps=1, signal=Smoothed(), random_state=3
        )
        play(game)
        seen.append(np.stack([samples.x for samples, _ in generator.feedbacks]))
    for other in seen[1:]:
        np.testing.assert_array_equal(other, seen[0])


def test_changing_the_generator_never_changes_the_discriminators_draws():
    starts = []
    for generator in (Shift(Losses), NeuralGenerator(4, (8,)), MixtureGenerator(3)):
        game = Game(generator, NeuralDiscriminator((8,), learning_rate=1e-12), batch_size=30, random_state=3)
        play(game, 1)
        starts.append(game.discriminator.network_.parameters.copy())
    for other in starts[1:]:
        np.testing.assert_allclose(other, starts[0], atol=1e-9)


def test_sampling_does_not_disturb_the_game():
    games = [Game(NeuralGenerator(4, (8,)), NeuralDiscriminator((8,)), batch_size=30, random_state=0) for _ in range(2)]
    iterators = [game.rounds(X) for game in games]
    for _ in range(3):
        records = [next(rounds) for rounds in iterators]
        games[0].sample(7)
    assert records[0].generator_loss == records[1].generator_loss


def test_a_game_goes_on_where_it_stood():
    once, twice = (Game(NeuralGenerator(4, (8,)), NeuralDiscriminator((8,)), batch_size=30, random_state=0) for _ in range(2))
    play(once, 6)
    play(twice, 4)
    play(twice, 2)
    assert twice.index == 6
    np.testing.assert_array_equal(once.sample(5), twice.sample(5))


def test_fresh_entropy_is_kept_for_repeating():
    game = Game(NeuralGenerator(4, (8,)), NeuralDiscriminator((8,)), batch_size=30)
    play(game)
    again = Game(NeuralGenerator(4, (8,)), NeuralDiscriminator((8,)), batch_size=30, random_state=game.seed)
    play(again)
    np.testing.assert_array_equal(game.sample(5), again.sample(5))


# ----------------------------------------------------------------------------------------------------------- conditions
@pytest.mark.parametrize("pack", [1, 5])
@pytest.mark.parametrize("replay", [None, Replay(40)])
def test_conditions_travel_with_the_batch(pack, replay):
    """x carries its condition in its first feature; every batch that any player sees must agree."""

    class Echo(Shift):
        def propose(self, n, rng, condition=None):
            samples = super().propose(n, rng, condition)
            samples.x[:, 0] = condition[:, 0]
            return samples

    class Agrees(Diary):
        def look(self, batch):
            np.testing.assert_array_equal(batch.x[..., 0], batch.condition[..., 0])

        def update(self, real, fake, rng):
            self.look(real)
            self.look(fake)
            super().update(real, fake, rng)

        def score_samples(self, batch):
            self.look(batch)
            return super().score_samples(batch)

    data, discriminator = np.hstack([C, C]), Agrees()
    game = Game(Echo(Losses), discriminator, batch_size=20, pack=pack, replay=replay, random_state=0)
    play(game, 6, data, C)
    assert happened(discriminator) == "uss" * 6
    real, fake = discriminator.events[-3][1:]
    if replay is None:
        np.testing.assert_array_equal(real.condition, fake.condition)  # fakes under the conditions of the real batch


INTERACTIONS = make_pipeline(PolynomialFeatures(2), LogisticRegression())  # a linear discriminator needs to be shown them


@pytest.mark.parametrize(
    ("discriminator", "rounds"),
    [(NeuralDiscriminator((16,), learning_rate=5e-3), 400), (INTERACTIONS, 60)],
    ids=["neural", "classifier"],
)
def test_a_conditional_distribution_is_learned(discriminator, rounds):
    """x | c ~ N(3c, 1): the mean of the samples follows the condition that is asked for."""
    rng = np.random.default_rng(0)
    c = rng.choice([-1.0, 1.0], 2000)
    data = (3 * c + rng.standard_normal(2000))[:, None]
    game = Game(NeuralGenerator(4, (16,), learning_rate=5e-3), discriminator, batch_size=128, random_state=0)
    for _ in islice(game.rounds(data, c), rounds):
        pass
    means = [game.sample(500, condition=np.full(500, level)).mean() for level in (-1.0, 1.0)]
    assert means[0] < -1.5
    assert means[1] > 1.5


# -------------------------------------------------------------------------------------------------------------- packing
def test_folding_keeps_tuples_and_their_conditions():
    batch = Batch(np.arange(24.0).reshape(6, 2, 2), np.arange(6.0)[:, None])
    folded = fold(batch, 3)
    assert folded.x.shape == (2, 3, 2, 2)
    assert folded.condition.shape == (2, 3, 1)
    np.testing.assert_array_equal(folded.x[1, 2], batch.x[5])
    assert fold(batch, 1) is batch


def test_unpacked_gradients_are_those_of_the_repeated_losses(arrays_on):
    """sum over members of l(tuple): each tuple counts m times, in losses and in their gradient."""
    rng, m = np.random.default_rng(0), 3
    x = rng.standard_normal((6, 2))
    batch = Batch(arrays_on.asarray(x))

    def losses(x):
        return np.sin(x.reshape(2, -1).sum(axis=1)) ** 2

    tuples = arrays_on.asarray(losses(x))
    repeated = arrays_on.to_numpy(Losses(tuples).unpack(m, batch).values)
    np.testing.assert_array_equal(repeated, np.repeat(losses(x), m))
    slope = np.sin(2 * x.reshape(2, -1).sum(axis=1))[:, None] * np.ones((2, 6))
    gradient = arrays_on.to_numpy(Gradients(arrays_on.asarray(slope.reshape(2, 3, 2))).unpack(m, batch).values)
    for index in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[index] = 1e-6
        difference = (np.repeat(losses(x + e), m).sum() - np.repeat(losses(x - e), m).sum()) / 2e-6
        assert difference == pytest.approx(gradient[index], abs=1e-8)


@pytest.mark.parametrize("feedback_type", [Losses, Gradients, Weights])
def test_the_discriminator_sees_tuples_and_the_generator_does_not(feedback_type):
    discriminator = Diary()
    game = Game(
        Shift(feedback_type),
        discriminator,
        batch_size=20,
        pack=4,
        signal=Smoothed() if feedback_type is Gradients else None,
        random_state=0,
    )
    play(game, 1)
    assert {first.x.shape[1:] for _, first, _ in discriminator.events} == {(4, 2)}
    samples, feedback = game.generator.feedbacks[0]
    assert samples.x.shape == (20, 2)
    assert feedback.values.shape[0] == 20


# -------------------------------------------------------------------------------------------------------------- records
def test_figures_are_those_of_the_scores():
    discriminator = Diary(score=lambda x: np.where(x[:, 0] > 1.5, 1.0, -1.0))
    game = Game(Shift(Losses, rate=0), discriminator, batch_size=100, random_state=0)
    record = next(game.rounds(X))
    fake, real = discriminator.events[-1][1].x, None
    r = discriminator.score(fake)
    assert happened(discriminator) == "us"  # nobody has read what needs the real samples
    accuracy = record.accuracy
    assert happened(discriminator) == "uss"
    real = discriminator.events[-1][1].x
    assert accuracy == pytest.approx((np.mean(discriminator.score(real) > 0) + np.mean(r < 0)) / 2)
    assert record.fake_recall == pytest.approx(np.mean(r < 0))
    assert record.generator_loss == pytest.approx(np.mean(np.log1p(np.exp(-r))))
    expected = np.mean(np.log1p(np.exp(-discriminator.score(real)))) + np.mean(np.log1p(np.exp(r)))
    assert record.discriminator_loss == pytest.approx(expected)
    assert happened(discriminator) == "uss"  # asked once
    assert record.index == game.index == 1


def test_a_discriminator_without_an_opinion_is_right_half_the_time():
    record = next(Game(Shift(Losses), SimpleDiscriminator(lambda x: np.zeros(len(x))), batch_size=10, random_state=0).rounds(X))
    assert record.accuracy == record.fake_recall == 0.5
    assert record.generator_loss == pytest.approx(record.objective.equilibrium)
    assert record.discriminator_loss == pytest.approx(record.criterion.equilibrium)


def test_an_order_has_no_accuracy():
    record = next(Game(Shift(Losses), SimpleDiscriminator(score_type=Scores), batch_size=10, random_state=0).rounds(X))
    figures = record.figures()
    assert math.isnan(figures["accuracy"])
    assert math.isnan(figures["discriminator_loss"])
    assert math.isfinite(figures["generator_loss"])


def test_reading_too_late_is_an_error_that_says_so():
    early, late = islice(Game(Shift(Losses), SimpleDiscriminator(), batch_size=10, random_state=0).rounds(X), 2)
    assert math.isfinite(early.generator_loss)
    with pytest.raises(RuntimeError, match=r"Round 1 is over and its discriminator has changed.*inside the loop"):
        _ = early.accuracy
    assert math.isfinite(late.accuracy)


def test_what_was_read_in_time_can_be_read_again():
    rounds = Game(Shift(Losses), SimpleDiscriminator(), batch_size=10, random_state=0).rounds(X)
    first = next(rounds)
    accuracy = first.accuracy
    next(rounds)
    assert first.accuracy == accuracy


def test_effective_sample_size_is_reported_for_weights():
    flat = SimpleDiscriminator(lambda x: np.zeros(len(x)))
    assert next(Game(Shift(Weights), flat, batch_size=10).rounds(X)).effective_sample_size == pytest.approx(10)
    assert math.isnan(next(Game(Shift(Losses), flat, batch_size=10).rounds(X)).effective_sample_size)


# ------------------------------------------------------------------------------------------------------------- sampling
def test_samples_look_like_the_data(arrays_on):
    data = arrays_on.asarray(X)
    game = Game(NeuralGenerator(4, (8,)), NeuralDiscriminator((8,)), batch_size=30, random_state=0)
    play(game, 2, data)
    sample = game.sample(9)
    assert type(sample) is type(data)
    assert sample.shape == (9, 2)
    assert sample.dtype == data.dtype
    assert sample.device == data.device


def test_images_are_events():
    data = np.random.default_rng(0).standard_normal((100, 3, 4))
    game = Game(NeuralGenerator(4, (8,)), LogisticRegression(), batch_size=20, random_state=0)
    play(game, 2, data)
    assert game.sample(6).shape == (6, 3, 4)


def test_an_endless_source():
    class Normal:
        def draw(self, n, rng):
            return Batch(rng.standard_normal((n, 2)))

    game = Game(NeuralGenerator(4, (8,)), NeuralDiscriminator((8,)), random_state=0)
    assert [f["index"] for f in play(game, 2, Normal())] == [1, 2]
    assert game.sample(4).shape == (4, 2)


def test_says_what_it_is():
    text = repr(Game(NeuralGenerator(), NeuralDiscriminator()))
    assert "NeuralGenerator()" in text
    assert "Exact()" in text
    assert "NonSaturating()" in text


def test_log_odds_alone_have_the_logistic_criterion():
    assert isinstance(next(Game(Shift(Losses), SimpleDiscriminator(score_type=LogOdds)).rounds(X)).criterion, o.Logistic)


def test_a_notebook_shows_both_players():
    html = Game(Shift(), RandomForestClassifier(3))._repr_html_()
    assert "Shift" in html
    assert "RandomForestClassifier" in html
