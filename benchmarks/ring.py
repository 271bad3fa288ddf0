"""Neural against neural on PacGAN's ring: eight modes of width .01, at most 20,000 rounds.

    python benchmarks/ring.py           # seeds 0 to 4; prints a table and writes benchmarks/results/ring.md

Data and measures are those of Lin et al. (2018): 100,000 real samples; a sample is of high quality within three widths of
a mode; a mode is captured by one sample of high quality; reverse KL is ln 8 minus the entropy of the modes' shares. The
networks and the schedule are small ones of our own, so that the figures do not repeat that paper's table.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path

import threadpoolctl
from provenance import provenance

from turinglearn import Game
from turinglearn.datasets import ring
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.metrics import energy_distance, mode_coverage
from turinglearn.nn import LinearDecay

ROUNDS, SCORED = 20_000, 10_000

PAGE = """# Neural against neural on PacGAN's ring

Written by `python benchmarks/ring.py --rounds {rounds}`: {provenance}.

Two networks 2-64-64, batch 256, packed by 2, Adam with both rates falling from 1e-3 to 0 over {rounds} rounds, a moving
average of the generator's weights with decay .999. Figures are from {scored} samples; as many real ones have {quality:.1f} %
high quality and a reverse KL of {reverse_kl:.4f}. One thread per game; µs of processor time, on a machine that was not
otherwise idle.

| seed | modes | high quality % | reverse KL | energy distance | µs per round |
|---|---|---|---|---|---|
{rows}
"""


def play(seed: int, rounds: int) -> str:
    """Play a game and return its row of the table."""
    problem, decay = ring(), LinearDecay(1e-3, rounds)
    game = Game(
        NeuralGenerator(latent_dim=2, hidden=(64, 64), learning_rate=decay, ema_decay=0.999),
        NeuralDiscriminator(hidden=(64, 64), learning_rate=decay),
        batch_size=256,
        pack=2,
        random_state=seed,
    )
    with threadpoolctl.threadpool_limits(1):
        begun = time.process_time()
        for _ in islice(game.rounds(problem.sample(100_000, 1000 + seed)), rounds):
            pass
        seconds = time.process_time() - begun
    fake = game.sample(SCORED)
    found = mode_coverage(fake, problem.modes, problem.sigma)
    distance = energy_distance(fake, problem.sample(SCORED, 2000 + seed))
    return (
        f"| {seed} | {found.captured} | {100 * found.high_quality:.1f} | {found.reverse_kl:.4f} | {distance:.5f} "
        f"| {1e6 * seconds / rounds:.0f} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "ring.md")
    arguments = parser.parse_args()
    with ProcessPoolExecutor(arguments.workers) as pool:
        rows = list(pool.map(play, range(arguments.seeds), [arguments.rounds] * arguments.seeds))
    problem = ring()
    truth = mode_coverage(problem.sample(SCORED, 1), problem.modes, problem.sigma)
    text = PAGE.format(
        rounds=arguments.rounds,
        provenance=provenance(),
        scored=SCORED,
        quality=100 * truth.high_quality,
        reverse_kl=truth.reverse_kl,
        rows="\n".join(rows),
    )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
