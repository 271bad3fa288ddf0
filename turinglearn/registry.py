"""Players, signals, objectives and problems by name, for Python, the command line and studies.

`make` and `resolve` turn a text "name(option=literal)" into the object that it describes. Classes are imported when they are
made, so this module stands below all of them.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import FunctionType, ModuleType

import numpy as np
from sklearn.utils.discovery import all_estimators

from turinglearn.recipes import Recipe, Value, read

__all__ = [
    "FACTORS",
    "ROLES",
    "Entry",
    "check_options",
    "check_permitted",
    "ended",
    "is_network",
    "make",
    "nearest",
    "packages_of",
    "players",
    "resolve",
    "role_of",
]

ROLES = ("generator", "discriminator", "signal", "objective", "problem")
FACTORS = ("problem", "generator", "discriminator", "signal", "objective")  # in the order of a specification
_PLAYERS = ("generator", "discriminator")  # roles that dotted names and own code may fill

_LARGEST_OF_PROBLEM = 100  # features, modes: arrays grow with their square


@dataclass(frozen=True)
class Entry:
    """An object that can be made by name.

    Parameters
    ----------
    role : {"generator", "discriminator", "signal", "objective", "problem"}
        Role that it plays.
    name : str
        Name in recipes.
    path : str
        Dotted path of its class or function; "" for the default of the game, which is None.
    offers, accepts : str
        What it is or says, and what it learns from, accepts or requires.
    from_python : str
        Arguments that no text can hold; such an object is made in Python only.
    packages : tuple of str
        Optional packages that it needs.
    network : bool
        Whether it is a neural network.
    """

    role: str
    name: str
    path: str
    offers: str
    accepts: str
    from_python: str = ""
    packages: tuple[str, ...] = ()
    network: bool = False


def _discriminator(name: str, path: str, offers: str = "log-odds, exact gradients", *, network: bool = False) -> Entry:
    return Entry("discriminator", name, path, offers, "any data", network=network)


def _objective(name: str, kind: str, offers: str, accepts: str) -> Entry:
    return Entry("objective", name, f"turinglearn.objectives.{kind}", offers, accepts)


def _problem(name: str, path: str, offers: str) -> Entry:
    return Entry("problem", name, path, offers, "studies")


ENTRIES = (
    Entry("generator", "neural", "turinglearn.generators.NeuralGenerator", "a network of noise", "gradients", network=True),
    Entry("generator", "mixture", "turinglearn.generators.MixtureGenerator", "Gaussians with a density", "weights, losses"),
    Entry(
        "generator",
        "torch",
        "turinglearn.generators.TorchGenerator",
        "any nn.Module; from Python only",
        "gradients",
        "module, latent_dim",
        ("torch",),
        network=True,
    ),
    Entry("generator", "forest", "turinglearn.generators.ForestGenerator", "the leaves of a forest discriminator", "leaves"),
    Entry(
        "generator",
        "evolved",
        "turinglearn.generators.EvolvedGenerator",
        "a function simulate(parameters, n, rng); from Python only",
        "losses",
        "simulate, bounds",
        ("cmaes",),
    ),
    _discriminator("neural", "turinglearn.discriminators.NeuralDiscriminator", network=True),
    _discriminator("svm", "turinglearn.discriminators.KernelSVMDiscriminator"),
    _discriminator("knn", "turinglearn.discriminators.NeighboursDiscriminator"),
    _discriminator("kde", "turinglearn.discriminators.KernelDensityDiscriminator"),
    _discriminator("ulsif", "turinglearn.discriminators.ULSIFDiscriminator"),
    _discriminator("kliep", "turinglearn.discriminators.KLIEPDiscriminator"),
    _discriminator("forest", "sklearn.ensemble.RandomForestClassifier", "log-odds"),
    _discriminator("boosting", "sklearn.ensemble.HistGradientBoostingClassifier", "log-odds"),
    _discriminator("logistic", "sklearn.linear_model.LogisticRegression"),
    Entry(
        "discriminator",
        "torch",
        "turinglearn.discriminators.TorchDiscriminator",
        "any nn.Module; from Python only",
        "any data",
        "module",
        ("torch",),
        network=True,
    ),
    Entry("signal", "usual", "", "the default of the game", "any pair of players"),
    Entry("signal", "exact", "turinglearn.signals.Exact", "gradients", "discriminators with exact gradients"),
    Entry("signal", "smoothed", "turinglearn.signals.Smoothed", "gradients of smoothed scores", "any discriminator"),
    Entry("signal", "student", "turinglearn.signals.Student", "gradients of a distilled surrogate", "any discriminator"),
    Entry("signal", "weights", "turinglearn.signals.ImportanceWeights", "weights p/q", "discriminators with log p/q"),
    Entry("objective", "usual", "", "the default of the game", "any pair of players"),
    _objective("minimax", "Minimax", "log(1 - D)", "log-odds"),
    _objective("non_saturating", "NonSaturating", "-log D", "log-odds"),
    _objective("reverse_kl", "ReverseKL", "-r, whose mean is KL(q || p)", "log p/q"),
    _objective("forward_kl", "ForwardKL", "-e^r, which descends KL(p || q)", "log p/q"),
    _objective("linear", "LinearLoss", "-r", "any scores"),
    _objective("hinge", "LinearLoss", "-r, the loss of hinge critics", "any scores"),
    _objective("wasserstein", "LinearLoss", "-r, the loss of Wasserstein critics", "any scores"),
    _objective("least_squares", "LeastSquaresLoss", "(r - 1)^2 / 2", "any scores"),
    _objective("relativistic", "RelativisticLoss", "softplus(r' - r)", "any scores"),
    _problem("pair", "turinglearn.bias.pair", "two distributions with known log-odds"),
    _problem("banana", "turinglearn.datasets.banana", "a bent Gaussian"),
    _problem("bits", "turinglearn.datasets.bits", "correlated bits"),
    _problem("gaussian", "turinglearn.datasets.gaussian", "a Gaussian"),
    _problem("grid", "turinglearn.datasets.grid", "Gaussians on a grid"),
    _problem("mixture", "turinglearn.datasets.mixture", "a mixture of Gaussians"),
    _problem("moons", "turinglearn.datasets.moons", "two half-moons"),
    _problem("ring", "turinglearn.datasets.ring", "Gaussians on a ring"),
    _problem("student_t", "turinglearn.datasets.student_t", "heavy tails"),
)
_BY_NAME = {(entry.role, entry.name): entry for entry in ENTRIES}
_OTHER_NETWORKS = frozenset({"sklearn.neural_network.MLPClassifier"})
_MISSES = {
    "generator": "cannot sample; choose one that can, such as 'sklearn.mixture.GaussianMixture'",
    "discriminator": "is not a classifier; choose one, such as 'sklearn.svm.SVC'",
}


def players(role: str | None = None) -> list[Entry]:
    """Return the entries of a role, or all of them."""
    return [entry for entry in ENTRIES if role in (None, entry.role)]


def resolve(role: str, value: object) -> object:
    """Return the object that a text or a recipe describes; any other value is returned as it is.

    Parameters
    ----------
    role : str
        One of `ROLES`.
    value : object
        Text such as "mixture(n_components=3)", a `Recipe`, or the object itself.

    Examples
    --------
    >>> resolve("signal", "exact")
    Exact()
    >>> resolve("signal", None) is None
    True
    """
    return make(role, value) if isinstance(value, str | Recipe) else value


def make(role: str, text: str | Recipe) -> object:
    """Make the object that a text describes.

    A name of the registry, or, for players, a dotted class of any module: "sklearn.svm.SVC(C=10)", "my_module:MyPlayer". A
    function of a module is called and returns the player; any other object of a module is the player itself.

    Parameters
    ----------
    role : str
        One of `ROLES`.
    text : str or Recipe
        Name and options, which are literals.

    Returns
    -------
    object
        The player, signal, objective or problem; None for the signal or objective "usual".

    Raises
    ------
    ValueError
        If it does not exist, takes other options, or needs arguments that only Python can pass. The message says what to do.

    Examples
    --------
    >>> make("signal", "exact")
    Exact()
    """
    recipe = read(text) if isinstance(text, str) else text
    entry = _BY_NAME.get((role, recipe.name))
    if entry is None:
        return _made_by_path(role, recipe)
    if entry.from_python:
        _, _, kind = entry.path.rpartition(".")
        raise ValueError(
            f"The {role} {entry.name!r} needs {entry.from_python}, which a text cannot hold. Make it in Python, "
            f"{kind}({entry.from_python}), or name a function of yours that returns it, such as 'my_module:make_player'."
        )
    if not entry.path:
        if recipe.options:
            raise ValueError(f"The {role} {entry.name!r} takes no options. Leave them out.")
        return None
    if role == "problem":
        _check_size(recipe)
    return _called(recipe.name if role == "problem" else entry.path, _found(entry.path), dict(recipe.options))


def _made_by_path(role: str, recipe: Recipe) -> object:
    """Make an object of a dotted path, which only players may have."""
    if "." not in recipe.name or role not in _PLAYERS:
        raise ValueError(_unknown(role, recipe.name))
    found, options = _found(recipe.name), dict(recipe.options)
    if isinstance(found, type | FunctionType):
        return _called(recipe.name, found, options)
    if options or isinstance(found, ModuleType):
        raise ValueError(f"{recipe.name} is not a class; expected the class of a {role}, or a function that returns one.")
    return found


def _found(path: str) -> object:
    """Import what a dotted path names."""
    module, _, kind = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), kind)
    except ImportError as error:
        raise ValueError(f"{path} cannot be imported: {error}. Check the name, and that its package is installed.") from error
    except AttributeError as error:
        raise ValueError(f"{module} has no {kind}.{_meant(kind)}") from error
    except Exception as error:  # a module is code, which may raise anything
        raise ValueError(f"{module} raised {type(error).__name__} when it was imported: {error}. Fix it.") from error


def _called(name: str, maker: object, options: Mapping[str, Value]) -> object:
    """Call a class or function with options, with errors that name it."""
    if not callable(maker):
        raise ValueError(f"{name} is not a class or function.")
    check_options(name, maker, options)
    try:
        with np.errstate(all="ignore"):
            return maker(**options)
    except (TypeError, ValueError, ArithmeticError, MemoryError) as error:
        shown = ", ".join(f"{option}={value!r}" for option, value in options.items())
        raise ValueError(ended(f"{name}({shown}) cannot be made: {error}")) from error


def check_options(name: str, maker: Callable[..., object], options: Mapping[str, Value]) -> None:
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


def check_permitted(role: str, recipe: Recipe) -> None:
    """Raise ValueError for a player that is neither of the registry nor of scikit-learn, without importing it."""
    name = recipe.name
    if (role, name) in _BY_NAME:
        return
    if "." not in name or role not in _PLAYERS:
        raise ValueError(_unknown(role, name))
    able = _of_sklearn(role)
    if name in able.values():
        return
    kind = name.rpartition(".")[2]
    of_sklearn = name.split(".")[0] == "sklearn"
    if of_sklearn and kind not in able and kind in dict(all_estimators()):
        raise ValueError(f"{name} {_MISSES[role]}")
    close = difflib.get_close_matches(kind, able, n=1) if of_sklearn else []
    if close:
        raise ValueError(f"{name} is not a {role} of scikit-learn; did you mean {able[close[0]]!r}?")
    raise ValueError(
        f"{name} is not a {role} of the registry or of scikit-learn, and importing it runs its code; if you trust it, allow "
        "that with --allow-imports"
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a remedy for an unknown name: the nearest known one, or all of them."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; expected one of: {', '.join(known)}"


def ended(text: str) -> str:
    """Return the text as a sentence: with a full stop, unless it has one or is a question."""
    return text if text.endswith((".", "?")) else f"{text}."


def is_network(role: str, recipe: Recipe) -> bool:
    """Return whether a recipe describes a neural network."""
    entry = _BY_NAME.get((role, recipe.name))
    return entry.network if entry is not None else recipe.name in _OTHER_NETWORKS


def packages_of(role: str, recipe: Recipe) -> tuple[str, ...]:
    """Return the optional packages that a recipe of the registry needs."""
    entry = _BY_NAME.get((role, recipe.name))
    return () if entry is None else entry.packages


def role_of(text: str) -> str:
    """Return "generator" or "discriminator" for a text that describes a player. Raises ValueError for both, or neither."""
    recipe = read(text)
    roles = [role for role in _PLAYERS if (role, recipe.name) in _BY_NAME]
    if len(roles) > 1:
        raise ValueError(
            f"{recipe.name!r} is a generator and a discriminator. Say which: --role generator, or --role discriminator."
        )
    if roles:
        return roles[0]
    player = make("discriminator", recipe)
    for role, abilities in (("generator", ("propose", "sample")), ("discriminator", ("score_samples", "fit", "forward"))):
        if any(hasattr(player, ability) for ability in abilities):
            return role
    raise ValueError(
        f"{text} is neither a generator nor a discriminator; expected `propose` and `update`, `score_samples` and `update`, "
        "or an estimator with `fit`. The page on your own players lists what each needs."
    )


def _unknown(role: str, name: str) -> str:
    """Return the error for a name that a role does not have."""
    said = ended(f"There is no {role} called {name!r}{nearest(name, [entry.name for entry in players(role)])}")
    return f"{said} A class is named by its path, such as 'sklearn.svm.SVC'." if role in _PLAYERS else said


def _check_size(recipe: Recipe) -> None:
    """Raise ValueError for a problem whose arrays would be too large."""
    for name, value in recipe.options:
        size = len(value) if isinstance(value, tuple) else abs(value) if isinstance(value, int) else 0
        if size > _LARGEST_OF_PROBLEM:
            raise ValueError(f"{recipe}: {name} is too large for a problem; expected at most {_LARGEST_OF_PROBLEM}")


@cache
def _of_sklearn(role: str) -> Mapping[str, str]:
    """Return the public paths of scikit-learn's estimators for a role, by the names of their classes."""
    kinds = all_estimators(type_filter="classifier" if role == "discriminator" else None)
    able = {name: kind for name, kind in kinds if role == "discriminator" or hasattr(kind, "sample")}
    return {name: f"{kind.__module__.split('._')[0]}.{name}" for name, kind in able.items()}


def _meant(kind: str) -> str:
    """Return a remedy for a class that a module lacks: a classifier of scikit-learn spelled in another case."""
    for name, path in _of_sklearn("discriminator").items():
        if name.lower() == kind.lower():
            return f" Did you mean {path}?"
    return " Check the name."
