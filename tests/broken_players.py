"""A sound discriminator and a sound generator, and broken ones.

Each breaks one promise of the contract, and is named after it.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler

from turinglearn.objectives import Logistic
from turinglearn.protocols import Batch, Gradients, LogOdds, Samples, Scores


# -------------------------------------------------------------------------------------------------------------- discriminators
class SoundDiscriminator(BaseEstimator):
    """The log-ratio of two Gaussians with common variances: linear in x. It learns from a bootstrap sample."""

    score_type, refits = LogOdds, True

    def __init__(self, label="sound", floor=0.3):
        self.label, self.floor = label, floor

    def start(self, example, rng):
        self.slopes_ = None

    def update(self, real, fake, rng):
        p, q = (self._drawn(batch.matrix(), rng) for batch in (real, fake))
        variance = (p.var(axis=0) + q.var(axis=0)) / 2 + self.floor
        self.slopes_ = (p.mean(axis=0) - q.mean(axis=0)) / variance
        self.middle_ = (p.mean(axis=0) + q.mean(axis=0)) / 2

    def score_samples(self, batch):
        return LogOdds(self._log_odds(batch))

    def _drawn(self, x, rng):
        return x + 0.01 * rng.standard_normal(x.shape)

    def _log_odds(self, batch):
        return np.zeros(batch.n) if self.slopes_ is None else (batch.matrix() - self.middle_) @ self.slopes_


class ExactDiscriminator(SoundDiscriminator):
    def vjp(self, batch):
        width = batch.x[0].size
        slopes = np.zeros(width) if self.slopes_ is None else self.slopes_[:width]
        return self.score_samples(batch), lambda s: np.outer(s, slopes).reshape(batch.x.shape)


class Mute(SoundDiscriminator):
    score_type = "log-odds"


class Remarks(SoundDiscriminator):
    refits = "always"


class Aimless(SoundDiscriminator):
    criterion = object()


class Column(SoundDiscriminator):
    def score_samples(self, batch):
        return LogOdds(self._log_odds(batch)[:, None])


class Silent(SoundDiscriminator):
    def update(self, real, fake, rng):
        raise KeyError("lost")


class Few(SoundDiscriminator):
    def score_samples(self, batch):
        return LogOdds(self._log_odds(batch)[:100])


class Tires(SoundDiscriminator):
    def start(self, example, rng):
        super().start(example, rng)
        self.asked_ = 0

    def score_samples(self, batch):
        self.asked_ += 1
        return LogOdds(self._log_odds(batch) - 0.1 * self.asked_)


class Unready(SoundDiscriminator):
    def score_samples(self, batch):
        return LogOdds(np.full(batch.n, np.nan) if self.slopes_ is None else self._log_odds(batch))


class Positional(SoundDiscriminator):
    def score_samples(self, batch):
        return LogOdds(self._log_odds(batch) + 0.1 * (-1.0) ** np.arange(batch.n))


class Relative(SoundDiscriminator):
    def score_samples(self, batch):
        r = self._log_odds(batch)
        return LogOdds(r - r.mean())


class Writes(SoundDiscriminator):
    def update(self, real, fake, rng):
        x = real.x
        x -= 0.1
        super().update(real, fake, rng)


class WritesWhenAsked(SoundDiscriminator):
    def score_samples(self, batch):
        r = self._log_odds(batch)
        batch.x.reshape(-1)[-1] = 0
        return LogOdds(r)


class Owner(SoundDiscriminator):
    def update(self, real, fake, rng):
        if not real.x.flags.writeable:
            raise TypeError("buffer source array is read-only")
        super().update(real, fake, rng)


class Double(SoundDiscriminator):
    def score_samples(self, batch):
        if batch.x.dtype != np.float64:
            raise TypeError("expected double")
        return super().score_samples(batch)


class Matrices(SoundDiscriminator):
    def update(self, real, fake, rng):
        assert real.x.ndim == 2, "no matrix"
        super().update(real, fake, rng)


class Deaf(SoundDiscriminator):
    def score_samples(self, batch):
        return super().score_samples(Batch(batch.x))


class Rewrites(SoundDiscriminator):
    def update(self, real, fake, rng):
        super().update(real, fake, rng)
        if real.condition is not None:
            real.condition[:] = 0


class ForgetsSlopes(ExactDiscriminator):
    """Its slopes are those of the events alone, in a shape that conditions have no place in."""

    def vjp(self, batch):
        if self.slopes_ is None:
            return super().vjp(batch)
        return self.score_samples(batch), lambda s: np.outer(s, self.slopes_).reshape(batch.x.shape)


class Hungry(SoundDiscriminator):
    def update(self, real, fake, rng):
        super().update(real, fake, rng)
        self.slopes_ = self.slopes_ * (1 if real.n > 10 else np.nan)


class Floorless(SoundDiscriminator):
    def update(self, real, fake, rng):
        with np.errstate(invalid="ignore", divide="ignore"):
            self.floor_, before = 0.0, self.floor
            p, q = real.matrix(), fake.matrix()
            self.slopes_ = (p.mean(axis=0) - q.mean(axis=0)) / ((p.var(axis=0) + q.var(axis=0)) / 2)
            self.middle_ = (p.mean(axis=0) + q.mean(axis=0)) / 2
            self.floor = before


class OwnDice(SoundDiscriminator):
    """Its dice move it by far more than rounding could."""

    def _drawn(self, x, rng):
        return x + 0.3 * np.random.default_rng().standard_normal(x.shape)


class GlobalDice(SoundDiscriminator):
    def update(self, real, fake, rng):
        np.random.rand()  # noqa: NPY002
        super().update(real, fake, rng)


class Veteran(SoundDiscriminator):
    def start(self, example, rng):
        super().start(example, rng)
        self.games_ = getattr(self, "games_", 0) + 1

    def score_samples(self, batch):
        return LogOdds(self._log_odds(batch) + 0.1 * self.games_)


class Seeded(SoundDiscriminator):
    """Randomness of its own, which no seed of a game repeats: a second game differs."""

    def __init__(self, label="sound", floor=0.3):
        super().__init__(label, floor)
        self.rng = np.random.default_rng(0)

    def _drawn(self, x, rng):
        return x + 0.1 * self.rng.standard_normal(x.shape)


class Averages(SoundDiscriminator):
    def update(self, real, fake, rng):
        before = self.slopes_
        super().update(real, fake, rng)
        self.slopes_ = self.slopes_ if before is None else (self.slopes_ + before) / 2


class Worthless(Logistic):
    def value(self, real, fake):
        raise ZeroDivisionError("oops")


class Losing(SoundDiscriminator):
    criterion = Worthless()


class Contrary(SoundDiscriminator):
    def score_samples(self, batch):
        return LogOdds(-self._log_odds(batch))


class Uncorrected(SoundDiscriminator):
    def update(self, real, fake, rng):
        super().update(real, fake, rng)
        self.prior_ = np.log(real.n / fake.n)

    def score_samples(self, batch):
        return LogOdds(self._log_odds(batch) + (0 if self.slopes_ is None else self.prior_))


class TwoMinds(ExactDiscriminator):
    def vjp(self, batch):
        scores, pullback = super().vjp(batch)
        return LogOdds(scores.values + 0.5), pullback


class Unscaled(ExactDiscriminator):
    """Its gradient is that of the machine, before a scaling of 17 %."""

    def vjp(self, batch):
        scores, pullback = super().vjp(batch)
        return scores, lambda s: 1.17 * pullback(s)


class Clips(ExactDiscriminator):
    def vjp(self, batch):
        scores, pullback = super().vjp(batch)
        return scores, lambda s: pullback(np.clip(s, -1, 1))


class Renames(SoundDiscriminator):
    def update(self, real, fake, rng):
        super().update(real, fake, rng)
        self.label = "learned"


class FitsWithin(SoundDiscriminator):
    def __init__(self, label="sound", floor=0.3, scaler=StandardScaler()):
        super().__init__(label, floor)
        self.scaler = scaler

    def update(self, real, fake, rng):
        self.scaler.fit(real.matrix())
        super().update(real, fake, rng)


class Forgetful(SoundDiscriminator):
    def state(self):
        return {"middle": getattr(self, "middle_", None)}

    def restore(self, state):
        self.middle_ = state["middle"]


class Stepless(SoundDiscriminator):
    """It takes up what it said, but not how far it was: its rate falls with a count that the state lacks."""

    refits = False

    def start(self, example, rng):
        super().start(example, rng)
        self.count = 0

    def update(self, real, fake, rng):
        before = self.slopes_
        super().update(real, fake, rng)
        self.count += 1
        if before is not None:
            self.slopes_ = before + (self.slopes_ - before) / self.count

    def state(self):
        return {"slopes_": self.slopes_, "middle_": self.middle_}

    def restore(self, state):
        self.__dict__.update(state, count=5)


class Lambda(SoundDiscriminator):
    def update(self, real, fake, rng):
        super().update(real, fake, rng)
        self.score_ = lambda x: x @ self.slopes_


DISCRIMINATORS = {
    Mute: "declares_its_score_type",
    Remarks: "declares_its_score_type",
    Aimless: "declares_its_score_type",
    Column: "scores_every_sample",
    Silent: "scores_every_sample",
    Few: "scores_every_sample",
    Tires: "scoring_changes_nothing",
    Unready: "scores_before_the_first_update",
    Positional: "scores_in_any_order",
    Relative: "scores_each_sample_by_itself",
    Writes: "does_not_modify_batches",
    WritesWhenAsked: "does_not_modify_batches",
    Owner: "accepts_read_only_arrays",
    Double: "accepts_single_precision",
    Matrices: "accepts_tuples",
    Deaf: "accepts_conditions",
    Rewrites: "accepts_conditions",
    ForgetsSlopes: "accepts_conditions",
    Hungry: "accepts_small_batches",
    Floorless: "accepts_constant_features",
    OwnDice: "draws_only_from_rng",
    GlobalDice: "does_not_use_global_randomness",
    Veteran: "start_resets",
    Seeded: "start_resets",
    Averages: "refits_from_scratch",
    Losing: "plays_a_game",
    Contrary: "scores_real_samples_higher",
    Uncorrected: "log_odds_have_no_prior",
    TwoMinds: "vjp_agrees_with_score_samples",
    Unscaled: "vjp_is_the_gradient",
    Clips: "pullback_is_linear",
    Renames: "keeps_its_parameters",
    FitsWithin: "keeps_its_parameters",
    Forgetful: "state_can_be_restored",
    Stepless: "state_can_be_restored",
    Lambda: "can_be_saved",
}


# ---------------------------------------------------------------------------------------------------------- generators
class SoundGenerator(BaseEstimator):
    """x = mean + spread z, learning the mean by gradient, in units of the spread."""

    feedback_type = Gradients

    def __init__(self, rate=0.1, label="sound"):
        self.rate, self.label = rate, label

    def start(self, example, rng):
        spread = example.x.std(axis=0)
        self.mean_, self.spread_ = example.x.mean(axis=0), np.where(spread > 0, spread, 1)

    def propose(self, n, rng, condition=None):
        return Samples(self.mean_ + self.spread_ * rng.standard_normal((n, *self.mean_.shape)), condition)

    def sample(self, n, rng, condition=None):
        return self.propose(n, rng, condition).x

    def update(self, samples, feedback):
        self.mean_ = self.mean_ - self.rate * self.spread_**2 * feedback.values.mean(axis=0)


class Vague(SoundGenerator):
    feedback_type = "gradients"


class Nobody(SoundGenerator):
    population = 0


class Even(SoundGenerator):
    def propose(self, n, rng, condition=None):
        return super().propose(n - n % 2, rng, condition)


class Array(SoundGenerator):
    def propose(self, n, rng, condition=None):
        return super().propose(n, rng, condition).x


class Helpless(SoundGenerator):
    def update(self, samples, feedback):
        raise KeyError("lost")


class Drifts(SoundGenerator):
    def propose(self, n, rng, condition=None):
        self.mean_ = self.mean_ + 0.1 * self.spread_
        return super().propose(n, rng, condition)


class ResamplesEachTime(SoundGenerator):
    def sample(self, n, rng, condition=None):
        return super().sample(n, np.random.default_rng(), condition)


class Unconditional(SoundGenerator):
    def propose(self, n, rng, condition=None):
        return super().propose(n, rng)


class Overwrites(SoundGenerator):
    def propose(self, n, rng, condition=None):
        if condition is not None:
            condition *= 2
        return super().propose(n, rng, condition)


class DeafWhenSampled(SoundGenerator):
    def sample(self, n, rng):
        return self.propose(n, rng).x


class Flat(SoundGenerator):
    def start(self, example, rng):
        assert example.x.ndim == 2, "no matrix"
        super().start(example, rng)


class Divides(SoundGenerator):
    def start(self, example, rng):
        super().start(example, rng)
        with np.errstate(invalid="ignore", divide="ignore"):
            self.spread_ = self.spread_ / (example.x.std(axis=0) > 0)


class DoubleOnly(SoundGenerator):
    def start(self, example, rng):
        if example.x.dtype != np.float64:
            raise TypeError("expected double")
        super().start(example, rng)


class WritesFeedback(SoundGenerator):
    def update(self, samples, feedback):
        values = feedback.values
        values *= self.spread_
        self.mean_ = self.mean_ - self.rate * self.spread_ * values.mean(axis=0)


class WritesSamples(SoundGenerator):
    def update(self, samples, feedback):
        super().update(samples, feedback)
        samples.x[0] = 0


class OwnsFeedback(SoundGenerator):
    def update(self, samples, feedback):
        if not feedback.values.flags.writeable:
            raise TypeError("buffer source array is read-only")
        super().update(samples, feedback)


class Climbs(SoundGenerator):
    def update(self, samples, feedback):
        super().update(samples, Gradients(-feedback.values))


class Rests(SoundGenerator):
    def update(self, samples, feedback):
        pass


class OwnNoise(SoundGenerator):
    def start(self, example, rng):
        super().start(example, rng)
        self.mean_ = self.mean_ + 0.1 * np.random.default_rng().standard_normal(self.mean_.shape)


class GlobalNoise(SoundGenerator):
    def propose(self, n, rng, condition=None):
        np.random.rand()  # noqa: NPY002
        return super().propose(n, rng, condition)


class Resumes(SoundGenerator):
    def start(self, example, rng):
        mean = getattr(self, "mean_", None)
        super().start(example, rng)
        if mean is not None and mean.shape == self.mean_.shape:
            self.mean_ = mean


class Overwhelmed(SoundGenerator):
    def start(self, example, rng):
        assert example.n < 100, "too many"
        super().start(example, rng)


class Relabels(SoundGenerator):
    def update(self, samples, feedback):
        super().update(samples, feedback)
        self.label = "learned"


class Amnesiac(SoundGenerator):
    def state(self):
        return {"spread_": self.spread_}

    def restore(self, state):
        self.__dict__.update(state)


class Closure(SoundGenerator):
    def start(self, example, rng):
        super().start(example, rng)
        self.simulate_ = lambda z: self.mean_ + z


GENERATORS = {
    Vague: "declares_its_feedback_type",
    Nobody: "declares_its_feedback_type",
    Even: "proposes_as_many_as_asked",
    Array: "proposes_as_many_as_asked",
    Helpless: "accepts_feedback",
    Drifts: "proposing_changes_nothing",
    ResamplesEachTime: "sample_is_reproducible",
    Unconditional: "accepts_conditions",
    Overwrites: "accepts_conditions",
    DeafWhenSampled: "accepts_conditions",
    Flat: "accepts_events_of_any_shape",
    Divides: "accepts_constant_features",
    DoubleOnly: "accepts_single_precision",
    WritesFeedback: "does_not_modify_feedback",
    WritesSamples: "does_not_modify_feedback",
    OwnsFeedback: "accepts_read_only_feedback",
    Climbs: "lowers_its_loss",
    Rests: "lowers_its_loss",
    OwnNoise: "draws_only_from_rng",
    GlobalNoise: "does_not_use_global_randomness",
    Resumes: "start_resets",
    Overwhelmed: "plays_a_game",
    Relabels: "keeps_its_parameters",
    Amnesiac: "state_can_be_restored",
    Closure: "can_be_saved",
}

__all__ = ["DISCRIMINATORS", "GENERATORS", "ExactDiscriminator", "Scores", "SoundDiscriminator", "SoundGenerator"]
