"""What a report reads of a store: its rows as runs, one for each seed, told apart by what was varied."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

__all__ = ["DIALS", "Pairs", "Run", "number", "read", "recipe"]

Pairs = tuple[tuple[str, str], ...]

_FIELDS = (
    "identity",
    "payload",
    "status",
    "figures",
    "error",
    "seconds",
    "started",
    "versions",
    "commit",
    "hardware",
    "limits",
)
_KINDS = ("judge", "game", "truth")
_FACTORS = ("problem", "generator", "signal", "objective")

# The dials of which a report draws curves: their sign, and what a payload calls them.
DIALS = {"n": ("n", "rows"), "d": ("dimension",), "KL": ("kl",)}
_OF_DIALS = {name: sign for sign, names in DIALS.items() for name in names}


@dataclass(frozen=True)
class Run:
    """One seed of a row: who judged (arm), in which setting, and what came of it.

    setting: all that was varied but the discriminator and the seed, by name; family: the same, but that the problem is what it
    is made of, less the dials. figures: nan where a figure was asked for and there is none. sample (n, d): what the row keeps
    of one, its figure x. recipes: factor, name, recipe.
    """

    identity: str
    kind: str
    arm: str
    setting: Pairs
    family: Pairs
    dials: tuple[tuple[str, float], ...]
    seed: str
    status: str
    figures: dict[str, float]
    sample: Any
    error: str
    seconds: float
    started: str
    versions: str
    commit: str
    hardware: str
    limits: str
    recipes: tuple[tuple[str, str, str], ...]


def read(rows: Iterable[Any]) -> list[Run]:
    """The rows of a store, dictionaries or objects with fields of the same names, in an order of their own.

    payload, figures, versions, hardware and limits may be JSON or what JSON holds. Of several seeds the figures of the i-th are
    called "name@i". A name that stands for several recipes, as a specification was changed and its store was not, has its
    recipe beside it. Of runs that differ in nothing that is told, those that are ok come last, and of these the later ones.
    Raises ValueError for a row without an identity, or of an unknown kind.
    """
    known = _Known()
    runs = [run for row in rows for run in _runs(_fields(row), known)]
    return sorted(_told_apart(runs), key=_order)


def recipe(text: str) -> tuple[str, dict[str, Any]]:
    """A name and its options, of "name(option=literal)"; a text that is none is a name."""
    try:
        call = ast.parse(text, mode="eval").body
        if isinstance(call, ast.Call):
            return ast.unparse(call.func), {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        pass
    return text, {}


def number(content: Any) -> float | None:
    """A finite number, also where it was written as a text; else nothing."""
    if isinstance(content, bool) or not isinstance(content, int | float | str):
        return None
    try:
        value = float(content)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def _fields(row: Any) -> dict[str, Any]:
    if isinstance(row, Mapping):
        found = {name: row.get(name) for name in _FIELDS}
    else:
        found = {name: getattr(row, name, None) for name in _FIELDS}
    if not found["identity"]:
        raise ValueError(f"A row has no identity, only {[k for k, v in found.items() if v]}; expected the rows of a store.")
    return found


def _order(run: Run) -> tuple[Any, ...]:
    return run.kind, run.setting, run.dials, run.arm, _seed_order(run.seed), run.status == "ok", run.started, run.identity


def _told_apart(runs: list[Run]) -> list[Run]:
    """The runs, where a name stands for several recipes with the recipe beside it."""
    every = {id(run.recipes): run.recipes for run in runs}.values()
    meant: dict[tuple[str, str], set[str]] = {}
    for factor, name, text in {each for recipes in every for each in recipes}:
        meant.setdefault((factor, name), set()).add(text)
    if all(len(texts) == 1 for texts in meant.values()):
        return runs

    def named(run: Run) -> Run:
        beside = {f: f"{name} = {text}" for f, name, text in run.recipes if len(meant[f, name]) > 1}

        def told(pairs: Pairs, but: str = "") -> Pairs:
            return tuple((name, beside.get(name, value) if name != but else value) for name, value in pairs)

        arm = beside.get("discriminator", run.arm)
        return replace(run, arm=arm, setting=told(run.setting), family=told(run.family, "problem"))

    return [named(run) for run in runs]


class _Known:
    """What many rows share, and is found once: settings, recipes, texts of versions and hardware."""

    def __init__(self) -> None:
        self._settings: dict[Any, tuple[Pairs, Pairs, tuple[tuple[str, float], ...]]] = {}
        self._recipes: dict[Any, tuple[tuple[str, str, str], ...]] = {}
        self._texts: dict[int, tuple[Any, str]] = {}
        self._names: dict[str, tuple[str, float]] = {}

    def setting(
        self, payload: Mapping[str, Any], recipes: Mapping[str, Any]
    ) -> tuple[Pairs, Pairs, tuple[tuple[str, float], ...]]:
        """See `_setting`."""
        budget = _object(payload.get("budget"))
        key = repr([*map(payload.get, _FACTORS), recipes.get("problem"), budget])
        if key not in self._settings:
            self._settings[key] = _setting(payload, str(recipes.get("problem") or payload.get("problem")), budget)
        return self._settings[key]

    def recipes(self, payload: Mapping[str, Any], recipes: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
        """Factor, name, recipe; also of examiners."""
        found = [(str(k), str(payload.get(k, "")), str(v)) for k, v in sorted(recipes.items())]
        found += [("examiner", str(k), str(v)) for k, v in sorted(_object(payload.get("examiners")).items())]
        key = tuple(found)
        return self._recipes.setdefault(key, key)

    def name(self, figure: str) -> tuple[str, Any]:
        """The name of a figure and of which seed it is, of "name@i"; no seed has one without."""
        if figure not in self._names:
            plain, _, index = figure.rpartition("@")
            self._names[figure] = plain, int(index) if index.isdecimal() else math.inf
        return self._names[figure]

    def text(self, content: Any) -> str:
        """See `_canonical`. The content is kept, so that no other comes to have its id."""
        if id(content) not in self._texts:
            self._texts[id(content)] = content, _canonical(content)
        return self._texts[id(content)][1]


def _runs(row: dict[str, Any], known: _Known) -> Iterator[Run]:
    payload = _object(row["payload"])
    recipes = _object(payload.get("recipes"))
    seeds = payload.get("seeds", [payload.get("seed", 0)])
    setting, family, dials = known.setting(payload, recipes)
    common: dict[str, Any] = {
        "identity": str(row["identity"]),
        "kind": _kind(payload),
        "arm": "" if payload.get("discriminator") is None else str(payload["discriminator"]) or "''",
        "setting": setting,
        "family": family,
        "dials": dials,
        "status": str(row["status"]),
        "error": str(row["error"] or ""),
        "seconds": float(row["seconds"] or 0.0) / max(1, len(seeds)),
        "started": str(row["started"] or ""),
        "versions": known.text(row["versions"]),
        "commit": str(row["commit"] or ""),
        "hardware": known.text(row["hardware"]),
        "limits": known.text(row["limits"]),
        "recipes": known.recipes(payload, recipes),
    }
    for seed, found in zip(seeds, _by_seed(len(seeds), _object(row["figures"]), known), strict=True):
        sample = _sample(found.pop("x", None))
        numbers = ((str(name), value) for name, value in found.items() if not isinstance(value, list))
        figures = {name: math.nan if value is None else float(value) for name, value in numbers}
        yield Run(seed=str(seed), figures=figures, sample=sample, **common)


def _kind(payload: Mapping[str, Any]) -> str:
    kind = payload.get("kind", "game")
    if kind not in _KINDS:
        raise ValueError(
            f"A cell is of kind {kind!r:.80}; expected one of: {', '.join(_KINDS)}. Report on the rows of a study."
        )
    return str(kind)


def _by_seed(count: int, figures: dict[str, Any], known: _Known) -> list[dict[str, Any]]:
    if count == 1:
        return [figures]
    found: list[dict[str, Any]] = [{} for _ in range(count)]
    for name, value in figures.items():
        plain, index = known.name(name)
        if index < count:
            found[index][plain] = value
    return found


def _sample(rows: Any) -> Any:
    """A sample (n, d) of its rows; nothing where there are none, or they are not equally long."""
    if not isinstance(rows, list) or len(set(map(len, rows))) != 1:
        return None
    return np.array(rows, dtype=float)


def _setting(
    payload: Mapping[str, Any], problem: str, budget: Mapping[str, Any]
) -> tuple[Pairs, Pairs, tuple[tuple[str, float], ...]]:
    """All that was varied, twice, and the dials."""
    head, options = recipe(problem)
    dials = {
        _OF_DIALS[name]: value
        for name, value in {**options, **budget}.items()
        if name in _OF_DIALS and number(value) is not None
    }
    rest = ", ".join(f"{name}={value!r}" for name, value in options.items() if name not in _OF_DIALS)
    plain = {name: str(payload[name]) for name in _FACTORS if payload.get(name) is not None}
    plain |= {f"budget: {name}": f"{value}" for name, value in sorted(budget.items()) if name not in _OF_DIALS}
    family = plain | {"problem": f"{head}({rest})" if rest else head}
    ordered = tuple((sign, float(dials[sign])) for sign in DIALS if sign in dials)
    return tuple(plain.items()), tuple(family.items()), ordered


def _object(content: Any) -> dict[str, Any]:
    content = json.loads(content) if isinstance(content, str | bytes) else content
    return dict(content or {})


def _canonical(content: Any) -> str:
    content = json.loads(content) if isinstance(content, str) and content[:1] in ("{", "[") else content
    return json.dumps(content or {}, sort_keys=True, ensure_ascii=False)


def _seed_order(seed: str) -> tuple[float, str]:
    value = number(seed)
    return (math.inf if value is None else value, seed)
