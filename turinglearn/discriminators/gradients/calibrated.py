"""Margins of classifiers that scikit-learn calibrated by sigmoids."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, log_expit, logsumexp, softmax
from sklearn.calibration import CalibratedClassifierCV

from turinglearn.discriminators.common import FloatArray
from turinglearn.discriminators.gradients.margins import ClosedForm, Margins

if TYPE_CHECKING:
    from sklearn.calibration import _CalibratedClassifier

__all__ = ["calibrated"]


def calibrated(form: ClosedForm, fitted: CalibratedClassifierCV, X: FloatArray) -> Margins:
    """Return the log-odds of the mean of sigmoids P = Σₖ σ(mₖ) / K, mₖ = -(aₖ fₖ + bₖ); K = 1 with ensemble=False.

    fₖ is the decision function of a classifier that has one, and otherwise its probability.
    """
    members = [_member(form, member, X) for member in fitted.calibrated_classifiers_]
    m = np.stack([margins for margins, _ in members])
    log_p, log_q = log_expit(m), log_expit(-m)

    def gradient() -> FloatArray:
        share = softmax(log_p, axis=0) * expit(-m) + softmax(log_q, axis=0) * expit(m)  # dlogit(P) / dmₖ
        total: FloatArray = sum(part[:, None] * slopes() for part, (_, slopes) in zip(share, members, strict=True))
        return total

    return logsumexp(log_p, axis=0) - logsumexp(log_q, axis=0), gradient


def _member(form: ClosedForm, member: _CalibratedClassifier, X: FloatArray) -> Margins:
    """Return mₖ and its gradient."""
    (sigmoid,) = member.calibrators
    f, slopes = form(member.estimator, X)
    inner: Callable[[], FloatArray] = slopes
    if not hasattr(member.estimator, "decision_function"):
        p = expit(f)
        f, inner = p, lambda: (p * (1 - p))[:, None] * slopes()
    return -(sigmoid.a_ * f + sigmoid.b_), lambda: -sigmoid.a_ * inner()
