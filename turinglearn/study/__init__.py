"""Many games and judges: cells of a specification, played on an engine, kept in a store."""

from turinglearn.study.cells import Cell, by_seed
from turinglearn.study.driver import run
from turinglearn.study.engines import Cluster, Inline, Processes
from turinglearn.study.outcomes import Job, Limits, Outcome, Plan, StudyProblem
from turinglearn.study.specification import Specification, SpecificationError, read_specification
from turinglearn.study.store import Row, Store
from turinglearn.study.writer import Writer

__all__ = [
    "Cell",
    "Cluster",
    "Inline",
    "Job",
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
