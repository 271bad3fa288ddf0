"""Update rules, and the optimizer that keeps their state.

A rule is a frozen value, written once for every array library and for buffers of any shape, elementwise. On NumPy its
arithmetic goes into scratch arrays, so that a step allocates none; elsewhere each operation allocates its result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import array_api_compat
import numpy as np

from turinglearn.arrays import is_cupy, namespace, own
from turinglearn.nn import kernels_cupy
from turinglearn.nn.schedules import LearningRate, rate_at
from turinglearn.nn.validation import expect, is_real
from turinglearn.protocols import Array

__all__ = ["SGD", "Adam", "Optimizer", "RMSprop", "Rule"]

Buffers = tuple[Array, ...]
Scratch = tuple[Array, Array] | tuple[None, None]


class Rule(Protocol):
    """Update rule, as an optimizer calls it."""

    @property
    def moments(self) -> int:
        """Number of buffers like the parameters that the rule keeps; they start at 0."""

    def descend(self, p: Array, g: Array, buffers: Buffers, scratch: Scratch, rate: float, step: int) -> None:
        """Change the parameters p by their gradient g, and the buffers, in place.

        Parameters
        ----------
        p, g : Array of shape (..., P)
            Parameters and their gradient.
        buffers : tuple of Array
            The rule's own buffers, each like p.
        scratch : tuple of two
            Arrays like p to write on; (None, None) where the library has no in-place arithmetic.
        rate : float
            Learning rate.
        step : int
            Number of the step, from 1 on.
        """


@dataclass(frozen=True)
class Adam:
    """Adam: the moving average of the gradient over the root of the moving average of its square.

    Parameters
    ----------
    betas : tuple of two floats
        Decays of the two averages, in [0, 1). The first default is 0.5 rather than the usual 0.9, as games need (Radford, Metz
        & Chintala 2016).
    epsilon : float
        Small positive number that is added to the root.

    References
    ----------
    Kingma & Ba (2015), "Adam: a method for stochastic optimization", algorithm 1.
    """

    betas: tuple[float, float] = (0.5, 0.999)
    epsilon: float = 1e-8

    moments = 2

    def __post_init__(self) -> None:
        pair = (
            isinstance(self.betas, tuple | list)
            and len(self.betas) == 2
            and all(is_real(beta) and 0 <= beta < 1 for beta in self.betas)
        )
        expect(self, pair, "betas", "two decay rates in [0, 1)")
        expect(self, is_real(self.epsilon) and self.epsilon > 0, "epsilon", "a small positive number")

    def descend(self, p: Array, g: Array, buffers: Buffers, scratch: Scratch, rate: float, step: int) -> None:
        """Take the step with this number, in place."""
        if _torch_fuses(p):
            _fused_adam(self, p, g, buffers, rate, step)
            return
        ops, (s, root), (m, v), (b1, b2) = _arithmetic(p), scratch, buffers, self.betas
        unbiased = (1 - b2**step) ** 0.5
        if is_cupy(p):
            kernels_cupy.adam_step(p, g, m, v, self.betas, rate * unbiased / (1 - b1**step), self.epsilon * unbiased)
            return
        m *= b1
        m += ops.multiply(g, 1 - b1, out=s)  # m_t = b1 m_{t-1} + (1 - b1) g
        v *= b2
        v += ops.multiply(ops.multiply(g, 1 - b2, out=s), g, out=s)  # v_t = b2 v_{t-1} + (1 - b2) g^2
        root = ops.sqrt(v, out=root)
        root += self.epsilon * unbiased
        p -= ops.divide(ops.multiply(m, rate * unbiased / (1 - b1**step), out=s), root, out=s)


@dataclass(frozen=True, kw_only=True)  # the rate, PyTorch's first argument, belongs to the player: RMSprop(1e-3) is refused
class RMSprop:
    """RMSprop as in PyTorch: the gradient over the root of the moving average of its square.

    Parameters
    ----------
    decay : float
        Decay of the average, in [0, 1); PyTorch's alpha.
    epsilon : float
        Small positive number that is added to the root.
    momentum : float
        Decay of the sum of past steps, in [0, 1).

    References
    ----------
    Tieleman & Hinton (2012), "Lecture 6.5: RMSProp", COURSERA: Neural networks for machine learning.
    """

    decay: float = 0.99
    epsilon: float = 1e-8
    momentum: float = 0.0

    def __post_init__(self) -> None:
        for option in ("decay", "momentum"):
            expect(self, is_real(getattr(self, option)) and 0 <= getattr(self, option) < 1, option, "a decay in [0, 1)")
        expect(self, is_real(self.epsilon) and self.epsilon > 0, "epsilon", "a small positive number")

    @property
    def moments(self) -> int:
        """Number of buffers: the mean square, and with momentum the sum of past steps."""
        return 2 if self.momentum else 1

    def descend(self, p: Array, g: Array, buffers: Buffers, scratch: Scratch, rate: float, step: int) -> None:
        """Take the step with this number, in place."""
        ops, (s, root), (v, *past) = _arithmetic(p), scratch, buffers
        v *= self.decay
        v += ops.multiply(ops.multiply(g, 1 - self.decay, out=s), g, out=s)  # v_t = a v_{t-1} + (1 - a) g^2
        root = ops.sqrt(v, out=root)
        root += self.epsilon
        move = ops.divide(g, root, out=s)
        for b in past:
            b *= self.momentum
            b += move  # b_t = u b_{t-1} + g / root
            move = b
        p -= ops.multiply(move, rate, out=s)


@dataclass(frozen=True, kw_only=True)
class SGD:
    """Stochastic gradient descent, with momentum as in PyTorch.

    Parameters
    ----------
    momentum : float
        Decay of the sum of past gradients, in [0, 1).
    nesterov : bool
        Whether to look one step of momentum ahead.

    References
    ----------
    Sutskever, Martens, Dahl & Hinton (2013), "On the importance of initialization and momentum in deep learning".
    """

    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        expect(self, is_real(self.momentum) and 0 <= self.momentum < 1, "momentum", "a decay in [0, 1)")
        expect(self, bool(self.momentum) or not self.nesterov, "nesterov", "momentum above 0 to look ahead with")

    @property
    def moments(self) -> int:
        """Number of buffers: with momentum the sum of past gradients."""
        return 1 if self.momentum else 0

    def descend(self, p: Array, g: Array, buffers: Buffers, scratch: Scratch, rate: float, step: int) -> None:
        """Take the step with this number, in place."""
        ops, (s, ahead), move = _arithmetic(p), scratch, g
        for b in buffers:
            b *= self.momentum
            b += g  # b_t = u b_{t-1} + g
            move = b
            if self.nesterov:
                move = ops.multiply(b, self.momentum, out=ahead)
                move += g
        p -= ops.multiply(move, rate, out=s)


class Optimizer:
    """Update rule at work on one buffer of parameters, with its state.

    Parameters
    ----------
    rule : Adam, RMSprop or SGD
        Update rule.
    parameters : Array of shape (P,) or (R, P)
        Parameters of one network, or of R replicas side by side.
    clip_norm : float or None
        Largest Euclidean norm of the gradient along the last axis; a longer one is scaled down to it first. None for no limit.

    Attributes
    ----------
    steps : int
        Number of steps so far.
    buffers : tuple of Array
        The rule's moving averages, each like the parameters.

    References
    ----------
    Pascanu, Mikolov & Bengio (2013), "On the difficulty of training recurrent neural networks", for clipping.
    """

    def __init__(self, rule: Rule, parameters: Array, clip_norm: float | None = None) -> None:
        xp = namespace(parameters)
        self.rule, self.clip_norm, self.steps = rule, clip_norm, 0
        self.buffers: Buffers = tuple(xp.zeros_like(parameters) for _ in range(rule.moments))
        self._scratch: Any = None

    def step(self, parameters: Array, gradient: Array, learning_rate: LearningRate) -> None:
        """Take one step down the gradient, in place; a gradient that is too long is scaled down in place too.

        Parameters
        ----------
        parameters, gradient : Array of shape (P,) or (R, P)
            Parameters and their gradient.
        learning_rate : float or callable
            Length of a step, or a function from the number of past steps to it.
        """
        if self._scratch is None:
            on_numpy = type(parameters) is np.ndarray
            self._scratch = (np.empty_like(parameters), np.empty_like(parameters)) if on_numpy else (None, None)
        if self.clip_norm is not None:
            _shorten(gradient, self.clip_norm)
        rate = rate_at(learning_rate, self.steps)
        self.steps += 1
        self.rule.descend(parameters, gradient, self.buffers, self._scratch, rate, self.steps)

    def __getstate__(self) -> dict[str, Any]:
        buffers = tuple(own(buffer) for buffer in self.buffers)
        return {name: value for name, value in vars(self).items() if name != "_scratch"} | {"buffers": buffers}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _scratch=None)


class _Allocating:
    """NumPy's arithmetic for libraries without `out`; each result is a new array."""

    @staticmethod
    def multiply(x: Array, y: Array, out: None) -> Array:
        return x * y

    @staticmethod
    def divide(x: Array, y: Array, out: None) -> Array:
        return x / y

    @staticmethod
    def sqrt(x: Array, out: None) -> Array:
        return namespace(x).sqrt(x)


