"""Checked calls of players: what crosses the boundary between a game and a player is checked here, so that errors name it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from turinglearn.arrays import floating, is_array, like, namespace, surely_finite
from turinglearn.protocols import (
    Array,
    Batch,
    Discriminator,
    Generator,
    IncompatiblePlayers,
    InputError,
    PlayerError,
    Pullback,
    Rng,
    Samples,
    Scores,
)

__all__ = [
    "apply",
    "check_values",
    "differentiate",
    "draw_samples",
    "name_of",
    "propose",
    "score_samples",
    "start",
    "update",
]


def name_of(player: object) -> str:
    """Return the name of a player in errors."""
    return type(player).__name__


# ----------------------------------------------------------------------------------------------------------- generators
def propose(generator: Generator, n: int, rng: Rng, real: Batch) -> Samples:
    """Propose n fakes under the conditions of the real batch, shaped like its samples."""
    samples = _call(generator, "propose", n, rng, *_conditions(real))
    what = f"{name_of(generator)}.propose({n}, ...)"
    if not isinstance(samples, Samples):
        raise PlayerError(
            f"{what} returned {_describe(samples)}; expected Samples(x) with {n} samples. "
            "Wrap the array: return Samples(x), from turinglearn.protocols."
        )
    if is_array(real.x):
        check_values(what, "samples", samples.x, (n, *real.x.shape[1:]))
    elif samples.n != n:
        raise PlayerError(f"{what} returned {samples.n} samples; expected {n}. Return as many as were asked for.")
    if samples.condition is not real.condition and not _same(samples.condition, real.condition):
        raise PlayerError(
            f"{what} returned samples with condition={_describe(samples.condition)}; expected the conditions that it was "
            f"called with, {_describe(real.condition)}, unchanged. Return Samples(x, condition)."
        )
    return samples


def draw_samples(generator: Generator, n: int, rng: Rng, seen: Batch) -> Array:
    """Draw n samples of the learned distribution, under the conditions of the batch: by `sample` where there is one."""
    if not hasattr(generator, "sample"):
        return propose(generator, n, rng, seen).x
    x: Array = _call(generator, "sample", n, rng, *_conditions(seen))
    check_values(f"{name_of(generator)}.sample({n}, ...)", "samples", x, (n, *seen.x.shape[1:]))
    return x


# ------------------------------------------------------------------------------------------------------- discriminators
def score_samples(discriminator: Discriminator, batch: Batch) -> Scores:
    """Return the discriminator's evidence on each sample of the batch."""
    return _scores(discriminator, "score_samples", _call(discriminator, "score_samples", batch), batch.n)


def differentiate(discriminator: Discriminator, batch: Batch) -> tuple[Scores, Pullback]:
    """Return the evidence and its exact pullback, from a discriminator that has `vjp`."""
    answer = _call(discriminator, "vjp", batch)
    if not (isinstance(answer, tuple) and len(answer) == 2 and callable(answer[1])):
        raise PlayerError(
            f"{name_of(discriminator)}.vjp returned {_describe(answer)}; expected (scores, pullback). "
            "Return the scores and a function from dL/dscores to dL/dx."
        )
    scores, pullback = answer

    def checked(slopes: Array) -> Array:
        with attribute_errors(discriminator, "vjp's pullback", batch):
            gradient: Array = pullback(slopes)
        check_values(f"{name_of(discriminator)}.vjp's pullback", "gradients", gradient, tuple(batch.x.shape))
        return gradient

    return _scores(discriminator, "vjp", scores, batch.n), checked


def apply(discriminator: Discriminator, batch: Batch) -> Array:
    """Return the leaf of each sample in each tree, (n, trees), from a discriminator that has `apply`."""
    leaves: Array = _call(discriminator, "apply", batch)
    shape = tuple(leaves.shape) if is_array(leaves) else ()
    if len(shape) != 2 or shape[0] != batch.n or shape[1] < 1 or not namespace(leaves).isdtype(leaves.dtype, "integral"):
        raise PlayerError(
            f"{name_of(discriminator)}.apply returned {_describe(leaves)}; expected integers of shape "
            f"({batch.n}, trees). Return the leaf of each sample in each tree, such as forest.apply(x)."
        )
    return leaves


