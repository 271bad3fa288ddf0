"""The front door: a game as a scikit-learn estimator, which clones its players and keeps the best of what was learned."""

from __future__ import annotations

import copy
import hashlib
import math
import numbers
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted, validate_data

from turinglearn.arrays import flat, is_array, is_module, like, location_and_spread, to_numpy
from turinglearn.contract import deploy, examine
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.game import Game
from turinglearn.generators import NeuralGenerator
from turinglearn.keeping import Keeper
from turinglearn.metrics import energy_distance
from turinglearn.nn import LinearDecay
from turinglearn.packing import fold
from turinglearn.protocols import Array, Batch
from turinglearn.rounds import Round
from turinglearn.sources import ArraySource, check_given
from turinglearn.state import recall, unharmed
from turinglearn.streams import Streams, as_seed
from turinglearn.tables import TableEncoder, is_frame

__all__ = ["TuringLearner"]

_RECORDS = 200  # rows of history_, evenly spaced over the rounds
_RATE = 3e-3  # the first learning rate of the networks that nobody chose
_JUDGED = 2000  # validation rows at most
_LEARNED = ("seed_", "streams_", "history_", "keeper_", "data_", "example_", "unit_", "options_", "table_")
_OPTIONS = (*("batch_size", "samples_per_fit", "discriminator_steps", "generator_steps", "pack", "keep", "validation"),)
_NAMES = ("n_features_in_", "feature_names_in_")


