"""A sound judge and a sound generator, and broken ones: each breaks one promise of the contract, and is named after it."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler

from turinglearn.arrays import table
from turinglearn.objectives import Logistic
from turinglearn.protocols import Batch, Gradients, LogOdds, Samples, Scores


# -------------------------------------------------------------------------------------------------------------- judges
class SoundJudge(BaseEstimator):
    """The log-ratio of two Gaussians with common variances: linear in x. It learns from a bootstrap sample."""

    says, refits = LogOdds, True

    def __init__(self, label="sound", floor=0.3):
        self.label, self.floor = label, floor

    def start(self, example, rng):
        self.slopes_ = None

    def update(self, real, fake, rng):
        p, q = (self._drawn(table(batch), rng) for batch in (real, fake))
        variance = (p.var(axis=0) + q.var(axis=0)) / 2 + self.floor
        self.slopes_ = (p.mean(axis=0) - q.mean(axis=0)) / variance
        self.middle_ = (p.mean(axis=0) + q.mean(axis=0)) / 2

    def examine(self, batch):
        return LogOdds(self._log_odds(batch))

    def _drawn(self, x, rng):
        return x + 0.01 * rng.standard_normal(x.shape)

    def _log_odds(self, batch):
        return np.zeros(batch.n) if self.slopes_ is None else (table(batch) - self.middle_) @ self.slopes_


class ExactJudge(SoundJudge):
    def vjp(self, batch):
        width = batch.x[0].size
        slopes = np.zeros(width) if self.slopes_ is None else self.slopes_[:width]
        return self.examine(batch), lambda s: np.outer(s, slopes).reshape(batch.x.shape)


class Mute(SoundJudge):
    says = "log-odds"


class Remarks(SoundJudge):
    refits = "always"


class Aimless(SoundJudge):
    criterion = object()


class Column(SoundJudge):
    def examine(self, batch):
        return LogOdds(self._log_odds(batch)[:, None])


class Silent(SoundJudge):
    def update(self, real, fake, rng):
        raise KeyError("lost")


class Few(SoundJudge):
    def examine(self, batch):
        return LogOdds(self._log_odds(batch)[:100])


class Tires(SoundJudge):
    def start(self, example, rng):
        super().start(example, rng)
        self.asked_ = 0

    def examine(self, batch):
        self.asked_ += 1
        return LogOdds(self._log_odds(batch) - 0.1 * self.asked_)


class Unready(SoundJudge):
    def examine(self, batch):
        return LogOdds(np.full(batch.n, np.nan) if self.slopes_ is None else self._log_odds(batch))


class Positional(SoundJudge):
    def examine(self, batch):
        return LogOdds(self._log_odds(batch) + 0.1 * (-1.0) ** np.arange(batch.n))


class Relative(SoundJudge):
    def examine(self, batch):
        r = self._log_odds(batch)
        return LogOdds(r - r.mean())


class Writes(SoundJudge):
    def update(self, real, fake, rng):
        x = real.x
        x -= 0.1
        super().update(real, fake, rng)


class WritesWhenAsked(SoundJudge):
    def examine(self, batch):
        r = self._log_odds(batch)
        batch.x.reshape(-1)[-1] = 0
        return LogOdds(r)


class Owner(SoundJudge):
    def update(self, real, fake, rng):
        if not real.x.flags.writeable:
            raise TypeError("buffer source array is read-only")
        super().update(real, fake, rng)


class Double(SoundJudge):
    def examine(self, batch):
        if batch.x.dtype != np.float64:
            raise TypeError("expected double")
        return super().examine(batch)


class Matrices(SoundJudge):
    def update(self, real, fake, rng):
        assert real.x.ndim == 2, "no matrix"
        super().update(real, fake, rng)


class Deaf(SoundJudge):
    def examine(self, batch):
        return super().examine(Batch(batch.x))


class Rewrites(SoundJudge):
    def update(self, real, fake, rng):
        super().update(real, fake, rng)
        if real.given is not None:
            real.given[:] = 0


class ForgetsSlopes(ExactJudge):
    """Its slopes are those of the events alone, in a shape that conditions have no place in."""

    def vjp(self, batch):
        if self.slopes_ is None:
            return super().vjp(batch)
        return self.examine(batch), lambda s: np.outer(s, self.slopes_).reshape(batch.x.shape)


class Hungry(SoundJudge):
    def update(self, real, fake, rng):
        super().update(real, fake, rng)
        self.slopes_ = self.slopes_ * (1 if real.n > 10 else np.nan)


class Floorless(SoundJudge):
    def update(self, real, fake, rng):
        with np.errstate(invalid="ignore", divide="ignore"):
            self.floor_, before = 0.0, self.floor
            p, q = table(real), table(fake)
            self.slopes_ = (p.mean(axis=0) - q.mean(axis=0)) / ((p.var(axis=0) + q.var(axis=0)) / 2)
            self.middle_ = (p.mean(axis=0) + q.mean(axis=0)) / 2
            self.floor = before


class OwnDice(SoundJudge):
    """Its dice move it by far more than rounding could."""

    def _drawn(self, x, rng):
        return x + 0.3 * np.random.default_rng().standard_normal(x.shape)


class GlobalDice(SoundJudge):
    def update(self, real, fake, rng):
        np.random.rand()  # noqa: NPY002
        super().update(real, fake, rng)


class Veteran(SoundJudge):
    def start(self, example, rng):
        super().start(example, rng)
        self.games_ = getattr(self, "games_", 0) + 1

    def examine(self, batch):
        return LogOdds(self._log_odds(batch) + 0.1 * self.games_)


class Seeded(SoundJudge):
    """Randomness of its own, which no seed of a game repeats: a second game differs."""

    def __init__(self, label="sound", floor=0.3):
        super().__init__(label, floor)
        self.rng = np.random.default_rng(0)

    def _drawn(self, x, rng):
        return x + 0.1 * self.rng.standard_normal(x.shape)


class Averages(SoundJudge):
    def update(self, real, fake, rng):
        before = self.slopes_
        super().update(real, fake, rng)
        self.slopes_ = self.slopes_ if before is None else (self.slopes_ + before) / 2


class Worthless(Logistic):
    def value(self, real, fake):
        raise ZeroDivisionError("oops")


class Losing(SoundJudge):
    criterion = Worthless()


class Contrary(SoundJudge):
    def examine(self, batch):
        return LogOdds(-self._log_odds(batch))


class Uncorrected(SoundJudge):
    def update(self, real, fake, rng):
        super().update(real, fake, rng)
        self.prior_ = np.log(real.n / fake.n)

    def examine(self, batch):
        return LogOdds(self._log_odds(batch) + (0 if self.slopes_ is None else self.prior_))


class TwoMinds(ExactJudge):
    def vjp(self, batch):
        scores, pullback = super().vjp(batch)
        return LogOdds(scores.values + 0.5), pullback


class Unscaled(ExactJudge):
    """Its gradient is that of the machine, before a scaling of 17 %."""

    def vjp(self, batch):
        scores, pullback = super().vjp(batch)
        return scores, lambda s: 1.17 * pullback(s)


class Clips(ExactJudge):
    def vjp(self, batch):
        scores, pullback = super().vjp(batch)
        return scores, lambda s: pullback(np.clip(s, -1, 1))


class Renames(SoundJudge):
    def update(self, real, fake, rng):
        super().update(real, fake, rng)
        self.label = "learned"


class FitsWithin(SoundJudge):
    def __init__(self, label="sound", floor=0.3, scaler=StandardScaler()):
        super().__init__(label, floor)
        self.scaler = scaler

    def update(self, real, fake, rng):
        self.scaler.fit(table(real))
        super().update(real, fake, rng)


class Forgetful(SoundJudge):
    def state(self):
        return {"middle": getattr(self, "middle_", None)}

    def restore(self, state):
        self.middle_ = state["middle"]


class Stepless(SoundJudge):
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


class Lambda(SoundJudge):
    def update(self, real, fake, rng):
        super().update(real, fake, rng)
        self.score_ = lambda x: x @ self.slopes_


JUDGES = {
    Mute: "declares_what_it_says",
    Remarks: "declares_what_it_says",
    Aimless: "declares_what_it_says",
    Column: "gives_a_score_for_each_sample",
    Silent: "gives_a_score_for_each_sample",
    Few: "gives_a_score_for_each_sample",
    Tires: "changes_nothing_when_asked",
    Unready: "judges_before_it_learns",
    Positional: "judges_in_any_order",
    Relative: "judges_each_sample_by_itself",
    Writes: "leaves_batches_alone",
    WritesWhenAsked: "leaves_batches_alone",
    Owner: "takes_read_only_arrays",
    Double: "takes_single_precision",
    Matrices: "takes_tuples",
    Deaf: "takes_conditions",
    Rewrites: "takes_conditions",
    ForgetsSlopes: "takes_conditions",
    Hungry: "takes_few_samples",
    Floorless: "takes_constant_features",
    OwnDice: "draws_from_rng_alone",
    GlobalDice: "leaves_global_randomness_alone",
    Veteran: "start_forgets",
    Seeded: "start_forgets",
    Averages: "refits_from_scratch",
    Losing: "plays",
    Contrary: "scores_genuine_samples_higher",
    Uncorrected: "takes_no_side_without_information",
    TwoMinds: "vjp_gives_the_scores_of_examine",
    Unscaled: "vjp_is_the_gradient",
    Clips: "pullback_is_linear",
    Renames: "keeps_its_parameters",
    FitsWithin: "keeps_its_parameters",
    Forgetful: "remembers",
    Stepless: "remembers",
    Lambda: "can_be_saved",
}


# ---------------------------------------------------------------------------------------------------------- generators
class SoundGenerator(BaseEstimator):
    """x = mean + spread z, learning the mean by gradient, in units of the spread."""

    learns_from = Gradients

    def __init__(self, rate=0.1, label="sound"):
        self.rate, self.label = rate, label

    def start(self, example, rng):
        spread = example.x.std(axis=0)
        self.mean_, self.spread_ = example.x.mean(axis=0), np.where(spread > 0, spread, 1)

    def propose(self, n, rng, given=None):
        return Samples(self.mean_ + self.spread_ * rng.standard_normal((n, *self.mean_.shape)), given)

    def sample(self, n, rng, given=None):
        return self.propose(n, rng, given).x

    def update(self, samples, feedback):
        self.mean_ = self.mean_ - self.rate * self.spread_**2 * feedback.values.mean(axis=0)


class Vague(SoundGenerator):
    learns_from = "gradients"


class Nobody(SoundGenerator):
    population = 0


class Even(SoundGenerator):
    def propose(self, n, rng, given=None):
        return super().propose(n - n % 2, rng, given)


class Array(SoundGenerator):
    def propose(self, n, rng, given=None):
        return super().propose(n, rng, given).x


class Helpless(SoundGenerator):
    def update(self, samples, feedback):
        raise KeyError("lost")


class Drifts(SoundGenerator):
    def propose(self, n, rng, given=None):
        self.mean_ = self.mean_ + 0.1 * self.spread_
        return super().propose(n, rng, given)


class SamplesAnew(SoundGenerator):
    def sample(self, n, rng, given=None):
        return super().sample(n, np.random.default_rng(), given)


class Unconditional(SoundGenerator):
    def propose(self, n, rng, given=None):
        return super().propose(n, rng)


class Overwrites(SoundGenerator):
    def propose(self, n, rng, given=None):
        if given is not None:
            given *= 2
        return super().propose(n, rng, given)


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
    def propose(self, n, rng, given=None):
        np.random.rand()  # noqa: NPY002
        return super().propose(n, rng, given)


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
    Vague: "declares_what_it_learns_from",
    Nobody: "declares_what_it_learns_from",
    Even: "proposes_as_many_as_asked",
    Array: "proposes_as_many_as_asked",
    Helpless: "takes_feedback",
    Drifts: "learns_nothing_by_proposing",
    SamplesAnew: "samples_what_it_learned",
    Unconditional: "passes_conditions_on",
    Overwrites: "passes_conditions_on",
    DeafWhenSampled: "passes_conditions_on",
    Flat: "makes_events_of_any_shape",
    Divides: "takes_constant_features",
    DoubleOnly: "takes_single_precision",
    WritesFeedback: "leaves_lessons_alone",
    WritesSamples: "leaves_lessons_alone",
    OwnsFeedback: "takes_read_only_lessons",
    Climbs: "lowers_its_loss",
    Rests: "lowers_its_loss",
    OwnNoise: "draws_from_rng_alone",
    GlobalNoise: "leaves_global_randomness_alone",
    Resumes: "start_forgets",
    Overwhelmed: "plays",
    Relabels: "keeps_its_parameters",
    Amnesiac: "remembers",
    Closure: "can_be_saved",
}

__all__ = ["GENERATORS", "JUDGES", "ExactJudge", "Scores", "SoundGenerator", "SoundJudge"]
