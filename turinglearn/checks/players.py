"""The suites: every check of a discriminator, and every check of a generator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from turinglearn.checks import evidence, forging, judging, keeping
from turinglearn.checks.problem import problem
from turinglearn.checks.suite import Check, Subject, suite
from turinglearn.contract import name_of
from turinglearn.discriminators import as_discriminator
from turinglearn.generators import as_generator

__all__ = ["check_discriminator", "check_generator"]


def check_discriminator(
    player: Any, *, genuine: Any = None, counterfeit: Any = None, expected_failures: Mapping[str, str] | None = None
) -> Iterator[Check]:
    """Checks of a discriminator: an instance, or a classifier or torch module, which is adapted first.

    Call each: it raises `BrokenContract`, which is a `PlayerError` and an AssertionError, where the player breaks what the
    check is named after, and gives a `Result` else. The player itself is never taught.

    genuine: samples to try it on, (n, *event), some hundred; None for two Gaussian features. counterfeit: others, easily
    told from them; None for genuine ones moved by four spreads. expected_failures: names of checks that it fails, each with the
    reason; these must fail. Raises TypeError for what is no discriminator.

    >>> from sklearn.naive_bayes import GaussianNB
    >>> from turinglearn.checks import check_discriminator
    >>> {check().status for check in check_discriminator(GaussianNB())} <= {"passed", "skipped"}
    True
    """
    ways = judging.taught, judging.go_on, judging.show
    subject = Subject(as_discriminator(player), problem(genuine, counterfeit), name_of(player), *ways)
    trials = (*judging.TRIALS, *evidence.TRIALS, *keeping.TRIALS)
    return suite(trials, judging.BASICS, subject, expected_failures)


def check_generator(player: Any, *, genuine: Any = None, expected_failures: Mapping[str, str] | None = None) -> Iterator[Check]:
    """Checks of a generator: an instance, or an estimator with `fit` and `sample`, which is adapted first.

    As `check_discriminator`. genuine: samples of the kind that it is to make, (n, *event), some hundred; None for two Gaussian
    features. Raises TypeError for what is no generator.
    """
    ways = forging.taught, forging.go_on, forging.show
    subject = Subject(as_generator(player), problem(genuine), name_of(player), *ways)
    return suite((*forging.TRIALS, *keeping.TRIALS), forging.BASICS, subject, expected_failures)
