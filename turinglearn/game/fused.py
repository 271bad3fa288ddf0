"""A round of two networks of the core in one piece: the arithmetic of a plain round, without what nobody reads.

Fakes go from the generator to the discriminator in standard units, in which both networks work: location and spread, by which
the one would multiply and the other divide, cancel. Until the generator's step all fakes of a round come from the same network,
in one pass. The rounds of replicas, games of the same players with other seeds, share a leading axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_
from typing import Any

import numpy as np

from turinglearn.arrays import is_torch, namespace, surely_finite
from turinglearn.contract import check_values
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.game.batches import RoundBatches
from turinglearn.game.records import Played
from turinglearn.game.step import Players
from turinglearn.generators import NeuralGenerator
from turinglearn.nn.stack import stack_players
from turinglearn.nn.workspace import Workspace, workspace
from turinglearn.objectives import GeneratorObjective
from turinglearn.protocols import Array, Batch, Rng
from turinglearn.signals import GradientSignal, ScoredFeedback
from turinglearn.signals.derivative import Exact

__all__ = ["FusedRound", "can_fuse"]

_BACKENDS = ("numpy", "torch")


def can_fuse(players: Players, example: Batch) -> bool:
    """Return whether these started players are two plain networks that meet by exact gradients, on data of such a kind."""
    schedule, signal, generator = players.schedule, players.signal, players.generator
    if players.buffer is not None or schedule.pack > 1 or schedule.simultaneous:
        return False
    if type(signal) is not GradientSignal or type(signal.derivative) is not Exact or signal.objective.pairwise:
        return False
    discriminator = signal.discriminator
    if type(generator) is not NeuralGenerator or type(discriminator) is not NeuralDiscriminator:
        return False
    for player in (generator, discriminator):
        if not player.network_.plain or player.backend not in _BACKENDS or player.matmul_precision != "full":
            return False
    here, there = generator.network_.parameters, discriminator.network_.parameters
    if discriminator.penalties or type(here) is not type(there) or here.dtype != there.dtype:
        return False
    if here.device != there.device or example.condition is not None or not _readable(example.x, here):
        return False
    return _same_units(generator, discriminator)


def _readable(x: Array, parameters: Array) -> bool:
    """Return whether data go straight into the buffers; coarser ones would have the fakes rounded."""
    if type(x) is np.ndarray:
        return bool(x.dtype.itemsize >= parameters.dtype.itemsize)
    same_place = is_torch(x) and is_torch(parameters) and x.device == parameters.device
    return bool(same_place and x.dtype.itemsize >= parameters.dtype.itemsize)


class FusedRound:
    """The players of one game, or of several on a leading axis, and the buffers of their passes."""

    def __init__(self, games: Sequence[Players]) -> None:
        self.games = tuple(games)
        self.generators = tuple(_generator(players) for players in games)
        self.discriminators = tuple(_discriminator(players) for players in games)
        self.objective: GeneratorObjective = games[0].signal.objective
        self.generator, self.discriminator = stack_players(self.generators), stack_players(self.discriminators)
        self._made_of = [
            (_parts_of_generator(g), _parts_of_discriminator(d))
            for g, d in zip(self.generators, self.discriminators, strict=True)
        ]
        self._units_then = self._units()
        varies = self.generator.spread_ > 0  # features without spread stay what they are
        self._varies = None if varies.all() else namespace(varies).astype(varies, self.generator.spread_.dtype)[..., None]
        self._workspaces: dict[tuple[str, int, int], Workspace] = {}
        self._hosted: dict[tuple[str, int], Any] = {}

    def matches(self) -> bool:
        """Return whether the players still have the networks and optimizers that the buffers belong to, and the same units.

        Replicas must also have stepped equally often: one that has played alone has stepped alone.
        """
        steps = self.discriminator.optimizer_.steps
        for g, d, (g_parts, d_parts) in zip(self.generators, self.discriminators, self._made_of, strict=True):
            if not (all(map(is_, _parts_of_generator(g), g_parts)) and all(map(is_, _parts_of_discriminator(d), d_parts))):
                return False
            if d.optimizer_.steps != steps:
                return False
        return self._units() == self._units_then

    def play(self, batches: Sequence[RoundBatches], steps: int) -> list[Played]:
        """Play a round of each game; the scores are those of the generator's last fakes."""
        fits, n = [batch.n for batch in batches[0].to_fit], batches[0].to_score.n
        rngs = [players.streams("generator") for players in self.games]
        passes, start = self._workspace("generator", sum(fits) + n, n), 0
        fakes = self._proposed(passes, rngs)
        for j, fit in enumerate(fits):
            self._update_discriminator([each.to_fit[j] for each in batches], fakes[..., start : start + fit])
            start += fit
        scores = self._update_generator(passes, fakes[..., start:])
        for _ in range(steps - 1):
            passes = self._workspace("generator", n, n)
            scores = self._update_generator(passes, self._proposed(passes, rngs))
        self._count()
        values = scores if len(batches) > 1 else [scores]
        return [Played(ScoredFeedback(None, self.discriminator.score_type(row), None)) for row in values]

    def _update_discriminator(self, real: Sequence[Batch], fake: Any) -> None:
        """Take one step of the discriminator on real samples and as many fakes."""
        n, discriminator, xp = fake.shape[-1], self.discriminator, namespace(fake)
        both = self._workspace("discriminator", 2 * n, 2 * n)
        both.x[..., n:] = fake
        self._read(real, both.x[..., :n])
        scores = both.forward()[..., 0, :]
        slopes = discriminator.criterion.slopes(scores[..., :n], scores[..., n:])
        both.backward(xp.concat(slopes, axis=-1)[..., None, :], parameters=True, inputs=False)
        discriminator.descend()

    def _update_generator(self, passes: Workspace, fake: Any) -> Any:
        """Take one step of the generator on fakes whose pass lies in the buffers; return the discriminator's scores of them."""
        n, xp = fake.shape[-1], namespace(fake)
        scored = self._workspace("discriminator", n, n)
        scored.x[...] = fake
        scores = xp.asarray(scored.forward()[..., 0, :], copy=True)
        if not surely_finite(scores):
            check_values("NeuralDiscriminator.vjp", "scores", scores, tuple(scores.shape))
        slopes = self.objective.slopes(scores, None)
        du = scored.backward(slopes[..., None, :], parameters=False, inputs=True)
        du = du / n  # the mean loss; dL/dx spread = dL/du
        passes.backward(du if self._varies is None else du * self._varies, parameters=True, inputs=False)
        self.generator.descend()
        return scores

    def _proposed(self, passes: Workspace, rngs: Sequence[Rng]) -> Any:
        """Propose fakes in standard units, (..., features, n); their pass lies in the buffers."""
        n = passes.x.shape[-1]
        noise, into = self._on_host("noise", n, self.generator.latent_dim)
        for row, rng in zip(noise, rngs, strict=True):
            rng.standard_normal(out=row, dtype=row.dtype)
        passes.x[...] = into
        made = passes.forward()
        if self._varies is not None:
            made *= self._varies
        if not surely_finite(made):
            check_values(f"NeuralGenerator.propose({n}, ...)", "samples", made, tuple(made.shape))
        return made

    def _read(self, real: Sequence[Batch], x: Any) -> None:
        """Write real samples, standardised, into x (..., features, n)."""
        if type(real[0].x) is np.ndarray:
            rows, into = self._on_host("real", real[0].n, x.shape[-2])
            for row, batch in zip(rows, real, strict=True):
                row[...] = batch.x.reshape(row.shape)
            x[...] = into
        else:
            for row, batch in zip(x if len(real) > 1 else [x], real, strict=True):
                row[...] = batch.x.reshape((batch.n, -1)).T
        x -= self.discriminator.location_[..., None]
        x *= self.discriminator.scale_[..., None]

    def _units(self) -> list[Any]:
        """Return values that change if somebody writes over the units."""
        g, d = self.generator, self.discriminator
        arrays: tuple[Any, ...] = (g.location_, g.spread_, d.location_, d.scale_)
        return [x.tobytes() if type(x) is np.ndarray else x._version for x in arrays]

    def _on_host(self, what: str, n: int, features: int) -> tuple[Any, Any]:
        """Return a buffer on the host for each game, (R, n, features), and its transpose as the networks' library sees it."""
        if (what, n) not in self._hosted:
            rows = np.empty((len(self.generators), n, features), self.generator.dtype)
            seen = namespace(self.generator.location_).asarray(rows, device="cpu", copy=False)
            self._hosted[what, n] = rows, (seen if len(rows) > 1 else seen[0]).swapaxes(-1, -2)
        buffers: tuple[Any, Any] = self._hosted[what, n]
        return buffers

    def _workspace(self, role: str, n: int, tail: int) -> Workspace:
        if (role, n, tail) not in self._workspaces:
            player = self.generator if role == "generator" else self.discriminator
            network, others = player.network_, self._workspaces.values()
            lent = max(others, key=lambda other: (other.network is network, other.n), default=None)
            self._workspaces[role, n, tail] = workspace(network, n, tail, lent)
        return self._workspaces[role, n, tail]

    def _count(self) -> None:
        """Note that replicas have stepped as often as their common optimizer."""
        if len(self.generators) > 1:
            for common, players in ((self.generator, self.generators), (self.discriminator, self.discriminators)):
                for player in players:
                    player.optimizer_.steps = common.optimizer_.steps


def _generator(players: Players) -> NeuralGenerator:
    assert isinstance(players.generator, NeuralGenerator)
    return players.generator


def _discriminator(players: Players) -> NeuralDiscriminator:
    assert isinstance(players.signal.discriminator, NeuralDiscriminator)
    return players.signal.discriminator


def _parts_of_generator(g: NeuralGenerator) -> tuple[object, ...]:
    return g.network_, g.optimizer_, g.location_, g.spread_


def _parts_of_discriminator(d: NeuralDiscriminator) -> tuple[object, ...]:
    return d.network_, d.optimizer_, d.location_, d.scale_


def _same_units(generator: NeuralGenerator, discriminator: NeuralDiscriminator) -> bool:
    """Return whether what the one multiplies by and adds, the other divides by and subtracts."""
    there = generator.spread_ * discriminator.scale_
    inverse = (abs(there - 1) < 1e-5) | (generator.spread_ == 0)
    return bool((generator.location_ == discriminator.location_).all() and inverse.all())
