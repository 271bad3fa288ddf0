"""Any torch module as a generator."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from turinglearn.arrays import like
from turinglearn.nn.options import expect, is_whole
from turinglearn.nn.starting import ask_module, module_state, restore_module, start_module, torch_draws
from turinglearn.protocols import Array, Batch, Gradients, PlayerError, Rng, Samples

__all__ = ["TorchGenerator"]


class TorchGenerator(BaseEstimator):
    """x = module(z), or module(z, given) under conditions, z ~ N(0, I), trained by autograd.

    The module is copied when a game starts and trained as `module_`; each game starts from the parameters that it was given
    with. What it draws by itself (dropout) comes from the game's stream too.

    Parameters
    ----------
    module : torch.nn.Module
        From noise (n, latent_dim) to samples (n, *event).
    latent_dim : int
        Dimension of the noise.
    optimizer : callable or None
        From parameters to a torch optimizer; None for Adam with rate 1e-3 and betas (0.5, 0.999).
    device : str or None
        Where the module is moved; None to leave it where it is.
    """

    learns_from = Gradients

    def __init__(self, module: Any, latent_dim: int, *, optimizer: Any = None, device: Any = None) -> None:
        self.module = module
        self.latent_dim = latent_dim
        self.optimizer = optimizer
        self.device = device

    def start(self, example: Batch, rng: Rng) -> None:
        """Copy the module to its device and make its optimizer."""
        expect(self, is_whole(self.latent_dim) and self.latent_dim >= 1, "latent_dim", "an integer, at least 1")
        start_module(self)
        self.updates_ = 0

    def state(self) -> dict[str, Any]:
        """What has been learned: the states of the module and of its optimizer, and how many updates were made."""
        return {**module_state(self), "updates": self.updates_}

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what `state` gave, into a copy of the module."""
        restore_module(self, state)
        self.updates_ = state["updates"]

    def propose(self, n: int, rng: Rng, given: Array | None = None) -> Samples:
        """n samples (n, *event); their graph is good until the next update."""
        x = self._forward(n, rng, given)
        return Samples(x.detach(), given, (x, self.updates_))

    def update(self, samples: Samples, feedback: Gradients) -> None:
        """One optimizer step down the mean loss of the samples."""
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

    def sample(self, n: int, rng: Rng, given: Array | None = None) -> Array:
        """n samples (n, *event) with the module in evaluation mode."""
        self.module_.eval()
        try:
            return self._forward(n, rng, given).detach()
        finally:
            self.module_.train()

    def _forward(self, n: int, rng: Rng, given: Array | None) -> Any:
        z = like(rng.standard_normal((n, self.latent_dim), dtype=np.float32), self.reference_)
        told = () if given is None else (like(given, self.reference_),)
        with torch_draws(rng, self.reference_.device):
            return ask_module(self, "latent_dim", z, *told)
