"""Studies of many games and discriminators: cells of a specification, played on an engine, kept in a store."""

from turinglearn.study.cells import Cell, by_seed
from turinglearn.study.driver import run
from turinglearn.study.engines import Cluster, Inline, Processes
from turinglearn.study.factors import CellKind, Factor, FactorKind, Level
from turinglearn.study.jobs import Job, Limits, Outcome, Plan, StudyProblem
from turinglearn.study.schema import Row
from turinglearn.study.specification import Specification, SpecificationError, read_specification
from turinglearn.study.store import Store
from turinglearn.study.writer import Writer

__all__ = [
    "Cell",
    "CellKind",
    "Cluster",
    "Factor",
    "FactorKind",
    "Inline",
    "Job",
    "Level",
    "Limits",
    "Outcome",
    "Plan",
    "Processes",
    "Row",
    "Specification",
    "SpecificationError",
    "Store",
    "StudyProblem",
    "Writer",
    "by_seed",
    "read_specification",
    "run",
]
