"""Page of benchmarks/bias/richness.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from provenance import provenance
from richness_arms import MODELS, value
from richness_claims import (
    LEVEL,
    LOGISTIC,
    MARGIN,
    PARAMETERS,
    PUBLISHED,
    Cell,
    Claim,
    Found,
    efficiencies,
    of_likelihood,
    of_richness,
    over_bound,
    scale_over_bound,
    simulation,
    theory,
    together,
)
from richness_network import HIDDEN, ROUNDS

from turinglearn.bias import cramer_rao, parameter_errors
from turinglearn.metrics import Interval

__all__ = ["page"]

DRAWS = 1_000_000  # for the bound by simulation

PAGE = """# Richness of a discriminator and efficiency of what is learned

**{verdict}**

**{verdict_added}**

The finding: if a simulator's parameters are estimated so that the best discriminator of a class separates fakes from real rows
least, the class decides the efficiency of the estimate. A few moments are as good as the simulated method of moments with
optimal weights. A class that can express the score, or is rich enough to approximate it, is as good as maximum likelihood, up
to the noise of the simulation. A class that is too rich for the rows is worse.

Written by `python benchmarks/bias/richness.py --replications {replications}`: {provenance}; {seconds:.0f} s of one core.

**Source.** Kaji, Manresa and Pouliot, "An Adversarial Approach to Structural Estimation", Econometrica 2023 (arXiv 2007.06169).
Its abstract: "with a sufficiently rich discriminator, the adversarial estimator attains parametric efficiency under correct
specification". The logistic location model with n = 300 and m = 300, 600 and 3,000 is of its section 3.1.1, the curse of many
moments of 3.1.3, according to the headers of its replication files (`main_logistic.m`, `main_logistic2.m`, `main_curse.m`, by
Tetsuya Kaji); that of `main_logistic2.m` gives the standard error 1.82 for n = 300, m = 3,000. The abstract and public copies
of these files were used, not the printed text. The files' own discriminators, a network of 5 nodes averaged over fits and a
logistic curve of 3 parameters, are not repeated. Student's and the Gaussian model, splines, and a network in a game are added
here. Theoretical values follow from (1) to (4).

