"""Samples of two Gaussians, for tests of discriminators."""

from __future__ import annotations

import numpy as np

from turinglearn.protocols import Batch


def rng(seed=0):
    return np.random.default_rng(seed)


def pair(n1=80, n0=120, seed=0, event=(3,), conditions=0, shift=1.0):
    """Return samples of p = N(shift/2, I) and of q = N(-shift/2, I), shifted in the first feature, in unlike units."""
    batches = []
    for n, sign in ((n1, 1), (n0, -1)):
        stream = rng((seed, sign + 1))
        x = stream.normal(size=(n, *event))
        x.reshape(n, -1)[:, 0] += sign * shift / 2
        condition = stream.normal(size=(n, conditions)) + x.reshape(n, -1)[:, :1] if conditions else None
        batches.append(Batch(x * np.geomspace(0.1, 10, x[0].size).reshape(event) + 3, condition))
    return batches
