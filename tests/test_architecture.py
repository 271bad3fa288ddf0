"""The house: imports point one way, optional libraries stay optional, and every file keeps to one idea."""

from __future__ import annotations

import ast
import importlib
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
PACKAGE = REPOSITORY / "turinglearn"

# A room is a module or a folder of the package. It may import from the rooms before it, and a folder from itself.
ROOMS = (
    "protocols",
    "arrays",
    "streams",
    "objectives",
    "contract",
    "derivatives",
    "signals",
    "sources",
    "dealing",
    "replay",
    "packing",
    "rounds",
    "watch",
    "state",
    "words",
    "tables",
    "nn",
    "generators",
    "discriminators",
    "duel",
    "replicas",
    "game",
    "metrics",
    "datasets",
    "evolution",
    "bias",
    "catalogue",
    "study",
    "plots",
    "report",
    "keeping",
    "estimator",
    "persistence",
    "files",
    "checks",
    "demo",
    "mistakes",
    "bench",
    "cli",
    "__main__",
    "__init__",  # the front door, turinglearn itself: it imports from everywhere, and nothing imports from it
)

# What may be imported where a file begins, and what only inside the function that uses it: import name -> distribution.
CORE = {
    "array_api_compat": "array-api-compat",
    "numpy": "numpy",
    "rich": "rich",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "threadpoolctl": "threadpoolctl",
    "typer": "typer",
}
OPTIONAL = {
    "cmaes": "cmaes",
    "cupy": "cupy-cuda12x",
    "dask": "dask",
    "distributed": "distributed",
    "matplotlib": "matplotlib",
    "ot": "pot",
    "pandas": "pandas",
    "psutil": "psutil",
    "pyarrow": "pyarrow",
    "safetensors": "safetensors",
    "skops": "skops",
    "torch": "torch",
}

MODULES = sorted(PACKAGE.rglob("*.py"))
every_module = pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(PACKAGE)) for path in MODULES])


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name_of(path: Path) -> str:
    """The dotted name under which a file of the package is imported."""
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(dotted: str) -> str:
    """The room of a dotted name within turinglearn; turinglearn itself is the room "__init__"."""
    return [*dotted.split("."), "__init__"][1]


def inside(node: ast.AST) -> Iterator[ast.AST]:
    """Everything under node that runs when node does: function bodies, which run later, are left out."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from inside(child)


def imported(nodes: Iterator[ast.AST], importer: str, is_folder: bool) -> Iterator[str]:
    """The dotted names that these nodes import; relative imports are resolved from the importing module."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            home = importer.split(".")
            home = home[: len(home) - node.level + is_folder] if node.level else []
            base = ".".join(filter(None, [*home, node.module]))
            if base == "turinglearn":  # from turinglearn import nn: a room, or else something of the front door
                yield from (f"turinglearn.{a.name}" if a.name in ROOMS else "turinglearn" for a in node.names)
            else:
                yield base


def test_modules_are_found():
    assert {"protocols.py", "arrays.py", "streams.py"} <= {path.name for path in MODULES}


def test_every_room_has_its_place():
    present = {room_of(name_of(path)) for path in MODULES}
    assert present <= set(ROOMS), "give each new room its place in ROOMS, below everything that it imports"


@every_module
def test_imports_point_one_way(path):
    name = name_of(path)
    room = room_of(name)
    before = {room, *ROOMS[: ROOMS.index(room)]}
    names = imported(ast.walk(parse(path)), name, path.stem == "__init__")
    upward = [n for n in names if n.split(".")[0] == "turinglearn" and room_of(n) not in before]
    assert not upward, f"{room} may import only from the rooms before it in ROOMS"


@every_module
def test_libraries_are_declared_and_optional_ones_wait(path):
    tree, name = parse(path), name_of(path)

    def libraries(nodes):
        found = imported(nodes, name, path.stem == "__init__")
        return {n.split(".")[0] for n in found} - sys.stdlib_module_names - {"turinglearn", "__future__"}

    assert libraries(inside(tree)) <= set(CORE), "import an optional library inside the function that uses it"
    assert libraries(ast.walk(tree)) <= {*CORE, *OPTIONAL}, "declare the library in pyproject.toml and in this test"


def test_declared_libraries_are_those_of_the_project():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]

    def names(requirements):
        return {requirement.split(">=")[0] for requirement in requirements}

    assert names(project["dependencies"]) == set(CORE.values())
    found = set().union(*(names(extras[name]) for name in ("torch", "cupy", "dask", "evolve", "files", "measures", "plot")))
    assert found == set(OPTIONAL.values())


@every_module
def test_a_module_says_what_it_is_and_what_it_offers(path):
    tree = parse(path)
    assert ast.get_docstring(tree), "a module begins with a docstring: its one idea"
    if path.name == "__main__.py":  # it is run, never imported from
        return
    module = importlib.import_module(name_of(path))
    assert hasattr(module, "__all__"), "__all__ says what is public"
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    assert len(set(module.__all__)) == len(module.__all__)


@every_module
def test_a_file_stays_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 400
    functions = [n for n in ast.walk(parse(path)) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    assert [f.name for f in functions if f.end_lineno - f.lineno >= 60] == []


@pytest.mark.parametrize("path", [p for p in MODULES if p.name == "__init__.py"], ids=name_of)
def test_a_folder_only_re_exports(path):
    def allowed(node):
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        listing = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__all__", "__version__")
        return docstring or listing or isinstance(node, (ast.Import, ast.ImportFrom))

    logic = [ast.unparse(node) for node in parse(path).body if not allowed(node)]
    assert logic == [], "move it to a module of the folder"


@pytest.mark.parametrize("folder", sorted({p.parent for p in MODULES}), ids=lambda f: f.name)
def test_a_folder_is_a_package(folder):
    assert (folder / "__init__.py").is_file()


# The rules above rest on `imported` and `inside`: they are tried on sources with a known answer.
@pytest.mark.parametrize(
    ("source", "importer", "is_folder", "expected"),
    [
        ("import turinglearn.nn.layers", "turinglearn.game", False, ["turinglearn.nn.layers"]),
        ("from turinglearn.nn import layers", "turinglearn.game", False, ["turinglearn.nn"]),
        ("from turinglearn import nn", "turinglearn.game", False, ["turinglearn.nn"]),
        ("from turinglearn import Game", "turinglearn.nn.layers", False, ["turinglearn"]),
        ("from . import layers", "turinglearn.nn.network", False, ["turinglearn.nn"]),
        ("from .layers import Dense", "turinglearn.nn", True, ["turinglearn.nn.layers"]),
        ("from ..game import Game", "turinglearn.nn.layers", False, ["turinglearn.game"]),
        ("def f():\n    import turinglearn.game", "turinglearn.nn.layers", False, ["turinglearn.game"]),
    ],
)
def test_imports_are_read_from_source(source, importer, is_folder, expected):
    assert list(imported(ast.walk(ast.parse(source)), importer, is_folder)) == expected


def test_imports_inside_functions_run_later():
    source = """
import a
try:
    import b
except ImportError:
    b = None
class C:
    import c
    def f(self):
        import d
"""
    assert list(imported(inside(ast.parse(source)), "turinglearn.game", False)) == ["a", "b", "c"]