# ----------------------------------------------------------------------------------------------------------------- both
def start(player: Generator | Discriminator, example: Batch, rng: Rng) -> None:
    """Start a player on an example of shapes and scales, if it wants one; its own ValueError and ImportError pass through."""
    if hasattr(player, "start"):
        with attribute_errors(player, "start", example, own=(ValueError, ImportError)):
            player.start(example, rng)


def update(player: Generator | Discriminator, *arguments: object) -> None:
    """Update a player once: a generator with (samples, feedback), a discriminator with (real, fake, rng)."""
    _call(player, "update", *arguments)


def check_values(what: str, noun: str, values: Array, shape: tuple[int, ...]) -> None:
    """Raise a `PlayerError` unless values is an array of finite real floating-point numbers of this shape."""
    if not is_array(values):
        raise PlayerError(
            f"{what} returned its {noun} as {_describe(values)}; expected an array of shape {shape}. "
            "Convert them, for example by numpy.asarray(values, dtype=float)."
        )
    if tuple(values.shape) != shape:
        raise PlayerError(
            f"{what} returned {noun} of shape {tuple(values.shape)}; expected {shape}: one entry per sample, "
            "in the order of the batch."
        )
    if not floating(values):
        raise PlayerError(
            f"{what} returned {noun} of dtype {values.dtype}; expected real floating-point numbers. "
            "Convert them, for example by values.astype(float)."
        )
    xp = namespace(values)
    if not (surely_finite(values) or xp.all(xp.isfinite(values))):
        bad = int(xp.sum(xp.astype(~xp.isfinite(values), xp.int64)))
        raise PlayerError(
            f"{what} returned NaN or infinity in {bad} of {math.prod(shape)} entries of its {noun}; expected finite numbers. "
            "Bound what it computes; for a network, lower its learning rate."
        )


@contextmanager
def attribute_errors(player: object, method: str, *arguments: object, own: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turn whatever a player raises into a `PlayerError` that names it, except an `InputError` and errors of its own types."""
    try:
        yield
    except own:
        raise
    except (PlayerError, IncompatiblePlayers, InputError):
        raise
    except Exception as error:
        batches = ", ".join(_describe(a) for a in arguments if isinstance(a, Batch))
        raise PlayerError(
            f"{name_of(player)}.{method} raised {type(error).__name__}: {str(error).rstrip('.')}. "
            f"The game called it with {batches or 'a number of samples to make'}; the cause is in the traceback above. "
            "Fix the player, or give it data that it accepts."
        ) from error


def _call(player: object, method: str, *arguments: object) -> Any:
    with attribute_errors(player, method, *arguments):
        return getattr(player, method)(*arguments)


def _scores(discriminator: Discriminator, method: str, scores: object, n: int) -> Scores:
    what = f"{name_of(discriminator)}.{method}"
    score_type = discriminator.score_type
    if type(scores) is not score_type:
        raise PlayerError(
            f"{what} returned {_describe(scores)}, but the discriminator's score_type is {score_type.__name__}. "
            f"Return {score_type.__name__}(values) with one value per sample, from turinglearn.protocols."
        )
    assert isinstance(scores, Scores)
    check_values(what, "scores", scores.values, (n,))
    return scores


def _conditions(batch: Batch) -> tuple[Array, ...]:
    return () if batch.condition is None else (batch.condition,)


def _same(condition: Array | None, expected: Array | None) -> bool:
    if condition is None or expected is None or not is_array(condition) or tuple(condition.shape) != tuple(expected.shape):
        return False
    xp = namespace(expected)
    return bool(xp.all(like(condition, expected) == expected))


def _describe(thing: object) -> str:
    if thing is None:
        return "None"
    if isinstance(thing, Batch):
        x = f"shape {tuple(thing.x.shape)}, {thing.x.dtype}" if is_array(thing.x) else f"{thing.n} samples"
        return f"a {type(thing).__name__} ({x}{'' if thing.condition is None else ', with conditions'})"
    if isinstance(thing, Scores):
        return type(thing).__name__
    if is_array(thing):
        return f"an array of shape {tuple(thing.shape)}, {thing.dtype}"
    return f"a {type(thing).__name__}"
