"""Real rows are taken once in a pass, and a saved deck goes on as if it had never been left."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turinglearn.data.sources import as_source
from turinglearn.game.batches import BatchSampler, ShuffledIndex
from turinglearn.game.schedule import Schedule


@given(size=st.integers(1, 40), hands=st.lists(st.integers(1, 40), min_size=1, max_size=20), seed=st.integers(0, 9))
def test_hands_are_distinct_rows(size, hands, seed):
    deck, rng = ShuffledIndex(), np.random.default_rng(seed)
    for n in hands:
        n = min(n, size)
        hand = deck.sample(n, size, rng)
        assert len(set(hand.tolist())) == n
        assert set(hand.tolist()) <= set(range(size))


def test_a_pass_shows_every_row_once():
    deck, rng = ShuffledIndex(), np.random.default_rng(0)
    first, second = (np.concatenate([deck.sample(5, 20, rng) for _ in range(4)]) for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(20))
    assert (first != second).any()


def test_what_is_left_over_is_put_back():
    deck, rng = ShuffledIndex(), np.random.default_rng(0)
    counts = np.bincount(np.concatenate([deck.sample(6, 10, rng) for _ in range(2000)]), minlength=10)
    assert abs(counts - 1200).max() < 5 * np.sqrt(2000 * 0.6 * 0.4)  # each row has a chance of 6 in 10, every time


def test_a_restored_deck_goes_on():
    deck, rng = ShuffledIndex(), np.random.default_rng(3)
    deck.sample(7, 20, rng)
    state, rest = copy.deepcopy(deck.state()), copy.deepcopy(rng)
    expected = [deck.sample(7, 20, rng).tolist() for _ in range(9)]
    other = ShuffledIndex()
    other.restore(state)
    assert [other.sample(7, 20, rest).tolist() for _ in range(9)] == expected


def test_data_of_another_size_get_a_deck_of_their_own():
    deck, rng = ShuffledIndex(), np.random.default_rng(3)
    deck.sample(7, 20, rng)
    assert deck.sample(30, 30, rng).max() == 29


@pytest.mark.parametrize(
    ("pack", "candidates", "said"), [(11, 1, r"pack=11: expected at least 11"), (3, 4, r"4 candidates: .* 12")]
)
def test_tuples_need_as_many_rows(pack, candidates, said):
    sampler = BatchSampler(Schedule(pack=pack), refits=False, candidates=candidates)
    with pytest.raises(ValueError, match=rf"The 10 rows of the data cannot be shared among tuples.*{said}.*smaller pack"):
        sampler.sizes(as_source(np.zeros((10, 2))))
