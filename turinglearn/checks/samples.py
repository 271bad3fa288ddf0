"""Samples that players are checked on, and helpers to hand them over."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turinglearn.arrays import is_array, to_numpy
from turinglearn.protocols import Array, Batch, Rng

__all__ = [
    "CheckSamples",
    "N",
    "arrays_in",
    "close",
    "copied",
    "make_samples",
    "on_host",
    "read_only",
    "seeded",
    "watch_global_randomness",
]

N = 48  # samples of each class in a batch, where nothing else is stated

_ROWS, _TOLERANCE = 480, 1e-4


@dataclass(frozen=True)
class CheckSamples:
    """Real samples and fakes, both (m, *event), from which batches are drawn."""

    x: NDArray[np.float64]
    fakes: NDArray[np.float64]

    @property
    def spread(self) -> NDArray[np.float64]:
        """Standard deviation of each feature of the real samples, (*event); 1 where it is 0."""
        spread = self.x.std(axis=0)
        return np.where(spread > 0, spread, 1.0)

    def real(self, n: int = N, seed: int = 0) -> Batch:
        """Draw real samples."""
        return Batch(_draw(self.x, n, 2 * seed))

    def fake(self, n: int = N, seed: int = 0) -> Batch:
        """Draw fakes, far from the real samples."""
        return Batch(_draw(self.fakes, n, 2 * seed + 1))

    def both(self, n: int = N, seed: int = 1) -> Batch:
        """Draw n samples, real and fake in turn, others than those of seed 0."""
        half = (n + 1) // 2
        pairs = np.stack((self.real(half, seed).x, self.fake(half, seed).x), axis=1)
        return Batch(pairs.reshape(-1, *pairs.shape[2:])[:n])

    def uninformative(self) -> tuple[Batch, Batch, Batch]:
        """Draw real samples, a third as many fakes, and held-out samples: different rows of one distribution."""
        n = max(2, min(2 * N, len(self.x) // 5))
        rows = _draw(self.x, 5 * n, 6)
        return Batch(rows[: 3 * n]), Batch(rows[3 * n : 4 * n]), Batch(rows[4 * n :])


def make_samples(real: object = None, fake: object = None) -> CheckSamples:
    """Return samples to check players on.

    Parameters
    ----------
    real : array-like of shape (n, *event), optional
        Real samples; by default two Gaussian features.
    fake : array-like of shape (n, *event), optional
        Fakes; by default the real samples, four standard deviations away.

    Returns
    -------
    CheckSamples
        The samples.

    Raises
    ------
    ValueError
        If they are not finite numbers, or have events of different shapes.
    """
    if real is None:
        real = np.random.default_rng(12).normal([5, -1], [1, 2], (_ROWS, 2))
    x = _as_rows("real", real)
    fakes = x[::-1] + 4 * x.std(axis=0) if fake is None else _as_rows("fake", fake)
    if fakes.shape[1:] != x.shape[1:]:
        raise ValueError(
            f"fake has events of shape {fakes.shape[1:]}, and real of shape {x.shape[1:]}; expected the same. "
            "Give both as (n, *event)."
        )
    return CheckSamples(x, fakes)


def seeded(seed: int) -> Rng:
    """Return a random generator with this seed."""
    return np.random.default_rng(seed)


def copied(batch: Batch) -> Batch:
    """Return the batch with copies of its arrays."""
    return batch.map(np.array)


def read_only(batch: Batch) -> Batch:
    """Return a copy of the batch with read-only arrays."""

    def fixed(part: Array) -> Array:
        values = np.array(part)
        values.flags.writeable = False
        return values

    return batch.map(fixed)


def arrays_in(value: object) -> Iterator[Array]:
    """Yield the arrays in a value: itself, or those in the fields of a dataclass, such as feedback."""
    if is_array(value):
        yield value
    elif is_dataclass(value):
        for part in fields(value):
            yield from arrays_in(getattr(value, part.name))


def on_host(values: Array) -> NDArray[np.float64]:
    """Return a copy of an array of any library as a NumPy array of floats."""
    return np.array(to_numpy(values), dtype=float)


def close(a: Array, b: Array, tolerance: float = _TOLERANCE) -> bool:
    """Return whether two arrays agree up to rounding in single precision."""
    a, b = on_host(a), on_host(b)
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= tolerance * (1 + np.abs(b).max(initial=0))))


@contextmanager
def watch_global_randomness() -> Iterator[list[str]]:
    """Yield a list that afterwards names the global random generators that were used; their states are restored."""
    before = {name: state for name, (state, _) in _global_generators().items()}
    used: list[str] = []
    try:
        yield used
    finally:
        for name, (now, restore) in _global_generators().items():
            if name in before and now != before[name]:
                used.append(name)
                restore(before[name])


def _global_generators() -> dict[str, tuple[object, Callable[[Any], object]]]:
    """Return the state of each global random generator, in a form that can be compared, and a function that restores it."""

    def restore_numpy(state: tuple[Any, ...]) -> None:
        np.random.set_state((state[0], np.frombuffer(state[1], dtype=np.uint32), *state[2:]))  # noqa: NPY002

    name, key, *rest = np.random.get_state()  # noqa: NPY002
    found: dict[str, tuple[object, Callable[[Any], object]]] = {
        "numpy.random": ((name, np.asarray(key).tobytes(), *rest), restore_numpy),
        "random": (random.getstate(), random.setstate),
    }
    torch = sys.modules.get("torch")
    if torch is not None:

        def restore_torch(state: bytes) -> None:
            torch.set_rng_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))

        found["torch"] = (torch.get_rng_state().numpy().tobytes(), restore_torch)
    return found


def _as_rows(name: str, data: object) -> NDArray[np.float64]:
    """Return data as finite numbers (n, *event)."""
    try:
        x = np.asarray(to_numpy(data) if is_array(data) else data, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} contains values that are not numbers ({error}); expected a table of numbers, (n, *event)."
        ) from error
    if x.ndim < 2 or len(x) < 2 or not np.isfinite(x).all():
        raise ValueError(
            f"{name} has shape {x.shape}{'' if np.isfinite(x).all() else ' and NaN or infinity'}; expected finite numbers, "
            "(n, *event) with at least 2 rows. Give a table of samples."
        )
    return x


def _draw(rows: NDArray[np.float64], n: int, seed: int) -> NDArray[np.float64]:
    """Return n rows, all different where there are enough."""
    rng = seeded(seed)
    order = np.concatenate([rng.permutation(len(rows)) for _ in range(-(-n // len(rows)))])
    drawn: NDArray[np.float64] = rows[order[:n]]
    return drawn
