"""Requirements of the contract, checks of them on a player, and suites of checks."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from sklearn.base import clone

from turinglearn.checks.samples import CheckSamples
from turinglearn.protocols import Array, Discriminator, Generator, PlayerError

__all__ = [
    "BrokenContract",
    "Capability",
    "Case",
    "CheckResult",
    "CheckSuite",
    "ContractCheck",
    "NotApplicable",
    "Requirement",
    "expect",
    "make_suite",
    "requirement",
]

P = TypeVar("P", bound=Generator | Discriminator)


class BrokenContract(PlayerError, AssertionError):
    """A check failed; the message says what the player did, what was expected and how to fix it."""


class NotApplicable(Exception):
    """A check cannot be made on this player; the message is the reason."""


@dataclass(frozen=True)
class Case(Generic[P]):
    """A player that is checked, the samples that it is checked on, and functions that are common to its role.

    Parameters
    ----------
    player : Generator or Discriminator
        The player. It is never taught: checks work on copies.
    samples : CheckSamples
        Real samples and fakes.
    name : str
        Name of the player in messages.
    teach : callable
        Starts a player and updates it once.
    teach_more : callable
        Updates it once more.
    observe : callable
        Returns an array that depends on all that a player has learned: its scores, or its proposals.
    teachers, opponents : tuple of Discriminator
        Discriminators that a generator learns from and plays against, in order of preference.
    """

    player: P
    samples: CheckSamples
    name: str
    teach: Callable[[Case[P], P], P]
    teach_more: Callable[[Case[P], P], None]
    observe: Callable[[Case[P], P], Array]
    teachers: tuple[Discriminator, ...] = ()
    opponents: tuple[Discriminator, ...] = ()

    def fresh(self) -> P:
        """Return a copy that has learned nothing: a clone, or a deep copy where the player cannot be cloned."""
        try:
            player: P = clone(self.player, safe=False)
        except (RuntimeError, TypeError, AttributeError):  # it has parameters, and breaks scikit-learn's rules for them
            return copy.deepcopy(self.player)
        return player


@dataclass(frozen=True)
class Capability:
    """Something that a player may have or not, and that some requirements are about.

    Parameters
    ----------
    absent : str
        The reason why those requirements are omitted, as in "it has no vjp".
    present : callable
        Returns whether the player of a case has it.
    """

    absent: str
    present: Callable[[Case[Any]], bool]


@dataclass(frozen=True)
class Requirement:
    """One requirement of the contract.

    Parameters
    ----------
    try_on : callable
        Raises `BrokenContract` or another exception if the player of a case does not meet the requirement, and `NotApplicable`
        if that cannot be found out. The name and the docstring of the function are those of the requirement.
    basic : bool
        Whether all later requirements depend on it.
    depends_on : tuple of str
        Names of other requirements without which this one cannot be checked.
    capability : Capability or None
        What the player must have for the requirement to apply.
    """

    try_on: Callable[[Case[Any]], None]
    basic: bool = False
    depends_on: tuple[str, ...] = ()
    capability: Capability | None = None

    @property
    def name(self) -> str:
        """Name of the requirement."""
        return self.try_on.__name__

    @property
    def description(self) -> str:
        """The requirement in a sentence."""
        return (self.try_on.__doc__ or "").split("\n\n")[0].strip()

    def applies_to(self, case: Case[Any]) -> bool:
        """Return whether the player has the capability that the requirement is about; when in doubt, it does."""
        try:
            return self.capability is None or self.capability.present(case)
        except Exception:
            return True  # a basic requirement is broken, which its own check reports


def requirement(
    *depends_on: str, basic: bool = False, capability: Capability | None = None
) -> Callable[[Callable[[Case[Any]], None]], Requirement]:
    """Return a decorator that makes a requirement of a function."""
    return lambda try_on: Requirement(try_on, basic, depends_on, capability)


Status = Literal["passed", "failed", "skipped", "expected"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Result of a check.

    Attributes
    ----------
    name : str
        Name of the check.
    status : {"passed", "failed", "skipped", "expected"}
        "skipped" if the check could not be made, or depends on one that failed; "expected" if it failed and was expected to.
    message : str
        What failed, or the reason; "" if it passed.
    error : Exception or None
        The exception of a failed check, with its traceback.
    """

    name: str
    status: Status
    message: str = ""
    error: Exception | None = field(default=None, repr=False, compare=False)


