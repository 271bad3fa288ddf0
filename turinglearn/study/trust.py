"""Whether the cells of a store, which may come from elsewhere, run anybody's code but this package's and scikit-learn's."""

from __future__ import annotations

from pathlib import Path

from turinglearn.catalogue import ended
from turinglearn.study.cells import Cell
from turinglearn.study.outcomes import Plan, StudyProblem
from turinglearn.study.recipes import check_permitted, read
from turinglearn.study.specification import FUNCTION

__all__ = ["check_trusted"]


def check_trusted(store: Path, plan: Plan, *, allow_imports: bool = False) -> None:
    """Raise StudyProblem where the plan of a store would run another function than this package's worker, or import players.

    allow_imports: whether players may come from any module, as of `read_specification`.
    """
    if plan.function != FUNCTION:
        raise StudyProblem(
            f"{store}: its cells are played by {plan.function!r:.80}; expected {FUNCTION!r}, since any other runs somebody's "
            "code. Run the specification instead: turinglearn bench run."
        )
    if allow_imports:
        return
    for role, text in _players(store, plan):
        try:
            check_permitted(role, read(text))
        except ValueError as error:
            raise StudyProblem(f"{store}: {ended(str(error))}") from error


def _players(store: Path, plan: Plan) -> set[tuple[str, str]]:
    """The recipes of all players, each with its role."""
    found = set()
    for job in plan.jobs:
        try:
            cell = Cell.of(job.payload)
            named = [*cell.recipes, *(("discriminator", text) for _, text in cell.examiners)]
            found |= {(role, str(text)) for role, text in named if role in ("generator", "discriminator")}
        except (AttributeError, KeyError, TypeError) as error:
            raise StudyProblem(f"{store}: {job.identity[:12]!r} is no cell of a study. Use another copy.") from error
    return found