**The estimator.** With n real rows x and m rows of noise u that stay the same for every θ,

    θ̂ = argmin_θ max_D mean log D(xᵢ) + mean log(1 - D(θ₁ + θ₂ uⱼ)),    D = σ(λ₀ + λ'φ(x)),                        (1)

with D fitted to its optimum without a penalty. log σ(t) = -log 2 + t/2 - t²/8 + O(t⁴), so that, with δ the difference of the
means of φ and Σ = Cov φ, the maximum is near

    -2 log 2 + δ'Σ⁻¹δ / 4,                                                                                          (2)

which is optimally weighted simulated moments. Cov δ = Σ (1/n + 1/m), and the mean of φ moves with θ by G = Cov(φ, s), s the
score:

    Cov θ̂ ≈ (1/n + 1/m) (G'Σ⁻¹G)⁻¹.                                                                                 (3)

The covariance of maximum likelihood is near I⁻¹/n. With one parameter, or the others uncorrelated, the efficiency against it is

    R² / (1 + n/m),    R²: the share of the score's variance that a regression on φ explains,                        (4)

by numerical integration over the model. For φ = x it is 1 / (I Var x): 9/π² = .912 where x is logistic (I = 1/3, Var x = π²/3),
1/2 for Student's t with 3 degrees (I = 2/3, Var x = 3); for abs x and a Gaussian's scale 1 / (π - 2) = .876. With the oracle,
D = p₀ / (p₀ + p_θ), the slope in (1) at the truth is half the difference of mean scores and the curvature I/2, so that R² = 1.
{flat}

**Discriminators.** "score" is the score function about the median of the real rows; splines are cubic, knots at quantiles of
the real rows, and linear beyond them. "network" is `NeuralDiscriminator({hidden})` in a `Game` of {rounds:,} rounds, with a
simulator that learns from gradients, and n fresh fakes in each update, so that its m grows with the rounds and its
theoretical value is 1; its settings were chosen on other data sets. All others share x and u. Minima are found on a grid around
the estimate by quartiles, then by Brent's or Nelder and Mead's method.

## Claims

Intervals are jackknives over data sets, each at level 1 - .05/{family} (Bonferroni). "Attains" means that the whole interval is
above {margin} of the theoretical value. *True*: all of the interval meets the condition. *False*: none of it does, or it does
not contain the theoretical value.

| claim | n | interval | condition | verdict |
|---|---|---|---|---|
{claims}

## Efficiency by discriminator

Efficiency: mean square error of maximum likelihood over the discriminator's, same data sets. Same noise: that with the score as
the discriminator over this one's, same x and u. Each has its theoretical value; 95 % intervals; m = {ratio} n. A network has
other noise. Intervals for x of Student's location are rough: the squared error of a mean of t with 3 degrees has no variance.

| model | n | discriminator | replications | bias | efficiency | theory | same noise | R² |
|---|---|---|---|---|---|---|---|---|
{rows}

## The published design

Logistic location, the score as the discriminator.

| n | m | replications | √n RMSE | theory √(3 (1 + n/m)) | published | maximum likelihood's √n RMSE | efficiency | theory |
|---|---|---|---|---|---|---|---|---|
{published}

## Maximum likelihood over the Cramér-Rao bound

**{verdict_likelihood}** RMSE over the bound, {likeliest:,} data sets for each n, 95 % intervals. A Gaussian's scale is
estimated with its location; σ̂ = σ χ / √n with n - 1 degrees of freedom has mean square error σ² ((n-1)/n - 2c + 1),
c = √(2/n) Γ(n/2) / Γ((n-1)/2). The bounds are closed forms, with information 1/3, (ν+1)/(ν+3), 1 and 2; `cramer_rao`, from
{draws:,} draws, is within {bounds:.2%} of each.

| model | parameter | n | RMSE / bound | closed form |
|---|---|---|---|---|
{likelihood}

| claim (level 1 - .05/{family_likelihood}) | n | RMSE / bound | condition | verdict |
|---|---|---|---|---|
{claims_likelihood}
"""


def page(
    found: Mapping[Cell, Found], alone: Mapping[tuple[str, int], Any], ratio: int, replications: int, seconds: float
) -> str:
    """Return the page, from the results of the cells and the errors of maximum likelihood by model and n."""
    claims = together(partial(of_richness, found, ratio))
    limits = together(partial(of_likelihood, alone))
    return PAGE.format(
        verdict=decided("On its own model, the logistic location, the finding is", [c for c in claims if published(c)]),
        verdict_added=decided("On the models that are added here it is", [c for c in claims if not published(c)]),
        verdict_likelihood=decided(
            "Exact efficiency for a Gaussian location, and efficiency in the limit elsewhere, is", limits
        ),
        replications=replications,
        provenance=provenance(),
        seconds=seconds,
        flat=unidentified(),
        hidden=HIDDEN,
        rounds=ROUNDS,
        family=len(claims),
        family_likelihood=len(limits),
        margin=MARGIN,
        ratio=ratio,
        claims="\n".join(map(line, claims)),
        claims_likelihood="\n".join(map(line, limits)),
        rows="\n".join(row for cell in found if cell.ratio == ratio for row in rows_of(cell, found)),
        published="\n".join(design(cell, found[cell]) for cell in found if cell.ratio != ratio),
        likeliest=len(next(iter(alone.values()))),
        draws=DRAWS,
        bounds=max(bound_error(name) for name in MODELS),
        likelihood="\n".join(row for (model, n), errors in alone.items() for row in rows_over_bound(model, n, errors)),
    )


def published(claim: Claim) -> bool:
    """Return whether the claim is about the model of the paper."""
    return claim.sentence.startswith(LOGISTIC)


def decided(subject: str, claims: list[Claim]) -> str:
    """Return a sentence: replicated if every claim is true, not if one of them is false."""
    counts = Counter(claim.verdict for claim in claims)
    word = "not replicated in every part" if counts["false"] else "undecided in part" if counts["undecided"] else "replicated"
    return (
        f"{subject} {word}: of {len(claims)} claims "
        + ", ".join(
            f"{counts[verdict]} {'is' if counts[verdict] == 1 else 'are'} {verdict}"
            for verdict in ("true", "false", "undecided")
        )
        + "."
    )


def unidentified() -> str:
    """Return a sentence on the scale, which the discriminator x cannot identify, since the mean can always be matched."""
    rng = np.random.default_rng(0)
    x, u = rng.standard_normal(800), rng.standard_normal(3_200)
    met = [value(x[:, None], (x.mean() + scale * (u - u.mean()))[:, None])[0] for scale in (0.5, 1.0, 2.0)]
    return (
        "The discriminator x cannot identify a Gaussian's scale: with the location that matches the mean, (1) is -2 log 2 for "
        f"scales of .5, 1 and 2 (they differ by {np.ptp(met):.0e})."
    )


def cell_of(interval: Interval, digits: int = 3) -> str:
    return f"{interval.value:.{digits}f} ({interval.low:.{digits}f} to {interval.high:.{digits}f})"


def line(claim: Claim) -> str:
    return f"| {claim.sentence} | {claim.n} | {cell_of(claim.interval)} | {claim.condition} | {claim.verdict} |"


def rows_of(cell: Cell, found: Mapping[Cell, Found]) -> Iterator[str]:
    mine, score = found[cell], found[cell._replace(discriminator="score")]
    r2, bias = theory(cell.model, cell.discriminator), parameter_errors(mine.errors, np.zeros(mine.errors.shape[1])).bias
    against = efficiencies(mine.errors, mine.likeliest)
    same = efficiencies(mine.errors, score.errors)
    for k, share in enumerate(r2):
        of = f"{cell.model}: {PARAMETERS[k]}" if len(r2) > 1 else cell.model
        shared = "–" if cell.discriminator in ("score", "network") else cell_of(same[k])
        yield (
            f"| {of} | {cell.n} | {cell.discriminator} | {len(mine.errors)} | {cell_of(bias[k])} | {cell_of(against[k])} "
            f"| {share * simulation(cell):.3f} | {shared} | {share:.3f} |"
        )


def design(cell: Cell, mine: Found) -> str:
    root, m = np.sqrt(cell.n), cell.ratio * cell.n
    ours, likeliest = (parameter_errors(root * errors, np.zeros(1)).rmse[0] for errors in (mine.errors, mine.likeliest))
    expected = MODELS[cell.model].bound[0] / np.sqrt(simulation(cell))
    return (
        f"| {cell.n} | {m:,} | {len(mine.errors)} | {cell_of(ours)} | {expected:.3f} | {PUBLISHED.get((cell.n, m), '–')} "
        f"| {cell_of(likeliest)} | {cell_of(efficiencies(mine.errors, mine.likeliest)[0])} | {simulation(cell):.3f} |"
    )


def bound_error(name: str) -> float:
    """Return the relative error of turinglearn's bound by simulation."""
    model = MODELS[name]
    draws = model.distribution.rvs(DRAWS, random_state=np.random.default_rng(0))
    return float(np.abs(cramer_rao(model.log_density, model.truth, draws, 1) / model.bound - 1).max())


def rows_over_bound(model: str, n: int, errors: Any) -> Iterator[str]:
    for k, interval in enumerate(over_bound(errors, model, n, LEVEL)):
        exact = f"{scale_over_bound(n):.3f}" if k else "1" if "Gaussian" in model else "–"
        yield f"| {model} | {PARAMETERS[k]} | {n:,} | {cell_of(interval)} | {exact} |"
