"""Cells: an identity that is the same in every process, and groups of seeds."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from turinglearn.study.cells import Cell, by_seed, groups, versions_of
from turinglearn.study.outcomes import canonical

CELL = Cell(
    kind="game",
    problem="ring",
    generator="network",
    discriminator="<forest> \u00e9",
    signal="usual",
    objective="usual",
    seeds=(0, 1),
    budget=(("draws", 10), ("rounds", 5), ("seconds", 0.1)),
    metrics=("modes",),
    recipes=(("discriminator", "forest"), ("problem", "ring(sigma=0.1)")),
    examiners=(("linear", "logistic"),),
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
        "kind": "judge",
        "problem": "grid",
        "generator": None,
        "discriminator": "forest",
        "signal": "exact",
        "objective": "minimax",
        "seeds": (0, 1, 2),
        "budget": (("rounds", 5),),
        "metrics": (),
        "recipes": (),
        "examiners": (),
        "versions": (("numpy", "2.1"),),
    }
    identities = {CELL.identity, *(replace(CELL, **{name: value}).identity for name, value in changed.items())}
    assert len(identities) == 1 + len(changed) == 1 + len(Cell.__dataclass_fields__)


def test_the_identity_is_the_same_in_other_processes_and_under_other_hash_seeds():
    code = "import sys, json; from turinglearn.study.cells import Cell; print(Cell.of(json.loads(sys.stdin.read())).identity)"
    backwards = dict(reversed(CELL.payload().items()))
    for seed in ("1", "77"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        told = subprocess.run(
            [sys.executable, "-c", code],
            input=json.dumps(backwards),
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        assert told.stdout.strip() == CELL.identity


def test_the_identity_is_that_of_every_release():
    """A change here throws away what users have finished: change it only with the version of the store."""
    assert CELL.identity == "e84d3314d034350c1046e3e5e99f32b2a4b954b37fb6f40ec28a3f63802e65ef"


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


def test_versions_are_of_the_core_and_of_what_the_recipes_need():
    core = {"numpy", "scikit-learn", "scipy", "turinglearn"}
    assert {name for name, _ in versions_of(["neural", "sklearn.svm.SVC(C=10)", "ring"])} == core
    assert {name for name, _ in versions_of(["neural(backend='torch')"])} == core | {"torch"}
    assert {name for name, _ in versions_of(["hypothesis.Anything"])} == core | {"hypothesis"}
    assert all(version and version[0].isdigit() for _, version in versions_of([]))
