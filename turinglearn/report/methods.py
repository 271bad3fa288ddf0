"""The section on methods: what the letters stand for, the formulas of all that a report shows, and where they come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from turinglearn.report.contrasts import Contrast, Summary
from turinglearn.report.document import Document, Formula, Heading, Paragraph, Table
from turinglearn.report.estimates import Quantity

__all__ = ["REFERENCES", "method_section"]


@dataclass(frozen=True)
class _Method:
    """use: what of a report it stands behind, a key of `_used`."""

    use: str
    title: str
    formula: str
    source: str


_SYMBOLS = (
    ("p, q, q_s, m", "the genuine law, the counterfeit one, what was learned with seed s, and m = (p + q)/2"),
    ("r, π, σ", "the log-odds r = log p/q of being genuine, and the chance π = σ(r) = 1/(1 + e⁻ʳ) of it"),
    ("r̂, r̄_s, r̄", "what a judge says after a fit, its mean over the fits on training set s, and its mean over sets and fits"),
    ("ℓ", "the log-loss ℓ(r̂) = A(r̂) − π r̂ at a point, A(r) = log(1 + eʳ); all terms are means over points of m"),
    ("KL(π ‖ σ(r̄))", "at a point, π log π/σ(r̄) + (1 − π) log (1 − π)/(1 − σ(r̄))"),
    ("D", "squared energy distance: D(p, q) = 2 E|X − Y| − E|X − X'| − E|Y − Y'|, X and X' from p, Y and Y' from q"),
    ("R, S, k", "how many training sets, seeds, and parameters there are"),
    ("e_s", "the error of training set or seed s: r̄_s − r at all points, or θ̂ − θ over the bounds; Σ its covariance"),
    ("θ̂, θ, I", "learned and true parameters, and the information of one row on them"),
    ("n", "of judges the rows of each kind in a training set, genuine and counterfeit; of games the genuine rows in all"),
    ("d", "features"),
    ("KL", "KL(p ‖ q) of the problem's two laws, in nats"),
    ("t", "the quantile of Student's t for level .95, with one degree of freedom less than sets or seeds, if not said else"),
)

_METHODS = (
    _Method(
        "bias",
        "Interval of a squared bias, or of the bias of a law",
        "all b with (b̂ − b)² ≤ t² v(b),   v(b) = 4 b λ/R + 2 tr Σ²/(R(R − 1)),   λ = ⟨E e, Σ E e⟩/|E e|²,   S for R over seeds",
        "Hoeffding (1948) for v, inverted as Wilson (1927) does",
    ),
    _Method(
        "variance",
        "Interval of a variance, or of a root mean square error",
        "l_s = S log V − (S − 1) log V without s;   exp(mean l ± t s_l/√S),   t with 2S/(κ − 1 + 2/(S − 1)) degrees of "
        "freedom, at most S − 1,   κ the kurtosis of l",
        "Quenouille (1956), Tukey (1958), Satterthwaite (1946)",
    ),
    _Method(
        "law_variance",
        "Interval of the variance of a law",
        "V_s = S V − (S − 1) V without s;   mean V_s and Student's interval of it, with the skewness of V_s taken out",
        "Quenouille (1956), Tukey (1958), Hall (1992)",
    ),
    _Method(
        "judged",
        "Intervals of a judge's other figures, in one cell, over R training sets",
        "excess log-loss, −½ of the error of the JSD: as of a variance;   error of calibration: mean x ± t s/√R with the "
        "skewness of x taken out;   slope, error of the JSD in sample: mean x ± t s/√R,   x one for each training set;   in "
        "s², but for those of calibration, also the error of finitely many points",
        "Tukey (1958), Hall (1992), Student (1908)",
    ),
    _Method(
        "mean",
        "Interval of a mean over seeds, also of biases that each seed has by itself",
        "mean x ± t s/√S",
        "Student (1908)",
    ),
    _Method(
        "paired",
        "Comparison of two discriminators by seed",
        "d_s = figure of the discriminator − figure of the control, by seed s;   mean d ± t s_d/√S",
        "Student (1908); both meet the same samples with the same seed",
    ),
    _Method(
        "single",
        "Comparison of cells of one seed, over R training sets",
        "d ± t √(s² + s_control²),   s the standard error of each cell; shared sets make it too wide",
        "Student (1908)",
    ),
    _Method(
        "joint",
        "Comparison of two biases that seeds have together",
        "d = b̂ − b̂', the control's with a dash;   all δ with (d − δ)² ≤ t² v,   v = 4 (b λ + b' λ' − 2 √(b b') κ)/S + "
        "2 E h₂²/(S(S − 1)) where b − b' = δ,   κ as λ but of both, h₂ what no single seed adds to the difference of products",
        "Hoeffding (1948), inverted as Wilson (1927) does",
    ),
    _Method(
        "family",
        "Family of comparisons",
        "p = 2 P(T ≥ |d| / s),   s = the longer side of the interval of d over its t, so that of a lopsided interval p can "
        "exceed .05 where it leaves out 0;   p₍₁₎ ≤ … ≤ p₍M₎,   adjusted p₍ᵢ₎ = max over j ≤ i of min(1, (M − j + 1) p₍ⱼ₎),   "
        "M comparisons",
        "Holm (1979)",
    ),
    _Method(
        "middle",
        "Chance that a seed has less",
        "mean over settings of P(figure < control's) + ½ P(equal), over all pairs of seeds",
        "Mann & Whitney (1947), Agarwal et al. (2021)",
    ),
    _Method(
        "mean by seed",
        "Mean difference over settings, by seed",
        "d̄_s = mean over settings of d_s, failures as the worst;   mean d̄_s ± t s/√S: a seed counts once, whatever shares it",
        "Student (1908)",
    ),
    _Method(
        "mean of ends",
        "Mean difference over settings where no seed has a difference in all of them",
        "from the mean of the lower ends to that of the upper ends: the standard error of a mean is at most the mean of "
        "standard errors, and equal to it if all settings err as one",
        "Student (1908); never too short, as settings may have random numbers in common",
    ),
    _Method(
        "efficiency",
        "Parameter efficiency",
        "√(mean over seeds of (θ̂ − θ)²) / bound,   bound = √(I⁻¹/n);   from ten seeds on, relative to maximum likelihood θ_ML "
        "on the same rows: mean (θ_ML − θ)² / mean (θ̂ − θ)²",
        "Cramér (1946), Rao (1945)",
    ),
    _Method(
        "cross-examination",
        "Cross-examination",
        "balanced accuracy: (share of genuine rows taken for genuine + share of counterfeits found) / 2",
        "mean over seeds",
    ),
)

# By what a source is cited as.
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
    "Wilson (1927)": "E. Wilson: Probable inference, the law of succession, and statistical inference. JASA 22, 1927.",
}


def method_section(
    document: Document, quantities: Iterable[Quantity], found: Sequence[Contrast], summed: Sequence[Summary]
) -> None:
    """The formulas of what this report shows, and where they come from."""
    shown = {quantity.name: quantity for quantity in quantities}
    uses = _used(document, set(shown), found, summed)
    formulas = [Formula(f"{q.title[0].upper()}{q.title[1:]}, {q.unit}", q.formula, q.source) for q in shown.values()]
    formulas += [Formula(method.title, method.formula, method.source) for method in _METHODS if method.use in uses]
    document.add(Heading("Methods", "methods"))
    document.add(
        Paragraph(
            "Intervals are at level .95, each by itself; those of pictures are those of their tables. Estimates of squared "
            "bias and of distances are unbiased: they can be negative, and so can the ends of their intervals. Those of shares "
            "and counts are cut where none is possible."
        )
    )
    if formulas:
        document.add(Table("symbols", "What the letters stand for.", ("letter", "what it is"), _SYMBOLS), *formulas)
    cited = " ".join(formula.source for formula in formulas)
    references = [text for name, text in REFERENCES.items() if name in cited]
    document.add(Heading("References", "references"), *map(Paragraph, references))


def _used(document: Document, names: set[str], found: Sequence[Contrast], summed: Sequence[Summary]) -> set[str]:
    """What stands behind this report's pictures, tables and sentences."""
    tested = [c for c in found if c.dropped is not None]
    single = [c for c in tested if c.seeds == 1]
    joint = [c for c in tested if c.quantity.needs > 2]
    paired = [c for c in tested if c.seeds > 1 and c.quantity.needs == 2]
    over_settings = [s for s in summed if s.tested > 1]
    parts = document.data()
    uses = {
        "bias": any("bias" in name for name in names),
        "variance": any("variance" in name and name != "law_variance" for name in names) or "efficiency" in parts,
        "law_variance": "law_variance" in names,
        "judged": "measured-judge" in parts,
        "mean": bool(paired) or "cross-examination" in parts,
        "paired": bool(paired),
        "single": bool(single),
        "joint": bool(joint),
        "family": bool(tested),
        "middle": any(s.better is not None for s in summed),
        "mean by seed": any(s.by_seed for s in over_settings),
        "mean of ends": not all(s.by_seed for s in over_settings),
        "efficiency": "efficiency" in parts,
        "cross-examination": "cross-examination" in parts,
    }
    return {use for use, there in uses.items() if there}