class TuringLearner(BaseEstimator):
    """A generator that learns a data set by deceiving a discriminator.

    The players are cloned, never fitted themselves. A share of the rows, which no player sees, decides by the energy distance
    which of about twenty stages of the generator is kept.

    Parameters
    ----------
    generator, discriminator : players, or None
        What `Game` takes: players of this package or one's own, an nn.Module, a scikit-learn classifier, an estimator with fit
        and sample. None for a `NeuralGenerator` whose learning rate falls to 0 over the rounds and whose parameters are
        averaged, and for a `NeuralDiscriminator`.
    rounds : int
        How many rounds are played.
    objective, signal, batch_size, samples_per_fit, discriminator_steps, generator_steps, pack, replay
        As for `Game`, whose ``simultaneous``, ``subsample`` and ``replicas`` are its own: a learner plays one game.
    keep : "best", "average" or "last"
        The stage of the generator that samples best, the latest stages together (as many as sample best; fictitious play
        averages in the same way), or what the last round left.
    validation : float
        The share of the rows that is kept for choosing, in (0, 1); at most 2,000 rows. With keep="last" none are.
    random_state : int, numpy generator or None
        The seed.

    Attributes
    ----------
    game_ : the `Game`, with the players as the last round left them.
    history_ : dict of lists: index, generator_loss, discriminator_loss, accuracy, caught, effective_sample_size, mean_ratio,
        effective_share and distance, the last one in units of each feature's spread, nan but where a stage was tried. About
        200 rows, evenly spaced.
    n_features_in_, feature_names_in_ : as everywhere in scikit-learn.
    table_ : the `TableEncoder` of a data frame; None for arrays.

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
    def fit(self, X: Any, y: Any = None, *, given: Any = None) -> TuringLearner:
        """Play all rounds on genuine samples X (N, *event), or a data frame; y is ignored.

        given: (N, c), one condition per row, that both players are told. Raises ValueError for data or options that cannot
        be played on.
        """
        for _ in self.play(X, given=given):
            pass
        return self

    def play(self, X: Any, y: Any = None, *, given: Any = None, resume: bool = False) -> Iterator[Round]:
        """The rounds of `fit`, one by one, for those who want to watch, save or stop: the learner can be used at any time.

        resume: go on where an interrupted `play` or a loaded model stood, on the same data, up to `rounds`.
        """
        self._check_parameters(given)
        with unharmed(self):  # what was learned before is not lost to a mistake
            x, given = self._genuine(X, given, reset=not resume)
            if resume:
                self._go_on(x, given)
            else:
                self._begin(x, given)
            training, validation = self._split(x, given)
            source = self.game_.rounds(training.x, training.given)  # its checks come now, not in the first round
        return self._rounds(source, validation)

    def _rounds(self, source: Iterator[Round], validation: Batch) -> Iterator[Round]:
        every, record_every = max(1, self.rounds // 20), max(1, self.rounds // _RECORDS)
        while self.game_.index < self.rounds:
            r = next(source)
            tried = self.keep != "last" and (r.index % every == 0 or r.index == self.rounds)
            if tried or r.index % record_every == 0:
                distance = self.keeper_.consider(self.game_, validation, self._rows) if tried else math.nan
                for name, value in {**r.figures(), "distance": distance}.items():
                    self.history_.setdefault(name, []).append(value)
            yield r

    def _begin(self, x: Array, given: Array | None) -> None:
        self.seed_ = as_seed(self.random_state)
        self.streams_ = Streams(self.seed_)
        self.history_: dict[str, list[Any]] = {}
        self.data_ = _fingerprint(x, given)
        self.example_ = ArraySource(x, given).rows(np.arange(1))
        self.unit_ = _unit(_joined(x, given))
        self.options_ = {name: getattr(self, name) for name in _OPTIONS}
        self.keeper_ = Keeper(self.keep)
        self.game_ = self._new_game()

    def _go_on(self, x: Array, given: Array | None) -> None:
        """Check that an interrupted play can go on: with the same data, and with the options that it began with."""
        check_is_fitted(self)
        changed = [name for name, began in self.options_.items() if getattr(self, name) != began]
        if changed:
            name, began = changed[0], self.options_[changed[0]]
            raise ValueError(
                f"{name}={getattr(self, name)!r}, but the rounds began with {began!r} and cannot go on with another one. Put "
                "it back, or fit anew."
            )
        self._check_same(x, given)
        if self.generator is None:  # its learning rate falls over all the rounds that are asked for now
            vars(self.game_.generator)["learning_rate"] = self._usual_generator().learning_rate

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "game_") and self.game_.index > 0

    def state(self) -> dict[str, Any]:
        """All that was learned, and where the rounds stand: themselves, not copies."""
        check_is_fitted(self)
        return {**{name: getattr(self, name) for name in _LEARNED + _NAMES if hasattr(self, name)}, "game": self.game_.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a state, in a learner with the same parameters: as if it had learned it itself."""
        self._check_parameters(None)
        state = copy.deepcopy(state)
        game = state.pop("game")
        if not set(_LEARNED) <= state.keys() <= set(_LEARNED + _NAMES):
            raise ValueError(f"A learner's state has {_LEARNED}, but this one has {tuple(state)}.")
        if self.generator is None:  # its learning rate follows the rounds that are asked for now
            game.get("options", {}).pop("generator.learning_rate", None)
        with unharmed(self):
            for name, value in state.items():
                setattr(self, name, value)
            self.game_ = self._new_game()
            self.game_.restore(game)

    def _new_game(self) -> Game:
        """A game of clones of the players, with the learner's options."""
        generator = clone(self.generator, safe=False) if self.generator is not None else self._usual_generator()
        discriminator = clone(self.discriminator, safe=False) if self.discriminator is not None else self._usual_judge()
        options = ("objective", "signal", "batch_size", "samples_per_fit", "discriminator_steps", "generator_steps", "pack")
        replay = copy.deepcopy(self.replay)
        chosen = {name: getattr(self, name) for name in options}
        return Game(generator, discriminator, replay=replay, random_state=self.seed_, **chosen)

    def _usual_generator(self) -> NeuralGenerator:
        trained = self.discriminator is None or hasattr(self.discriminator, "criterion") or is_module(self.discriminator)
        steps = self.rounds * (self.generator_steps or (1 if trained else 5))
        return NeuralGenerator(learning_rate=LinearDecay(_RATE, int(steps)), averaging=0.99)

    def _usual_judge(self) -> NeuralDiscriminator:
        return NeuralDiscriminator(learning_rate=_RATE)

    def _split(self, x: Array, given: Array | None) -> tuple[Batch, Batch]:
        """Rows to learn from, and rows to choose by."""
        n = x.shape[0]
        held = 0 if self.keep == "last" else min(_JUDGED, max(2, round(self.validation * n)))
        order = Streams(self.seed_)("validation").permutation(n)
        if held and n - held < 2:
            raise ValueError(
                f"X has {n} rows, too few to part with {held} for choosing the best round. Give more data, or keep='last'."
            )
        genuine = ArraySource(x, given)
        return genuine.rows(np.sort(order[held:])), genuine.rows(np.sort(order[:held]))

    # --------------------------------------------------------------------------------------------------------------- using
    def sample(self, n: int = 1, given: Any = None, *, random_state: Any = None) -> Any:
        """n samples of what was learned: like the genuine data in kind, dtype and, for a data frame, column types and ranges.

        given: one condition per sample, (n, c), where the learner was fitted under conditions. random_state: a seed of its own;
        None goes on with the learner's stream, so that a second call gives other samples.
        """
        check_is_fitted(self)
        if not isinstance(n, numbers.Integral) or isinstance(n, bool) or n < 1:
            raise ValueError(f"n={n!r}: expected an integer, the number of samples, at least 1.")
        rng = self.streams_("sample") if random_state is None else Streams(as_seed(random_state))("sample")
        told = self._told(given, int(n))
        x = like(self._draw(int(n), rng, told), self.example_.x)
        return x if self.table_ is None else self.table_.inverse_transform(x)

    def discriminate(self, X: Any, given: Any = None) -> Any:
        """What the last judge says of each sample, (n,), higher means more genuine: log-odds, where it says log-odds.

        In a game with packing, (n / pack,): one number for each tuple of consecutive samples.
        """
        check_is_fitted(self)
        x, given = self._genuine(X, given, reset=False)
        pack = self.game_.pack
        if x.shape[0] % pack:
            raise ValueError(f"X has {x.shape[0]} rows, which are no tuples of pack={pack}. Give a multiple of {pack}.")
        batch = fold(Batch(x, self._told(given, x.shape[0])), pack)
        return to_numpy(examine(self.game_.discriminator, batch).values)

    def score(self, X: Any, y: Any = None, *, given: Any = None) -> float:
        """Minus the squared energy distance of as many samples to X, in units of each feature's spread; y is ignored.

        Unbiased, so it can be above 0. The same samples are drawn each time, so that scores compare. Under conditions the
        distance is that of the joint laws, of samples and conditions together.
        """
        check_is_fitted(self)
        x, given = self._genuine(X, given, reset=False)
        if x.shape[0] < 2:
            raise ValueError(f"X has {x.shape[0]} row; expected at least 2, since a distance compares laws. Give more rows.")
        told = self._told(given, x.shape[0])
        fake = self._draw(x.shape[0], Streams(self.seed_)("score"), told)
        return -energy_distance(self._rows(fake, told), self._rows(x, told))

    def in_units(self, X: Any) -> Any:
        """X as a matrix (n, features), a data frame encoded, each feature in units of its spread in the fit: for measures."""
        check_is_fitted(self)
        x = flat(self._genuine(X, None, reset=False)[0])
        return x / self.unit_[: x.shape[1]]

    def _rows(self, x: Array, given: Array | None) -> Any:
        """Samples and their conditions side by side, each feature in units of its spread in the fit."""
        return _joined(x, given) / self.unit_

    def _draw(self, n: int, rng: np.random.Generator, told: Array | None) -> Array:
        seen = Batch(self.example_.x, told)
        stages: list[Any] = [*self.keeper_.kept] or [None]
        counts = np.bincount(rng.integers(0, len(stages), n), minlength=len(stages)) if len(stages) > 1 else [n]
        parts = []
        for stage, count in zip(stages, counts, strict=True):
            if count:
                parts.append(to_numpy(deploy(self._generator(stage), int(count), rng, seen)))
        return parts[0] if len(parts) == 1 else rng.permutation(np.concatenate(parts))

    def _generator(self, stage: Any) -> Any:
        """The generator as it stood at a stage."""
        if stage is None:
            return self.game_.generator
        generator = copy.deepcopy(self.game_.generator)
        recall(generator, stage)
        return generator

    # -------------------------------------------------------------------------------------------------------------- inputs
    def _genuine(self, X: Any, given: Any, *, reset: bool) -> tuple[Array, Array | None]:
        """Genuine samples as an array (n, *event), with their conditions; columns must be those of the fit."""
        if reset:
            self.table_: TableEncoder | None = None
            self.__dict__.pop("feature_names_in_", None)
        if is_frame(X):
            validate_data(self, X, reset=reset, skip_check_array=True)
            if reset:
                self.table_ = TableEncoder().fit(X)
            x = X if self.table_ is None else self.table_.transform(X)
        elif self.table_ is not None:
            raise ValueError(
                f"{type(self).__name__} was fitted to a data frame, but X is a {type(X).__name__}. Give a data frame with the "
                "same columns."
            )
        else:
            x = X
        if self.table_ is None:
            x = self._array(x, reset=reset)
        return x, None if given is None else check_given(given, x.shape[0])

    def _array(self, X: Any, *, reset: bool) -> Array:
        if is_array(X) and (not isinstance(X, np.ndarray) or X.ndim > 2):  # tensors on devices, images
            x = ArraySource(X).x
            features = math.prod(x.shape[1:])
            if reset:
                self.n_features_in_ = features
            elif features != self.n_features_in_:
                raise ValueError(
                    f"X has {features} features, but {type(self).__name__} is expecting {self.n_features_in_} features as "
                    "input."
                )
            elif x.shape[1:] != self.example_.x.shape[1:]:
                raise ValueError(
                    f"X has events of shape {tuple(x.shape[1:])}; expected {tuple(self.example_.x.shape[1:])}, as in the fit. "
                    "Reshape or transpose them."
                )
            return x
        least = 2 if reset else 1
        x = validate_data(self, X, dtype=[np.float64, np.float32], reset=reset, ensure_min_samples=least)
        if not reset and len(self.example_.x.shape) > 2:
            raise ValueError(f"X has shape {x.shape}; expected events of shape {self.example_.x.shape[1:]}, as in the fit.")
        return x

    def _told(self, given: Any, n: int) -> Array | None:
        expected = self.example_.given
        if (given is None) != (expected is None):
            remedy = "Leave given out." if expected is None else f"Pass given=, one of {n} conditions per sample."
            fitted = "without" if expected is None else "under"
            raise ValueError(f"The learner was fitted {fitted} conditions, but given is {type(given).__name__}. {remedy}")
        return None if given is None else check_given(given, n, expected)

    def _check_same(self, x: Array, given: Array | None) -> None:
        if _fingerprint(x, given) != self.data_:
            raise ValueError(
                "X is not the data that this learner was playing on, so its rounds cannot go on. Give the same rows in the "
                "same order, or fit anew."
            )

    def _check_parameters(self, given: Any) -> None:
        if not isinstance(self.rounds, numbers.Integral) or isinstance(self.rounds, bool) or self.rounds < 1:
            raise ValueError(f"rounds={self.rounds!r}: expected an integer, at least 1.")
        if self.keep not in ("best", "average", "last"):
            raise ValueError(f"keep={self.keep!r}: expected 'best', 'average' or 'last'.")
        if self.keep == "average" and given is not None:
            raise ValueError("keep='average' mixes stages and does not know conditions. Fit with keep='best'.")
        if not (isinstance(self.validation, numbers.Real) and 0 < self.validation < 1):
            raise ValueError(f"validation={self.validation!r}: expected a share of the rows in (0, 1).")


def _joined(x: Array, given: Array | None) -> Any:
    """Samples as rows (n, features), and their conditions as further columns."""
    return flat(x) if given is None else np.hstack((flat(x), flat(given)))


def _unit(x: Any) -> Any:
    """The spread of each column of x (n, features), 1 where it is constant, (features,)."""
    _, spread = location_and_spread(x)
    return np.where(spread > 0, spread, 1)


def _fingerprint(x: Array, given: Array | None) -> str:
    """What tells one data set from another."""
    digest = hashlib.sha256()
    for part in (x, given):
        if part is not None:
            host = np.ascontiguousarray(to_numpy(part))
            digest.update(f"{host.shape} {host.dtype}".encode())
            digest.update(host.data)
    return digest.hexdigest()
