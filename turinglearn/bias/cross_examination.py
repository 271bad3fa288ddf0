"""Cross-examination: fresh discriminators of every family on what each generator has learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from turinglearn.arrays import to_numpy
from turinglearn.bias.contrasts import mean_interval
from turinglearn.bias.training import fit_discriminator
from turinglearn.contract import score_samples
from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import Floats, SeedLike, matrix
from turinglearn.protocols import Array, Batch, Rng
from turinglearn.streams import Streams, as_seed

__all__ = ["CrossExamination", "balanced_accuracy", "cross_examine"]

_ROWS = 8  # real ones of a seed, at least: half to fit, half to score


@dataclass(frozen=True, slots=True)
class CrossExamination:
    """Balanced accuracies of fresh discriminators on held-out rows; .5 if fakes are indistinguishable from real rows.

    Attributes
    ----------
    generators : tuple of str
        Names of the G generators.
    discriminators : tuple of str
        Names of the J discriminators.
    accuracies : ndarray of shape (G, J, S)
        Balanced accuracy for each of S seeds.
    intervals : dict of (generator, discriminator) to Interval
        Student's interval of the mean over seeds.
    """

    generators: tuple[str, ...]
    discriminators: tuple[str, ...]
    accuracies: Floats
    intervals: dict[tuple[str, str], Interval]

    def hardest(self, generator: str) -> str:
        """Return the name of the discriminator with the highest mean accuracy on the generator."""
        return self.discriminators[int(np.argmax(self.accuracies[self.generators.index(generator)].mean(axis=1)))]


def cross_examine(
    samples: Mapping[str, Sequence[Array]],
    real: Array,
    discriminators: Mapping[str, object],
    *,
    steps: int = 1_000,
    batch_size: int = 128,
    level: float = 0.95,
    random_state: SeedLike = 0,
) -> CrossExamination:
    """Measure the accuracy of a fresh discriminator of each kind on each generator's samples.

    It shows what the discriminator that a generator learned from has missed. Half of the rows of each kind are for fitting a
    discriminator, the other half are scored; a tie counts one half.

    Parameters
    ----------
    samples : dict of str to list of arrays
        For each generator one sample (n, d) per seed; the same number of seeds for all, at least two.
    real : array of shape (m, d)
        Held-out real rows, at least eight for each seed. They are divided among the seeds at random, in the same way for all
        generators and discriminators.
    discriminators : dict of str to object
        Discriminators whose evidence is log-odds, or what `as_discriminator` adapts.
    steps, batch_size : int
        Training of discriminators that do not refit, as in `fit_discriminator`.
    level : float
        Confidence level.
    random_state : int, numpy generator or None
        Seed.

    Returns
    -------
    CrossExamination

    Raises
    ------
    ValueError
        If numbers of seeds or features do not match.
    """
    y, count = _checked(samples, real, discriminators)
    seed = as_seed(random_state)
    streams = Streams(seed)
    shares = np.array_split(streams("genuine").permutation(len(y)), count)
    found = np.empty((len(samples), len(discriminators), count))
    for g, (name, drawn) in enumerate(samples.items()):
        for s, x in enumerate(drawn):
            fake, rows = matrix(x, f"samples[{name!r}][{s}]", rows=4), y[shares[s]]
            if fake.shape[1] != y.shape[1]:
                raise ValueError(f"samples[{name!r}][{s}] has {fake.shape[1]} features; expected {y.shape[1]}, as real has.")
            for j, (kind, discriminator) in enumerate(discriminators.items()):
                rng = Streams(seed)(f"discriminator/{kind}/{s}")  # the same for every generator
                found[g, j, s] = balanced_accuracy(discriminator, rows, fake, rng, steps=steps, batch_size=batch_size)
    generator_names, kinds = tuple(samples), tuple(discriminators)
    intervals = {
        (name, kind): mean_interval(found[g, j], level=level)
        for g, name in enumerate(generator_names)
        for j, kind in enumerate(kinds)
    }
    return CrossExamination(generator_names, kinds, found, intervals)


def balanced_accuracy(
    discriminator: object, real: Floats, fake: Floats, rng: Rng, *, steps: int = 1_000, batch_size: int = 128
) -> float:
    """Fit a fresh discriminator to the first halves of real (n, d) and fake (m, d), and return its accuracy on the second.

    Ties count one half.
    """
    (real_in, real_out), (fake_in, fake_out) = (np.array_split(x, 2) for x in (real, fake))
    player = fit_discriminator(discriminator, Batch(real_in), Batch(fake_in), rng, steps=steps, batch_size=batch_size)
    r, s = (np.sign(to_numpy(score_samples(player, Batch(x)).values)) for x in (real_out, fake_out))
    return float((2 + r.mean() - s.mean()) / 4)


def _checked(samples: Mapping[str, Sequence[Array]], real: Array, discriminators: Mapping[str, object]) -> tuple[Floats, int]:
    """Return the real rows as a matrix and the number of seeds, or raise a ValueError."""
    _check_names(samples, discriminators)
    y, seeds = matrix(real, "real"), {len(each) for each in samples.values()}
    if not samples or not discriminators or len(seeds) != 1 or min(seeds) < 2:
        raise ValueError(
            f"There are {len(discriminators)} discriminators, and generators with {sorted(seeds)} samples; expected at least "
            "one discriminator, and the same number of seeds, at least 2, of each generator."
        )
    (count,) = seeds
    if len(y) < _ROWS * count:
        raise ValueError(
            f"real has {len(y)} rows for {count} seeds; expected at least {_ROWS} for each. Draw {_ROWS * count} or more."
        )
    return y, count


def _check_names(samples: Mapping[str, Sequence[Array]], discriminators: Mapping[str, object]) -> None:
    """Raise a ValueError unless both are dicts, and each sample is a list with one array per seed."""
    for name, value in (("samples", samples), ("discriminators", discriminators)):
        if not isinstance(value, Mapping):
            raise ValueError(f"{name} is a {type(value).__name__}; expected a dict. Give each of them a name: {{'name': ...}}.")
    for name, drawn in samples.items():
        if hasattr(drawn, "shape") and len(drawn.shape) < 3:
            raise ValueError(
                f"samples[{name!r}] is one array of shape {tuple(drawn.shape)}; expected samples of several seeds. Give a list "
                "with one sample (n, d) per seed."
            )
