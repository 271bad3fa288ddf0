"""The house: imports point one way, optional libraries stay optional, and every file keeps to one idea."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "turinglearn"

# A room is a module or a folder of the package. It may import from the rooms before it, and a folder from itself.
ROOMS = (
    "arrays",
    "protocols",
    "streams",
    "recipes",
    "registry",
    "contract",
    "data",
    "objectives",
    "nn",
    "generators",
    "discriminators",
    "signals",
    "game",
    "metrics",
    "datasets",
    "bias",
    "model_selection",
    "estimator",
    "persistence",
    "checks",
    "study",
    "plots",
    "report",
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

MOST_ANY = 300  # parameters and results typed Any

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
    """Everything under node that runs when node does: function bodies run later, and imports for types never do."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from inside(child)


def base_of(node: ast.ImportFrom, importer: str, is_folder: bool) -> str:
    """The module after "from"; a relative one is resolved from the importing module."""
    home = importer.split(".")
    home = home[: len(home) - node.level + is_folder] if node.level else []
    return ".".join(filter(None, [*home, node.module]))


def imported(nodes: Iterator[ast.AST], importer: str, is_folder: bool) -> Iterator[str]:
    """The dotted names that these nodes import; relative imports are resolved from the importing module."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = base_of(node, importer, is_folder)
            if base == "turinglearn":  # from turinglearn import nn: a room, or else something of the front door
                yield from (f"turinglearn.{a.name}" if a.name in ROOMS else "turinglearn" for a in node.names)
            else:
                yield base


def test_modules_are_found():
    assert {"protocols.py", "arrays.py", "streams.py"} <= {path.name for path in MODULES}


def test_every_room_has_its_place():
    present = {room_of(name_of(path)) for path in MODULES}
    assert present <= set(ROOMS), "give each new room its place in ROOMS, below everything that it imports"


def test_the_root_has_few_modules():
    loose = sorted(path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("__"))
    assert len(loose) <= 9, "a new module belongs in a folder"


def test_no_modules_import_each_other_in_a_circle():
    """Imports inside functions and those for type checkers count too."""
    names = {name_of(path): path for path in MODULES}

    def imports(name):
        path = names[name]
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:  # from a.b import c: the module a.b.c, or else a.b
                    inner = f"{node.module}.{alias.name}"
                    yield inner if inner in names else node.module
            elif isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)

    graph = {name: {other for other in imports(name) if other in names and other != name} for name in names}
    graph = {name: {n for n in others if names[n].name != "__init__.py"} for name, others in graph.items()}
    while leaves := [name for name, others in graph.items() if not others & graph.keys()]:
        for name in leaves:
            del graph[name]
    while roots := [name for name in graph if not any(name in others for others in graph.values())]:
        for name in roots:
            del graph[name]
    assert {name: sorted(others & graph.keys()) for name, others in graph.items()} == {}


def test_few_parameters_are_of_any_type():
    """The budget in pyproject.toml only falls: below it, lower it."""
    tools = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    command = [sys.executable, "-m", "ruff", "check", "--select", "ANN401", "--output-format", "concise", str(PACKAGE)]
    found = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY).stdout.count("ANN401")
    assert found == tools["turinglearn"]["any_budget"] <= MOST_ANY


@every_module
def test_imports_point_one_way(path):
    name = name_of(path)
    room = room_of(name)
    before = {room, *ROOMS[: ROOMS.index(room)]}
    names = imported(ast.walk(parse(path)), name, path.stem == "__init__")
    upward = [n for n in names if n.split(".")[0] == "turinglearn" and room_of(n) not in before]
    assert not upward, f"{room} may import only from the rooms before it in ROOMS"


# Circles that are left, each as the set of its modules without "turinglearn."; the list may only shrink.
CIRCLES: set[frozenset[str]] = set()


def import_graph() -> dict[str, set[str]]:
    """Each module of the package with the modules that it imports anywhere: in functions and under TYPE_CHECKING too."""
    modules = {name_of(path): path for path in MODULES}
    graph: dict[str, set[str]] = {}
    for name, path in modules.items():
        found: set[str] = set()
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                base = base_of(node, name, path.stem == "__init__")
                found |= {f"{base}.{a.name}" if f"{base}.{a.name}" in modules else base for a in node.names}
        graph[name] = found & modules.keys() - {name}
    return graph


def circles(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """The strongly connected components of more than one node: sets of nodes that each lead to all the others."""

    def reached(start: str) -> set[str]:
        seen, ahead = set(), [start]
        while ahead:
            new = graph[ahead.pop()] - seen
            seen |= new
            ahead += new
        return seen

    ahead = {node: reached(node) for node in graph}
    together = (frozenset(other for other in ahead[node] if node in ahead[other]) for node in graph)
    return {circle for circle in together if len(circle) > 1}


def test_no_circle_of_imports():
    found = {frozenset(name.removeprefix("turinglearn.") for name in circle) for circle in circles(import_graph())}
    assert found == CIRCLES, "let one of the modules do without the other, or move what both need to a third one"


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


def test_the_game_stays_short():
    (game,) = (n for n in parse(PACKAGE / "game" / "game.py").body if isinstance(n, ast.ClassDef) and n.name == "Game")
    assert game.end_lineno - game.lineno < 250


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


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, set()),
        ({"a": {"b"}, "b": {"a"}, "c": {"a"}}, {"ab"}),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"e"}, "e": {"d", "a"}}, {"abc", "de"}),
    ],
)
def test_circles_are_found(graph, expected):
    assert circles(graph) == {frozenset(circle) for circle in expected}


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
if TYPE_CHECKING:
    import e
"""
    assert list(imported(inside(ast.parse(source)), "turinglearn.game", False)) == ["a", "b", "c"]
