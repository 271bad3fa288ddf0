"""Any torch module as a discriminator."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator

from turinglearn.arrays import concat, like
from turinglearn.nn.starting import ask_module, module_state, restore_module, start_module, torch_draws
from turinglearn.objectives import DiscriminatorObjective, Logistic, meaning
from turinglearn.protocols import Array, Batch, PlayerError, Pullback, Rng, Scores

__all__ = ["TorchDiscriminator"]


class TorchDiscriminator(BaseEstimator):
    """r = module(x), or module(x, given) under conditions, trained by autograd; it offers its exact gradient.

    It is trained in the module's training mode, and examined in its evaluation mode: so evidence does not depend on the rest
    of the batch, and asking for it changes nothing.

    The module is copied when a game starts and trained as `module_`; each game starts from the parameters that it was given
    with. What it draws by itself (dropout) comes from the game's stream too.

    Parameters
    ----------
    module : torch.nn.Module
        From samples (n, *event) to scores (n,) or (n, 1).
    criterion : DiscriminatorObjective
        What it descends, from `turinglearn.objectives`. It decides what the scores mean.
    optimizer : callable or None
        From parameters to a torch optimizer; None for Adam with rate 1e-3 and betas (0.5, 0.999).
    device : str or None
        Where the module is moved; None to leave it where it is.
    """

    def __init__(
        self,
        module: Any,
        *,
        criterion: DiscriminatorObjective = Logistic(),
        optimizer: Any = None,
        device: Any = None,
    ) -> None:
        self.module = module
        self.criterion = criterion
        self.optimizer = optimizer
        self.device = device

    @property
    def says(self) -> type[Scores]:
        """What the criterion makes of the scores at its optimum."""
        return meaning(self)

    def start(self, example: Batch, rng: Rng) -> None:
        """Copy the module to its device and make its optimizer."""
        start_module(self)

    def state(self) -> dict[str, Any]:
        """What has been learned: the states of the module and of its optimizer."""
        return module_state(self)

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what `state` gave, into a copy of the module."""
        restore_module(self, state)

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """One optimizer step down the criterion."""
        import torch

        x = concat(like(real.x, self.reference_), fake.x)
        given = None if real.given is None else concat(like(real.given, self.reference_), fake.given)
        self.module_.train()
        with torch_draws(rng, self.reference_.device):
            scores = self._scores(Batch(x, given))
        slopes = self.criterion.slopes(scores[: real.n].detach(), scores[real.n :].detach())
        self.optimizer_.zero_grad()
        scores.backward(torch.cat(slopes))
        self.optimizer_.step()
        if self.criterion.clip is not None:
            with torch.no_grad():
                for parameter in self.module_.parameters():
                    parameter.clamp_(-self.criterion.clip, self.criterion.clip)

    def examine(self, batch: Batch) -> Scores:
        """The score of each sample, (n,)."""
        import torch

        self.module_.eval()
        with torch.no_grad():
            return self.says(self._scores(batch))

    def vjp(self, batch: Batch) -> tuple[Scores, Pullback]:
        """The scores and their exact pullback."""
        import torch

        self.module_.eval()
        x = like(batch.x, self.reference_).clone().requires_grad_()
        scores = self._scores(Batch(x, batch.given))

        def pullback(slopes: Array) -> Array:
            return torch.autograd.grad(scores, x, grad_outputs=like(slopes, self.reference_))[0]

        return self.says(scores.detach()), pullback

    def _scores(self, batch: Batch) -> Any:
        x = like(batch.x, self.reference_)
        told = () if batch.given is None else (like(batch.given, self.reference_),)
        scores = ask_module(self, "the data", x, *told)
        if scores.numel() != batch.n:
            raise PlayerError(
                f"{type(self.module).__name__} returned scores of shape {tuple(scores.shape)} for {batch.n} samples; expected "
                "one per sample, (n,) or (n, 1). End it with torch.nn.Linear(..., 1)."
            )
        return scores.reshape(-1)
