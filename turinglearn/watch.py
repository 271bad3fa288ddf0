"""A warning, once in a game, when what a refitted judge says has been worth nothing for many rounds."""

from __future__ import annotations

import warnings
from typing import Any

from turinglearn.contract import name_of
from turinglearn.objectives import ForwardKL
from turinglearn.protocols import Discriminator, EvidenceWarning
from turinglearn.rounds import Round

__all__ = ["Watch"]

_PATIENCE = 30  # rounds: of a generator that begins far away every judge is sure, and it learns all the same
_FAR, _SHARE = 10.0, 0.1

_PERFECT = (
    "{judge} has recognised every counterfeit for {rounds} rounds, and now every genuine sample too, though it was fitted to "
    "none of them: its evidence says hardly more than that, and the generator can hardly learn from it. Look for what gives "
    "counterfeits away, such as whole numbers or rounding; weaken the judge, by larger leaves or more regularisation; or let "
    "it remember: replay=Replay()."
)
_TOO_SURE = (
    "{judge} has been too sure for {rounds} rounds: on counterfeits that it was not fitted to the mean of e^r is {ratio:.3g}, "
    "where that of p/q is 1, and {share:.1%} of them weigh as much as all: the generator learns from a few, and from noise. "
    "Smooth the judge, by larger leaves or more neighbours; calibrate it, ClassifierDiscriminator(..., calibrate='isotonic'); "
    "or fit it to more samples, by samples_per_fit."
)


class Watch:
    """Looks at each round of a judge that is refitted from scratch, and warns once: `told`, which replicas share, has it then.

    Evidence is worth nothing where in 30 rounds on end the judge makes no mistake on fresh samples; or where the generator
    learns from e^r, and on fresh counterfeits its mean is above 10 or the effective sample size below a tenth. What is looked
    at in each round are the scores that it has anyway; genuine samples are asked about after 30 suspicious ones.
    """

    def __init__(self, discriminator: Discriminator, objective: Any) -> None:
        self.discriminator = discriminator
        self.refits = getattr(discriminator, "refits", False)
        self.reads_ratios = isinstance(objective, ForwardKL)
        self.told: list[str] = []
        self.perfect = self.too_sure = 0  # rounds on end

    def look(self, record: Round) -> None:
        """Look at a round, before the judge changes."""
        if self.told or not self.refits:
            return
        self.perfect = self.perfect + 1 if record.caught == 1 else 0
        if self.reads_ratios:
            far = record.mean_ratio > _FAR or record.effective_share < _SHARE
            self.too_sure = self.too_sure + 1 if far else 0
        if self.too_sure >= _PATIENCE:
            self._tell(_TOO_SURE.format(**self._facts(), ratio=record.mean_ratio, share=record.effective_share))
        elif self.perfect >= _PATIENCE:
            if record.accuracy == 1:
                self._tell(_PERFECT.format(**self._facts()))
            self.perfect = 0

    def _facts(self) -> dict[str, Any]:
        return {"judge": name_of(getattr(self.discriminator, "estimator", self.discriminator)), "rounds": _PATIENCE}

    def _tell(self, text: str) -> None:
        self.told.append(text)
        warnings.warn(text, EvidenceWarning, stacklevel=3)
