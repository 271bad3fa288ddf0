"""How a buffer of parameters follows its gradient: rules, and the optimizer that remembers for them.

A rule is a frozen choice, written once for every array library and for buffers of any shape, elementwise. On NumPy its
arithmetic goes into scratch arrays, so that a step makes no new ones; elsewhere each operation makes its result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import array_api_compat
import numpy as np

from turinglearn.arrays import is_cupy, namespace, own
from turinglearn.nn import kernels_cupy
from turinglearn.nn.options import expect, is_real
from turinglearn.nn.schedules import LearningRate, rate_at
from turinglearn.protocols import Array

__all__ = ["SGD", "Adam", "Optimizer", "RMSprop", "Rule"]


class Rule(Protocol):
    """What an optimizer asks of a rule."""

    @property
    def moments(self) -> int:
        """How many buffers like the parameters the rule keeps; they start at 0."""

    def descend(self, p: Array, g: Array, buffers: Any, scratch: Any, rate: float, step: int) -> None:
        """The step with this number, from 1 on: change the parameters p by their gradient g, in place, and the buffers too.

        scratch is two arrays like p to write on, (None, None) where the library has no in-place arithmetic.
        """


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1): the gradient's mean over the root of its mean square, both moving averages.

    betas: decay of the mean and of the mean square. The first one is 0.5 rather than the usual 0.9, as games ask for
    (Radford, Metz & Chintala 2016). epsilon: added to the root.
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

    def descend(self, p: Array, g: Array, buffers: Any, scratch: Any, rate: float, step: int) -> None:
        """The step with this number, in place."""
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


@dataclass(frozen=True, kw_only=True)  # a rate, PyTorch's first argument, is the player's: RMSprop(1e-3) is refused
class RMSprop:
    """RMSprop (Tieleman & Hinton 2012) as in PyTorch: the gradient over the root of its mean square, a moving average.

    decay: of the mean square, PyTorch's alpha. epsilon: added to the root. momentum: decay of the sum of past steps.
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
        """The mean square, and the sum of past steps where there is momentum."""
        return 2 if self.momentum else 1

    def descend(self, p: Array, g: Array, buffers: Any, scratch: Any, rate: float, step: int) -> None:
        """The step with this number, in place."""
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
    """Down the gradient, stochastic as it is, with PyTorch's momentum: the decay of the sum of past gradients.

    nesterov: look one step of momentum ahead (Sutskever et al. 2013).
    """

    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        expect(self, is_real(self.momentum) and 0 <= self.momentum < 1, "momentum", "a decay in [0, 1)")
        expect(self, bool(self.momentum) or not self.nesterov, "nesterov", "momentum above 0 to look ahead with")

    @property
    def moments(self) -> int:
        """The sum of past gradients, where there is momentum."""
        return 1 if self.momentum else 0

    def descend(self, p: Array, g: Array, buffers: Any, scratch: Any, rate: float, step: int) -> None:
        """The step with this number, in place."""
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
    """A rule at work on one buffer: the steps made, and the rule's buffers, arrays like the parameters.

    parameters: (P,), or (R, P) for R replicas side by side. clip_norm: the longest gradient, along the last axis, in the
    Euclidean norm; a longer one is shortened to it first (Pascanu, Mikolov & Bengio 2013). None for no such limit.
    """

    def __init__(self, rule: Rule, parameters: Array, clip_norm: float | None = None) -> None:
        xp = namespace(parameters)
        self.rule, self.clip_norm, self.steps = rule, clip_norm, 0
        self.buffers = tuple(xp.zeros_like(parameters) for _ in range(rule.moments))
        self._scratch: Any = None

    def step(self, parameters: Array, gradient: Array, learning_rate: LearningRate) -> None:
        """One step down the gradient, at a rate that is a number, or a function of the number of steps made so far.

        The parameters change in place, and so does a gradient that is too long.
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
    """NumPy's arithmetic for libraries without `out`: each result is a new array."""

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
    """The Euclidean norm along the last axis; where squares could overflow, in units of the largest entry."""
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
    """Whether torch makes Adam's step for this array in one call."""
    if type(p) is np.ndarray or not array_api_compat.is_torch_array(p):
        return False
    import torch

    return hasattr(torch, "_fused_adam_") and p.device.type in ("cpu", "cuda")


def _fused_adam(rule: Adam, p: Any, g: Any, buffers: Any, rate: float, step: int) -> None:
    import torch

    (m, v), (beta1, beta2) = buffers, rule.betas
    steps = torch.full((), step, dtype=torch.float32, device=p.device)
    options = {"weight_decay": 0.0, "eps": rule.epsilon, "amsgrad": False, "maximize": False}
    call: Any = torch._fused_adam_  # what torch.optim.Adam(fused=True) calls
    call([p], [g], [m], [v], [], [steps], lr=rate, beta1=beta1, beta2=beta2, **options)
