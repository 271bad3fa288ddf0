"""A generator of your own: a Gaussian with unknown mean and spread, which learns from losses."""

from __future__ import annotations

from itertools import islice

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from turinglearn import Game
from turinglearn.checks import check_generator
from turinglearn.protocols import Losses, Samples


class GaussianGenerator(BaseEstimator):
    """Independent Gaussians, fitted by the score function: grad E[l] = E[l grad log q(x)]."""

    feedback_type = Losses

    def __init__(self, learning_rate=0.05):
        self.learning_rate = learning_rate

    def start(self, example, rng):
        """Begin at a standard normal, in the shape of the real samples."""
        self.mean_ = np.zeros(example.x.shape[1:])
        self.log_scale_ = np.zeros(example.x.shape[1:])

    def propose(self, n, rng, condition=None):
        """Return n samples, shaped like the real ones."""
        z = rng.standard_normal((n, *self.mean_.shape))
        return Samples(self.mean_ + np.exp(self.log_scale_) * z, condition)

    def update(self, samples, feedback):
        """Make one step down the mean loss."""
        z = (samples.x - self.mean_) / np.exp(self.log_scale_)
        losses = (feedback.values - feedback.values.mean()) / samples.n  # the mean is the baseline
        self.mean_ = self.mean_ - self.learning_rate * np.tensordot(losses, z / np.exp(self.log_scale_), 1)
        self.log_scale_ = self.log_scale_ - self.learning_rate * np.tensordot(losses, z**2 - 1, 1)


if __name__ == "__main__":
    X = np.random.default_rng(0).normal([3.0, -1.0], [2.0, 0.5], (5000, 2))
    discriminator = make_pipeline(PolynomialFeatures(2), LogisticRegression())
    game = Game(GaussianGenerator(), discriminator, random_state=0)
    for r in islice(game.rounds(X), 600):
        if r.index % 200 == 0:
            print(f"round {r.index}: mean {game.generator.mean_.round(2)}, scale {np.exp(game.generator.log_scale_).round(2)}")
    results = [check.run() for check in check_generator(GaussianGenerator(), real=X)]
    print(f"contract: {sum(r.status == 'failed' for r in results)} of {len(results)} checks fail")
