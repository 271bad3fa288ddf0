"""Replay: what is held, what is shown, and that nothing is parted from its condition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from turinglearn.game.replay import Replay, ReplayBuffer
from turinglearn.protocols import Batch


def labelled(start, n, place=None):
    """Fakes whose condition tells which they are."""
    label = np.arange(start, start + n, dtype=float)
    x, condition = np.stack([label, -label], axis=1), label[:, None]
    return Batch(x, condition) if place is None else Batch(place.asarray(x), place.asarray(condition))


@given(
    capacity=st.integers(1, 40),
    fraction=st.floats(0.05, 0.95),
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=8),
    seed=st.integers(0, 1000),
)
def test_x_and_its_condition_stay_together(capacity, fraction, sizes, seed):
    replay, rng, start = ReplayBuffer(Replay(capacity, fraction)), np.random.default_rng(seed), 0
    for n in sizes:
        mixed = replay.mix(labelled(start, n), rng)
        assert mixed.n == n
        np.testing.assert_array_equal(mixed.x[:, 0], mixed.condition[:, 0])
        np.testing.assert_array_equal(mixed.x[:, 1], -mixed.condition[:, 0])
        past = mixed.condition[:, 0] < start
        assert past.sum() == (int(n * fraction) if start else 0)
        start += n
        assert replay.held.n == min(capacity, start)
        assert len(np.unique(replay.held.condition)) == replay.held.n  # no fake is held twice
        np.testing.assert_array_equal(replay.held.x[:, 0], replay.held.condition[:, 0])


def test_replay_on_every_library(arrays_on):
    replay, rng = ReplayBuffer(Replay(10)), np.random.default_rng(0)
    for start in (0, 8, 16):
        mixed = replay.mix(labelled(start, 8, arrays_on), rng)
    label = arrays_on.to_numpy(mixed.condition)[:, 0]
    np.testing.assert_array_equal(arrays_on.to_numpy(mixed.x)[:, 0], label)
    assert (label < 16).sum() == 4


def test_every_past_fake_is_equally_likely_to_be_held():
    held = np.zeros(60)
    for seed in range(3000):
        replay, rng = ReplayBuffer(Replay(12)), np.random.default_rng(seed)
        for start in range(0, 60, 10):
            replay.mix(labelled(start, 10), rng)
        held[replay.held.condition[:, 0].astype(int)] += 1
    assert held.sum() == 3000 * 12
    assert chisquare(held).pvalue > 1e-3


def test_a_past_batch_is_not_changed():
    fake = labelled(0, 10)
    before = fake.x.copy()
    replay, rng = ReplayBuffer(Replay(5)), np.random.default_rng(0)
    for start in range(0, 50, 10):
        replay.mix(fake if start == 0 else labelled(start, 10), rng)
    np.testing.assert_array_equal(fake.x, before)


@pytest.mark.parametrize("arguments", [{"capacity": 0}, {"fraction": 0}, {"fraction": 1}, {"fraction": float("nan")}])
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match=r"Replay\(.*expected"):
        Replay(**arguments)
