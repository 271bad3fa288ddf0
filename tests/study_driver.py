"""A driver in a process of its own, to be killed: python -m tests.study_driver run|resume ... as `turinglearn study`.

A specification is here a JSON file of cells: a list of payloads, and the function that plays them is trusted.
"""

from __future__ import annotations

import json

from tests.study_cells import FUNCTION
from turinglearn.cli import study
from turinglearn.study.jobs import Job, Limits, Plan


def plan_of(path, **options):
    payloads = json.loads(path.read_text())
    return Plan([Job(f"cell-{i:06d}", payload) for i, payload in enumerate(payloads)], FUNCTION, Limits(60.0, 2**30))


def trusted(*of, **options):
    """Whatever the store asks for."""


if __name__ == "__main__":
    study.plan_of, study.check_trusted = plan_of, trusted
    study.app()
