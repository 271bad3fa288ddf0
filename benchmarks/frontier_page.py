"""Page of benchmarks/frontier.py, from its record."""

from __future__ import annotations

import numpy as np
from frontier_arms import BEST, NARROW, WIDE, Arm, tries
from provenance import provenance

from turinglearn.datasets import ring
from turinglearn.metrics import energy_distance

__all__ = ["POINTS", "page", "passes"]

POINTS = 10_000  # fakes measured, and as many fresh real points
BARS = {"modes": 8, "high_quality": 0.9, "reverse_kl": 0.05, "energy": 0.003}

PAGE = """# A network that learns from discriminators other than networks

Written by `python benchmarks/frontier.py`: {provenance}. One core; seconds are CPU time of the game alone.

The generator is 2-64-64-2 with Adam (β₁ .5), its rate falling linearly to 0 over the budget. Samples
are drawn with a moving average of its weights (decay .99); non-saturating loss, batches of 256. Real data are 20,000 points
of a ring of 8 modes. HQ is the share of samples within 3σ of a mode (the true distribution has 98.9 %). The energy distance is
the squared one, unbiased, on {points:,} fresh points on each side: real against real gives {floor}. Gradients are smoothed with
probes of scales {scales} in units of the data's spread, unless stated otherwise.

## σ = .1, 60 s: 8 modes, HQ ≥ 90 %, reverse KL ≤ .05, energy distance ≤ .003 on every seed

{ring}

## Variants: σ = .1, 15 s, one seed

Each line is the best arm of its family with one thing changed, unless stated otherwise. With a single seed, small
differences mean little.

{tries}

## σ = .03, 60 s

Instance noise (Sønderby et al. 2017): real points and fakes have Gaussian noise, of standard deviation .1 for a
quarter of the time, then falling geometrically to .01 at 65 % of it; the scales of the probes fall with it to .04, .15, .6.

{narrow}

## Digits (1,079 rows of 64 pixels), 60 s

Accuracy of fresh discriminators on as many fakes as held-out real rows, five-fold, in %; 50 is the goal.
Generator 16-128-128-64; the SVM with γ "scale" and its exact gradient, 30 extra trees of leaf 3, boosting and kNN as above
with `Student()`; 500 + 500 points per fit.

{digits}
"""


def floor(pairs: int = 6) -> str:
    """Return the energy distance between real points."""
    truth = ring(sigma=0.1)
    found = [energy_distance(truth.sample(POINTS, i), truth.sample(POINTS, 100 + i)) for i in range(pairs)]
    return f"{np.mean(found):.5f} on average and {max(found):.5f} at most ({pairs} pairs)"


def table(head: str, rows: list[str]) -> str:
    columns = head.count("|") + 1
    return f"| {head} |\n{'|---' * columns}|\n" + "\n".join(rows)


def values(rows: list[dict[str, str]], key: str, scale: float = 1.0, form: str = ".1f") -> str:
    """Return the range of a figure over seeds."""
    found = sorted(scale * float(row[key]) for row in rows)
    return f"{found[0]:{form}}" if len(found) == 1 else f"{found[0]:{form}} to {found[-1]:{form}}"


def passes(row: dict[str, str]) -> bool:
    return (
        int(row["modes"]) >= BARS["modes"]
        and float(row["high_quality"]) >= BARS["high_quality"]
        and float(row["reverse_kl"]) <= BARS["reverse_kl"]
        and float(row["energy"]) <= BARS["energy"]
    )


def grouped(rows: list[dict[str, str]], part: str) -> list[tuple[str, str, list[dict[str, str]]]]:
    """Return families, arms and their cells, in the order of `tries`."""
    order = [(family, arm) for family, arms in tries().items() for arm in arms]
    chosen = [row for row in rows if row["part"] == part]
    groups = [(f, a, [row for row in chosen if (row["family"], row["arm"]) == (f, a)]) for f, a in order]
    return [group for group in groups if group[-1]]


def measured(group: list[dict[str, str]]) -> str:
    """Return the number of fits and the figures of the generator, as cells of a table."""
    figures = [values(group, "fits", form=".0f"), values(group, "modes", form=".0f"), values(group, "high_quality", 100)]
    return " | ".join([*figures, values(group, "reverse_kl", form=".4f"), values(group, "energy", form=".5f")])


def ring_table(rows: list[dict[str, str]], part: str, arms: dict[str, Arm]) -> str:
    return table(
        "discriminator | settings | seeds that pass | fits | modes | HQ % | reverse KL | energy distance",
        [
            f"| {family} | {arms[family].note} | {sum(map(passes, group))} of {len(group)} | {measured(group)} |"
            for family, _, group in grouped(rows, part)
        ],
    )


def page(rows: list[dict[str, str]]) -> str:
    """Return the page."""
    variants = [f"| {f} | {tries()[f][arm].note} | {measured(group)} |" for f, arm, group in grouped(rows, "tries")]
    pictures = [
        f"| {f} | {values(group, 'fits', form='.0f')} | {values(group, 'svm_accuracy', 100)} | "
        f"{values(group, 'boosting_accuracy', 100)} |"
        for f, _, group in grouped(rows, "digits")
    ]
    return PAGE.format(
        provenance=provenance(),
        points=POINTS,
        floor=floor(),
        scales=", ".join(map(str, WIDE.scales)),
        ring=ring_table(rows, "ring", BEST),
        tries=table("discriminator | variant | fits | modes | HQ % | reverse KL | energy distance", variants),
        narrow=ring_table(rows, "narrow", NARROW),
        digits=table("discriminator | fits | RBF SVM | boosting", pictures),
    )
