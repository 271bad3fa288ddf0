"""Small players that tests share: exact judges, spies and misbehaving ones."""

from __future__ import annotations

import numpy as np

from turinglearn.protocols import Gradients, LogOdds, Losses, PlayerError, Samples, Scores


class Judge:
    """A judge with a fixed score function; counts its calls."""

    def __init__(self, score=lambda x: x.reshape(len(x), -1).sum(axis=1), says=LogOdds):
        self.score, self.says, self.calls, self.shown = score, says, [], []

    def update(self, real, fake, rng):
        self.shown.append((real, fake))

    def examine(self, batch):
        self.calls.append(batch)
        return self.says(self.score(batch.x))


class Diary(Judge):
    """A judge that writes down what happens to it."""

    def __init__(self, refits=False, **kwargs):
        super().__init__(**kwargs)
        self.refits, self.events = refits, []

    def update(self, real, fake, rng):
        self.events.append(("update", real, fake))

    def examine(self, batch):
        self.events.append(("examine", batch, None))
        return super().examine(batch)


class ExactJudge(Judge):
    """A judge with a gradient: score(x) and slope(x)."""

    def __init__(self, score, slope, says=LogOdds):
        super().__init__(score, says)
        self.slope = slope

    def vjp(self, batch):
        return self.examine(batch), lambda s: s[:, None] * self.slope(batch.x)


class Shift:
    """x = mean + z, learning the mean by gradient or, with a baseline, by losses."""

    def __init__(self, learns_from=Gradients, rate=0.1, dimension=2):
        self.learns_from, self.rate, self.mean, self.lessons = learns_from, rate, np.zeros(dimension), []

    def propose(self, n, rng, given=None):
        z = rng.standard_normal((n, len(self.mean)))
        return Samples(self.mean + z, given, z)

    def update(self, samples, feedback):
        self.lessons.append((samples, feedback))
        if isinstance(feedback, Gradients):
            self.mean = self.mean - self.rate * feedback.values.mean(axis=0)
        elif isinstance(feedback, Losses):
            centred = feedback.values - feedback.values.mean()
            self.mean = self.mean - self.rate * (centred[:, None] * samples.context).mean(axis=0)
        else:
            self.mean = (feedback.values[:, None] * samples.x).mean(axis=0)


__all__ = ["Diary", "ExactJudge", "Judge", "PlayerError", "Scores", "Shift"]
