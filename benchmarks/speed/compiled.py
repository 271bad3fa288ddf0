"""Contestant: the usual PyTorch loop with both losses, and their gradients, under torch.compile."""

from __future__ import annotations

import os
import shutil
from functools import partial

import torch

from benchmarks.speed.problem import Absent, Chunk, Size
from benchmarks.speed.usual import usual

__all__ = ["compiled"]


def compiled(size: Size) -> Chunk:
    """Return a chunk of rounds; the first ones compile."""
    if not any(map(shutil.which, (os.environ.get("CXX", "c++"), "g++", "clang++"))):
        raise Absent("torch.compile needs a C++ compiler, and none was found")
    if size.games > 1:
        raise Absent("one game at a time, as without torch.compile")
    torch.compiler.reset()  # code compiled for other sizes would make shapes dynamic, and slower
    return usual(size, partial(torch.compile, dynamic=False))
