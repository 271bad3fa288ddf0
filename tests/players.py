"""Small players that tests share: exact discriminators, spies and misbehaving ones."""

from __future__ import annotations

import numpy as np

from turinglearn.protocols import Gradients, LogOdds, Losses, PlayerError, Samples, Scores


class SimpleDiscriminator:
    """A discriminator with a fixed score function; counts its calls."""

    def __init__(self, score=lambda x: x.reshape(len(x), -1).sum(axis=1), score_type=LogOdds):
        self.score, self.score_type, self.calls, self.shown = score, score_type, [], []

    def update(self, real, fake, rng):
        self.shown.append((real, fake))

    def score_samples(self, batch):
        self.calls.append(batch)
        return self.score_type(self.score(batch.x))


class Diary(SimpleDiscriminator):
    """A discriminator that writes down what happens to it."""

    def __init__(self, refits=False, **kwargs):
        super().__init__(**kwargs)
        self.refits, self.events = refits, []

    def update(self, real, fake, rng):
        self.events.append(("update", real, fake))

    def score_samples(self, batch):
        self.events.append(("score_samples", batch, None))
        return super().score_samples(batch)


class ExactDiscriminator(SimpleDiscriminator):
    """A discriminator with a gradient: score(x) and slope(x)."""

    def __init__(self, score, slope, score_type=LogOdds):
        super().__init__(score, score_type)
        self.slope = slope

    def vjp(self, batch):
        return self.score_samples(batch), lambda s: s[:, None] * self.slope(batch.x)


class Shift:
    """x = mean + z, learning the mean by gradient or, with a baseline, by losses."""

    def __init__(self, feedback_type=Gradients, rate=0.1, dimension=2):
        self.feedback_type, self.rate, self.mean, self.feedbacks = feedback_type, rate, np.zeros(dimension), []

    def propose(self, n, rng, condition=None):
        z = rng.standard_normal((n, len(self.mean)))
        return Samples(self.mean + z, condition, z)

    def update(self, samples, feedback):
        self.feedbacks.append((samples, feedback))
        if isinstance(feedback, Gradients):
            self.mean = self.mean - self.rate * feedback.values.mean(axis=0)
        elif isinstance(feedback, Losses):
            centred = feedback.values - feedback.values.mean()
            self.mean = self.mean - self.rate * (centred[:, None] * samples.context).mean(axis=0)
        else:
            self.mean = (feedback.values[:, None] * samples.x).mean(axis=0)


__all__ = ["Diary", "ExactDiscriminator", "PlayerError", "Scores", "Shift", "SimpleDiscriminator"]
