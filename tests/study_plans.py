"""Plans of the cells in study_cells, and what is compared of two stores."""

from __future__ import annotations

from tests.study_cells import FUNCTION
from turinglearn.study.jobs import Job, Limits, Plan
from turinglearn.study.store import Store

LIMITS = Limits(60.0, 2**30)


def jobs(count, **payload):
    """So many jobs, with seeds from 0 on."""
    return [Job(f"cell-{seed:06d}", {"seed": seed, **payload}) for seed in range(count)]


def plan(*acts, limits=LIMITS, **payload):
    """A plan with a cell for each act."""
    return Plan([Job(f"cell-{i:06d}", {"seed": i, "act": act, **payload}) for i, act in enumerate(acts)], FUNCTION, limits)


def lasting(path):
    """The rows of a store, without what differs from run to run."""
    with Store(path) as store:
        return [(r.identity, r.payload, r.status, r.figures, r.error, r.versions, r.commit) for r in store.rows()]
