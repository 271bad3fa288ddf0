"""Page of benchmarks/any_by_any.py: a table of cells, and reasons why pairs miss the bar."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
from provenance import provenance

__all__ = ["Outcome", "page"]

WITHIN = 3.0  # times the floor of the family

INTRODUCTION = """# Any generator against any discriminator

Written by `python benchmarks/any_by_any.py --seeds {seeds} --scale {scale:g}`:
{provenance}. Every cell is in `results/any_by_any.csv`.

The data: {n_train} real samples of a mixture of two correlated Gaussians in two dimensions, centred at (2, 1) and
(4, -1). The measure: the squared energy distance, unbiased (so it can be negative), between {n_scored} samples of the
generator and {n_scored} held-out real samples; mean ± standard deviation over {seeds} seeds. Nothing is
tuned per pair: each player has one setting, except that generating networks start with a rate of .005 for at most 1,000 steps
and of .001 for more, falling to 0. The number of rounds differs so that a cell takes a few seconds of one core (median
{median:.1f} s, at most {most:.0f} s). The table therefore compares results of a small budget, not the best that each pair can
reach.

**{groups} possible combinations of generator, discriminator and signal: {within} end within {bar:.0f}× of their family's
floor, {above} do not; {failures} of {cells} cells failed. {refused} combinations are refused, each with its remedy.**

## Floors

The distance of the same family fitted by maximum likelihood to the same samples. Networks have no likelihood: theirs is that of
the real samples drawn with replacement. The simulator has two round clouds, so its floor includes what it cannot express; a
kernel density blurs its data, so its floor includes the blur.

| generator | energy distance |
|---|---|
{floors}

## Why pairs stay above the bar

Some reasons are known of the discriminator; the others compare the distance at half of the rounds with that at the end.

{reasons}

## All combinations

| generator | discriminator | signal | rounds | before | after | × floor | within, or why not |
|---|---|---|---|---|---|---|---|
{rows}

## Refused

{refusals}
"""


@dataclass(frozen=True)
class Outcome:
    """Outcome of a cell: distances at the start, after half of the rounds and at the end."""

    generator: str
    discriminator: str
    signal: str
    seed: int
    rounds: int
    before: float = math.nan
    half: float = math.nan
    after: float = math.nan
    seconds: float = math.nan
    error: str = ""


def page(
    outcomes: list[Outcome],
    floors: dict[str, list[float]],
    refused: list[tuple[str, str, str, str]],
    n_train: int,
    n_scored: int,
    scale: float,
) -> str:
    """Return the page as Markdown."""
    groups = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.generator, outcome.discriminator, outcome.signal].append(outcome)
    verdicts = {key: _verdict(group, float(np.mean(floors[key[0]]))) for key, group in groups.items()}
    reasons = Counter(verdict for verdict in verdicts.values() if verdict)
    remedies = defaultdict(list)
    for generator, discriminator, signal, text in refused:
        remedies[text].append(f"{generator} × {discriminator} ({signal})")
    seconds = [outcome.seconds for outcome in outcomes if not outcome.error]
    return INTRODUCTION.format(
        seeds=len({outcome.seed for outcome in outcomes}),
        provenance=provenance(),
        n_train=n_train,
        n_scored=n_scored,
        scale=scale,
        median=np.median(seconds),
        most=max(seconds),
        groups=len(groups),
        within=sum(not verdict for verdict in verdicts.values()),
        above=sum(reasons.values()),
        bar=WITHIN,
        failures=sum(bool(outcome.error) for outcome in outcomes),
        cells=len(outcomes),
        refused=len(refused),
        floors="\n".join(f"| {generator} | {_spread(values)} |" for generator, values in floors.items()),
        reasons="\n".join(f"- {count}: {reason}." for reason, count in reasons.most_common()),
        rows="\n".join(_row(*key, groups[key], np.mean(floors[key[0]]), verdicts[key]) for key in groups),
        refusals="\n".join(f"- {text} {len(pairs)} of them: {'; '.join(pairs)}." for text, pairs in remedies.items()),
    )


def _row(generator: str, discriminator: str, signal: str, group: list[Outcome], floor: float, verdict: str) -> str:
    played = [outcome for outcome in group if not outcome.error]
    failed = f" ({len(group) - len(played)} failed)" if len(played) < len(group) else ""
    if not played:
        return f"| {generator} | {discriminator} | {signal} | {group[0].rounds} | | | | {verdict}{failed} |"
    before, after = (np.mean([getattr(outcome, name) for outcome in played]) for name in ("before", "after"))
    return (
        f"| {generator} | {discriminator} | {signal} | {played[0].rounds} | {before:.4f} | "
        f"{_spread([o.after for o in played])} | {after / floor:.1f} | {verdict or '**within**'}{failed} |"
    )


def _verdict(group: list[Outcome], floor: float) -> str:
    """Return an empty string within the bar, else the reason: known of the discriminator, or shown by the two halves."""
    played = [outcome for outcome in group if not outcome.error]
    if not played:
        return f"failed: {group[0].error}"
    half, after = (np.mean([getattr(outcome, name) for outcome in played]) for name in ("half", "after"))
    if after <= WITHIN * floor:
        return ""
    known = {
        "handwritten, an order": "a fixed discriminator has no equilibrium: its maximum is one point",
        "handwritten, level fitted": "the discriminator uses only the distance to one point, not the shape",
        "logistic regression": "a linear discriminator detects differences in the mean, not in the shape",
    }
    if group[0].discriminator in known:
        return known[group[0].discriminator]
    if half > 1.5 * after:
        return "still falling at the last round"
    if after > 1.5 * half:
        return "it increased again: no stable equilibrium at these steps"
    return "it levelled off: noise or bias of the discriminator's evidence, or of the signal"


def _spread(values: list[float]) -> str:
    deviation = f" ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
    return f"{np.mean(values):.4f}{deviation}"
