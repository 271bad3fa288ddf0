"""C++ that tests compile, load and call."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest

__all__ = ["compiled"]


def compiled(source: str, folder: Path, *flags: str) -> ctypes.CDLL:
    """The shared library of this source; the test is skipped where there is no compiler."""
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("needs a C++ compiler, and none was found")
    name = f"code{zlib.crc32(source.encode())}"  # a library that is loaded once is not loaded again under its name
    code, library = folder / f"{name}.cpp", folder / f"{name}.so"
    code.write_text(source, encoding="utf-8")
    subprocess.run([compiler, "-shared", "-fPIC", "-std=c++20", "-O1", str(code), "-o", str(library), *flags], check=True)
    return ctypes.CDLL(str(library))
