"""Page of a run: microseconds, ratios, and the bars that they reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.speed.problem import SIZES, Size
from benchmarks.speed.turns import CONTESTANTS, Measured

__all__ = ["BARS", "Bar", "page", "ratios"]

CORES, FLOOR = ("core, NumPy", "core, torch"), ("products, NumPy", "products, torch")

PAGE = """# The neural core's speed, {threads}

Written by `{command}`: {provenance}.

{thread_limit}. One process; the contestants take turns, and each figure is the median of {repetitions} alternating repetitions.
[The folder's README](../speed/README.md) describes the contestants.

## Microseconds per round and game

A round is one step of the discriminator and one of the generator. The core, JAX and the products play several games together;
the usual loop plays one of them, since several in turn would cost the same each. A dash: not run, for the reason below.

{times}

{quality}{absent}

## Ratios

Of the core's faster backend and the products' faster library. Above 1 the core is faster. The products are the floor: relative
to them, 1 would be a round that does nothing else.

{ratios}
{verdicts}"""

VERDICTS = """
## Bars

{rows}
"""


@dataclass(frozen=True)
class Bar:
    """Bar and goal of a ratio at a size; against the products less is better."""

    size: Size
    against: str
    bar: float
    goal: float

    def ratio(self, measured: Measured) -> float | None:
        """Return the ratio that the bar is for; None if one of both did not run."""
        return ratios(measured)[_AGAINST[self.against]]

    def verdict(self, ratio: float | None) -> str:
        """Return the verdict in words."""
        if ratio is None:
            return "not run"
        sign = -1 if self.against == "products" else 1
        if sign * ratio >= sign * self.goal:
            return "goal reached"
        return "reached" if sign * ratio >= sign * self.bar else "**missed**"


def _size(width: int, batch: int, games: int = 1) -> Size:
    return next(s for s in SIZES if (s.hidden[0], s.batch, s.games) == (width, batch, games))


BARS = (
    Bar(_size(32, 128), "usual loop", 4.5, 6.0),
    Bar(_size(128, 256), "usual loop", 2.2, 2.8),
    Bar(_size(512, 256), "usual loop", 1.2, 1.5),
    Bar(_size(32, 128, 16), "usual loop", 11.0, 16.0),
    Bar(_size(128, 256), "products", 1.3, 1.1),
    Bar(_size(32, 128, 16), "products", 1.5, 1.2),
    *(Bar(size, "JAX", 0.9, 1.2) for size in SIZES),
)


def ratios(measured: Measured) -> dict[str, float | None]:
    """Return each ratio by its name; None if one of both did not run."""
    return {name: _ratio(measured, against) for against, name in _AGAINST.items()}


def page(results: list[Measured], threads: int | None, repetitions: int, command: str, provenance: str) -> str:
    """Return the page; the bars are for one thread, and threads=None means all threads."""
    reasons = sorted({f"{name}: {reason}" for m in results for name, reason in m.absent.items()})
    return PAGE.format(
        threads="one thread" if threads else "all threads",
        thread_limit="Every library is limited to one thread"
        if threads
        else "Every library uses its default number of threads",
        command=command,
        provenance=provenance,
        repetitions=repetitions,
        times=_table(["players", *CONTESTANTS], [_times(m) for m in results]),
        quality=_quality(results),
        absent="".join(f"\nNot run: {reason}." for reason in reasons),
        ratios=_table(["players", *_AGAINST.values()], [_ratios(m) for m in results]),
        verdicts=VERDICTS.format(rows=_table(_VERDICT, list(_verdicts(results)))) if threads else "",
    )


_AGAINST = {
    "usual loop": "usual loop / core",
    "torch.compile": "torch.compile / core",
    "JAX": "JAX / core",
    "products": "core / products",
}
_VERDICT = ["players", "ratio", "measured", "bar", "goal", ""]


def _times(measured: Measured) -> list[str]:
    return [measured.size.name, *(_figure(measured.median(name), "{:.0f}") for name in CONTESTANTS)]


def _ratios(measured: Measured) -> list[str]:
    return [measured.size.name, *(_figure(ratio, "{:.2f}") for ratio in ratios(measured).values())]


def _verdicts(results: list[Measured]) -> Iterator[list[str]]:
    of = {m.size: m for m in results}
    for bar in BARS:
        if bar.size in of:
            ratio, sign = bar.ratio(of[bar.size]), "≤" if bar.against == "products" else "≥"
            bounds = [f"{sign} {bar.bar:g}", f"{sign} {bar.goal:g}"]
            yield [bar.size.name, _AGAINST[bar.against], _figure(ratio, "{:.2f}"), *bounds, bar.verdict(ratio)]


def _ratio(measured: Measured, against: str) -> float | None:
    other, core = measured.median(*(FLOOR if against == "products" else (against,))), measured.median(*CORES)
    if other is None or core is None:
        return None
    return core / other if against == "products" else other / core


def _quality(results: list[Measured]) -> str:
    busy = [value for m in results for value in m.busy.values()]
    worst = max(results, key=lambda m: m.scatter())
    return (
        f"The middle half of a contestant's repetitions is at most {worst.scatter():.0%} of their median wide "
        f"({worst.size.name}).\nProcessor time per wall time lay between {min(busy):.2f} and {max(busy):.2f}; one thread of an "
        "idle machine has 1.\n"
    )


def _figure(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows))
