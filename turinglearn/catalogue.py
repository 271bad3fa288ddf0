"""The players by name, for the command line: what exists, what it offers and what it accepts."""

from __future__ import annotations

import ast
import difflib
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from sklearn.utils.discovery import all_estimators

__all__ = ["Entry", "check_options", "ended", "make", "nearest", "players", "role_of"]


@dataclass(frozen=True)
class Entry:
    """One kind of player: its name on the command line, its class, and a line on what it says or learns from."""

    role: str
    name: str
    path: str
    offers: str
    accepts: str


_EXACT = "log-odds, exact gradients"
_SIMULATOR = "a function simulate(parameters, n, rng), so from Python only"

PLAYERS = (
    Entry("generator", "neural", "turinglearn.generators.NeuralGenerator", "a network of noise", "gradients"),
    Entry("generator", "mixture", "turinglearn.generators.MixtureGenerator", "Gaussians with a density", "weights, losses"),
    Entry("generator", "torch", "turinglearn.generators.TorchGenerator", "any nn.Module, so from Python only", "gradients"),
    Entry("generator", "forest", "turinglearn.generators.ForestGenerator", "the leaves of its judge, a forest", "cells"),
    Entry("generator", "evolved", "turinglearn.generators.EvolvedGenerator", _SIMULATOR, "losses"),
    Entry(
        "generator",
        "module.Class",
        "",
        "anything with fit and sample, such as sklearn.mixture.GaussianMixture",
        "weights",
    ),
    Entry("discriminator", "neural", "turinglearn.discriminators.NeuralDiscriminator", _EXACT, "any data"),
    Entry("discriminator", "svm", "turinglearn.discriminators.KernelSVMDiscriminator", _EXACT, "any data"),
    Entry("discriminator", "knn", "turinglearn.discriminators.NeighboursDiscriminator", _EXACT, "any data"),
    Entry("discriminator", "kde", "turinglearn.discriminators.KernelDensityDiscriminator", _EXACT, "any data"),
    Entry("discriminator", "ulsif", "turinglearn.discriminators.ULSIFDiscriminator", _EXACT, "any data"),
    Entry("discriminator", "kliep", "turinglearn.discriminators.KLIEPDiscriminator", _EXACT, "any data"),
    Entry("discriminator", "forest", "sklearn.ensemble.RandomForestClassifier", "log-odds", "any data"),
    Entry("discriminator", "boosting", "sklearn.ensemble.HistGradientBoostingClassifier", "log-odds", "any data"),
    Entry("discriminator", "logistic", "sklearn.linear_model.LogisticRegression", _EXACT, "any data"),
    Entry(
        "discriminator", "torch", "turinglearn.discriminators.TorchDiscriminator", "any nn.Module, from Python only", "any data"
    ),
    Entry("discriminator", "module.Class", "", "any classifier, such as sklearn.svm.SVC", "any data"),
)


def players(role: str | None = None) -> list[Entry]:
    """The players of a role, or all."""
    return [entry for entry in PLAYERS if role in (None, entry.role)]


def make(role: str, text: str) -> Any:
    """The player that the text describes: a name or a dotted class, and options as in Python, "sklearn.svm.SVC(C=10)".

    "my_module:MyPlayer" is the same as "my_module.MyPlayer". A function there is called for the player, and an object that is
    neither class nor function is the player itself. Raises ValueError, with the remedy, for what does not exist or takes other
    options.
    """
    name, options = _parsed(role, text)
    path = next((entry.path for entry in players(role) if entry.name == name and entry.path), name)
    known = ", ".join(entry.name for entry in players(role))
    if "." not in path:
        raise ValueError(f"There is no {role} called {name!r}. Choose among: {known}.")
    module, _, kind = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), kind)
    except ImportError as error:
        raise ValueError(f"{path} cannot be imported: {error}. Check the name, and that its package is installed.") from error
    except AttributeError as error:
        raise ValueError(f"{module} has no {kind}.{_meant(kind)}") from error
    except Exception as error:  # a module is code, which may raise anything
        raise ValueError(f"{module} raised {type(error).__name__} when it was imported: {error}. Mend it.") from error
    if not isinstance(found, type | FunctionType):
        if options or isinstance(found, ModuleType):
            raise ValueError(f"{path} is no class; expected the class of a {role}. Choose among: {known}.")
        return found
    check_options(path, found, options)
    try:
        return found(**options)
    except TypeError as error:
        raise ValueError(f"{path} cannot be made with {options or 'no options'}: {error}.") from error


def check_options(name: str, maker: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Raise ValueError, with the remedy, for an option that a class or function does not take."""
    try:
        parameters = inspect.signature(maker).parameters
    except (TypeError, ValueError):  # of what is not written in Python
        return
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    for option in options:
        if option not in parameters:
            remedy = nearest(option, parameters) if parameters else "; leave it out"
            raise ValueError(ended(f"{name} has no option {option!r}{remedy}"))


def nearest(name: str, known: Iterable[str]) -> str:
    """A remedy for a name that nobody knows: the nearest that is known, or all of them."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; expected one of: {', '.join(known)}"


def ended(said: str) -> str:
    """What is said, as a sentence: with a full stop, unless it has one or is a question."""
    return said if said.endswith((".", "?")) else f"{said}."


def role_of(text: str) -> str:
    """Whether the text describes a generator or a discriminator. Raises ValueError for what is both, or neither."""
    name, _ = _parsed("role", text)
    roles = [entry.role for entry in players() if entry.name == name]
    if len(roles) > 1:
        raise ValueError(f"{name!r} is a generator and a discriminator. Say which: --role generator, or --role discriminator.")
    if roles:
        return roles[0]
    player = make("discriminator", text)
    for role, abilities in (("generator", ("propose", "sample")), ("discriminator", ("examine", "fit", "forward"))):
        if any(hasattr(player, ability) for ability in abilities):
            return role
    raise ValueError(
        f"{text} is neither a generator nor a discriminator; expected `propose` and `update`, `examine` and `update`, or an "
        "estimator with `fit`. The page on own players says what each needs."
    )


def _parsed(role: str, text: str) -> tuple[str, dict[str, Any]]:
    """ "name(option=1)" as a name and its options; only literals are read."""
    expected = ValueError(f"--{role} {text!r}: expected a name, or a class with options, such as 'sklearn.svm.SVC(C=10)'.")
    try:
        head, bracket, rest = text.strip().partition("(")
        tree = ast.parse(head.replace(":", ".", 1) + bracket + rest, mode="eval").body
        call = tree if isinstance(tree, ast.Call) else None
        if call is not None and call.args:
            raise expected
        options = {k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg} if call is not None else {}
        name = ast.unparse(tree if call is None else call.func)
    except (SyntaxError, ValueError) as error:
        raise expected from error
    if not all(part.isidentifier() for part in name.split(".")):
        raise expected
    return name, options


def _meant(kind: str) -> str:
    for name, found in all_estimators(type_filter="classifier"):
        if name.lower() == kind.lower():
            return f" Did you mean {found.__module__.split('._')[0]}.{name}?"
    return " Check the name."
