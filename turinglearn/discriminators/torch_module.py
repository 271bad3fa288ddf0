"""Any torch module as a discriminator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator

from turinglearn.arrays import like
from turinglearn.nn.torch_module import (
    OptimizerFactory,
    call_module,
    load_state,
    module_state,
    start_module,
    torch_draws,
)
from turinglearn.objectives import DiscriminatorObjective, Logistic, score_type_of
from turinglearn.protocols import Array, Batch, PlayerError, Pullback, Rng, Scores

if TYPE_CHECKING:
    import torch

__all__ = ["TorchDiscriminator"]


class TorchDiscriminator(BaseEstimator):
    """r = module(x), or r = module(x, condition) under conditions, trained by autograd; the gradient of the scores is exact.

    The module is trained in its training mode and scores samples in its evaluation mode, so a score does not depend on the rest
    of its batch, and scoring changes nothing.

    The module is copied when a game starts and trained as `module_`, so each game starts from the original parameters. What
    the module draws itself (dropout) comes from the game's stream too.

    Parameters
    ----------
    module : torch.nn.Module
        A module from samples (n, *event) to scores (n,) or (n, 1).
    criterion : DiscriminatorObjective, default=Logistic()
        Loss of the discriminator, from `turinglearn.objectives`. It determines the type of the scores.
    optimizer : callable, optional
        A function from parameters to a torch optimizer. None for Adam with learning rate 1e-3 and betas (0.5, 0.999).
    device : str, optional
        Device that the module is moved to; None to leave it where it is.

    Attributes
    ----------
    module_ : torch.nn.Module
        The trained copy of the module.
    optimizer_ : torch.optim.Optimizer
        The optimizer of its parameters.

    Examples
    --------
    Adam with a learning rate of one's own::

        TorchDiscriminator(module, optimizer=lambda parameters: torch.optim.Adam(parameters, lr=2e-4))
    """

    def __init__(
        self,
        module: torch.nn.Module,
        *,
        criterion: DiscriminatorObjective = Logistic(),
        optimizer: OptimizerFactory | None = None,
        device: object = None,
    ) -> None:
        self.module = module
        self.criterion = criterion
        self.optimizer = optimizer
        self.device = device

    @property
    def score_type(self) -> type[Scores]:
        """Type of the scores, which the criterion determines."""
        return score_type_of(self)

    def start(self, example: Batch, rng: Rng) -> None:
        """Copy the module to its device and make its optimizer."""
        self._start()

    def state(self) -> dict[str, Any]:
        """Return the states of the module and of its optimizer."""
        return module_state(self.module_, self.optimizer_)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Load what `state` returned into a copy of the module."""
        self._start()
        load_state(self.module_, self.optimizer_, state)

    def update(self, real: Batch, fake: Batch, rng: Rng) -> None:
        """Take one optimizer step down the criterion."""
        import torch

        both = real.map(lambda a: like(a, self.reference_)).concat(fake)
        self.module_.train()
        with torch_draws(rng, self.reference_.device):
            scores = self._scores(both)
        slopes: tuple[Any, Any] = self.criterion.slopes(scores[: real.n].detach(), scores[real.n :].detach())
        self.optimizer_.zero_grad()
        torch.autograd.backward(scores, torch.cat(slopes))
        self.optimizer_.step()
        if self.criterion.clip is not None:
            with torch.no_grad():
                for parameter in self.module_.parameters():
                    parameter.clamp_(-self.criterion.clip, self.criterion.clip)

    def score_samples(self, batch: Batch) -> Scores:
        """Return the score of each sample, (n,)."""
        import torch

        self.module_.eval()
        with torch.no_grad():
            return self.score_type(self._scores(batch))

    def vjp(self, batch: Batch) -> tuple[Scores, Pullback]:
        """Return the scores (n,) and their exact pullback."""
        import torch

        self.module_.eval()
        samples: Any = like(batch.x, self.reference_)
        x = samples.clone().requires_grad_()
        scores = self._scores(Batch(x, batch.condition))

        def pullback(slopes: Array) -> Array:
            outputs: Any = like(slopes, self.reference_)
            gradient: Array = torch.autograd.grad(scores, x, grad_outputs=outputs)[0]
            return gradient

        return self.score_type(scores.detach()), pullback

    def _start(self) -> None:
        """Copy the module to its device, and make its optimizer."""
        started = start_module(type(self).__name__, self.module, self.optimizer, self.device)
        self.module_, self.optimizer_, self.reference_ = started

    def _scores(self, batch: Batch) -> torch.Tensor:
        """Return the module's output as scores (n,)."""
        x = like(batch.x, self.reference_)
        condition = () if batch.condition is None else (like(batch.condition, self.reference_),)
        scores = call_module(type(self).__name__, self.module_, "the data", x, *condition)
        if scores.numel() != batch.n:
            raise PlayerError(
                f"{type(self.module).__name__} returned scores of shape {tuple(scores.shape)} for {batch.n} samples; expected "
                "one per sample, (n,) or (n, 1). End it with torch.nn.Linear(..., 1)."
            )
        return scores.reshape(-1)
