"""What a study is made of, by name: problems, players, signals and objectives, each a text "name(option=literal)".

A text is read, never run: options are literals. Players are those of the registry and scikit-learn's own estimators; others
are code of somebody's, and are imported only where the user allows it.
"""

from __future__ import annotations

import ast
import difflib
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
from sklearn.utils.discovery import all_estimators

from turinglearn import datasets, objectives, signals
from turinglearn.bias import pair
from turinglearn.catalogue import check_options, nearest, players
from turinglearn.catalogue import make as make_player

__all__ = ["FACTORS", "Recipe", "Value", "check_permitted", "make", "read"]

Value = None | bool | int | float | str | tuple["Value", ...]
_Makers = Mapping[str, Callable[..., Any] | None]

_LONGEST, _LARGEST, _DEEPEST = 1_000, 2**63, 8  # characters of a text, whole numbers, tuples in tuples
_LARGEST_OF_PROBLEM = 100  # features, modes: arrays grow with their square
_PROBLEMS: _Makers = {
    "pair": pair,
    **{n: getattr(datasets, n) for n in ("banana", "bits", "gaussian", "grid", "mixture", "moons", "ring", "student_t")},
}
_SIGNALS: _Makers = {
    "usual": None,
    "exact": signals.Exact,
    "smoothed": signals.Smoothed,
    "student": signals.Student,
    "weights": signals.ImportanceWeights,
}
_OBJECTIVES: _Makers = {
    "usual": None,
    "minimax": objectives.Minimax,
    "non_saturating": objectives.NonSaturating,
    "reverse_kl": objectives.ReverseKL,
    "forward_kl": objectives.ForwardKL,
    "linear": objectives.LinearLoss,
    "least_squares": objectives.LeastSquaresLoss,
    "relativistic": objectives.RelativisticLoss,
}
_MADE: dict[str, _Makers] = {"problem": _PROBLEMS, "signal": _SIGNALS, "objective": _OBJECTIVES}
_MISSES = {
    "generator": "cannot sample; choose one that can, such as 'sklearn.mixture.GaussianMixture'",
    "discriminator": "is no classifier; choose one, such as 'sklearn.svm.SVC'",
}
FACTORS = ("problem", "generator", "discriminator", "signal", "objective")


@dataclass(frozen=True)
class Recipe:
    """A name and its options, in the order of their names; `str` is the one text of it."""

    name: str
    options: tuple[tuple[str, Value], ...] = ()

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.options)
        return f"{self.name}({inside})" if inside else self.name

    @classmethod
    def of(cls, name: str, options: Mapping[str, Any]) -> Recipe:
        """With options as TOML or Python has them. ValueError for what is no plain value."""
        for option in options:
            if not option.isidentifier():
                raise ValueError(f"the option {option!r:.80} is no name; expected one such as 'dimension'")
        return cls(name, tuple(sorted((option, _frozen(option, value)) for option, value in options.items())))


@lru_cache(4096)
def read(text: str) -> Recipe:
    """The recipe that a text describes, such as "ring(modes=8, sigma=0.1)" or "neural". ValueError for any other text."""
    shown = text if len(text) <= 80 else f"{text[:77]}..."
    expected = ValueError(f"{shown!r} is no recipe; expected a name, with options as literals: 'ring(modes=8, sigma=0.1)'")
    if len(text) > _LONGEST:
        raise ValueError(f"a recipe of {len(text):,} characters; expected at most {_LONGEST:,}")
    head, bracket, rest = text.strip().partition("(")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python would say of odd literals
            tree = ast.parse(head.replace(":", ".", 1) + bracket + rest, mode="eval").body
        call = tree if isinstance(tree, ast.Call) else ast.Call(tree, [], [])
        name = _dotted(call.func)
        options = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        raise expected from error
    if not name or call.args or any(keyword.arg is None for keyword in call.keywords):
        raise expected
    return Recipe.of(name, options)


def make(factor: str, recipe: Recipe, *, allow_imports: bool = False) -> Any:
    """The problem (or pair), player, signal or objective of a recipe; None for the usual signal or objective.

    ValueError, with the remedy, for what does not exist, takes other options, or may not be imported.
    """
    if factor in ("generator", "discriminator"):
        if not allow_imports:
            check_permitted(factor, recipe)
        return make_player(factor, str(recipe))
    makers = _MADE[factor]
    if recipe.name not in makers:
        raise ValueError(f"there is no {factor} called {recipe.name!r}{nearest(recipe.name, makers)}")
    maker, options = makers[recipe.name], dict(recipe.options)
    if maker is None:
        if options:
            raise ValueError(f"{recipe} takes no options; leave them out")
        return None
    large = [name for name, value in recipe.options if factor == "problem" and _is_large(value)]
    if large:
        raise ValueError(f"{recipe}: {large[0]} is too large for a problem; expected at most {_LARGEST_OF_PROBLEM}")
    check_options(recipe.name, maker, options)
    try:
        with np.errstate(all="ignore"):
            return maker(**options)
    except (TypeError, ValueError, ArithmeticError, MemoryError) as error:
        raise ValueError(f"{recipe} cannot be made: {error}") from error


def check_permitted(role: str, recipe: Recipe) -> None:
    """Raise ValueError for a player that is neither of the registry nor scikit-learn's own, without importing it."""
    name = recipe.name
    named = {entry.name for entry in players(role) if entry.path}
    if name in named:
        return
    if "." not in name:
        raise ValueError(f"there is no {role} called {name!r}{nearest(name, sorted(named))}")
    able = _of_sklearn(role)
    if name in able.values():
        return
    kind = name.rpartition(".")[2]
    if name.startswith("sklearn.") and kind not in able and kind in dict(all_estimators()):
        raise ValueError(f"{name} {_MISSES[role]}")
    meant = difflib.get_close_matches(kind, able, n=1) if name.startswith("sklearn.") else []
    if meant:
        raise ValueError(f"{name} is no {role} of scikit-learn; did you mean {able[meant[0]]!r}?")
    raise ValueError(
        f"{name} is no {role} of the registry or of scikit-learn, and importing it runs its code; allow that by "
        "--allow-imports, if you trust it"
    )


@cache
def _of_sklearn(role: str) -> Mapping[str, str]:
    """The public paths of scikit-learn's estimators for this role, by the names of their classes."""
    kinds = all_estimators(type_filter="classifier" if role == "discriminator" else None)
    able = {name: kind for name, kind in kinds if role == "discriminator" or hasattr(kind, "sample")}
    return {name: f"{kind.__module__.split('._')[0]}.{name}" for name, kind in able.items()}


def _dotted(node: ast.expr) -> str:
    """The dotted name that a node is, or nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := _dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def _frozen(name: str, value: Any, depth: int = 0) -> Value:
    """Lists as tuples. ValueError for what is no plain value."""
    if isinstance(value, list | tuple) and depth < _DEEPEST:
        return tuple(_frozen(name, each, depth + 1) for each in value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} is {value}; expected a finite number")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST:
        raise ValueError(f"{name} is a number of {value.bit_length():,} bits; expected at most 63")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"{name} is a {type(value).__name__}; expected a number, a text, true or false, or lists of these")


def _is_large(value: Value) -> bool:
    if isinstance(value, tuple):
        return len(value) > _LARGEST_OF_PROBLEM
    return isinstance(value, int) and abs(value) > _LARGEST_OF_PROBLEM
