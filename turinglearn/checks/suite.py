"""A check: one promise of the contract, tried on a fresh copy of a player."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sklearn.base import clone

from turinglearn.checks.problem import Problem
from turinglearn.protocols import Array, PlayerError

__all__ = ["BrokenContract", "Check", "Inapplicable", "Result", "Subject", "expect", "rests_on", "suite"]


class BrokenContract(PlayerError, AssertionError):
    """A check failed: what the player did, what was expected, and the remedy."""


class Inapplicable(Exception):
    """A check does not apply to this player; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a check.

    status is "passed", "failed", "skipped" (it does not apply, or rests on a check that failed) or "expected" (it failed, and
    `expected_failures` said so). message: what failed, or the reason. error: what was raised, with its traceback.
    """

    name: str
    status: str
    message: str = ""
    error: Exception | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Subject:
    """A player under test, what it is tried on, and how players of its role are taught.

    begin starts a player and teaches it, go_on teaches it on, show is what can be seen of it: an array.
    """

    player: Any
    problem: Problem
    who: str
    begin: Callable[[Subject, Any], Any]
    go_on: Callable[[Subject, Any], Any]
    show: Callable[[Subject, Any], Array]

    def fresh(self) -> Any:
        """A copy that has learned nothing: by parameters, or where there are none, by value."""
        try:
            return clone(self.player, safe=False)
        except (RuntimeError, TypeError, AttributeError):  # it has parameters, and breaks scikit-learn's rules for them
            return copy.deepcopy(self.player)


Trial = Callable[[Subject], None]


@dataclass(eq=False)
class Check:
    """One promise of the contract. Called, it raises `BrokenContract` where the player breaks it, and else says how it went.

    name: what must hold, in a word or two. description: the same in a sentence. Each call works on fresh copies of the player,
    with seeds of its own, so that checks can be run in any order. One that rests on others is skipped where these fail. Where
    `expected` gives a reason, the check must fail.
    """

    trial: Trial
    subject: Subject
    rests_on: tuple[Check, ...] = ()
    expected: str | None = None
    _last: Result | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        """What must hold, in a word or two."""
        return self.trial.__name__

    @property
    def description(self) -> str:
        """What must hold, in a sentence."""
        return (self.trial.__doc__ or "").split("\n\n")[0].strip()

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Check({self.name!r}, {self.subject.who})"

    def __call__(self) -> Result:
        """Run it. Raises `BrokenContract` if it fails, or if it passes where a failure was expected."""
        result = self.run()
        if result.status == "failed":
            raise BrokenContract(result.message) from result.error
        return result

    def run(self) -> Result:
        """Run it, and give its `Result`; nothing is raised."""
        self._last = self._judged(self._run())
        return self._last

    def _run(self) -> Result:
        lacking = next((check.name for check in self.rests_on if not check.holds()), None)
        if lacking is not None:
            return Result(self.name, "skipped", f"it rests on {lacking}, which failed")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what a player warns of is no matter of the contract
                self.trial(self.subject)
        except (Inapplicable, ImportError) as reason:
            return Result(self.name, "skipped", str(reason))
        except BrokenContract as error:
            return Result(self.name, "failed", str(error), error)
        except Exception as error:
            own = isinstance(error, PlayerError)  # it names the culprit and the remedy
            said = (
                str(error) if own else f"{self.subject.who} raised {type(error).__name__}: {str(error).rstrip('.')}. Mend it."
            )
            return Result(self.name, "failed", f"{said} Expected: {self.description}", error)
        return Result(self.name, "passed")

    def _judged(self, result: Result) -> Result:
        """The result in the light of what was expected."""
        if self.expected is None or result.status == "skipped":
            return result
        if result.status == "failed":
            return Result(self.name, "expected", self.expected)
        return Result(
            self.name,
            "failed",
            f"{self.subject.who} passes {self.name}, though expected_failures says that it fails ({self.expected}). "
            "Leave it out of expected_failures.",
        )

    def holds(self) -> bool:
        """Whether the promise is kept, or does not apply; remembered once it was asked."""
        return (self._last or self.run()).status not in ("failed", "expected")


def rests_on(*names: str) -> Callable[[Trial], Trial]:
    """Mark a trial as one that says nothing where those of these names fail."""

    def marked(trial: Trial) -> Trial:
        trial.rests_on = names  # type: ignore[attr-defined]
        return trial

    return marked


def suite(
    trials: Sequence[Trial], basics: int, subject: Subject, expected_failures: Mapping[str, str] | None
) -> Iterator[Check]:
    """A check for each trial. The first, basic ones rest each on those before, and all others rest on the basic ones.

    Raises ValueError for expected failures of checks that do not exist.
    """
    expected = dict(expected_failures or {})
    if strange := expected.keys() - {trial.__name__ for trial in trials}:
        raise ValueError(
            f"expected_failures names {', '.join(sorted(map(repr, strange)))}, which no check is called. "
            f"Choose among: {', '.join(trial.__name__ for trial in trials)}."
        )
    made: dict[str, Check] = {}
    for trial in trials:
        before = (*list(made)[:basics], *getattr(trial, "rests_on", ()))
        made[trial.__name__] = Check(trial, subject, tuple(made[name] for name in before), expected.get(trial.__name__))
    return iter(made.values())


def expect(holds: Any, message: str) -> None:
    """Raise a `BrokenContract` with the message unless it holds."""
    if not holds:
        raise BrokenContract(message)