def _arithmetic(x: Array) -> Any:
    return np if type(x) is np.ndarray else _Allocating


def _shorten(gradient: Array, norm: float) -> None:
    """Scale the gradient down to this norm along its last axis, in place, where it is longer."""
    gradient *= (norm / namespace(gradient).clip(_lengths(gradient), norm, None))[..., None]


def _lengths(gradient: Array) -> Array:
    """Compute the Euclidean norm along the last axis; where squares could overflow, in units of the largest entry."""
    xp = namespace(gradient)
    if xp is np:
        with np.errstate(over="ignore"):
            squares = np.vecdot(gradient, gradient)
        if np.isfinite(squares).all():
            return np.sqrt(squares)
    largest = xp.max(xp.abs(gradient), axis=-1, keepdims=True)
    unit = xp.where(largest > 0, largest, xp.ones_like(largest))
    return unit[..., 0] * xp.sqrt(xp.vecdot(gradient / unit, gradient / unit))


def _torch_fuses(p: Array) -> bool:
    """Return whether torch takes Adam's step for this array in one call."""
    if type(p) is np.ndarray or not array_api_compat.is_torch_array(p):
        return False
    import torch

    return hasattr(torch, "_fused_adam_") and p.device.type in ("cpu", "cuda")


def _fused_adam(rule: Adam, p: Array, g: Array, buffers: Buffers, rate: float, step: int) -> None:
    import torch

    (m, v), (beta1, beta2) = buffers, rule.betas
    steps = torch.full((), step, dtype=torch.float32, device=p.device)
    options = {"weight_decay": 0.0, "eps": rule.epsilon, "amsgrad": False, "maximize": False}
    call: Any = torch._fused_adam_  # what torch.optim.Adam(fused=True) calls
    call([p], [g], [m], [v], [], [steps], lr=rate, beta1=beta1, beta2=beta2, **options)
