"""What players are tried on: genuine rows, counterfeits far from them, and ways to hand them over."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from turinglearn.arrays import is_array, to_numpy
from turinglearn.protocols import Array, Batch, Rng

__all__ = ["N", "Problem", "close", "copied", "frozen", "problem", "seeded", "undisturbed"]

N = 48  # samples of each kind in a batch, where nothing else is said

_ROWS, _TOLERANCE = 480, 1e-4


@dataclass(frozen=True)
class Problem:
    """Genuine rows (m, *event) and counterfeits of them, from which batches are drawn."""

    x: Array
    fakes: Array

    @property
    def spread(self) -> Any:
        """The spread of each feature of the genuine rows, (*event); 1 where there is none."""
        spread = self.x.std(axis=0)
        return np.where(spread > 0, spread, 1.0)

    def real(self, n: int = N, seed: int = 0) -> Batch:
        """Genuine samples."""
        return Batch(_drawn(self.x, n, 2 * seed))

    def fake(self, n: int = N, seed: int = 0) -> Batch:
        """Counterfeits, far from the genuine samples."""
        return Batch(_drawn(self.fakes, n, 2 * seed + 1))

    def both(self, n: int = N, seed: int = 1) -> Batch:
        """n samples, of either kind in turn, other ones than those of seed 0."""
        half = (n + 1) // 2
        pairs = np.stack((self.real(half, seed).x, self.fake(half, seed).x), axis=1)
        return Batch(pairs.reshape(-1, *pairs.shape[2:])[:n])


def problem(genuine: Any = None, counterfeit: Any = None) -> Problem:
    """The problem of these rows; by default two Gaussian features, and counterfeits that are four spreads away.

    Raises ValueError for what is no table of finite numbers.
    """
    if genuine is None:
        genuine = np.random.default_rng(12).normal([5, -1], [1, 2], (_ROWS, 2))
    x = _rows("genuine", genuine)
    spread = x.std(axis=0)
    fakes = x[::-1] + 4 * spread if counterfeit is None else _rows("counterfeit", counterfeit)
    if fakes.shape[1:] != x.shape[1:]:
        raise ValueError(
            f"counterfeit has events of shape {fakes.shape[1:]}, and genuine of shape {x.shape[1:]}; expected the same. "
            "Give both as (n, *event)."
        )
    return Problem(x, fakes)


def seeded(seed: int) -> Rng:
    """A stream of random numbers."""
    return np.random.default_rng(seed)


def copied(batch: Batch) -> Batch:
    """The batch with arrays of its own."""
    return Batch(batch.x.copy(), None if batch.given is None else batch.given.copy())


def frozen(batch: Batch) -> Batch:
    """A copy of the batch that cannot be written to."""
    fixed = copied(batch)
    for part in (fixed.x, fixed.given):
        if part is not None:
            part.flags.writeable = False
    return fixed


def close(a: Array, b: Array, tolerance: float = _TOLERANCE) -> bool:
    """Whether two arrays are the same but for rounding in single precision."""
    a, b = np.asarray(to_numpy(a), dtype=float), np.asarray(to_numpy(b), dtype=float)
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= tolerance * (1 + np.abs(b).max(initial=0))))


@contextmanager
def undisturbed() -> Iterator[list[str]]:
    """Afterwards the list names the global sources of randomness that were drawn from; they are put back."""
    before = {name: state for name, (state, _) in _global().items()}
    disturbed: list[str] = []
    try:
        yield disturbed
    finally:
        for name, (now, put_back) in _global().items():
            if name in before and now != before[name]:
                disturbed.append(name)
                put_back(before[name])


def _global() -> dict[str, tuple[Any, Any]]:
    """The state of each global source of randomness, so that it can be compared, and how to put it back."""

    def put_numpy(state: Any) -> None:
        np.random.set_state((state[0], np.frombuffer(state[1], dtype=np.uint32), *state[2:]))  # noqa: NPY002

    name, key, *rest = np.random.get_state()  # noqa: NPY002
    found = {
        "numpy.random": ((name, np.asarray(key).tobytes(), *rest), put_numpy),
        "random": (random.getstate(), random.setstate),
    }
    torch = sys.modules.get("torch")
    if torch is not None:

        def put_torch(state: bytes) -> None:
            torch.set_rng_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))

        found["torch"] = (torch.get_rng_state().numpy().tobytes(), put_torch)
    return found


def _rows(name: str, data: Any) -> Any:
    try:
        x = np.asarray(to_numpy(data) if is_array(data) else data, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} holds other things than numbers ({error}); expected a table of numbers, (n, *event)."
        ) from error
    if x.ndim < 2 or len(x) < 2 or not np.isfinite(x).all():
        raise ValueError(
            f"{name} has shape {x.shape}{'' if np.isfinite(x).all() else ' and NaN or infinity'}; expected finite numbers, "
            "(n, *event) with at least 2 rows. Give a table of samples."
        )
    return x


def _drawn(rows: Any, n: int, seed: int) -> Any:
    """n rows; none twice where there are enough."""
    rng = seeded(seed)
    order = np.concatenate([rng.permutation(len(rows)) for _ in range(-(-n // len(rows)))])
    return rows[order[:n]]
