"""The demonstration on a tiny budget: what it writes, and what it says to wrong input."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from turinglearn import as_discriminator
from turinglearn.cli import demo

pytest.importorskip("matplotlib", reason="needs matplotlib, which is not installed")


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "turinglearn.cli.demo", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


@pytest.mark.slow
def test_it_writes_a_table_pictures_and_one_page(tmp_path):
    done = run("--out", tmp_path / "demo", "--rounds", 2)
    assert done.returncode == 0, done.stderr
    for word in ("ring", "digits", "breast cancer", "g-and-k", "floor: real", "floor: fitted Gaussian", "RBF SVM"):
        assert word in done.stdout
    pictures = {path.name for path in (tmp_path / "demo").glob("*.png")}
    assert len(pictures) == 3 * 6 * 2 + 2 + 1  # after two rounds the first look along the line is also the last
    page = (tmp_path / "demo" / "page.html").read_text()
    assert page.count("<svg") == len(pictures)
    assert not re.search(r'(src|href)="(?!#|data:)', page)  # nothing is fetched from anywhere
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("rounds", [0, -1, "many"])
def test_rounds_are_whole_numbers_from_one(tmp_path, rounds):
    done = run("--out", tmp_path / "demo", "--rounds", rounds)
    assert done.returncode == 2
    assert "--rounds" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "demo").exists()


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "demo").write_text("")
    done = run("--out", tmp_path / "demo", "--rounds", 1)
    assert done.returncode == 2
    assert str(tmp_path / "demo") in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("library", "extra"), [("matplotlib", "plot"), ("cmaes", "evolve")])
def test_a_library_that_is_lacking_is_named_before_any_game(tmp_path, library, extra):
    (tmp_path / f"{library}.py").write_text(f"raise ImportError('No module named {library}')")
    paths = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    done = run("--out", tmp_path / "demo", PYTHONPATH=paths)
    assert done.returncode == 2
    assert f"turinglearn[{extra}]" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "demo").exists()


def test_every_discriminator_plays_every_data_set():
    assert {name for discriminator in demo.DISCRIMINATORS for name in discriminator.rounds} == set(demo.HANDWRITTEN)
    for discriminator in demo.DISCRIMINATORS:
        for name in demo.HANDWRITTEN:
            assert hasattr(as_discriminator(discriminator.make(name, 5)), "score_samples")


@pytest.mark.parametrize("name", ["ring", "digits", "breast cancer"])
def test_no_player_sees_what_is_measured(name):
    data = demo.load(name)
    assert not set(map(bytes, data.train)) & set(map(bytes, data.held_out))


@pytest.mark.parametrize("name", demo.HANDWRITTEN)
def test_handwritten_discriminators_prefer_real_samples(name):
    data = demo.load(name)
    noise = np.random.default_rng(0).permuted(data.held_out, axis=0)  # each column by itself
    assert demo.HANDWRITTEN[name](data.held_out).mean() > demo.HANDWRITTEN[name](noise).mean()
