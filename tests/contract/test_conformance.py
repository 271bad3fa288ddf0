"""Every player that the package exports, and every name of a player in the registry, passes the contract checks.

The lists come from `__all__` and from the registry. An export that can be made without arguments needs no entry here; others
are in EXAMPLES, and rules of generators are checked within a player that uses them. An export that is in neither fails.
"""

from __future__ import annotations

import inspect
import json
from collections import Counter

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity
from typer.testing import CliRunner

from turinglearn import discriminators, generators
from turinglearn.checks import check_discriminator, check_generator
from turinglearn.checks.examples import evolved_generator, torch_discriminator, torch_generator
from turinglearn.checks.samples import make_samples
from turinglearn.cli.main import app
from turinglearn.registry import players

MOST_SKIPPED = 2
REAL = make_samples().x


def first_feature(x):
    return -x.reshape(len(x), -1)[:, 0]


def slope(x):
    gradient = np.zeros((len(x), x[0].size))
    gradient[:, 0] = -1
    return gradient.reshape(x.shape)


def with_torch(maker):
    def make(kind):
        pytest.importorskip("torch", reason="needs torch, which is not installed")
        return maker(REAL)

    return make


def with_cmaes(kind):
    pytest.importorskip("cmaes", reason="needs cmaes, which is not installed")
    return evolved_generator(REAL)


# How to make the exports that need arguments, and other ways to make some.
EXAMPLES = {
    "AdversarialForest": [lambda kind: kind(max_iter=1, random_state=0)],
    "ClassifierDiscriminator": [lambda kind: kind(LogisticRegression())],
    "EvolvedGenerator": [with_cmaes],
    "HandwrittenDiscriminator": [
        lambda kind: kind(first_feature),
        lambda kind: kind(first_feature, fit_intercept=True),
        lambda kind: kind(first_feature, gradient=slope),
    ],
    "MixtureGenerator": [
        lambda kind: kind(),
        lambda kind: kind(rule=generators.WeightedEM()),
        lambda kind: kind(rule=generators.ScoreFunction()),
    ],
    "RefittedGenerator": [
        lambda kind: kind(GaussianMixture(2), memory=2),
        lambda kind: kind(GaussianMixture(2), rule=generators.Resample()),
        lambda kind: kind(KernelDensity(bandwidth=0.3), rule=generators.Reweight()),
        lambda kind: kind(KernelDensity(bandwidth=0.3), rule=generators.GradientMove()),
    ],
    "TorchDiscriminator": [with_torch(torch_discriminator)],
    "TorchGenerator": [with_torch(torch_generator)],
}
MODULES = {generators: check_generator, discriminators: check_discriminator}
CLASSES = {
    name: (module, value)
    for module in MODULES
    for name, value in ((name, getattr(module, name)) for name in module.__all__)
    if inspect.isclass(value)
}


def is_player(kind):
    """By what it can do: a player, or an estimator that is adapted to one. Rules of generators are neither."""
    return hasattr(kind, "update") or hasattr(kind, "fit")


PLAYERS = {name: entry for name, entry in CLASSES.items() if is_player(entry[1])}
RULES = {name: entry for name, entry in CLASSES.items() if not is_player(entry[1])}
CASES = [(name, k) for name in PLAYERS for k in range(len(EXAMPLES.get(name, [0])))]


def made(name, k=0):
    _, kind = CLASSES[name]
    makers = EXAMPLES.get(name)
    if makers is not None:
        return makers[k](kind)
    try:
        return kind()
    except TypeError as error:
        pytest.fail(f"{name} is exported, but is not checked: {error}. Give it an entry in EXAMPLES.")


def assert_conforming(results):
    """None of these (name, status, message) failed, and few were skipped, each with its reason."""
    assert [result for result in results if result[1] == "failed"] == []
    skipped = [result for result in results if result[1] != "passed"]
    assert len(skipped) <= MOST_SKIPPED, skipped
    assert all(status == "skipped" and message for _, status, message in skipped), skipped


@pytest.mark.parametrize(("name", "k"), CASES)
def test_every_exported_player_keeps_the_contract(name, k):
    module, _ = CLASSES[name]
    results = [check.run() for check in MODULES[module](made(name, k))]
    assert_conforming([(result.name, result.status, result.message) for result in results])


@pytest.mark.parametrize("name", RULES)
def test_every_exported_rule_is_in_a_player_that_is_checked(name):
    _, kind = RULES[name]
    simple = [made(player, k) for player, k in CASES if player in ("MixtureGenerator", "RefittedGenerator")]
    assert any(type(value) is kind for player in simple for value in player.get_params(deep=False).values()), (
        f"{name} is exported, but is not checked. Add a player that uses it to EXAMPLES."
    )


def test_an_export_without_an_example_fails(monkeypatch):
    class NewGenerator:
        def __init__(self, needed):
            pass

        def update(self, samples, feedback):
            pass

    monkeypatch.setitem(CLASSES, "NewGenerator", (generators, NewGenerator))
    assert is_player(NewGenerator)
    with pytest.raises(pytest.fail.Exception, match="NewGenerator is exported, but is not checked"):
        made("NewGenerator")


def test_every_example_is_exported():
    assert set(EXAMPLES) <= set(PLAYERS)


NAMES = [(entry.name, entry.role) for role in ("generator", "discriminator") for entry in players(role) if entry.path]


@pytest.mark.parametrize(("name", "role"), NAMES)
def test_every_name_of_the_registry_passes_the_command(name, role):
    for entry in players(role):
        for package in entry.packages if entry.name == name else ():
            pytest.importorskip(package, reason=f"needs {package}, which is not installed")
    done = CliRunner().invoke(app, ["check", name, "--role", role, "--json"])
    assert done.exit_code == 0, done.output
    assert_conforming([(entry["name"], entry["status"], entry["message"]) for entry in json.loads(done.stdout)])


def test_no_name_is_listed_twice():
    assert max(Counter(NAMES).values()) == 1
