"""The registry: every name can be made or says what it needs, and errors name the remedy."""

from __future__ import annotations

import re

import pytest
from sklearn.svm import SVC

from turinglearn import objectives, registry
from turinglearn.generators import MixtureGenerator
from turinglearn.recipes import Recipe, read
from turinglearn.registry import ENTRIES, ROLES, check_permitted, is_network, make, packages_of, players, resolve, role_of

REQUIRED = {  # options without a default
    "pair": "dimension=2, family='shifted', kl=0.5",
    "bits": "probabilities=(0.5, 0.2)",
    "mixture": "weights=(1.0,), means=((0.0,),), covariances=(((1.0,),),)",
    "gaussian": "mean=(0.0,), covariance=((1.0,),)",
}


@pytest.mark.parametrize("entry", ENTRIES, ids=[f"{entry.role} {entry.name}" for entry in ENTRIES])
def test_every_entry_can_be_made_or_says_what_it_needs(entry):
    if entry.from_python:
        assert "from Python only" in entry.offers
        with pytest.raises(ValueError, match=rf"needs {entry.from_python}, which a text cannot hold. Make it in Python"):
            make(entry.role, entry.name)
        return
    options = REQUIRED.get(entry.name, "") if entry.role == "problem" else ""
    assert (make(entry.role, f"{entry.name}({options})") is None) == (not entry.path)


def test_names_of_a_role_are_unique():
    assert len({(entry.role, entry.name) for entry in ENTRIES}) == len(ENTRIES)
    assert {entry.role for entry in ENTRIES} == set(ROLES)
    assert [entry for role in ROLES for entry in players(role)] == sorted(players(), key=lambda e: ROLES.index(e.role))


def test_texts_are_resolved_and_objects_are_returned_as_they_are():
    mine = SVC()
    assert resolve("discriminator", mine) is mine
    assert resolve("signal", None) is None
    assert resolve("discriminator", "sklearn.svm.SVC(C=10)").C == 10
    assert resolve("discriminator", Recipe("sklearn.svm.SVC", (("C", 10),))).C == 10
    assert isinstance(resolve("generator", "mixture"), MixtureGenerator)
    assert resolve("objective", "hinge") == objectives.Hinge().default_generator_loss
    assert resolve("signal", "smoothed(probes=4)").probes == 4
    assert resolve("signal", "usual") is resolve("objective", "usual") is None


@pytest.mark.parametrize(
    ("role", "text", "message"),
    [
        ("generator", "mixtur", "There is no generator called 'mixtur'; did you mean 'mixture'? A class is named by its path"),
        ("objective", "hinges", "There is no objective called 'hinges'; did you mean 'hinge'?"),
        ("signal", "turinglearn.signals.Exact", "There is no signal called 'turinglearn.signals.Exact'; expected one of:"),
        ("objective", "usual(a=1)", "takes no options. Leave them out."),
        ("signal", "smoothed(probe=3)", "has no option 'probe'; did you mean 'probes'?"),
        ("discriminator", "sklearn.svm.svc", "sklearn.svm has no svc. Did you mean sklearn.svm.SVC?"),
        ("discriminator", "no_such_module.Thing", "cannot be imported: No module named"),
        ("discriminator", "math.pi(a=1)", "math.pi is not a class; expected the class of a discriminator"),
        ("discriminator", "forest(criterion=", "is not a recipe; expected a name, with options as literals"),
        ("problem", "ring(modes=1000)", "modes is too large for a problem; expected at most 100"),
        ("problem", "ring(sigma=-1)", "ring(sigma=-1) cannot be made: "),
    ],
)
def test_errors_have_a_remedy(role, text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make(role, text)


def test_permitted_players_are_those_of_the_registry_and_of_sklearn():
    check_permitted("generator", read("neural"))
    check_permitted("discriminator", read("sklearn.svm.SVC"))
    check_permitted("generator", read("sklearn.mixture.GaussianMixture"))
    for role, text, message in (
        ("discriminator", "os.system", "importing it runs its code"),
        ("signal", "os.system", "There is no signal called"),
        ("generator", "sklearn.svm.SVC", "cannot sample"),
        ("discriminator", "sklearn.svm.SVM", "did you mean 'sklearn.svm.SVC'"),
    ):
        with pytest.raises(ValueError, match=message):
            check_permitted(role, read(text))


def test_roles_networks_and_packages_are_known_by_recipe():
    assert role_of("mixture") == "generator"
    assert role_of("svm") == "discriminator"
    with pytest.raises(ValueError, match="'torch' is a generator and a discriminator"):
        role_of("torch")
    for text in ("neural(hidden=(8,))", "torch", "sklearn.neural_network.MLPClassifier(alpha=1.0)"):
        assert is_network("discriminator", read(text))
    for text in ("forest", "sklearn.svm.SVC", "my_module.Network"):
        assert not is_network("discriminator", read(text))
    assert packages_of("generator", read("evolved")) == ("cmaes",)
    assert packages_of("generator", read("my_module.Generator")) == ()


def test_the_registry_imports_nothing_above_it():
    with open(registry.__file__) as file:
        found = [line.split()[1] for line in file if line.startswith(("import ", "from "))]
    assert [name for name in found if name.startswith("turinglearn")] == ["turinglearn.recipes"]
