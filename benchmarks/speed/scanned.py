"""Contestant: JAX, a chunk of rounds as one compiled scan, and its games by vmap; Adam by hand, gradients by jax.grad."""

from __future__ import annotations

import importlib.util
import math
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.speed.problem import Absent, Chunk, Size, data

__all__ = ["one_round", "scanned", "start"]

RATE, B1, B2, EPSILON = 1e-3, 0.5, 0.999, 1e-8


def scanned(size: Size) -> Chunk:
    """Return a chunk of rounds; the first one compiles. Samples and noise are drawn inside."""
    if importlib.util.find_spec("jax") is None:
        raise Absent("needs JAX, which is not installed")
    import jax
    import jax.numpy as jnp

    x, batch = jnp.asarray(data(size)), size.batch

    def game(state: Any, key: Any) -> Any:
        rows, first, second = jax.random.split(key, 3)
        real = x[jax.random.randint(rows, (batch,), 0, len(x))]
        noise = (jax.random.normal(k, (batch, size.latent)) for k in (first, second))
        return one_round(state, real, *noise)

    def one(state: Any, key: Any) -> tuple[Any, None]:
        if size.games == 1:
            return game(state, key), None
        return jax.vmap(game)(state, jax.random.split(key, size.games)), None

    def many(state: Any, key: Any) -> tuple[Any, Any]:
        key, now = jax.random.split(key)
        return jax.lax.scan(one, state, jax.random.split(now, size.rounds))[0], key

    play = jax.jit(many, donate_argnums=(0, 1))
    games = [start(size, seed) for seed in range(size.games)]
    state = games[0] if size.games == 1 else jax.tree.map(lambda *leaves: jnp.stack(leaves), *games)
    current = [state, jax.random.key(0)]

    def chunk() -> None:
        current[:] = jax.block_until_ready(play(*current))

    return chunk


def start(size: Size, seed: int) -> Any:
    """Return weights of (generator, discriminator), uniform as in PyTorch, their moments, and the number of steps."""
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(seed)

    def network(widths: tuple[int, ...]) -> Any:
        bounds = [(i, o, 1 / math.sqrt(i)) for i, o in pairwise(widths)]
        return [tuple(jnp.asarray(rng.uniform(-b, b, shape), jnp.float32) for shape in ((i, o), (o,))) for i, o, b in bounds]

    players = network(size.generator_widths), network(size.discriminator_widths)
    moments = tuple((jax.tree.map(jnp.zeros_like, p), jax.tree.map(jnp.zeros_like, p)) for p in players)
    return players, moments, jnp.zeros((), jnp.int32)


def one_round(state: Any, real: Any, first: Any, second: Any) -> Any:
    """Take one step of the discriminator and one of the generator, from real samples and the noise of each step."""
    import jax
    import jax.numpy as jnp

    (generator, discriminator), (generator_moments, discriminator_moments), steps = state
    steps, n = steps + 1, len(real)

    def discriminator_loss(discriminator: Any) -> Any:
        scores = _forward(discriminator, jnp.concatenate((real, _forward(generator, first))))
        return jnp.mean(jax.nn.softplus(-scores[:n])) + jnp.mean(jax.nn.softplus(scores[n:]))

    discriminator, discriminator_moments = _adam(
        discriminator, jax.grad(discriminator_loss)(discriminator), discriminator_moments, steps
    )

    def generator_loss(generator: Any) -> Any:
        return jnp.mean(jax.nn.softplus(-_forward(discriminator, _forward(generator, second))))

    generator, generator_moments = _adam(generator, jax.grad(generator_loss)(generator), generator_moments, steps)
    return (generator, discriminator), (generator_moments, discriminator_moments), steps


def _forward(network: Any, h: Any) -> Any:
    import jax

    for weight, bias in network[:-1]:
        h = jax.nn.relu(h @ weight + bias)
    weight, bias = network[-1]
    return h @ weight + bias


def _adam(parameters: Any, gradient: Any, moments: Any, steps: Any) -> tuple[Any, Any]:
    """Return new parameters and moments by Adam (Kingma and Ba 2015, algorithm 1)."""
    import jax
    import jax.numpy as jnp

    first = jax.tree.map(lambda m, g: B1 * m + (1 - B1) * g, moments[0], gradient)
    second = jax.tree.map(lambda v, g: B2 * v + (1 - B2) * g * g, moments[1], gradient)
    c1, c2 = 1 / (1 - B1**steps), 1 / (1 - B2**steps)
    new = jax.tree.map(lambda p, m, v: p - RATE * c1 * m / (jnp.sqrt(c2 * v) + EPSILON), parameters, first, second)
    return new, (first, second)
