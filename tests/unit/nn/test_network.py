"""The neural core: every pullback meets a finite difference, on every library and device."""

from __future__ import annotations

import numpy as np
import pytest

from turinglearn.nn import Network
from turinglearn.protocols import PlayerError

WIDTHS = (3, 5, 4, 2)


def network_on(arrays_on, seed=0, dtype="float64"):
    rng = np.random.default_rng(seed)
    network = Network(WIDTHS, rng, arrays_on.xp, arrays_on.device, getattr(arrays_on.xp, dtype))
    bias_too = arrays_on.asarray(0.1 * rng.standard_normal(network.parameters.shape))
    network.parameters += arrays_on.xp.astype(bias_too, network.parameters.dtype)
    return network


def loss_and_slopes(arrays_on, network, x, target):
    """L = sum (y - target)^3 / 3 with its slopes in parameters and inputs."""
    y, tape = network.forward(x)
    dy = (y - target) ** 2
    network.backward(tape, dy)
    return float(arrays_on.xp.sum((y - target) ** 3)) / 3, network.gradient, network.backward_inputs(tape, dy)


def test_backward_meets_finite_differences(arrays_on):
    network, rng, step = network_on(arrays_on), np.random.default_rng(1), 1e-6
    x, target = arrays_on.asarray(rng.standard_normal((7, 3))), arrays_on.asarray(rng.standard_normal((7, 2)))
    _, gradient, dx = loss_and_slopes(arrays_on, network, x, target)
    gradient, dx = arrays_on.to_numpy(gradient).copy(), arrays_on.to_numpy(dx).copy()

    def loss():
        return loss_and_slopes(arrays_on, network, x, target)[0]

    for buffer, slopes in ((network.parameters, gradient), (x, dx)):
        for index in np.ndindex(tuple(buffer.shape)):
            kept = float(buffer[index])
            buffer[index] = kept + step
            above = loss()
            buffer[index] = kept - step
            below = loss()
            buffer[index] = kept
            assert (above - below) / (2 * step) == pytest.approx(slopes[index], abs=1e-6)


def test_backward_inputs_leaves_the_gradient_alone(arrays_on):
    network = network_on(arrays_on)
    y, tape = network.forward(arrays_on.asarray(np.ones((4, 3))))
    network.backward_inputs(tape, y)
    assert not np.any(arrays_on.to_numpy(network.gradient))


def test_a_stale_tape_is_refused(arrays_on):
    network = network_on(arrays_on)
    y, tape = network.forward(arrays_on.asarray(np.ones((4, 3))))
    network.on_parameters_changed()
    for backward in (network.backward, network.backward_inputs):
        with pytest.raises(PlayerError, match=r"after 1 update.*Propose or score again"):
            backward(tape, y)
