"""Threads of classifiers: the game adds none of its own, and they change nothing but the time."""

from __future__ import annotations

import threading
from itertools import islice

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier

from tests.players import Shift
from turinglearn import Game, Replicas
from turinglearn.protocols import Losses

X = np.random.default_rng(0).normal([3, -1], [1, 2], (500, 2))
BUSY = []  # how many calls were under way, at each call


class Watched(KNeighborsClassifier):
    """A classifier that looks around at each of its calls."""

    under_way = 0

    def fit(self, X, y):
        return self._monitor(lambda: super(Watched, self).fit(X, y))

    def predict_proba(self, X):
        return self._monitor(lambda: super(Watched, self).predict_proba(X))

    def _monitor(self, act):
        Watched.under_way += 1
        BUSY.append((Watched.under_way, threading.current_thread()))
        try:
            return act()
        finally:
            Watched.under_way -= 1


def test_replicas_of_a_classifier_play_in_turn_on_one_thread():
    """So that n_jobs is never multiplied by their number."""
    BUSY.clear()
    game = Replicas(Shift(Losses), Watched(), 3, batch_size=20, samples_per_fit=20, random_state=0)
    for _ in islice(game.rounds(X), 2):
        pass
    assert len(BUSY) == 2 * 3 * 2  # rounds, replicas, a fit and an answer
    assert set(BUSY) == {(1, threading.main_thread())}


def test_threads_of_a_forest_change_nothing_but_the_time():
    means = []
    for n_jobs in (None, 2):
        generator, forest = Shift(), RandomForestClassifier(5, n_jobs=n_jobs)
        game = Game(generator, forest, batch_size=40, samples_per_fit=40, random_state=0)
        for _ in islice(game.rounds(X), 2):
            pass
        assert game.discriminator.estimator_.n_jobs == n_jobs
        means.append(generator.mean)
    np.testing.assert_array_equal(*means)
