"""Test sessions, each in its own environment: every Python, the oldest dependencies, no optional dependencies, the pages.

`nox` runs all of them, and `nox -s lowest` one. Arguments after `--` are passed to pytest. For everyday work use `make test`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nox

PYTHONS = nox.project.python_versions(nox.project.load_toml("pyproject.toml"))
OLDEST = PYTHONS[0]
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

TEST_TOOLS = ("array-api-strict", "hypothesis", "pytest", "pytest-xdist")
EXTRAS = ["dask", "evolve", "files", "measures", "plot", "zoo"]
if sys.platform != "linux":  # on Linux, the oldest torch from PyPI is a CUDA build of several gigabytes
    EXTRAS.append("torch")

# Fast tests by the names of their files, in whatever folder they are.
CORE = ("contract", "game", "objectives", "replay", "replicas", "signals", "sources", "streams")
OPTIONAL = ("estimator", "files", "import", "plots", "tables")

# Every optional library that EXTRAS bring in, but skorch, which cannot be imported without torch.
LIBRARIES = (
    "cmaes, distributed, imblearn.ensemble, interpret.glassbox, lightgbm, matplotlib.figure, ot, pandas, psutil, "
    "pyarrow.parquet, safetensors.numpy, skops.io, xgboost"
)
# Every module of the package, which must be the installed one.
IMPORT_ALL = """
import importlib, pkgutil, turinglearn
assert "site-packages" in turinglearn.__file__, turinglearn.__file__
names = [module.name for module in pkgutil.walk_packages(turinglearn.__path__, "turinglearn.")]
for name in names:
    importlib.import_module(name)
print(f"{len(names)} modules imported")
"""

nox.needs_version = ">=2025.5"
nox.options.error_on_missing_interpreters = False  # a Python that is not installed is skipped, but not in CI


def files(names: tuple[str, ...]) -> list[str]:
    """Return the paths of the test files with these names."""
    return sorted(str(path) for name in names for path in Path("tests").rglob(f"test_{name}.py"))


def run_pytest(session: nox.Session, selection: list[str]) -> None:
    """Run pytest on the selection, or on the arguments after `--`."""
    session.run("python", "-m", "pytest", "-q", "-n", "2", *(session.posargs or selection), env=ONE_THREAD)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the whole test suite, with every extra and the versions of constraints.txt."""
    session.install("-c", "constraints.txt", "-e", ".[dev]")
    run_pytest(session, [])


@nox.session(python=OLDEST)
def lowest(session: nox.Session) -> None:
    """Run fast tests with the oldest supported versions of the dependencies."""
    session.install("-c", "constraints-lowest.txt", "-e", f".[{','.join(EXTRAS)}]", *TEST_TOOLS)
    session.run("python", "-W", "error", "-c", f"import {LIBRARIES}", env=ONE_THREAD)
    run_pytest(session, ["-m", "not slow and not gpu", *files(CORE + OPTIONAL)])


@nox.session(python=OLDEST)
def minimal(session: nox.Session) -> None:
    """Import every module of a package that was installed without extras, then run fast tests of the core."""
    session.install("-c", "constraints.txt", ".", "hypothesis", "pytest", "pytest-xdist")
    session.run("python", "-I", "-W", "error", "-c", IMPORT_ALL, env=ONE_THREAD)
    run_pytest(session, ["-m", "not slow and not gpu", *files(CORE)])


@nox.session(python=OLDEST)
def docs(session: nox.Session) -> None:
    """Build the pages; a warning is an error."""
    session.install("-c", "constraints.txt", "-e", ".[docs]")
    session.run("python", "-m", "sphinx", "-q", "-W", "--keep-going", "-n", "-E", "-b", "html", "docs", "docs/_build/html")
