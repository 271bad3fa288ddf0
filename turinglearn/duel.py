"""A round of two networks of the core in one piece: the arithmetic of `Game.play`, without what nobody reads.

Counterfeits go from the generator to the judge in standard units, in which both networks work: location and spread, which the
one would multiply by and the other divide by, fall out. Until the generator's step all counterfeits of a round come from the
same network, in one pass. The rounds of replicas, games of the same players with other seeds, stand on a leading axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from turinglearn.arrays import is_torch, namespace, surely_finite
from turinglearn.contract import check_values
from turinglearn.derivatives import Exact
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.nn.stack import together
from turinglearn.nn.workspace import Workspace, workspace
from turinglearn.objectives import GeneratorObjective
from turinglearn.protocols import Array, Batch, Rng
from turinglearn.signals import GradientSignal, Lesson

__all__ = ["Duel", "can_duel"]

_BACKENDS = ("numpy", "torch")


def can_duel(signal: Any, generator: Any, example: Batch) -> bool:
    """Whether these started players are two networks that meet by exact gradients, and all they need is here."""
    if type(signal) is not GradientSignal or type(signal.derivative) is not Exact or signal.objective.compares:
        return False
    judge = signal.discriminator
    if type(generator) is not NeuralGenerator or type(judge) is not NeuralDiscriminator:
        return False
    for player in (generator, judge):
        if not player.network_.plain or player.backend not in _BACKENDS or player.products != "full":
            return False
    here, there = generator.network_.parameters, judge.network_.parameters
    if judge.penalties or type(here) is not type(there) or here.dtype != there.dtype:
        return False
    if here.device != there.device or example.given is not None or not _readable(example.x, here):
        return False
    return _same_units(generator, judge)


def _readable(x: Any, parameters: Array) -> bool:
    """Whether data are of a kind that goes straight into the buffers; coarser ones would have the counterfeits rounded."""
    kind = type(x) is np.ndarray or (is_torch(x) and is_torch(parameters) and x.device == parameters.device)
    return kind and x.dtype.itemsize >= parameters.dtype.itemsize


class Duel:
    """The players of one game, or of several on a leading axis, and the buffers of their passes."""

    def __init__(self, signals: Sequence[Any], generators: Sequence[Any]) -> None:
        self.generators: tuple[NeuralGenerator, ...] = tuple(generators)
        self.judges: tuple[NeuralDiscriminator, ...] = tuple(signal.discriminator for signal in signals)
        self.objective: GeneratorObjective = signals[0].objective
        self.generator, self.judge = together(self.generators), together(self.judges)
        self._made_of = [
            ((g.network_, g.optimizer_, g.location_, g.spread_), (d.network_, d.optimizer_, d.location_, d.scale_))
            for g, d in zip(self.generators, self.judges, strict=True)
        ]
        self._units_then = self._units()
        varies = self.generator.spread_ > 0  # features without spread stay what they are
        self._varies = None if varies.all() else namespace(varies).astype(varies, self.generator.spread_.dtype)[..., None]
        self._workspaces: dict[tuple[str, int, int], Workspace] = {}
        self._hosted: dict[tuple[str, int], Any] = {}

    def is_of(self, generators: Sequence[Any], judges: Sequence[Any]) -> bool:
        """Whether these players still have the networks and optimizers that the buffers belong to, and the same units."""
        steps = self.judge.optimizer_.steps
        for generator, judge, (makes, judged) in zip(generators, judges, self._made_of, strict=True):
            if (
                generator.network_ is not makes[0]
                or generator.optimizer_ is not makes[1]
                or generator.location_ is not makes[2]
            ):
                return False
            if judge.network_ is not judged[0] or judge.optimizer_ is not judged[1] or judge.location_ is not judged[2]:
                return False
            if generator.spread_ is not makes[3] or judge.scale_ is not judged[3] or judge.optimizer_.steps != steps:
                return False  # other steps: a replica that played alone has stepped alone
        return self._units() == self._units_then

    def play(self, dealt: Sequence[Sequence[Batch]], steps: int, rngs: Sequence[Rng]) -> list[Lesson]:
        """A round of each game: on genuine samples for each fit and, last, for judging. What each judge said at the end."""
        *fits, n = (batch.n for batch in dealt[0])
        makes, start = self._workspace("generator", sum(fits) + n, n), 0
        made = self._proposed(makes, rngs)
        for j, fit in enumerate(fits):
            self._teach_judge([hand[j] for hand in dealt], made[..., start : start + fit])
            start += fit
        scores = self._teach_generator(makes, made[..., start:])
        for _ in range(steps - 1):
            makes = self._workspace("generator", n, n)
            scores = self._teach_generator(makes, self._proposed(makes, rngs))
        self._count()
        return [Lesson(None, self.judge.says(values), None) for values in (scores if len(dealt) > 1 else [scores])]

    def _teach_judge(self, genuine: Sequence[Batch], fake: Any) -> None:
        """One step of the judge on genuine samples and as many counterfeits."""
        n, judge, xp = fake.shape[-1], self.judge, namespace(fake)
        both = self._workspace("judge", 2 * n, 2 * n)
        both.x[..., n:] = fake
        self._read(genuine, both.x[..., :n])
        scores = both.forward()[..., 0, :]
        slopes = judge.criterion.slopes(scores[..., :n], scores[..., n:])
        both.backward(xp.concat(slopes, axis=-1)[..., None, :], parameters=True, inputs=False)
        judge.descend()

    def _teach_generator(self, makes: Workspace, fake: Any) -> Any:
        """One step of the generator on counterfeits whose pass lies in the buffers; what the judge says of them."""
        n, xp = fake.shape[-1], namespace(fake)
        shown = self._workspace("judge", n, n)
        shown.x[...] = fake
        scores = xp.asarray(shown.forward()[..., 0, :], copy=True)
        if not surely_finite(scores):
            check_values("NeuralDiscriminator.vjp", "scores", scores, tuple(scores.shape))
        slopes = self.objective.slopes(scores, None)
        du = shown.backward(slopes[..., None, :], parameters=False, inputs=True)
        du = du / n  # the mean loss; dL/dx spread = dL/du
        makes.backward(du if self._varies is None else du * self._varies, parameters=True, inputs=False)
        self.generator.descend()
        return scores

    def _proposed(self, makes: Workspace, rngs: Sequence[Rng]) -> Any:
        """Counterfeits in standard units, (..., features, n); their pass lies in the buffers."""
        n = makes.x.shape[-1]
        noise, into = self._on_host("noise", n, self.generator.latent_dim)
        for row, rng in zip(noise, rngs, strict=True):
            rng.standard_normal(out=row, dtype=row.dtype)
        makes.x[...] = into
        made = makes.forward()
        if self._varies is not None:
            made *= self._varies
        if not surely_finite(made):
            check_values(f"NeuralGenerator.propose({n}, ...)", "samples", made, tuple(made.shape))
        return made

    def _read(self, genuine: Sequence[Batch], x: Any) -> None:
        """Genuine samples, standardised, into x (..., features, n)."""
        if type(genuine[0].x) is np.ndarray:
            rows, into = self._on_host("genuine", genuine[0].n, x.shape[-2])
            for row, batch in zip(rows, genuine, strict=True):
                row[...] = batch.x.reshape(row.shape)
            x[...] = into
        else:
            for row, batch in zip(x if len(genuine) > 1 else [x], genuine, strict=True):
                row[...] = batch.x.reshape((batch.n, -1)).T
        x -= self.judge.location_[..., None]
        x *= self.judge.scale_[..., None]

    def _units(self) -> list[Any]:
        """What tells whether somebody wrote over the units."""
        arrays = self.generator.location_, self.generator.spread_, self.judge.location_, self.judge.scale_
        return [x.tobytes() if type(x) is np.ndarray else x._version for x in arrays]

    def _on_host(self, what: str, n: int, features: int) -> tuple[Any, Any]:
        """A buffer on the host for each game, (R, n, features), and its transpose as the networks' library sees it."""
        if (what, n) not in self._hosted:
            rows = np.empty((len(self.generators), n, features), self.generator.dtype)
            seen = namespace(self.generator.location_).asarray(rows, device="cpu", copy=False)
            self._hosted[what, n] = rows, (seen if len(rows) > 1 else seen[0]).swapaxes(-1, -2)
        buffers: tuple[Any, Any] = self._hosted[what, n]
        return buffers

    def _workspace(self, role: str, n: int, tail: int) -> Workspace:
        if (role, n, tail) not in self._workspaces:
            player = self.generator if role == "generator" else self.judge
            network, others = player.network_, self._workspaces.values()
            lent = max(others, key=lambda other: (other.network is network, other.n), default=None)
            self._workspaces[role, n, tail] = workspace(network, n, tail, lent)
        return self._workspaces[role, n, tail]

    def _count(self) -> None:
        """Replicas have stepped as often as their common optimizer."""
        if len(self.generators) > 1:
            for common, players in ((self.generator, self.generators), (self.judge, self.judges)):
                for player in players:
                    player.optimizer_.steps = common.optimizer_.steps


def _same_units(generator: NeuralGenerator, judge: NeuralDiscriminator) -> bool:
    """Whether what the one multiplies by and adds, the other divides by and takes away."""
    there = generator.spread_ * judge.scale_
    inverse = (abs(there - 1) < 1e-5) | (generator.spread_ == 0)
    return bool((generator.location_ == judge.location_).all() and inverse.all())
