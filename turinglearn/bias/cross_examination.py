"""Every trained generator before fresh judges of every family: what the judge that taught it may have missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from turinglearn.arrays import to_numpy
from turinglearn.bias.contrasts import mean_interval
from turinglearn.bias.teaching import taught
from turinglearn.contract import examine
from turinglearn.metrics import Interval
from turinglearn.metrics.inputs import matrix
from turinglearn.protocols import Array, Batch, Rng
from turinglearn.streams import Streams, as_seed

__all__ = ["CrossExamination", "balanced_accuracy", "cross_examine"]

_ROWS = 8  # genuine ones of a seed, at least: half teach, half are judged


@dataclass(frozen=True, slots=True)
class CrossExamination:
    """Balanced accuracies of fresh judges on held-out rows, .5 being as good as genuine.

    generators, judges: the names of rows and columns. accuracies (G, J, S): one per seed. intervals: {(generator, judge):
    interval of the mean over seeds}, of Student's t.
    """

    generators: tuple[str, ...]
    judges: tuple[str, ...]
    accuracies: Any
    intervals: dict[tuple[str, str], Interval]

    def hardest(self, generator: str) -> str:
        """The judge that catches the generator best, by the mean over seeds."""
        return self.judges[int(np.argmax(self.accuracies[self.generators.index(generator)].mean(axis=1)))]


def cross_examine(
    samples: Mapping[str, Sequence[Array]],
    genuine: Array,
    judges: Mapping[str, Any],
    *,
    steps: int = 1_000,
    batch_size: int = 128,
    level: float = 0.95,
    random_state: Any = 0,
) -> CrossExamination:
    """Accuracy of a fresh judge of each kind on each generator's samples, against genuine ones that no player has seen.

    samples: for each generator one sample (n, d) per seed, as many seeds for all, at least two; genuine (m, d) is shared out
    among the seeds in a random order, the same for all generators and judges, at least eight rows each. Half of the rows of
    each kind teach the judge, the other half are judged; a tie counts one half. judges: discriminators that say log-odds, or
    what `as_discriminator` adapts; steps, batch_size: of those that do not refit. ValueError where seeds or features do not
    match.
    """
    _check_names(samples, judges)
    y, seeds = matrix(genuine, "genuine"), {len(each) for each in samples.values()}
    if not samples or not judges or len(seeds) != 1 or min(seeds) < 2:
        raise ValueError(
            f"There are {len(judges)} judges, and generators with {sorted(seeds)} samples; expected at least one judge, and "
            "the same number of seeds, at least 2, of each generator."
        )
    (count,) = seeds
    if len(y) < _ROWS * count:
        raise ValueError(
            f"genuine has {len(y)} rows for {count} seeds; expected at least {_ROWS} for each. Draw {_ROWS * count} or more."
        )
    streams = Streams(as_seed(random_state))
    shares = np.array_split(streams("genuine").permutation(len(y)), count)
    found = np.empty((len(samples), len(judges), count))
    for g, (name, drawn) in enumerate(samples.items()):
        for s, x in enumerate(drawn):
            fake, real = matrix(x, f"samples[{name!r}][{s}]", rows=4), y[shares[s]]
            if fake.shape[1] != y.shape[1]:
                raise ValueError(f"samples[{name!r}][{s}] has {fake.shape[1]} features; expected {y.shape[1]}, as genuine has.")
            for j, (kind, judge) in enumerate(judges.items()):
                rng = Streams(as_seed(random_state))(f"judge/{kind}/{s}")  # the same for every generator
                found[g, j, s] = balanced_accuracy(judge, real, fake, rng, steps=steps, batch_size=batch_size)
    names = tuple(samples), tuple(judges)
    intervals = {
        (name, kind): mean_interval(found[g, j], level=level)
        for g, name in enumerate(names[0])
        for j, kind in enumerate(names[1])
    }
    return CrossExamination(*names, found, intervals)


def balanced_accuracy(judge: Any, real: Any, fake: Any, rng: Rng, *, steps: int = 1_000, batch_size: int = 128) -> float:
    """Of a fresh judge that learns from the first halves of real (n, d) and fake (m, d), on the second; ties count one half."""
    (real_in, real_out), (fake_in, fake_out) = (np.array_split(x, 2) for x in (real, fake))
    player = taught(judge, Batch(real_in), Batch(fake_in), rng, steps=steps, batch_size=batch_size)
    r, s = (np.sign(to_numpy(examine(player, Batch(x)).values)) for x in (real_out, fake_out))
    return float((2 + r.mean() - s.mean()) / 4)


def _check_names(samples: Any, judges: Any) -> None:
    for name, given in (("samples", samples), ("judges", judges)):
        if not isinstance(given, Mapping):
            raise ValueError(f"{name} is a {type(given).__name__}; expected a dict. Give each of them a name: {{'name': ...}}.")
    for name, drawn in samples.items():
        if hasattr(drawn, "shape") and len(drawn.shape) < 3:
            raise ValueError(
                f"samples[{name!r}] is one array of shape {tuple(drawn.shape)}; expected samples of several seeds. Give a list "
                "with one sample (n, d) per seed."
            )
