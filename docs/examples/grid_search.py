"""Grid search over the discriminator's options, by the score on held-out rows.

python docs/examples/grid_search.py [--rounds 40]
"""

from __future__ import annotations

import argparse

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, train_test_split

from turinglearn import TuringLearner
from turinglearn.generators import MixtureGenerator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds

    train, test = train_test_split(load_breast_cancer().data[:, [0, 1, 4, 6]], random_state=0)
    forest = RandomForestClassifier(30, min_samples_leaf=5)
    search = GridSearchCV(
        TuringLearner(MixtureGenerator(), forest, rounds=rounds, random_state=0),
        {"discriminator__min_samples_leaf": [2, 10], "generator__n_components": [2, 8]},
        cv=3,
        n_jobs=1,
    )
    search.fit(train)
    for parameters, mean in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True):
        print(f"{mean:7.3f}  {parameters}")
    print(f"best: {search.best_params_}")
    print(f"score on held-out rows: {search.score(test):.3f}")


if __name__ == "__main__":
    main()
