"""The suites of checks: one for discriminators, one for generators."""

from __future__ import annotations

from collections.abc import Mapping

from turinglearn.checks import discriminators, evidence, generators, persistence
from turinglearn.checks.feedback import opponents, teachers
from turinglearn.checks.samples import make_samples
from turinglearn.checks.suite import Case, CheckSuite, make_suite
from turinglearn.contract import name_of
from turinglearn.discriminators import as_discriminator
from turinglearn.generators import as_generator

__all__ = ["check_discriminator", "check_generator"]


def check_discriminator(
    player: object, *, real: object = None, fake: object = None, expected_failures: Mapping[str, str] | None = None
) -> CheckSuite:
    """Return the contract checks of a discriminator.

    Call each check: it raises `BrokenContract` where the player breaks the requirement that the check is named after, and
    returns a `CheckResult` otherwise. Requirements about optional methods and flags, such as `vjp`, apply to players that have
    them. The player itself is never taught.

    Parameters
    ----------
    player : Discriminator, classifier or torch module
        The player. Classifiers and modules are adapted by `as_discriminator` first.
    real : array-like of shape (n, *event), optional
        Some hundred real samples to check it on; by default two Gaussian features.
    fake : array-like of shape (n, *event), optional
        Fakes that are easy to tell from them; by default the real samples, four standard deviations away.
    expected_failures : dict of str to str, optional
        Names of checks that the player fails, with the reasons. These checks must fail.

    Returns
    -------
    CheckSuite
        The checks, to be iterated over.

    Raises
    ------
    TypeError
        If the player is not a discriminator.
    ValueError
        If the samples cannot be used, or `expected_failures` names an unknown check.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from turinglearn.checks import check_discriminator
    >>> {check().status for check in check_discriminator(GaussianNB())}
    {'passed'}
    """
    methods = discriminators.teach, discriminators.teach_more, discriminators.observe
    case = Case(as_discriminator(player), make_samples(real, fake), name_of(player), *methods)
    requirements = (*discriminators.REQUIREMENTS, *evidence.REQUIREMENTS, *persistence.REQUIREMENTS)
    return make_suite(requirements, case, expected_failures)


def check_generator(
    player: object,
    *,
    real: object = None,
    discriminator: object = None,
    expected_failures: Mapping[str, str] | None = None,
) -> CheckSuite:
    """Return the contract checks of a generator.

    The checks are used as those of `check_discriminator`. The generator learns from feedback of its own `feedback_type`, which
    a signal makes from a discriminator.

    Parameters
    ----------
    player : Generator or estimator
        The player. Estimators with `fit` and `sample` are adapted by `as_generator` first.
    real : array-like of shape (n, *event), optional
        Some hundred samples of the kind that it is to generate; by default two Gaussian features.
    discriminator : Discriminator, classifier or torch module, optional
        The discriminator that it learns from and plays against. By default one with log-odds and an exact gradient, or a
        random forest. A generator with a feedback type of your own may need another.
    expected_failures : dict of str to str, optional
        Names of checks that the player fails, with the reasons. These checks must fail.

    Returns
    -------
    CheckSuite
        The checks, to be iterated over.

    Raises
    ------
    TypeError
        If the player is not a generator, or `discriminator` is not a discriminator.
    ValueError
        If the samples cannot be used, or `expected_failures` names an unknown check.
    """
    methods = generators.teach, generators.teach_more, generators.observe
    own = None if discriminator is None else (as_discriminator(discriminator),)
    case = Case(as_generator(player), make_samples(real), name_of(player), *methods, own or teachers(), own or opponents())
    return make_suite((*generators.REQUIREMENTS, *persistence.REQUIREMENTS), case, expected_failures)
