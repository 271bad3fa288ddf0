"""Recipes: texts "name(option=literal)" that describe a player, a signal, an objective or a problem.

This is the only reader of such texts: the registry, the command line and studies use it. A text is parsed and never run:
options are literals.
"""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Recipe", "Value", "read"]

Value = None | bool | int | float | str | tuple["Value", ...]

_LONGEST, _LARGEST, _DEEPEST = 1_000, 2**63, 8  # characters of a text, whole numbers, tuples in tuples


@dataclass(frozen=True)
class Recipe:
    """A name and its options, in the order of the options' names. `str` returns the canonical text.

    Parameters
    ----------
    name : str
        Name of the registry, or a dotted path such as "sklearn.svm.SVC".
    options : tuple of (str, Value)
        Keyword arguments: numbers, texts, booleans, None, and tuples of these.
    """

    name: str
    options: tuple[tuple[str, Value], ...] = ()

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.options)
        return f"{self.name}({inside})" if inside else self.name

    @classmethod
    def of(cls, name: str, options: Mapping[str, object]) -> Recipe:
        """Return a recipe with options as TOML or Python has them. Raises ValueError for a value that is not plain."""
        for option in options:
            if not option.isidentifier():
                raise ValueError(f"the option {option!r:.80} is not a name; expected one such as 'dimension'")
        return cls(name, tuple(sorted((option, _frozen(option, value)) for option, value in options.items())))


@lru_cache(4096)
def read(text: str) -> Recipe:
    """Return the recipe that a text describes. Raises ValueError for any other text.

    "my_module:MyPlayer" is the same as "my_module.MyPlayer".

    Examples
    --------
    >>> read("ring(sigma=0.1, modes=8)")
    Recipe(name='ring', options=(('modes', 8), ('sigma', 0.1)))
    >>> str(read("sklearn.svm:SVC( C = 10 )"))
    'sklearn.svm.SVC(C=10)'
    """
    shown = text if len(text) <= 80 else f"{text[:77]}..."
    expected = ValueError(f"{shown!r} is not a recipe; expected a name, with options as literals: 'sklearn.svm.SVC(C=10)'")
    if len(text) > _LONGEST:
        raise ValueError(f"a recipe of {len(text):,} characters; expected at most {_LONGEST:,}")
    head, bracket, rest = text.strip().partition("(")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of odd literals
            tree = ast.parse(head.replace(":", ".", 1) + bracket + rest, mode="eval").body
        call = tree if isinstance(tree, ast.Call) else ast.Call(tree, [], [])
        name = _dotted(call.func)
        options = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        raise expected from error
    if not name or call.args or any(keyword.arg is None for keyword in call.keywords):
        raise expected
    return Recipe.of(name, options)


def _dotted(node: ast.expr) -> str:
    """Return the dotted name that a node is, or an empty text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := _dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def _frozen(name: str, value: object, depth: int = 0) -> Value:
    """Return the value with tuples for lists. Raises ValueError for a value that is not plain."""
    if isinstance(value, list | tuple) and depth < _DEEPEST:
        return tuple(_frozen(name, each, depth + 1) for each in value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} is {value}; expected a finite number")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST:
        raise ValueError(f"{name} is a number of {value.bit_length():,} bits; expected at most 63")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"{name} is a {type(value).__name__}; expected a number, a text, true or false, or lists of these")
