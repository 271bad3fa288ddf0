"""Check that the cells of a store, which may come from elsewhere, run only code of this package and of scikit-learn."""

from __future__ import annotations

from pathlib import Path

from turinglearn.recipes import Recipe, read
from turinglearn.registry import check_permitted, ended
from turinglearn.study.cells import Cell
from turinglearn.study.jobs import Plan, StudyProblem
from turinglearn.study.specification import FUNCTION

__all__ = ["check_trusted"]


def check_trusted(store: Path, plan: Plan, *, allow_imports: bool = False) -> None:
    """Raise StudyProblem for a plan that would run another function than this package's worker, or import players.

    Parameters
    ----------
    store : Path
        File of the store, for the message.
    plan : Plan
        Plan of the store.
    allow_imports : bool
        Whether players may come from any module.
    """
    if plan.function != FUNCTION:
        raise StudyProblem(
            f"{store}: its cells are played by {plan.function!r:.80}; expected {FUNCTION!r}, since any other function "
            "may run any code. Run the specification instead: turinglearn study run."
        )
    if allow_imports:
        return
    for role, recipe in _recipes(store, plan):
        try:
            check_permitted(role, recipe)
        except ValueError as error:
            raise StudyProblem(f"{store}: {ended(str(error))}") from error


def _recipes(store: Path, plan: Plan) -> set[tuple[str, Recipe]]:
    """Return all recipes of a plan, each with its role."""
    found: set[tuple[str, Recipe]] = set()
    for job in plan.jobs:
        try:
            cell = Cell.of(job.payload)
            found.update((role, level.recipe) for role, level in cell.levels.items())
            found.update(("discriminator", read(text)) for _, text in cell.cross_examiners)
        except (TypeError, ValueError, AttributeError) as error:
            raise StudyProblem(f"{store}: {job.identity[:12]!r} is not a cell of a study. Use another copy.") from error
    return found
