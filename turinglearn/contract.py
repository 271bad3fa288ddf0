"""What crosses the boundary between the game and a player is checked here, so that an error names its culprit."""

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
    PlayerError,
    Pullback,
    Rng,
    Samples,
    Scores,
)

__all__ = ["cells", "check_values", "deploy", "differentiate", "examine", "name_of", "propose", "start", "update"]


def name_of(player: Any) -> str:
    """How errors call a player."""
    return type(player).__name__


def propose(generator: Generator, n: int, rng: Rng, genuine: Batch) -> Samples:
    """n counterfeits under the conditions of the genuine batch, shaped like its samples."""
    told = () if genuine.given is None else (genuine.given,)
    samples = _call(generator, "propose", n, rng, *told)
    what = f"{name_of(generator)}.propose({n}, ...)"
    if not isinstance(samples, Samples):
        raise PlayerError(
            f"{what} returned {_describe(samples)}; expected Samples(x) with {n} samples. "
            "Wrap the array: return Samples(x), from turinglearn.protocols."
        )
    if is_array(genuine.x):
        check_values(what, "samples", samples.x, (n, *genuine.x.shape[1:]))
    elif samples.n != n:
        raise PlayerError(f"{what} returned {samples.n} samples; expected {n}. Return as many as were asked for.")
    if samples.given is not genuine.given and not _same(samples.given, genuine.given):
        raise PlayerError(
            f"{what} returned samples with given={_describe(samples.given)}, but was told {_describe(genuine.given)}. "
            "A condition travels with its samples, unchanged: return Samples(x, given)."
        )
    return samples


def deploy(generator: Any, n: int, rng: Rng, seen: Batch) -> Array:
    """n samples of the learned law, under the conditions of the batch: from `sample` where there is one."""
    if not hasattr(generator, "sample"):
        return propose(generator, n, rng, seen).x
    told = () if seen.given is None else (seen.given,)
    x = _call(generator, "sample", n, rng, *told)
    check_values(f"{name_of(generator)}.sample({n}, ...)", "samples", x, (n, *seen.x.shape[1:]))
    return x


def examine(discriminator: Discriminator, batch: Batch) -> Scores:
    """The discriminator's evidence on each sample of the batch."""
    return _scores(discriminator, "examine", _call(discriminator, "examine", batch), batch.n)


def differentiate(discriminator: Any, batch: Batch) -> tuple[Scores, Pullback]:
    """The evidence and its exact pullback, from a discriminator that offers `vjp`."""
    answer = _call(discriminator, "vjp", batch)
    if not (isinstance(answer, tuple) and len(answer) == 2 and callable(answer[1])):
        raise PlayerError(
            f"{name_of(discriminator)}.vjp returned {_describe(answer)}; expected (scores, pullback). "
            "Return the scores and a function from dL/dscores to dL/dx."
        )
    scores, pullback = answer

    def checked(slopes: Array) -> Array:
        with _blame(discriminator, "vjp's pullback", batch):
            gradient = pullback(slopes)
        check_values(f"{name_of(discriminator)}.vjp's pullback", "gradients", gradient, tuple(batch.x.shape))
        return gradient

    return _scores(discriminator, "vjp", scores, batch.n), checked


def cells(discriminator: Any, batch: Batch) -> Array:
    """The leaf of each sample in each tree, (n, trees), from a discriminator that offers `cells`."""
    values = _call(discriminator, "cells", batch)
    shape = tuple(values.shape) if is_array(values) else ()
    if len(shape) != 2 or shape[0] != batch.n or shape[1] < 1 or not namespace(values).isdtype(values.dtype, "integral"):
        raise PlayerError(
            f"{name_of(discriminator)}.cells returned {_describe(values)}; expected whole numbers of shape "
            f"({batch.n}, trees). Return the leaf of each sample in each tree, such as forest.apply(x)."
        )
    return values


def update(player: Generator | Discriminator, *lesson: Any) -> None:
    """One update of a player."""
    _call(player, "update", *lesson)


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


def _scores(discriminator: Discriminator, method: str, scores: Any, n: int) -> Scores:
    what = f"{name_of(discriminator)}.{method}"
    says = discriminator.says
    if type(scores) is not says:
        raise PlayerError(
            f"{what} returned {_describe(scores)}, but the discriminator says {says.__name__}. "
            f"Return {says.__name__}(values) with one value per sample, from turinglearn.protocols."
        )
    check_values(what, "scores", scores.values, (n,))
    return scores


def start(player: Any, example: Batch, rng: Rng) -> None:
    """Let a player that wants to see shapes and scales see them; its own ValueError and ImportError speak for themselves."""
    if not hasattr(player, "start"):
        return
    with _blame(player, "start", example, itself=(ValueError, ImportError)):
        player.start(example, rng)


def _same(given: Any, told: Any) -> bool:
    if given is None or told is None or not is_array(given) or tuple(given.shape) != tuple(told.shape):
        return False
    xp = namespace(told)
    return bool(xp.all(like(given, told) == told))


def _call(player: Any, method: str, *arguments: Any) -> Any:
    with _blame(player, method, *arguments):
        return getattr(player, method)(*arguments)


@contextmanager
def _blame(player: Any, method: str, *arguments: Any, itself: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Whatever a player raises becomes a `PlayerError` that names it, but for these errors of its own."""
    try:
        yield
    except itself:
        raise
    except (PlayerError, IncompatiblePlayers):
        raise
    except Exception as error:
        if isinstance(error, ValueError) and type(player).__module__.startswith("turinglearn."):
            raise  # it names the parameter or the data at fault by itself
        batches = ", ".join(_describe(a) for a in arguments if isinstance(a, Batch))
        raise PlayerError(
            f"{name_of(player)}.{method} raised {type(error).__name__}: {str(error).rstrip('.')}. "
            f"The game called it with {batches or 'a number of samples to make'}; the cause is in the traceback above. "
            "Mend the player, or give it data that it accepts."
        ) from error


def _describe(thing: Any) -> str:
    if thing is None:
        return "None"
    if isinstance(thing, Batch):
        x = f"shape {tuple(thing.x.shape)}, {thing.x.dtype}" if is_array(thing.x) else f"{thing.n} samples"
        return f"a {type(thing).__name__} ({x}{'' if thing.given is None else ', with conditions'})"
    if isinstance(thing, Scores):
        return f"{type(thing).__name__}"
    if is_array(thing):
        return f"an array of shape {tuple(thing.shape)}, {thing.dtype}"
    return f"a {type(thing).__name__}"
