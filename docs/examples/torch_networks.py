"""A GAN from two torch modules of your own, on a ring of eight Gaussians.

python docs/examples/torch_networks.py [--rounds 3000] [--picture torch_networks.png]
"""

from __future__ import annotations

import argparse

import torch
from torch import nn

from turinglearn import TuringLearner
from turinglearn.datasets import ring
from turinglearn.discriminators import TorchDiscriminator
from turinglearn.generators import TorchGenerator
from turinglearn.metrics import energy_distance

torch.manual_seed(0)
generator = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
discriminator = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))


def slow(parameters):
    return torch.optim.Adam(parameters, lr=5e-4, betas=(0.5, 0.9))


def fast(parameters):
    return torch.optim.Adam(parameters, lr=2e-3, betas=(0.5, 0.9))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3000)
    parser.add_argument("--picture", help="write real and fake samples to this file")
    arguments = parser.parse_args()

    X, test, other = (ring(sigma=0.1).sample(5000, seed) for seed in range(3))
    learner = TuringLearner(
        TorchGenerator(generator, latent_dim=2, optimizer=slow),
        TorchDiscriminator(discriminator, optimizer=fast),
        rounds=arguments.rounds,
        batch_size=256,
        random_state=0,
    )
    for r in learner.play(X):
        if r.index % 1000 == 0:
            print(f"round {r.index}: generator loss {r.generator_loss:.2f}, accuracy {r.accuracy:.2f}")
    fake = learner.sample(5000)
    print(f"energy distance to held-out samples: {energy_distance(fake, test):.4f}")
    print(f"of other real samples to them:       {energy_distance(other, test):.4f}")
    if arguments.picture:
        from turinglearn.plots import real_beside_fake

        real_beside_fake(test, fake).savefig(arguments.picture, dpi=120)


if __name__ == "__main__":
    main()
