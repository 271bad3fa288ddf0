"""Margins of classifiers that scikit-learn calibrated by sigmoids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, logsumexp, softmax

from turinglearn.discriminators.gradients.margins import ClosedForm, Margins
from turinglearn.protocols import Array

__all__ = ["calibrated"]


def calibrated(form: ClosedForm, fitted: Any, X: Array) -> Margins:
    """The log-odds of the mean of sigmoids P = Σₖ σ(mₖ) / K, mₖ = -(aₖ fₖ + bₖ); K = 1 with ensemble=False.

    fₖ is the decision function of a classifier that has one, and the probability of one that has not.
    """
    members = [_member(form, each, X) for each in fitted.calibrated_classifiers_]
    m = np.stack([margins for margins, _ in members])
    log_p, log_q = log_expit(m), log_expit(-m)

    def gradient() -> Array:
        share = softmax(log_p, axis=0) * expit(-m) + softmax(log_q, axis=0) * expit(m)  # dlogit(P) / dmₖ
        return sum(each[:, None] * slopes() for each, (_, slopes) in zip(share, members, strict=True))

    return logsumexp(log_p, axis=0) - logsumexp(log_q, axis=0), gradient


def _member(form: ClosedForm, each: Any, X: Array) -> Margins:
    (sigmoid,) = each.calibrators
    f, slopes = form(each.estimator, X)
    inner: Callable[[], Array] = slopes
    if not hasattr(each.estimator, "decision_function"):
        p = expit(f)
        f, inner = p, lambda: (p * (1 - p))[:, None] * slopes()
    return -(sigmoid.a_ * f + sigmoid.b_), lambda: -sigmoid.a_ * inner()
