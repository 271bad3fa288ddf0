"""A study as its user writes it, in TOML: what is played against what, with which budgets; read into cells.

    title = "Judges of the ring"
    seeds = 10                          # 0 to 9, or a list
    [limits]
    seconds = 60                        # of time and MiB of memory, for each cell
    memory = 1024
    [problems]
    ring = "ring(modes=8, sigma=0.1)"
    correlated = { make = "pair", family = "correlated", dimension = 4, kl = [0.1, 0.5] }    # lists are crossed
    [generators]
    network = "neural(hidden=(32, 32))"
    [discriminators]
    network = "neural"
    forest = { make = "forest", min_samples_leaf = [1, 10] }
    [signals]
    smoothed = "smoothed(probes=16)"
    [[judge]]                           # judges on pairs with known log-odds
    problems = "correlated"
    discriminators = ["network", "forest"]
    n = [100, 400]
    sets = 10
    [[game]]                            # generators against judges on problems
    problems = ["ring", "correlated"]
    generators = "network"
    discriminators = ["network", "forest"]
    signals = ["exact", "smoothed"]
    rounds = 200

All lists of a table are crossed. A name may be one of those above or a recipe by itself, such as "moons". Players that cannot
meet by a signal are left out, and `left_out` says why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path as File

from turinglearn.study.cells import Cell
from turinglearn.study.crossing import Crossing
from turinglearn.study.filters import select
from turinglearn.study.ingredients import Ingredients
from turinglearn.study.outcomes import Job, Limits, Plan
from turinglearn.study.reading import Document, SpecificationError

__all__ = ["FUNCTION", "Specification", "SpecificationError", "plan_of", "read_specification"]

FUNCTION = "turinglearn.study.worker:execute"
_TOP = (
    "title",
    "seeds",
    "replicas",
    "limits",
    "problems",
    "generators",
    "discriminators",
    "signals",
    "objectives",
    "judge",
    "game",
)
_SECONDS, _MEMORY = 600.0, 2048  # for a cell, where the specification says nothing


@dataclass(frozen=True)
class Specification:
    """A study: its title, if any, its cells in order, and limits of each cell: time_limit in seconds, memory_limit in bytes.

    left_out: the players that cannot meet, and why, each reason once. whole: how many cells there are without filters.
    """

    title: str
    cells: tuple[Cell, ...]
    time_limit: float
    memory_limit: int
    left_out: tuple[str, ...]
    whole: int

    def plan(self) -> Plan:
        """Its cells as jobs for the driver: identity and payload."""
        jobs = [Job(cell.identity, cell.payload()) for cell in self.cells]
        return Plan(jobs, FUNCTION, Limits(self.time_limit, self.memory_limit), self.title, self.whole)


def read_specification(path: File | str, *, only: Iterable[str] = (), allow_imports: bool = False) -> Specification:
    """The study that a TOML file describes, or the cells of it that the filters `only` select.

    allow_imports: whether players may come from any module, whose code then runs. Raises SpecificationError, with line and
    column, for a file that describes none, ValueError for a filter that selects nothing.
    """
    path = File(path)
    document = Document(path)
    document.table((), _TOP)
    document.table(("limits",), ("seconds", "memory"))
    seconds = document.number(("limits", "seconds"), _SECONDS)
    memory = document.whole(("limits", "memory"), _MEMORY, most=2**24) * 2**20
    ingredients = Ingredients(document, allow_imports=allow_imports)
    crossing = Crossing(document, ingredients)
    cells = tuple(crossing.cells())  # all of them, whatever is selected
    return Specification(
        title=document.text(("title",), ""),
        cells=select(cells, only),
        time_limit=seconds,
        memory_limit=memory,
        left_out=crossing.left_out,
        whole=len(cells),
    )


def plan_of(path: File | str, *, only: Iterable[str] = (), allow_imports: bool = False) -> Plan:
    """What the driver runs for a specification; errors as of `read_specification`."""
    return read_specification(path, only=only, allow_imports=allow_imports).plan()
