"""A benchmark run: specification, cells, engines, the store."""

from turinglearn.study.driver import run
from turinglearn.study.engines import Cluster, Inline, Processes
from turinglearn.study.outcomes import Job, Limits, Outcome, Plan, StudyProblem
from turinglearn.study.store import Row, Store
from turinglearn.study.writer import Writer

__all__ = [
    "Cluster",
    "Inline",
    "Job",
    "Limits",
    "Outcome",
    "Plan",
    "Processes",
    "Row",
    "Store",
    "StudyProblem",
    "Writer",
    "run",
]
