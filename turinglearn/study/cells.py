"""A cell of a study: one frozen record of what is played, judged and measured, whose hash is its identity."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import Any

from turinglearn.study.outcomes import Figure, canonical

__all__ = ["Cell", "by_seed", "groups", "versions_of"]

Pairs = tuple[tuple[str, Any], ...]
_TABLES = ("budget", "recipes", "examiners", "versions")


@dataclass(frozen=True, slots=True)
class Cell:
    """What is played, and with what budget; plain values only.

    kind: "judge", a judge on a pair with known log-odds; "game", a generator against a judge on a problem; or "truth", a
    problem by itself. problem, generator, discriminator, signal, objective: names, as the specification calls them; None
    where the kind has none. recipes: what these names stand for, as texts, by factor. seeds: more than one are replicas of one
    game, played side by side: their grouping is part of the cell. budget: whole numbers by name, and seconds. metrics: names.
    examiners: the recipes of fresh judges, by name. versions: of the packages that it needs, by name.
    """

    kind: str
    problem: str
    generator: str | None
    discriminator: str | None
    signal: str | None
    objective: str | None
    seeds: tuple[int, ...]
    budget: Pairs
    metrics: tuple[str, ...]
    recipes: Pairs
    examiners: Pairs
    versions: Pairs

    @property
    def identity(self) -> str:
        """The SHA-256 of the canonical text of all that it holds."""
        return hashlib.sha256(canonical(self.payload()).encode()).hexdigest()

    def payload(self) -> dict[str, Any]:
        """What JSON holds of it: tables as objects, tuples as lists."""
        content: dict[str, Any] = asdict(self)
        return content | {name: dict(content[name]) for name in _TABLES} | {n: list(content[n]) for n in ("seeds", "metrics")}

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Cell:
        """The cell of a payload: the other way round."""
        tables = {name: tuple(sorted(payload[name].items())) for name in _TABLES}
        return cls(**{**payload, **tables, **{name: tuple(payload[name]) for name in ("seeds", "metrics")}})


def groups(seeds: Sequence[int], size: int) -> list[tuple[int, ...]]:
    """Seeds as runs of consecutive ones, of at most this size.

    >>> groups([0, 1, 2, 3, 7, 8], 3)
    [(0, 1, 2), (3,), (7, 8)]
    """
    found: list[tuple[int, ...]] = []
    for seed in sorted(set(seeds)):
        if found and len(found[-1]) < size and found[-1][-1] + 1 == seed:
            found[-1] += (seed,)
        else:
            found.append((seed,))
    return found


def by_seed(payload: Mapping[str, Any], figures: Mapping[str, Figure]) -> Iterator[tuple[int, dict[str, Figure]]]:
    """Each seed of a finished cell with its own figures, from the payload and the figures of its row.

    In the store, the figures of the replica i are called "name@i".
    """
    seeds = payload["seeds"]
    if len(seeds) == 1:
        yield seeds[0], dict(figures)
        return
    found: list[dict[str, Figure]] = [{} for _ in seeds]
    for name, value in figures.items():
        plain, _, index = name.rpartition("@")
        found[int(index)][plain] = value
    yield from zip(seeds, found, strict=True)


def versions_of(recipes: Sequence[str]) -> Pairs:
    """The versions of what these recipes need: of the core always, of other packages where a recipe names them."""
    names = {"turinglearn", "numpy", "scipy", "scikit-learn"}
    for recipe in recipes:
        head = recipe.partition("(")[0]
        if "'torch'" in recipe or head == "torch" or head.startswith("torch."):
            names.add("torch")
        names.update(_distributions().get(head.partition(".")[0], ()) if "." in head else ())
        names.update({"cmaes"} if head == "evolved" else ())
    return tuple(sorted((name, _version(name)) for name in names))


@cache
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        if name != "turinglearn":
            return "none"
        return str(sys.modules["turinglearn"].__version__)  # a working copy on the path
