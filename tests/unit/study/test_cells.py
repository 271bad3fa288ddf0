"""Cells: an identity that is the same in every process, and groups of seeds."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turinglearn.recipes import read
from turinglearn.study.cells import Cell, by_seed, groups, replica_figures, versions_of
from turinglearn.study.factors import CellKind, FactorKind, Level
from turinglearn.study.jobs import canonical


def level(recipe, name=None, **varied):
    return Level(name or recipe, read(recipe), tuple(varied.items()))


CELL = Cell(
    kind=CellKind.GAME,
    problem=level("ring(sigma=0.1)", "ring", sigma=0.1),
    generator=level("neural", "network"),
    discriminator=level("forest", "<forest> \u00e9"),
    signal=level("usual"),
    objective=level("usual"),
    seeds=(0, 1),
    budget=(("draws", 10), ("rounds", 5), ("seconds", 0.1)),
    metrics=("modes",),
    cross_examiners=(("linear", "logistic"),),
    versions=(("numpy", "2.0"),),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(VALUES)
def test_the_canonical_text_is_ascii_holds_all_and_does_not_depend_on_the_order_of_keys(value):
    def backwards(each):
        if isinstance(each, dict):
            return {key: backwards(inner) for key, inner in reversed(each.items())}
        return [backwards(inner) for inner in each] if isinstance(each, list) else each

    text = canonical(value)
    assert text.isascii()
    assert json.loads(text) == value
    assert canonical(backwards(value)) == text


def test_a_cell_comes_back_from_its_payload():
    assert Cell.of(json.loads(canonical(CELL.payload()))) == CELL


def test_the_identity_is_of_everything_in_a_cell():
    changed = {
        "kind": CellKind.DISCRIMINATOR,
        "problem": level("ring(sigma=0.1)", "ring"),
        "generator": None,
        "discriminator": level("forest"),
        "signal": level("exact"),
        "objective": level("minimax"),
        "seeds": (0, 1, 2),
        "budget": (("rounds", 5),),
        "metrics": (),
        "cross_examiners": (),
        "versions": (("numpy", "2.1"),),
    }
    identities = {CELL.identity, *(replace(CELL, **{name: value}).identity for name, value in changed.items())}
    assert len(identities) == 1 + len(changed) == 1 + len(Cell.__dataclass_fields__)


def test_the_identity_is_the_same_in_other_processes_and_under_other_hash_seeds():
    code = "import sys, json; from turinglearn.study.cells import Cell; print(Cell.of(json.loads(sys.stdin.read())).identity)"
    backwards = dict(reversed(CELL.payload().items()))
    for seed in ("1", "77"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=json.dumps(backwards),
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        assert done.stdout.strip() == CELL.identity


def test_the_identity_is_that_of_every_release():
    """A change here discards the finished cells of users: change it only with the version of the store."""
    assert CELL.identity == "3ad30e39ed272d853a52fe60792ef1b05b7235c2f72f081423ce12b7c076c632"


@given(st.sets(st.integers(0, 60)), st.integers(1, 5))
def test_groups_are_runs_of_consecutive_seeds_that_hold_each_once(seeds, size):
    found = groups(list(seeds), size)
    assert [seed for group in found for seed in group] == sorted(seeds)
    assert all(len(group) <= size and group == tuple(range(group[0], group[0] + len(group))) for group in found)
    assert all(len(before) == size or before[-1] + 1 < after[0] for before, after in itertools.pairwise(found))


def test_a_seed_has_the_figures_of_its_replica():
    figures = {"a@0": 1.0, "b[x@y]@0": None, "a@1": 2.0, "b[x@y]@1": 4.0}
    assert list(by_seed({"seeds": [3, 4]}, figures)) == [(3, {"a": 1.0, "b[x@y]": None}), (4, {"a": 2.0, "b[x@y]": 4.0})]
    assert list(by_seed({"seeds": [3]}, {"a": 1.0})) == [(3, {"a": 1.0})]
    replicas = [{"a": 1.0, "b[x@y]": None}, {"a": 2.0, "b[x@y]": 4.0}]
    assert replica_figures(replicas) == figures
    assert replica_figures(replicas[:1]) == replicas[0]


def test_factors_are_typed_and_labels_are_only_shown():
    found = {factor.name: (factor.kind, factor.label) for factor in CELL.factors()}
    assert found == {
        "problem": (FactorKind.PROBLEM, "ring[sigma=0.1]"),
        "generator": (FactorKind.PLAYER, "network"),
        "discriminator": (FactorKind.PLAYER, "<forest> \u00e9"),
        "signal": (FactorKind.SIGNAL, "usual"),
        "objective": (FactorKind.OBJECTIVE, "usual"),
        "draws": (FactorKind.DESIGN, "10"),
        "rounds": (FactorKind.EFFORT, "5"),
        "seconds": (FactorKind.DESIGN, "0.1"),
    }
    pair = replace(CELL, problem=level("pair(dimension=2, family='shifted', kl=0.5)"), budget=(("rows", 60),))
    assert [(f.name, f.value) for f in pair.factors() if f.kind is FactorKind.CONTINUOUS] == [
        ("n", 60.0),
        ("d", 2.0),
        ("KL", 0.5),
    ]
    assert [f.name for f in pair.factors() if f.kind in (FactorKind.DESIGN, FactorKind.EFFORT)] == []


@pytest.mark.parametrize("change", [{"kind": "play"}, {"problem": None}, {"problem": "ring"}, {"seeds": 3}, {"sets": 1}])
def test_a_payload_that_is_not_a_cell_is_an_error(change):
    with pytest.raises(ValueError, match="is not a cell of a study"):
        Cell.of(CELL.payload() | change)


@pytest.mark.parametrize("name", CELL.payload())
def test_a_payload_that_lacks_a_field_is_an_error(name):
    with pytest.raises(ValueError, match="is not a cell of a study"):
        Cell.of({field: value for field, value in CELL.payload().items() if field != name})


def test_versions_are_of_the_core_and_of_what_the_recipes_need():
    core = {"numpy", "scikit-learn", "scipy", "turinglearn"}
    assert names(generator=["neural"], discriminator=["sklearn.svm.SVC(C=10)"], problem=["ring"]) == core
    assert names(discriminator=["neural(library='torch')"]) == names(generator=["torch"]) == core | {"torch"}
    assert names(generator=["evolved"]) == core | {"cmaes"}
    assert names(discriminator=["hypothesis.Anything"]) == core | {"hypothesis"}
    assert all(version and version[0].isdigit() for _, version in versions_of({}))


def names(**recipes):
    return {name for name, _ in versions_of({role: [read(text) for text in texts] for role, texts in recipes.items()})}
