"""A warning, once in a game, when the evidence of a refitted discriminator has been worth nothing for many rounds."""

from __future__ import annotations

import warnings

from turinglearn.contract import name_of
from turinglearn.game.records import Round
from turinglearn.objectives import ForwardKL, GeneratorObjective
from turinglearn.protocols import Discriminator, EvidenceWarning

__all__ = ["EvidenceMonitor"]

_PATIENCE = 30  # rounds: every discriminator is sure of a generator that begins far away, which learns all the same
_FAR, _SHARE = 10.0, 0.1

_PERFECT = (
    "{discriminator} has recognised every fake for {rounds} rounds, and now every real sample too, though it was fitted to "
    "none of them: its evidence says hardly more than that, and the generator can hardly learn from it. Look for what gives "
    "fakes away, such as whole numbers or rounding; weaken the discriminator, by larger leaves or more regularisation; or show "
    "it past fakes too: replay=Replay()."
)
_TOO_SURE = (
    "{discriminator} has been too sure for {rounds} rounds: on fakes that it was not fitted to the mean of e^r is {ratio:.3g}, "
    "where that of p/q is 1, and {share:.1%} of them weigh as much as all: the generator learns from a few, and from noise. "
    "Smooth the discriminator, by larger leaves or more neighbours; calibrate it, ClassifierDiscriminator(..., "
    "calibrate='isotonic'); or fit it to more samples, by samples_per_fit."
)


class EvidenceMonitor:
    """Looks at each round of a discriminator that is refitted from scratch, and warns once.

    Evidence is worth nothing where the discriminator makes no mistake on fresh samples in 30 consecutive rounds; or where the
    generator learns from e^r, and on fresh fakes its mean is above 10 or the effective sample size below a tenth. Each round
    is looked at through the scores that it has anyway; real samples are scored after 30 suspicious rounds.

    Parameters
    ----------
    discriminator : Discriminator
        The discriminator of the game.
    objective : GeneratorObjective
        The loss that the generator descends.
    warned : list of str or None
        Receives the warning; shared by replicas, so that one warning is enough for all.
    """

    def __init__(self, discriminator: Discriminator, objective: GeneratorObjective, warned: list[str] | None = None) -> None:
        self.discriminator = discriminator
        self.refits = getattr(discriminator, "refits", False)
        self.needs_ratios = isinstance(objective, ForwardKL)
        self.warned: list[str] = [] if warned is None else warned
        self.perfect = self.too_sure = 0  # consecutive rounds

    def look(self, record: Round) -> None:
        """Look at a round, before the discriminator changes."""
        if self.warned or not self.refits:
            return
        self.perfect = self.perfect + 1 if record.fake_recall == 1 else 0
        if self.needs_ratios:
            far = record.mean_ratio > _FAR or record.effective_share < _SHARE
            self.too_sure = self.too_sure + 1 if far else 0
        name = name_of(getattr(self.discriminator, "estimator", self.discriminator))
        if self.too_sure >= _PATIENCE:
            ratio, share = record.mean_ratio, record.effective_share
            self._warn(_TOO_SURE.format(discriminator=name, rounds=_PATIENCE, ratio=ratio, share=share))
        elif self.perfect >= _PATIENCE:
            if record.accuracy == 1:
                self._warn(_PERFECT.format(discriminator=name, rounds=_PATIENCE))
            self.perfect = 0

    def _warn(self, text: str) -> None:
        self.warned.append(text)
        warnings.warn(text, EvidenceWarning, stacklevel=3)
