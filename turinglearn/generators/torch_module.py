"""Any torch module as a generator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.arrays import is_torch, like
from turinglearn.nn.torch_module import (
    OptimizerFactory,
    call_module,
    load_state,
    module_state,
    start_module,
    torch_draws,
)
from turinglearn.nn.validation import expect, is_integer
from turinglearn.protocols import Array, Batch, Gradients, PlayerError, Rng, Samples

if TYPE_CHECKING:
    import torch

__all__ = ["TorchGenerator"]


class TorchGenerator(BaseEstimator):
    """PyTorch module as a generator, trained by autograd.

    With noise z ~ N(0, I) of `latent_dim` numbers a sample is x = module(z), or x = module(z, condition) in a game with
    conditions. The noise comes from the game's random stream, and so does what the module draws by itself, such as dropout.

    The module is copied when a game starts, and the copy is trained as `module_`, so that each game starts from the parameters
    that the module was given with. Samples of the learned distribution come from the module in evaluation mode.

    Parameters
    ----------
    module : torch.nn.Module
        From noise (n, latent_dim), and conditions (n, c) if the game has conditions, to samples (n, *event), shaped like the
        real ones.
    latent_dim : int
        Dimension of the noise: the input width of the module.
    optimizer : callable or None
        Function from a list of parameters to a torch optimizer, such as ``torch.optim.Adam`` or
        ``lambda parameters: torch.optim.SGD(parameters, lr=0.01)``; None for Adam with rate 1e-3 and betas (0.5, 0.999).
    device : str or None
        Device that the module is moved to, such as "cuda:0"; None to leave it where it is. Data may lie on another device.

    Attributes
    ----------
    module_ : torch.nn.Module
        The trained copy.
    optimizer_ : torch.optim.Optimizer
        Its optimizer.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from turinglearn import Game
    >>> from turinglearn.discriminators import NeuralDiscriminator
    >>> from turinglearn.generators import TorchGenerator
    >>> X = np.random.default_rng(0).normal([1, -1], [1, 2], (1000, 2))  # real samples
    >>> module = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
    >>> game = Game(TorchGenerator(module, latent_dim=3), NeuralDiscriminator(), batch_size=64, random_state=0)
    >>> for r, _ in zip(game.rounds(X), range(10)):
    ...     pass
    >>> game.sample(5).shape
    (5, 2)
    >>> trained = game.generator.module_  # a torch.nn.Module like any other
    """

    feedback_type = Gradients

    def __init__(
        self,
        module: torch.nn.Module,
        latent_dim: int,
        *,
        optimizer: OptimizerFactory | None = None,
        device: str | torch.device | None = None,
    ) -> None:
        self.module = module
        self.latent_dim = latent_dim
        self.optimizer = optimizer
        self.device = device

    def start(self, example: Batch, rng: Rng) -> None:
        """Copy the module to its device, and make its optimizer; only the shape of the example is used."""
        expect(self, is_integer(self.latent_dim) and self.latent_dim >= 1, "latent_dim", "an integer, at least 1")
        self._start()
        self.event_ = tuple(example.x.shape[1:])
        self.updates_ = 0

    def state(self) -> dict[str, Any]:
        """Return the learned state: of the module and of its optimizer, the shape of a sample, and the number of updates."""
        return {**module_state(self.module_, self.optimizer_), "event": self.event_, "updates": self.updates_}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Load what `state` returned, into a copy of the module."""
        self._start()
        load_state(self.module_, self.optimizer_, state)
        self.event_, self.updates_ = tuple(state["event"]), state["updates"]

    def propose(self, n: int, rng: Rng, condition: Array | None = None) -> Samples:
        """Propose n samples (n, *event); their graph is valid until the next update."""
        x = self._forward(n, rng, condition)
        if not x.requires_grad:
            raise PlayerError(
                f"TorchGenerator: samples of {type(self.module).__name__} do not depend on its parameters, so that it cannot "
                "learn. Keep detach(), numpy() and torch.no_grad() out of its forward, and let parameters require gradients."
            )
        return Samples(x.detach(), condition, (x, self.updates_))

    def update(self, samples: Samples, feedback: Gradients) -> None:
        """Take one optimizer step down the mean loss of the samples."""
        x, updates = samples.context if isinstance(samples.context, tuple) else (None, None)
        if x is None or updates != self.updates_:
            raise PlayerError(
                "TorchGenerator.update: these samples are not of the present module; their graph would give a wrong gradient. "
                "Update with what the latest `propose` returned."
            )
        self.optimizer_.zero_grad()
        x.backward(like(feedback.values, x.detach()) / samples.n)
        self.optimizer_.step()
        self.updates_ += 1

    def sample(self, n: int, rng: Rng, condition: Array | None = None) -> Array:
        """Draw n samples (n, *event) with the module in evaluation mode."""
        self.module_.eval()
        try:
            x: Array = self._forward(n, rng, condition).detach()
            return x
        finally:
            self.module_.train()

    def _start(self) -> None:
        started = start_module(type(self).__name__, self.module, self.optimizer, self.device)
        self.module_, self.optimizer_, self.reference_ = started

    def _forward(self, n: int, rng: Rng, condition: Array | None) -> Any:
        z = like(rng.standard_normal((n, self.latent_dim), dtype=np.float32), self.reference_)
        conditions = () if condition is None else (like(condition, self.reference_),)
        with torch_draws(rng, self.reference_.device):
            x = call_module(type(self).__name__, self.module_, "latent_dim", z, *conditions)
        if not is_torch(x) or tuple(x.shape) != (n, *self.event_):
            made = f"samples of shape {tuple(x.shape)}" if is_torch(x) else f"a {type(x).__name__}"
            raise PlayerError(
                f"TorchGenerator: {type(self.module).__name__} returned {made} for {n} rows of noise; expected a tensor of "
                f"shape {(n, *self.event_)}, like the real samples. {self._remedy(x)}"
            )
        return x

    def _remedy(self, x: object) -> str:
        """Return how to make the module's output fit."""
        if not is_torch(x):
            return "Return the samples alone from its forward."
        if len(self.event_) == 1:
            return f"End it with torch.nn.Linear(..., {self.event_[0]})."
        return f"End it with torch.nn.Unflatten(1, {self.event_}), or another layer that gives this shape."
