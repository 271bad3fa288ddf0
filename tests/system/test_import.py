"""The core stands alone: it imports, and plays, without any optional library."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
# scikit-learn itself loads pandas, where it is there
OPTIONAL = ("torch", "cupy", "cmaes", "matplotlib", "ot", "safetensors", "skops")

LOADED = """
import sys

import turinglearn

print(*(name for name in OPTIONAL if name in sys.modules))
"""

WITHOUT = """
import importlib.abc
import itertools
import sys


class Lacking(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in OPTIONAL:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


sys.meta_path.insert(0, Lacking())

import numpy as np

import turinglearn
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.game import Game
from turinglearn.generators import NeuralGenerator

x = np.random.default_rng(0).normal(size=(64, 2))
generator = NeuralGenerator(2, (8,))
game = Game(generator, NeuralDiscriminator((8,)), batch_size=16, random_state=0)
rounds = list(itertools.islice(game.rounds(x), 3))
fake = generator.propose(5, np.random.default_rng(1)).x
print(len(rounds), fake.shape, np.isfinite(fake).all())
"""


def run(script: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"OPTIONAL = {OPTIONAL}\n{script}"],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_loads_no_optional_library():
    assert run(LOADED) == ""


def test_a_loaded_library_would_be_seen():
    assert run(LOADED.replace("import turinglearn", "import turinglearn, cmaes")) == "cmaes"


def test_a_numpy_game_needs_no_optional_library():
    assert run(WITHOUT) == "3 (5, 2) True"
