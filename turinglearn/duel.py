"""A round of two networks of the core in one piece: the arithmetic of `Game.play`, without what nobody reads.

Counterfeits go from the generator to the judge in standard units, in which both networks work: location and spread, which the
one would multiply by and the other divide by, fall out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from turinglearn.contract import check_values
from turinglearn.derivatives import Exact
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.nn.workspace import Workspace
from turinglearn.objectives import GeneratorObjective
from turinglearn.protocols import Batch, Rng
from turinglearn.signals import GradientSignal, Lesson

__all__ = ["Duel", "can_duel"]


def can_duel(signal: Any, generator: Any, example: Batch) -> bool:
    """Whether these started players are two networks on NumPy that meet by exact gradients, and all they need is here."""
    if type(signal) is not GradientSignal or type(signal.derivative) is not Exact or signal.objective.compares:
        return False
    judge = signal.discriminator
    if type(generator) is not NeuralGenerator or type(judge) is not NeuralDiscriminator:
        return False
    if generator.backend != "numpy" or judge.backend != "numpy" or generator.dtype != judge.dtype:
        return False
    if example.given is not None or type(example.x) is not np.ndarray or example.x.dtype.itemsize < judge.location_.itemsize:
        return False  # coarser data would have the counterfeits rounded
    return _same_units(generator, judge) and bool((generator.spread_ > 0).all())


class Duel:
    """Both players, and the buffers of their passes by batch size."""

    def __init__(self, signal: Any, generator: Any) -> None:
        self.generator: NeuralGenerator = generator
        self.judge: NeuralDiscriminator = signal.discriminator
        self.objective: GeneratorObjective = signal.objective
        self.networks = self.generator.network_, self.judge.network_
        self.buffers: dict[int, tuple[Workspace, Workspace, Workspace]] = {}

    def is_of(self, generator: Any, judge: Any) -> bool:
        """Whether these players still have the networks that the buffers belong to, and the same units."""
        networks = generator.network_ is self.networks[0] and judge.network_ is self.networks[1]
        return networks and _same_units(generator, judge)

    def teach_judge(self, genuine: Batch, rng: Rng) -> None:
        """One step of the judge on genuine samples and as many counterfeits."""
        n, judge = genuine.n, self.judge
        _, both, _ = self._buffers(n)
        both.x[:, n:] = self._proposed(n, rng)
        real = both.x[:, :n]
        np.subtract(genuine.x.reshape(n, -1).astype(real.dtype, copy=False).T, judge.location_[:, None], out=real)
        real *= judge.scale_[:, None]
        scores = both.forward()[0]
        slopes = judge.criterion.slopes(scores[:n], scores[n:])
        both.backward(np.concatenate(slopes)[None], parameters=True, inputs=False)
        judge.descend()

    def teach_generator(self, n: int, rng: Rng) -> Lesson:
        """One step of the generator on n fresh counterfeits."""
        made, _, shown = self._buffers(n)
        shown.x[...] = self._proposed(n, rng)
        scores = shown.forward()[0].copy()
        check_values("NeuralDiscriminator.vjp", "scores", scores, (n,))
        slopes = self.objective.slopes(scores, None)
        du = shown.backward(slopes[None], parameters=False, inputs=True)
        du /= n  # the mean loss; dL/dx spread = dL/du
        made.backward(du, parameters=True, inputs=False)
        self.generator.descend()
        return Lesson(None, self.judge.says(scores), None)

    def _proposed(self, n: int, rng: Rng) -> Any:
        """n counterfeits in standard units, (features, n); their pass lies in the first buffer."""
        made, *_ = self._buffers(n)
        made.x[...] = rng.standard_normal((n, self.generator.latent_dim), dtype=made.x.dtype).T
        made.forward()
        check_values(f"NeuralGenerator.propose({n}, ...)", "samples", made.output, made.output.shape)
        return made.output

    def _buffers(self, n: int) -> tuple[Workspace, Workspace, Workspace]:
        """For n counterfeits, for the judge on twice as many samples, and for the judge on the counterfeits."""
        if n not in self.buffers:
            makes, judges = self.networks
            self.buffers[n] = Workspace(makes, n), Workspace(judges, 2 * n), Workspace(judges, n)
        return self.buffers[n]


def _same_units(generator: NeuralGenerator, judge: NeuralDiscriminator) -> bool:
    return bool(generator.location_.tobytes() == judge.location_.tobytes())
