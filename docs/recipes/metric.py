"""A metric of your own: train a classifier on fake rows, test it on real ones."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from turinglearn import TuringLearner
from turinglearn.generators import MixtureGenerator
from turinglearn.metrics import interval


def train_on_synthetic(rows, test):
    """Return the area under the ROC curve on `test` of a classifier fitted to `rows`; the last column is the label."""
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    classifier.fit(rows[:, :-1], rows[:, -1] > 0.5)
    return float(roc_auc_score(test[:, -1] > 0.5, classifier.decision_function(test[:, :-1])))


if __name__ == "__main__":
    cancer = load_breast_cancer()
    table = np.column_stack([cancer.data[:, [0, 1, 4, 6]], cancer.target])
    train, test = train_test_split(table, random_state=0)
    forest = RandomForestClassifier(50, min_samples_leaf=5)
    learner = TuringLearner(MixtureGenerator(), forest, rounds=60, random_state=0).fit(train)
    fake = learner.sample(len(train))
    print(f"trained on real rows: {train_on_synthetic(train, test):.3f}")
    print(f"trained on fake rows: {train_on_synthetic(fake, test):.3f}")
    print(interval(train_on_synthetic, fake, test, random_state=0))
