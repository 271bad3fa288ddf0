"""Specifications: TOML files that describe what is played against what, with which budgets; read into cells.

    title = "Discriminators of the ring"
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
    [[discriminator]]                   # discriminators on pairs with known log-odds
    problems = "correlated"
    discriminators = ["network", "forest"]
    n = [100, 400]
    training_sets = 10
    [[game]]                            # generators against discriminators on problems
    problems = ["ring", "correlated"]
    generators = "network"
    discriminators = ["network", "forest"]
    signals = ["exact", "smoothed"]
    rounds = 200

All lists of a table are crossed. A name may be one of those above or a recipe by itself, such as "moons". Players that cannot
play each other are left out; `Specification.incompatible` lists them with the reasons.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from turinglearn.study.cells import Cell
from turinglearn.study.components import Components
from turinglearn.study.filters import select
from turinglearn.study.grid import Grid
from turinglearn.study.jobs import Job, Limits, Plan
from turinglearn.study.toml_document import SpecificationError, TomlDocument

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
    "discriminator",
    "game",
)
_SECONDS, _MEMORY = 600.0, 2048  # of a cell, by default


@dataclass(frozen=True)
class Specification:
    """Specification of a study.

    Attributes
    ----------
    title : str
        Title, or "".
    cells : tuple of Cell
        Cells in order.
    time_limit : float
        Seconds that each cell may take.
    memory_limit : int
        Bytes of memory that each cell may take.
    incompatible : tuple of str
        Players that cannot play each other, and why, each reason once.
    planned_cells : int
        Number of cells without filters.
    """

    title: str
    cells: tuple[Cell, ...]
    time_limit: float
    memory_limit: int
    incompatible: tuple[str, ...]
    planned_cells: int

    def plan(self) -> Plan:
        """Return the plan of the study, for the driver."""
        jobs = [Job(cell.identity, cell.payload()) for cell in self.cells]
        return Plan(jobs, FUNCTION, Limits(self.time_limit, self.memory_limit), self.title, self.planned_cells)


def read_specification(path: Path | str, *, only: Iterable[str] = (), allow_imports: bool = False) -> Specification:
    """Read a specification.

    Parameters
    ----------
    path : path-like
        TOML file.
    only : iterable of str
        Filters that select cells: see `turinglearn.study.filters`.
    allow_imports : bool
        Whether players may come from any module, whose code then runs.

    Returns
    -------
    Specification
        The study, or the selected part of it.

    Raises
    ------
    SpecificationError
        If the file does not describe a study; the message has line and column.
    ValueError
        If a filter selects nothing.
    """
    path = Path(path)
    document = TomlDocument(path)
    document.table((), _TOP)
    document.table(("limits",), ("seconds", "memory"))
    seconds = document.number(("limits", "seconds"), _SECONDS)
    memory = document.integer(("limits", "memory"), _MEMORY, most=2**24) * 2**20
    components = Components(document, allow_imports=allow_imports)
    grid = Grid(document, components)
    cells = tuple(grid.cells())  # all cells, since filters select from them
    return Specification(
        title=document.text(("title",), ""),
        cells=select(cells, only),
        time_limit=seconds,
        memory_limit=memory,
        incompatible=grid.incompatible,
        planned_cells=len(cells),
    )


def plan_of(path: Path | str, *, only: Iterable[str] = (), allow_imports: bool = False) -> Plan:
    """Return the plan of a specification. Parameters and errors are those of `read_specification`."""
    return read_specification(path, only=only, allow_imports=allow_imports).plan()
