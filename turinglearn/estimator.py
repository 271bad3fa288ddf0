"""The front door: a game as a scikit-learn estimator, which clones its players and keeps the best of what was learned."""

from __future__ import annotations

import copy
import math
import numbers
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from turinglearn.arrays import flat, is_module, location_and_spread, to_numpy
from turinglearn.contract import draw_samples, score_samples
from turinglearn.data.adapter import DataAdapter, fingerprint
from turinglearn.data.sources import ArraySource
from turinglearn.data.tables import TableEncoder
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.game import Game, Schedule
from turinglearn.game.checkpoint import rollback_on_error, set_state
from turinglearn.game.display import players_block
from turinglearn.game.packing import fold
from turinglearn.game.records import Round
from turinglearn.game.schedule import positive_integer
from turinglearn.generators import NeuralGenerator
from turinglearn.metrics import energy_distance
from turinglearn.model_selection import CheckpointSelector
from turinglearn.nn import LinearDecay
from turinglearn.protocols import Array, Batch, Generator
from turinglearn.registry import resolve
from turinglearn.streams import Streams, as_seed

__all__ = ["TuringLearner"]

_RECORDS = 200  # rows of history_, evenly spaced over the rounds
_RATE = 3e-3  # the first learning rate of the usual networks
_SCORED = 2000  # validation rows at most
_LEARNED = ("seed_", "streams_", "history_", "selector_", "data_", "example_", "unit_", "options_", "table_")
_KEPT = ("keep", "validation")  # options that must stay while interrupted rounds go on, beside the schedule's
_NAMES = ("n_features_in_", "feature_names_in_")


