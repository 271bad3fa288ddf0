"""Quantities that a report estimates over seeds: figures of runs, learned distributions, learned parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from turinglearn.bias import jackknife, mean_interval, paired_interval, squared_mean_difference, squared_mean_of_products
from turinglearn.metrics import Interval
from turinglearn.report.analysis.blocks import Block
from turinglearn.report.analysis.distributions import (
    RealSample,
    distance,
    distribution_bias_difference,
    distribution_split,
)
from turinglearn.report.analysis.runs import Floats, Run
from turinglearn.study.figures import ESTIMATE, PARAMETER_BOUND, TRUTH, Measure, MeasureKind, parse_name

__all__ = ["DistributionQuantity", "ParameterQuantity", "Quantity", "ScalarQuantity", "parameter_names"]


@dataclass(frozen=True)
class Quantity(ABC):
    """A quantity to be estimated over seeds.

    Parameters
    ----------
    kind : MeasureKind
        BIAS, VARIANCE, or TOTAL for both together.
    name : str
        Name in tables and files.
    title, unit : str
        Label and unit for a reader.
    formula, source : str
        Formula and its reference.
    """

    kind: MeasureKind
    name: str
    title: str
    unit: str
    formula: str
    source: str

    needs: ClassVar[int] = 3  # seeds that an interval takes

    @abstractmethod
    def of(self, run: Run, block: Block) -> Floats | None:
        """Return what a run has of the quantity, or None."""

    @abstractmethod
    def interval(self, values: Floats, block: Block) -> Interval:
        """Return the estimate from values with one entry per seed."""

    @abstractmethod
    def paired(self, first: Floats, second: Floats, block: Block) -> Interval:
        """Return the first estimate minus the second, from values with the same seeds."""

    @abstractmethod
    def badness(self, value: Floats, block: Block) -> float:
        """Return the number by which the worst of several values is found."""

    @property
    def has_bias(self) -> bool:
        """True for a bias, False for a variance or for both together."""
        return self.kind is MeasureKind.BIAS


@dataclass(frozen=True)
class ScalarQuantity(Quantity):
    """Figure that each run has: its mean over seeds, with Student's interval."""

    needs: ClassVar[int] = 2

    @classmethod
    def of_measure(cls, measure: Measure) -> ScalarQuantity:
        """Return the quantity of a declared figure."""
        return cls(measure.kind, measure.name, measure.title, measure.unit, measure.formula, measure.source)

    def of(self, run: Run, block: Block) -> Floats | None:
        """Return the figure, (1,), or None."""
        return np.array([run.figures[self.name]]) if self.name in run.figures else None

    def interval(self, values: Floats, block: Block) -> Interval:
        """Return the mean."""
        return mean_interval(values[:, 0])

    def paired(self, first: Floats, second: Floats, block: Block) -> Interval:
        """Return the mean difference."""
        return paired_interval(first[:, 0], second[:, 0])

    def badness(self, value: Floats, block: Block) -> float:
        """Return the figure."""
        return float(value[0])


@dataclass(frozen=True)
class DistributionQuantity(Quantity):
    """Bias or variance of the learned distribution, from the samples that rows keep."""

    @classmethod
    def of_kind(cls, kind: MeasureKind) -> DistributionQuantity:
        """Return the bias or the variance."""
        term = "first" if kind is MeasureKind.BIAS else "second"
        return cls(
            kind,
            f"distribution_{kind}",
            f"{kind} of the learned distribution",
            "squared energy distance",
            f"E D(p, q_s) = D(p, q̄) + E D(q_s, q̄),   q̄ the mixture over all seeds: the {term} term",
            "Székely & Rizzo (2013)",
        )

    def of(self, run: Run, block: Block) -> Floats | None:
        """Return the rows of the sample that are compared, (n, d), or None."""
        return None if block.real is None or run.sample is None else run.sample[: block.real.most]

    def interval(self, values: Floats, block: Block) -> Interval:
        """Return the bias or the variance."""
        found = distribution_split(values, _real(block))
        return found.bias if self.has_bias else found.variance

    def paired(self, first: Floats, second: Floats, block: Block) -> Interval:
        """Return the difference of the biases."""
        return distribution_bias_difference(first, second, _real(block))

    def badness(self, value: Floats, block: Block) -> float:
        """Return the distance of a sample from the real one."""
        return distance(value, _real(block))


@dataclass(frozen=True)
class ParameterQuantity(Quantity):
    """Squared bias or variance of learned parameters: a mean over them, in units of their Cramér-Rao bounds where known."""

    @classmethod
    def of_kind(cls, kind: MeasureKind) -> ParameterQuantity:
        """Return the squared bias or the variance."""
        bias = kind is MeasureKind.BIAS
        return cls(
            kind,
            f"parameters_{kind}",
            f"{'squared bias' if bias else 'variance'} of the learned parameters",
            "squared bounds",
            "e = (θ̂ − θ) / bound;   b² = 1/(S(S−1)) Σ_{s≠s'} ⟨e_s, e_s'⟩ / k"
            if bias
            else "mean over parameters of Var_s e,   e = (θ̂ − θ) / bound",
            "Hoeffding (1948); Cramér (1946), Rao (1945)",
        )

    def of(self, run: Run, block: Block) -> Floats | None:
        """Return the error of each parameter over its bound, (k,), or None."""
        figures, names = run.figures, parameter_names(run.figures, ESTIMATE)
        bounds = {key: figures.get(PARAMETER_BOUND.of(key), 1.0) for key in names}
        errors = {key: figures[ESTIMATE.of(key)] - figures.get(TRUTH.of(key), np.nan) for key in names}
        return np.array([errors[k] / bounds[k] if bounds[k] > 0 else np.nan for k in names]) if names else None

    def interval(self, values: Floats, block: Block) -> Interval:
        """Return the squared bias or the variance of errors (S, k)."""
        if self.has_bias:
            return squared_mean_of_products(_products(values))
        return jackknife(lambda kept: _variance(values[kept]), len(values), log=True)

    def paired(self, first: Floats, second: Floats, block: Block) -> Interval:
        """Return the difference of two squared biases or variances."""
        if self.has_bias:
            return squared_mean_difference(_products(first), _products(second))
        return jackknife(lambda kept: _variance(first[kept]) - _variance(second[kept]), len(first))

    def badness(self, value: Floats, block: Block) -> float:
        """Return the sum of the squared errors."""
        return float((value**2).sum())


def parameter_names(figures: dict[str, float], measure: Measure) -> list[str]:
    """Return the parameters of which a run has this figure."""
    found = (parse_name(name) for name in figures)
    return sorted(each.key for each in found if each is not None and each.measure is measure)


def _real(block: Block) -> RealSample:
    if block.real is None:
        raise ValueError("The setting has no real sample. Ask only for quantities that its runs have.")
    return block.real


def _products(errors: Floats) -> Floats:
    """Return ⟨e_s, e_s'⟩ / k of the errors (S, k)."""
    found: Floats = errors @ errors.T / errors.shape[1]
    return found


def _variance(errors: Floats) -> float:
    return float(errors.var(axis=0, ddof=1).mean())
