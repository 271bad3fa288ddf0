"""Section on methods: symbols, the formulas of all that a report shows, and their references."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from turinglearn.report.analysis.contrasts import Contrast, Summary
from turinglearn.report.analysis.quantities import DistributionQuantity, Quantity, ScalarQuantity
from turinglearn.report.render.document import Formula, Heading, Paragraph, Report, ReportTable
from turinglearn.report.sections.bias import EFFICIENCY
from turinglearn.report.sections.evidence import CROSS_EXAMINED
from turinglearn.report.sections.measured import SCORED
from turinglearn.study.figures import MeasureKind

__all__ = ["REFERENCES", "method_section"]


@dataclass(frozen=True)
class _Shown:
    """Contents of a report, each of which has a method behind it."""

    has_bias: bool
    has_variance: bool
    has_distribution_variance: bool
    tested: bool
    paired: bool
    single: bool
    joint: bool
    has_better: bool
    mean_by_seed: bool
    mean_of_ends: bool
    scored: bool
    efficiency: bool
    cross_examined: bool

    @property
    def has_means(self) -> bool:
        """True where there are means over seeds."""
        return self.paired or self.cross_examined


@dataclass(frozen=True)
class _Method:
    """Method, and whether a report uses it."""

    used: Callable[[_Shown], bool]
    title: str
    formula: str
    source: str


_SYMBOLS = (
    ("p, q, q_s, m", "the real distribution, the fake one, the distribution learned with seed s, and m = (p + q)/2"),
    ("r, π, σ", "the log-odds r = log p/q that a sample is real, and its probability π = σ(r) = 1/(1 + e⁻ʳ)"),
    (
        "r̂, r̄_s, r̄",
        "the log-odds predicted after one fit, their mean over the fits on training set s, and their mean over sets and fits",
    ),
    ("ℓ", "the log-loss ℓ(r̂) = A(r̂) − π r̂ at a point, A(r) = log(1 + eʳ); all terms are means over points of m"),
    ("KL(π ‖ σ(r̄))", "at a point, π log π/σ(r̄) + (1 − π) log (1 − π)/(1 − σ(r̄))"),
    ("D", "squared energy distance: D(p, q) = 2 E|X − Y| − E|X − X'| − E|Y − Y'|, X and X' from p, Y and Y' from q"),
    ("R, S, k", "number of training sets, seeds, and parameters"),
    ("e_s", "the error of training set or seed s: r̄_s − r at all points, or θ̂ − θ over the bounds; Σ its covariance"),
    ("θ̂, θ, I", "learned and true parameters, and the Fisher information of one row"),
    ("n", "for discriminators the rows of each kind in a training set, real and fake; for games the real rows in all"),
    ("d", "features"),
    ("KL", "KL(p ‖ q) of the problem's two distributions, in nats"),
    (
        "t",
        "the quantile of Student's t for level .95, with one degree of freedom less than sets or seeds, unless said otherwise",
    ),
)

_METHODS = (
    _Method(
        lambda shown: shown.has_bias,
        "Interval of a squared bias, or of the bias of a distribution",
        "all b with (b̂ − b)² ≤ t² v(b),   v(b) = 4 b λ/R + 2 tr Σ²/(R(R − 1)),   λ = ⟨E e, Σ E e⟩/|E e|²,   S for R over seeds",
        "Hoeffding (1948) for v, inverted as Wilson (1927) does",
    ),
    _Method(
        lambda shown: shown.has_variance,
        "Interval of a variance, or of a root mean square error",
        "l_s = S log V − (S − 1) log V without s;   exp(mean l ± t s_l/√S),   t with 2S/(κ − 1 + 2/(S − 1)) degrees of "
        "freedom, at most S − 1,   κ the kurtosis of l",
        "Quenouille (1956), Tukey (1958), Satterthwaite (1946)",
    ),
    _Method(
        lambda shown: shown.has_distribution_variance,
        "Interval of the variance of a distribution",
        "V_s = S V − (S − 1) V without s;   mean V_s and its Student interval, corrected for the skewness of V_s",
        "Quenouille (1956), Tukey (1958), Hall (1992)",
    ),
    _Method(
        lambda shown: shown.scored,
        "Intervals of a discriminator's other figures in one cell, over R training sets",
        "excess log-loss, −½ of the error of the JSD: as for a variance;   calibration error: mean x ± t s/√R, corrected for "
        "the skewness of x;   slope, error of the JSD in sample: mean x ± t s/√R,   one x for each training set;   s² includes "
        "the error of finitely many points, except for calibration",
        "Tukey (1958), Hall (1992), Student (1908)",
    ),
    _Method(
        lambda shown: shown.has_means,
        "Interval of a mean over seeds, also of biases that each seed has",
        "mean x ± t s/√S",
        "Student (1908)",
    ),
    _Method(
        lambda shown: shown.paired,
        "Comparison of two discriminators by seed",
        "d_s = figure of the discriminator − figure of the control, for seed s;   mean d ± t s_d/√S",
        "Student (1908); both see the same samples with the same seed",
    ),
    _Method(
        lambda shown: shown.single,
        "Comparison of cells of one seed, over R training sets",
        "d ± t √(s² + s_control²),   s the standard error of each cell; too wide, as both share their training sets",
        "Student (1908)",
    ),
    _Method(
        lambda shown: shown.joint,
        "Comparison of two biases that only all seeds together have",
        "d = b̂ − b̂', a dash marks the control;   all δ with (d − δ)² ≤ t² v,   v = 4 (b λ + b' λ' − 2 √(b b') κ)/S + "
        "2 E h₂²/(S(S − 1)) where b − b' = δ,   κ as λ, but of both, h₂ the part of the difference "
        "of products that belongs to no single seed",
        "Hoeffding (1948), inverted as Wilson (1927) does",
    ),
    _Method(
        lambda shown: shown.tested,
        "Family of comparisons",
        "p = 2 P(T ≥ |d| / s),   s = the longer side of the interval of d over its t, so p can exceed .05 although an "
        "asymmetric interval excludes 0;   p₍₁₎ ≤ … ≤ p₍M₎,   adjusted p₍ᵢ₎ = max over j ≤ i of min(1, (M − j + 1) p₍ⱼ₎),   "
        "M comparisons",
        "Holm (1979)",
    ),
    _Method(
        lambda shown: shown.has_better,
        "Probability that a seed has less",
        "mean over settings of P(figure < control's) + ½ P(equal), over all pairs of seeds",
        "Mann & Whitney (1947), Agarwal et al. (2021)",
    ),
    _Method(
        lambda shown: shown.mean_by_seed,
        "Mean difference over settings, by seed",
        "d̄_s = mean over settings of d_s, failures as the worst;   mean d̄_s ± t s/√S: each seed counts once",
        "Student (1908)",
    ),
    _Method(
        lambda shown: shown.mean_of_ends,
        "Mean difference over settings where no seed has a difference in all of them",
        "from the mean of the lower ends to that of the upper ends: the standard error of a mean is at most the mean of "
        "standard errors, and equal to it if all settings have the same error",
        "Student (1908); never too short, as settings may share random numbers",
    ),
    _Method(
        lambda shown: shown.efficiency,
        "Parameter efficiency",
        "√(mean over seeds of (θ̂ − θ)²) / bound,   bound = √(I⁻¹/n);   from ten seeds on, relative to maximum likelihood θ_ML "
        "on the same rows: mean (θ_ML − θ)² / mean (θ̂ − θ)²",
        "Cramér (1946), Rao (1945)",
    ),
    _Method(
        lambda shown: shown.cross_examined,
        "Cross-examination",
        "balanced accuracy: (share of real rows classified as real + share of fakes classified as fake) / 2",
        "mean over seeds",
    ),
)

# References by citation, which the sources of formulas contain.
REFERENCES = {
    "Agarwal et al. (2021)": "R. Agarwal, M. Schwarzer, P. S. Castro, A. Courville, M. Bellemare: Deep reinforcement learning "
    "at the edge of the statistical precipice. NeurIPS 2021.",
    "Cramér (1946)": "H. Cramér: Mathematical methods of statistics. Princeton 1946.",
    "Gruber & Buettner (2023)": "S. Gruber, F. Buettner: Uncertainty estimates of predictions via a general bias-variance "
    "decomposition. AISTATS 2023.",
    "Hall (1992)": "P. Hall: On the removal of skewness by transformation. J. R. Stat. Soc. B 54, 1992.",
    "Hesterberg (2015)": "T. Hesterberg: What teachers should know about the bootstrap. Am. Stat. 69, 2015.",
    "Hoeffding (1948)": "W. Hoeffding: A class of statistics with asymptotically normal distribution. Ann. Math. Stat. 19, "
    "1948.",
    "Holm (1979)": "S. Holm: A simple sequentially rejective multiple test procedure. Scand. J. Stat. 6, 1979.",
    "Mann & Whitney (1947)": "H. Mann, D. Whitney: On a test of whether one of two random variables is stochastically larger "
    "than the other. Ann. Math. Stat. 18, 1947.",
    "Quenouille (1956)": "M. Quenouille: Notes on bias in estimation. Biometrika 43, 1956.",
    "Rao (1945)": "C. R. Rao: Information and the accuracy attainable in the estimation of statistical parameters. Bull. "
    "Calcutta Math. Soc. 37, 1945.",
    "Satterthwaite (1946)": "F. Satterthwaite: An approximate distribution of estimates of variance components. Biometrics "
    "Bull. 2, 1946.",
    "Student (1908)": "Student: The probable error of a mean. Biometrika 6, 1908.",
    "Székely & Rizzo (2013)": "G. Székely, M. Rizzo: Energy statistics: a class of statistics based on distances. J. Stat. "
    "Plan. Inference 143, 2013.",
    "Tukey (1958)": "J. Tukey: Bias and confidence in not quite large samples. Ann. Math. Stat. 29, 1958.",
    "Wilson (1927)": "E. Wilson: Probable inference, the distribution of succession, and statistical inference. JASA 22, 1927.",
}


def method_section(
    report: Report, quantities: Iterable[Quantity], found: Sequence[Contrast], summed: Sequence[Summary]
) -> None:
    """Add the formulas of what this report shows, and their references."""
    unique = list({quantity.name: quantity for quantity in quantities}.values())
    shown = _shown(report, unique, found, summed)
    formulas = [Formula(f"{q.title[0].upper()}{q.title[1:]}, {q.unit}", q.formula, q.source) for q in unique]
    formulas += [Formula(method.title, method.formula, method.source) for method in _METHODS if method.used(shown)]
    report.add(Heading("Methods", "methods"))
    report.add(
        Paragraph(
            "Intervals are at level .95 and are not adjusted; those of pictures are those of their tables. Estimates of "
            "squared bias and of distances are unbiased, so they and the ends of their intervals can be negative. Intervals "
            "of shares and counts are cut at the least and the largest possible value."
        )
    )
    if formulas:
        report.add(ReportTable("symbols", "Symbols.", ("symbol", "meaning"), _SYMBOLS), *formulas)
    cited = " ".join(formula.source for formula in formulas)
    references = [text for name, text in REFERENCES.items() if name in cited]
    report.add(Heading("References", "references"), *map(Paragraph, references))


def _shown(report: Report, quantities: Sequence[Quantity], found: Sequence[Contrast], summed: Sequence[Summary]) -> _Shown:
    """Return what the pictures, tables and sentences of this report show."""
    tested = [c for c in found if c.tested]
    scalar = [c for c in tested if isinstance(c.quantity, ScalarQuantity)]
    variances = [quantity for quantity in quantities if quantity.kind is MeasureKind.VARIANCE]
    over_settings = [s for s in summed if s.tested > 1]
    parts = report.data()
    return _Shown(
        has_bias=any(quantity.has_bias for quantity in quantities),
        has_variance=EFFICIENCY in parts or any(not isinstance(each, DistributionQuantity) for each in variances),
        has_distribution_variance=any(isinstance(each, DistributionQuantity) for each in variances),
        tested=bool(tested),
        paired=any(c.seeds > 1 for c in scalar),
        single=any(c.seeds == 1 for c in tested),
        joint=len(scalar) < len(tested),
        has_better=any(s.better is not None for s in summed),
        mean_by_seed=any(s.by_seed for s in over_settings),
        mean_of_ends=not all(s.by_seed for s in over_settings),
        scored=SCORED in parts,
        efficiency=EFFICIENCY in parts,
        cross_examined=CROSS_EXAMINED in parts,
    )