@dataclass(eq=False)
class ContractCheck:
    """A check of one requirement on one player.

    Called, it raises `BrokenContract` if the player does not meet the requirement, and returns a `CheckResult` otherwise. Each
    call works on fresh copies of the player, with fixed seeds, so that checks can be run in any order.

    Parameters
    ----------
    requirement : Requirement
        What is checked.
    case : Case
        The player and the samples.
    depends_on : tuple of ContractCheck
        Checks without which this one says nothing: it is skipped if one of them fails.
    expected : str or None
        The reason why the check is expected to fail, if it is.

    Attributes
    ----------
    name : str
        Name of the requirement.
    description : str
        The requirement in a sentence.
    """

    requirement: Requirement
    case: Case[Any]
    depends_on: tuple[ContractCheck, ...] = ()
    expected: str | None = None
    _last: CheckResult | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        """Name of the requirement."""
        return self.requirement.name

    @property
    def description(self) -> str:
        """The requirement in a sentence."""
        return self.requirement.description

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"ContractCheck({self.name!r}, {self.case.name})"

    def __call__(self) -> CheckResult:
        """Run the check.

        Returns
        -------
        CheckResult
            A result that is not "failed".

        Raises
        ------
        BrokenContract
            If the check fails, or passes though it was expected to fail.
        """
        result = self.run()
        if result.status == "failed":
            raise BrokenContract(result.message) from result.error
        return result

    def run(self) -> CheckResult:
        """Run the check without raising.

        Returns
        -------
        CheckResult
            The result.
        """
        self._last = self._compared_with_expectation(self._run())
        return self._last

    def _run(self) -> CheckResult:
        failed = next((check.name for check in self.depends_on if not check.holds()), None)
        if failed is not None:
            return CheckResult(self.name, "skipped", f"it depends on {failed}, which failed")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the contract says nothing about warnings
                self.requirement.try_on(self.case)
        except (NotApplicable, ImportError) as reason:
            return CheckResult(self.name, "skipped", str(reason))
        except BrokenContract as error:
            return CheckResult(self.name, "failed", str(error), error)
        except Exception as error:
            complete = isinstance(error, PlayerError)  # its message names the player and the remedy
            raised = f"{self.case.name} raised {type(error).__name__}: {str(error).rstrip('.')}. Fix it."
            return CheckResult(self.name, "failed", f"{error if complete else raised} Expected: {self.description}", error)
        return CheckResult(self.name, "passed")

    def _compared_with_expectation(self, result: CheckResult) -> CheckResult:
        if self.expected is None or result.status == "skipped":
            return result
        if result.status == "failed":
            return CheckResult(self.name, "expected", self.expected)
        return CheckResult(
            self.name,
            "failed",
            f"{self.case.name} passes {self.name}, though expected_failures says that it fails ({self.expected}). "
            "Leave it out of expected_failures.",
        )

    def holds(self) -> bool:
        """Return whether the check did not fail; it is run if it was not yet.

        Returns
        -------
        bool
            True for "passed" and "skipped".
        """
        return (self._last or self.run()).status not in ("failed", "expected")


@dataclass(frozen=True)
class CheckSuite:
    """All checks of a player, to be iterated over.

    Attributes
    ----------
    checks : tuple of ContractCheck
        The checks of all requirements that apply to the player.
    omitted : dict of str to str
        The requirements that do not apply, with the reasons, such as "it has no vjp".
    """

    checks: tuple[ContractCheck, ...]
    omitted: Mapping[str, str]

    def __iter__(self) -> Iterator[ContractCheck]:
        return iter(self.checks)

    def __len__(self) -> int:
        return len(self.checks)


def make_suite(requirements: Sequence[Requirement], case: Case[Any], expected_failures: Mapping[str, str] | None) -> CheckSuite:
    """Return a check for each requirement that applies; raise ValueError for expected failures of unknown checks."""
    expected = dict(expected_failures or {})
    if unknown := expected.keys() - {each.name for each in requirements}:
        raise ValueError(
            f"expected_failures names {', '.join(sorted(map(repr, unknown)))}, which is not the name of a check. "
            f"Choose among: {', '.join(each.name for each in requirements)}."
        )
    checks: dict[str, ContractCheck] = {}
    omitted: dict[str, str] = {}
    basic: list[ContractCheck] = []
    for each in requirements:
        if each.capability is not None and not each.applies_to(case):
            omitted[each.name] = each.capability.absent
            continue
        others = (checks[name] for name in each.depends_on if name in checks)
        checks[each.name] = ContractCheck(each, case, (*basic, *others), expected.get(each.name))
        if each.basic:
            basic.append(checks[each.name])
    return CheckSuite(tuple(checks.values()), omitted)


def expect(holds: object, message: str) -> None:
    """Raise `BrokenContract` with the message unless the condition is true."""
    if not holds:
        raise BrokenContract(message)
