"""The bias and variance of eight discriminators on one pair of distributions with known log-odds, each with an interval.

python docs/examples/bias_pilot.py [--rounds 10]
"""

from __future__ import annotations

import argparse

from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from turinglearn.bias import discriminator_bias, divergences, pair
from turinglearn.discriminators import KernelSVMDiscriminator, NeuralDiscriminator

DISCRIMINATORS = {
    "logistic": LogisticRegression(),
    "quadratic logistic": make_pipeline(PolynomialFeatures(2), LogisticRegression(max_iter=1000)),
    "network": NeuralDiscriminator(),
    "RBF SVM": KernelSVMDiscriminator(),
    "forest, leaf 1": RandomForestClassifier(100),
    "forest, leaf 10": RandomForestClassifier(100, min_samples_leaf=10),
    "boosting": HistGradientBoostingClassifier(),
    "50 neighbours": KNeighborsClassifier(50),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10, help="training sets of 500 rows of each kind, at least 3")
    sets = parser.parse_args().rounds

    # Four correlated features against independent ones: no line tells them apart, their products do.
    truth = pair("correlated", dimension=4, kl=0.67)
    best = divergences(truth, draws=2**15).log_loss.value
    print(f"log-loss of the Bayes rule: {best:.3f}")
    print(f"{'':20}{'bias²':>8}{'95 % interval':>18}{'variance':>10}{'log-loss':>10}{'slope':>8}")
    for name, discriminator in DISCRIMINATORS.items():
        found = discriminator_bias(discriminator, truth, n=500, training_sets=sets, points=1_000, steps=300)
        b, v = found.squared_bias, found.variance.total
        loss = best + found.log_loss.total.value
        interval = f"{b.low:.2f} to {b.high:.2f}"
        print(f"{name:20}{b.value:8.2f}{interval:>18}{v.value:10.2f}{loss:10.3f}{found.calibration_slope.value:8.2f}")


if __name__ == "__main__":
    main()
