"""Samples and scores of what users have at hand: a game, a learner, a discriminator, or a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias, TypeGuard

import numpy as np

from turinglearn.contract import score_samples
from turinglearn.estimator import TuringLearner
from turinglearn.game import Game
from turinglearn.objectives import sigmoid
from turinglearn.plots.preparation import Floats, floats
from turinglearn.protocols import Array, Batch, Discriminator, LogOdds, Scores

__all__ = ["Learned", "Scored", "WithDecisionFunction", "game_of", "probabilities_at", "samples_of", "scores_at"]


class WithDecisionFunction(Protocol):
    """Fitted binary classifier in the manner of scikit-learn; `TuringLearner` is one too."""

    def decision_function(self, X: Floats) -> Array:
        """Return a score for each row, higher for the positive class, which is real."""


Learned: TypeAlias = Game | TuringLearner  # has learned a distribution
Scored: TypeAlias = Game | Discriminator | WithDecisionFunction | Callable[[Floats], Array]  # scores samples


def game_of(source: object) -> Game | None:
    """Return the game of a game or of a learner, None for anything else."""
    return source.game_ if isinstance(source, TuringLearner) else source if isinstance(source, Game) else None


def samples_of(source: object, n: int) -> object:
    """Return n samples that a game or a learner has learned; anything else is returned as it is.

    A learner draws the same samples each time; a game goes on with its own stream of samples.
    """
    if isinstance(source, TuringLearner):
        found: object = source.sample(n, random_state=0)
        return found
    return source.sample(n) if isinstance(source, Game) else source


def scores_at(scored: Scored, points: Floats) -> Floats:
    """Return the scores of points (n, d), (n,); higher means more real."""
    if isinstance(scored, Game) or _is_discriminator(scored):
        return _checked(_evidence(scored, points).values, points)
    if _has_decision_function(scored):
        return _checked(scored.decision_function(points), points)
    return _checked(_called(scored, points), points)


def probabilities_at(scored: Scored, points: Floats) -> Floats:
    """Return the probability that points (n, d) are real, (n,): the sigmoid of log-odds. A function returns it itself."""
    scored = game_of(scored) or scored
    if not (isinstance(scored, Game) or _is_discriminator(scored)):
        return _checked(_called(scored, points), points)
    evidence = _evidence(scored, points)
    if not isinstance(evidence, LogOdds):
        raise ValueError(
            f"The discriminator returns {type(evidence).__name__}, from which no probability follows; expected LogOdds. Plot "
            "its scores with discriminator_surface, or pass probabilities as an array."
        )
    return floats(sigmoid(_checked(evidence.values, points)))


def _is_discriminator(scored: object) -> TypeGuard[Discriminator]:
    return callable(getattr(scored, "score_samples", None))


def _has_decision_function(scored: object) -> TypeGuard[WithDecisionFunction]:
    return callable(getattr(scored, "decision_function", None))


def _called(scored: object, points: Floats) -> object:
    if not callable(scored):
        raise TypeError(
            f"{type(scored).__name__} cannot score samples; expected a Game, a TuringLearner, a discriminator with "
            "score_samples, a classifier with decision_function, or a function."
        )
    return scored(points)


def _evidence(scored: Game | Discriminator, points: Floats) -> Scores:
    if not isinstance(scored, Game):
        return score_samples(scored, Batch(points))
    if scored.schedule.pack != 1:
        raise ValueError(
            f"The game has pack={scored.schedule.pack}, so it has no score for a single sample. Play a game with pack=1."
        )
    return score_samples(scored.discriminator, Batch(points))


def _checked(scores: object, points: Floats) -> Floats:
    found = floats(scores)
    if found.shape != (len(points),) or not np.isfinite(found).all():
        raise ValueError(
            f"The discriminator returned scores of shape {found.shape} for {len(points)} points; expected finite scores (n,)."
        )
    return found
