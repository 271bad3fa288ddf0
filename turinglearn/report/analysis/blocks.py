"""Blocks: all runs of one setting, in which discriminators are compared with the same seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from turinglearn.report.analysis.distributions import RealSample
from turinglearn.report.analysis.runs import Floats, Run
from turinglearn.report.analysis.settings import Setting, SharedSettings
from turinglearn.study.factors import CellKind, Level

__all__ = ["Block", "Estimate", "blocks_of", "sample_sizes"]

# Largest number of rows that all runs together compare, of real samples and of their own, and the least that each compares.
_REAL, _LEARNED, _LEAST_REAL, _LEAST_LEARNED = 10_000_000, 1_100_000, 128, 16


@dataclass(frozen=True, slots=True)
class Estimate:
    """Estimate of a quantity, its interval (nan without one), and the number of seeds."""

    value: float
    low: float
    high: float
    seeds: int


@dataclass(frozen=True)
class Block:
    """All runs of one setting. The draws of a seed are the same for all discriminators of a block.

    Parameters
    ----------
    setting : Setting
        Setting that the runs share.
    real : RealSample or None
        Held-out real sample of the problem, where a row has one.
    runs : dict of str to dict of int to Run
        Runs by the label of the discriminator and the seed.
    known_values, known_estimates : dict
        Results of `values` and `estimate`, which keep them here, by quantity and discriminator.
    """

    setting: Setting
    real: RealSample | None
    runs: dict[str, dict[int, Run]]
    known_values: dict[tuple[str, str], dict[int, Floats | None]] = field(default_factory=dict, repr=False)
    known_estimates: dict[tuple[str, str], Estimate | None] = field(default_factory=dict, repr=False)

    @property
    def kind(self) -> CellKind:
        """Kind of the cells."""
        return self.setting.kind

    def well(self, discriminator: str) -> list[Run]:
        """Return the runs of a discriminator that ended with figures."""
        return [run for run in self.runs.get(discriminator, {}).values() if run.ended_well]


def blocks_of(runs: Sequence[Run]) -> list[Block]:
    """Return the runs that have a discriminator by setting, in their order.

    Of several runs with the same discriminator and seed the last one counts, and of several real samples of a problem the
    largest. Where there are many runs, only the first rows of samples are compared: all distances would take minutes.
    """
    real = _real_samples(runs)
    shared = SharedSettings((run.setting, run.label) for run in runs)
    found: dict[Setting, Block] = {}
    for run in runs:
        if run.discriminator is None:
            continue
        setting = shared.of(run.setting)
        if setting not in found:
            found[setting] = Block(setting, real.get(setting.problem), {})
        found[setting].runs.setdefault(run.label, {})[run.seed] = run
    return list(found.values())


def sample_sizes(blocks: Iterable[Block]) -> str:
    """Return a sentence on the sizes of the samples that stand for distributions, or "" where there are none."""
    beside = [(block, block.real) for block in blocks if block.real is not None]
    runs = (next(iter(runs.values())) for block, _ in beside for runs in block.runs.values())
    longest = max((len(run.sample) for run in runs if run.sample is not None), default=0)
    return max((real.sizes(longest) for _, real in beside), key=len, default="") if longest else ""


def _real_samples(runs: Sequence[Run]) -> dict[Level, RealSample]:
    """Return the largest real sample of each problem."""
    count = sum(run.sample is not None for run in runs)
    rows, most = max(_LEAST_REAL, _REAL // max(count, 1)), max(_LEAST_LEARNED, _LEARNED // max(count, 1))
    truths = [(run.setting.problem, run.sample) for run in runs if run.kind is CellKind.TRUTH and run.sample is not None]
    return {problem: RealSample(sample, rows, most) for problem, sample in sorted(truths, key=lambda pair: len(pair[1]))}