class TuringLearner(BaseEstimator):
    """A generator that learns a data set by playing against a discriminator.

    The players are cloned, never fitted themselves. A share of the rows is held out from both, and decides by the energy
    distance which of about twenty stages of the generator is kept.

    Parameters
    ----------
    generator, discriminator : players, or None
        What `Game` takes: players of this package or one's own, names such as "forest", an nn.Module, a scikit-learn
        classifier, an estimator with fit and sample. None for a `NeuralGenerator` whose learning rate falls to 0 over the
        rounds and whose parameters are averaged, and for a `NeuralDiscriminator`.
    rounds : int
        Number of rounds to play.
    objective, signal
        As for `Game`.
    batch_size, samples_per_fit, discriminator_steps, generator_steps, pack, replay
        As for `turinglearn.game.Schedule`.
    keep : "best", "average" or "last"
        The stage of the generator that samples best; or the latest stages together, as many as sample best (fictitious play
        averages in the same way); or what the last round left.
    validation : float in (0, 1)
        Share of the rows that is held out for this choice; at most 2,000 rows. With keep="last" none are.
    random_state : int, numpy generator or None
        The seed.

    Attributes
    ----------
    game_ : Game
        The game, with the players as the last round left them.
    history_ : dict of lists
        index, generator_loss, discriminator_loss, accuracy, fake_recall, effective_sample_size, mean_ratio, effective_share
        and distance, the last one in units of each feature's spread, nan except where a stage was tried. About 200 rows,
        evenly spaced.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.
    table_ : TableEncoder or None
        The encoder of a data frame; None for arrays.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from turinglearn import TuringLearner
    >>> X = load_iris().data
    >>> learner = TuringLearner(discriminator=RandomForestClassifier(10), rounds=5, random_state=0).fit(X)
    >>> learner.sample(3).shape
    (3, 4)
    """

    def __init__(
        self,
        generator: Any = None,
        discriminator: Any = None,
        *,
        rounds: int = 1000,
        objective: Any = None,
        signal: Any = None,
        batch_size: int | None = None,
        samples_per_fit: int | None = None,
        discriminator_steps: int = 1,
        generator_steps: int | None = None,
        pack: int = 1,
        replay: Any = None,
        keep: str = "best",
        validation: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.generator = generator
        self.discriminator = discriminator
        self.rounds = rounds
        self.objective = objective
        self.signal = signal
        self.batch_size = batch_size
        self.samples_per_fit = samples_per_fit
        self.discriminator_steps = discriminator_steps
        self.generator_steps = generator_steps
        self.pack = pack
        self.replay = replay
        self.keep = keep
        self.validation = validation
        self.random_state = random_state

    # ------------------------------------------------------------------------------------------------------------ learning
    def fit(self, X: object, y: object = None, *, condition: object = None) -> TuringLearner:
        """Play all rounds on real samples.

        Parameters
        ----------
        X : array of shape (N, *event), or data frame
            Real samples.
        y : ignored
            There for scikit-learn.
        condition : array of shape (N, c), or None
            One condition per row, which both players know.

        Returns
        -------
        TuringLearner
            The learner itself.

        Raises
        ------
        ValueError
            For data or options that cannot be played on.
        """
        for _ in self.play(X, condition=condition):
            pass
        return self

    def play(self, X: object, y: object = None, *, condition: object = None, resume: bool = False) -> Iterator[Round]:
        """Play the rounds of `fit` one by one, to watch, save or stop: the learner can be used at any time.

        With resume=True, go on where an interrupted `play` or a loaded model stood, on the same data, up to `rounds`.
        """
        self._check_parameters(condition)
        with rollback_on_error(self):  # an error does not lose what was learned before
            batch = self._resumed(X, condition) if resume else self._begin(X, condition)
            training, validation = self._split(batch)
            source = self.game_.rounds(ArraySource.of(training))  # its checks come now, not in the first round
        return self._rounds(source, validation)

    def _rounds(self, source: Iterator[Round], validation: Batch) -> Iterator[Round]:
        every, record_every = max(1, self.rounds // 20), max(1, self.rounds // _RECORDS)
        while self.game_.index < self.rounds:
            r = next(source)
            tried = self.keep != "last" and (r.index % every == 0 or r.index == self.rounds)
            if tried or r.index % record_every == 0:
                distance = self.selector_.evaluate(self.game_, validation, self._rows) if tried else math.nan
                for name, value in {**r.figures(), "distance": distance}.items():
                    self.history_.setdefault(name, []).append(value)
            yield r

    def _begin(self, X: object, condition: object) -> Batch:
        """Take the data and make a new game."""
        adapter, batch = DataAdapter.fit(self, X, condition)
        self.table_: TableEncoder | None = adapter.table
        self.example_: Batch = adapter.example
        self.seed_ = as_seed(self.random_state)
        self.streams_ = Streams(self.seed_)
        self.history_: dict[str, list[Any]] = {}
        self.data_ = fingerprint(batch)
        self.unit_ = _unit(_joined(batch))
        self.options_ = self._kept_options()
        self.selector_ = CheckpointSelector(self.keep)
        self.game_ = self._new_game()
        return batch

    def _resumed(self, X: object, condition: object) -> Batch:
        """Check that an interrupted play can go on: with the same data, and with the options that it began with."""
        check_is_fitted(self)
        batch = self._batch(X, condition)
        for name, value in self._kept_options().items():
            if value != self.options_[name]:
                raise ValueError(
                    f"{name}={value!r}, but the rounds began with {self.options_[name]!r} and cannot go on with another one. "
                    "Put it back, or fit again."
                )
        if fingerprint(batch) != self.data_:
            raise ValueError(
                "X is not the data that this learner was playing on, so its rounds cannot go on. Give the same rows in the "
                "same order, or fit again."
            )
        if self.generator is None:  # its learning rate falls over all the rounds that are asked for now
            vars(self.game_.generator)["learning_rate"] = self._usual_generator().learning_rate
        return batch

    def _kept_options(self) -> dict[str, object]:
        """Return the options that cannot change while rounds go on; functions and the like are compared by the game."""
        names = [name for name in Schedule.names() if hasattr(self, name) and name != "replay"]
        return {name: getattr(self, name) for name in (*names, *_KEPT)}

    def _sk_visual_block_(self) -> object:
        """Show both players in notebooks, the usual ones too."""
        generator = self._usual_generator() if self.generator is None else self.generator
        discriminator = self._usual_discriminator() if self.discriminator is None else self.discriminator
        return players_block(generator, discriminator)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "game_") and self.game_.index > 0

    def state(self) -> dict[str, Any]:
        """Return all that was learned, and where the rounds stand: themselves, not copies."""
        check_is_fitted(self)
        return {**{name: getattr(self, name) for name in _LEARNED + _NAMES if hasattr(self, name)}, "game": self.game_.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up a state, in a learner with the same parameters: as if it had learned it itself."""
        self._check_parameters(None)
        learned = copy.deepcopy(dict(state))
        game = learned.pop("game")
        if not set(_LEARNED) <= learned.keys() <= set(_LEARNED + _NAMES):
            raise ValueError(f"A learner's state has {_LEARNED}, but this one has {tuple(learned)}.")
        if self.generator is None:  # its learning rate follows the rounds that are asked for now
            game.get("options", {}).pop("generator.learning_rate", None)
        with rollback_on_error(self):
            for name, value in learned.items():
                setattr(self, name, value)
            self.game_ = self._new_game()
            self.game_.restore(game)

    def _new_game(self) -> Game:
        """Return a game of clones of the players, with the learner's options."""
        generator = clone(self.generator, safe=False) if self.generator is not None else self._usual_generator()
        discriminator = clone(self.discriminator, safe=False) if self.discriminator is not None else self._usual_discriminator()
        return Game(
            generator,
            discriminator,
            objective=self.objective,
            signal=self.signal,
            schedule=Schedule.of(self),
            random_state=self.seed_,
        )

    def _usual_generator(self) -> NeuralGenerator:
        discriminator = resolve("discriminator", self.discriminator)
        trained = discriminator is None or hasattr(discriminator, "criterion") or is_module(discriminator)
        steps = self.rounds * (self.generator_steps or (1 if trained else 5))
        return NeuralGenerator(learning_rate=LinearDecay(_RATE, int(steps)), ema_decay=0.99)

    def _usual_discriminator(self) -> NeuralDiscriminator:
        return NeuralDiscriminator(learning_rate=_RATE)

    def _split(self, batch: Batch) -> tuple[Batch, Batch]:
        """Return the rows to learn from, and those to choose by."""
        n = batch.n
        held = 0 if self.keep == "last" else min(_SCORED, max(2, round(self.validation * n)))
        order = Streams(self.seed_)("validation").permutation(n)
        if held and n - held < 2:
            raise ValueError(
                f"X has {n} rows, too few to part with {held} for choosing the best round. Give more data, or keep='last'."
            )
        return batch.take(np.sort(order[held:])), batch.take(np.sort(order[:held]))

    # --------------------------------------------------------------------------------------------------------------- using
    def sample(self, n_samples: int = 1, condition: object = None, *, random_state: object = None) -> Any:
        """Draw samples of what was learned.

        Parameters
        ----------
        n_samples : int
            Number of samples.
        condition : array of shape (n_samples, c), or None
            One condition per sample, where the learner was fitted under conditions.
        random_state : int, numpy generator or None
            A seed of its own; None goes on with the learner's stream, so that a second call gives other samples.

        Returns
        -------
        array of shape (n_samples, *event), or data frame
            Of the kind and dtype of the real data; for a data frame with its column types and ranges.
        """
        check_is_fitted(self)
        n = positive_integer("n_samples", n_samples)
        rng = self.streams_("sample") if random_state is None else Streams(as_seed(random_state))("sample")
        x = self._draw(n, rng, self._adapter.condition(condition, n))
        return self._adapter.inverse_transform(x)

    def decision_function(self, X: object, condition: object = None) -> NDArray[Any]:
        """Score each sample by the last discriminator: log-odds that it is real, where the discriminator gives log-odds.

        Parameters
        ----------
        X : array of shape (n, *event), or data frame
            Samples.
        condition : array of shape (n, c), or None
            Their conditions.

        Returns
        -------
        ndarray of shape (n,)
            Higher means more real. In a game with packing (n / pack,): one number per tuple of consecutive samples.
        """
        check_is_fitted(self)
        batch, pack = self._batch(X, condition), self.game_.schedule.pack
        if batch.n % pack:
            raise ValueError(f"X has {batch.n} rows, which do not make tuples of pack={pack}. Give a multiple of {pack}.")
        return to_numpy(score_samples(self.game_.discriminator, fold(batch, pack)).values)

    def score(self, X: object, y: object = None, *, condition: object = None) -> float:
        """Return minus the squared energy distance of as many samples to X, in units of each feature's spread.

        Unbiased, so it can be above 0. The same samples are drawn each time, so that scores compare. Under conditions the
        distance is that of the joint distributions, of samples and conditions together. y is ignored.
        """
        check_is_fitted(self)
        real = self._batch(X, condition)
        if real.n < 2:
            raise ValueError(
                f"X has {real.n} row; expected at least 2, since a distance compares distributions. Give more rows."
            )
        fake = Batch(self._draw(real.n, Streams(self.seed_)("score"), real.condition), real.condition)
        return -energy_distance(self._rows(fake), self._rows(real))

    def in_units(self, X: object) -> NDArray[np.float64]:
        """Return X as a matrix (n, features), a data frame encoded, each feature in units of its spread: for metrics."""
        check_is_fitted(self)
        x = flat(DataAdapter(self.table_, Batch(self.example_.x)).transform(self, X).x)
        return x / self.unit_[: x.shape[1]]

    @property
    def _adapter(self) -> DataAdapter:
        return DataAdapter(self.table_, self.example_)

    def _batch(self, X: object, condition: object) -> Batch:
        """Return samples of the kind that was fitted, with their conditions."""
        return self._adapter.transform(self, X, condition)

    def _rows(self, batch: Batch) -> NDArray[np.float64]:
        """Return samples and their conditions side by side, each feature in units of its spread."""
        return _joined(batch) / self.unit_

    def _draw(self, n: int, rng: np.random.Generator, condition: Array | None) -> Array:
        """Draw from the stages that were kept, in equal shares."""
        seen = Batch(self.example_.x, condition)
        stages: list[Any] = [*self.selector_.kept] or [None]
        counts = np.bincount(rng.integers(0, len(stages), n), minlength=len(stages)) if len(stages) > 1 else [n]
        parts = [
            to_numpy(draw_samples(self._generator(stage), int(count), rng, seen))
            for stage, count in zip(stages, counts, strict=True)
            if count
        ]
        return parts[0] if len(parts) == 1 else rng.permutation(np.concatenate(parts))

    def _generator(self, stage: Mapping[str, Any] | None) -> Generator:
        """Return the generator as it stood at a stage."""
        if stage is None:
            return self.game_.generator
        generator = copy.deepcopy(self.game_.generator)
        set_state(generator, stage)
        return generator

    def _check_parameters(self, condition: object) -> None:
        if not isinstance(self.rounds, numbers.Integral) or isinstance(self.rounds, bool) or self.rounds < 1:
            raise ValueError(f"rounds={self.rounds!r}: expected an integer, at least 1.")
        if self.keep not in ("best", "average", "last"):
            raise ValueError(f"keep={self.keep!r}: expected 'best', 'average' or 'last'.")
        if self.keep == "average" and condition is not None:
            raise ValueError("keep='average' mixes stages and does not support conditions. Fit with keep='best'.")
        if not (isinstance(self.validation, numbers.Real) and 0 < self.validation < 1):
            raise ValueError(f"validation={self.validation!r}: expected a share of the rows in (0, 1).")


def _joined(batch: Batch) -> NDArray[np.float64]:
    """Return samples as rows (n, features), with their conditions as further columns."""
    return flat(batch.x) if batch.condition is None else np.hstack((flat(batch.x), flat(batch.condition)))


def _unit(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the spread of each column of x (n, features), 1 where it is constant, (features,)."""
    _, spread = location_and_spread(x)
    return np.where(spread > 0, spread, 1)
