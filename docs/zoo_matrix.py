"""The table on the page of classifiers: what each can do as a discriminator, asked of the classifiers that are installed.

python docs/zoo_matrix.py [--out docs/zoo_matrix.inc]
"""

from __future__ import annotations

import argparse
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.every_classifier import KNOWN, every_classifier, others
from turinglearn.checks.samples import make_samples, seeded
from turinglearn.contract import score_samples, start, update
from turinglearn.discriminators import ClassifierDiscriminator, as_discriminator
from turinglearn.discriminators.classifiers.outputs import response_method
from turinglearn.protocols import PlayerError

OUT = Path(__file__).parent / "zoo_matrix.inc"
COLUMNS = {
    "classifier": 30,
    "plays": 11,
    "evidence": 11,
    "from": 13,
    "exact gradient": 10,
    "incremental": 11,
    "weights": 8,
    "NaN": 6,
}
VOICES = {"predict_proba": "probabilities", "decision_function": "decisions", "predict": "votes"}


def matrix() -> str:
    """The whole table, and with which versions it was made."""
    return ".. Written by docs/zoo_matrix.py; do not edit.\n\n" + "\n".join(
        map(part, filter(None, (every_classifier(), others())))
    )


def part(classifiers) -> str:
    """The tables of some classifiers, below the versions of what they come from."""
    rows = {f"``{name}``": facts(name, classifier) for name, classifier in classifiers.items()}
    refused = [[name, row[0].removeprefix("no: ")] for name, row in rows.items() if row[0].startswith("no: ")]
    failing = [[name, row[-1]] for name, row in rows.items() if row[-1]]
    able = [[name, row[0].partition(":")[0], *row[1:-1]] for name, row in rows.items()]
    tables = [table(COLUMNS, able)]
    tables += [f"Refused:\n\n{table({'classifier': 30, 'why': 70}, refused)}"] if refused else []
    tables += [f"Checks that fail:\n\n{table({'classifier': 30, 'check, and why': 70}, failing)}"] if failing else []
    return "\n".join([f"Asked of {packages(classifiers)}:\n", *tables])


def packages(classifiers) -> str:
    """The packages that these come from, and their versions."""
    names = {"sklearn": "scikit-learn", "imblearn": "imbalanced-learn", "interpret": "interpret-core"}
    found = {names.get(root, root) for root in (type(c).__module__.partition(".")[0] for c in classifiers.values())}
    return ", ".join(f"{name} {version_of(name)}" for name in sorted(found))


def version_of(name: str) -> str:
    try:
        return version(name)
    except Exception:
        return version(f"{name}-cpu")  # XGBoost without CUDA


def table(columns: dict[str, int], rows: list[list[str]]) -> str:
    """A table with these columns, each with its share of the width."""
    head = [".. list-table::", "   :header-rows: 1", f"   :widths: {' '.join(map(str, columns.values()))}"]
    lines = [*head, "   :class: compact", ""]
    for row in [list(columns), *rows]:
        lines += [f"   {'*' if i == 0 else ' '} - {cell}".rstrip() for i, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


def facts(name, classifier) -> list[str]:
    """What the columns say of a classifier, and at the end the checks that it fails."""
    known = KNOWN.get(name, {})
    fails = "; ".join(f"``{check}``: {reason}" for check, reason in known.items() if check != "scores_every_sample")
    try:
        discriminator = trained(classifier)
    except (TypeError, ValueError, PlayerError) as refusal:
        why = known.get("scores_every_sample", str(refusal).partition(";")[0])
        return [f"no: {why}", *[""] * (len(COLUMNS) - 1)]
    return [
        "yes" if discriminator.estimator is classifier else "adapted",
        f"`{discriminator.score_type.__name__}`",
        VOICES[response_method(discriminator.estimator)],
        yes(hasattr(discriminator, "vjp")),
        yes(learns_on(classifier)),
        yes(has_fit_parameter(classifier, "sample_weight")),
        yes(takes_nan(classifier)),
        fails,
    ]


def trained(classifier):
    """The classifier as a discriminator that was shown both kinds and asked once."""
    discriminator, samples = as_discriminator(classifier), make_samples()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start(discriminator, samples.real(), seeded(1))
        update(discriminator, samples.real(), samples.fake(), seeded(2))
        score_samples(discriminator, samples.both())
    return discriminator


def learns_on(classifier) -> bool:
    """Whether it can go on from the last update, with incremental=True."""
    try:
        return not ClassifierDiscriminator(classifier, incremental=True).refits
    except (TypeError, ValueError):
        return False


def takes_nan(classifier) -> bool:
    """Whether it says that it takes missing values, or, where it says nothing, does."""
    try:
        return bool(get_tags(classifier).input_tags.allow_nan)
    except Exception:
        pass
    X = np.array([[0.0, np.nan], [1.0, 2.0]] * 20)
    try:
        classifier.fit(X, np.array([0, 1] * 20))
    except Exception:
        return False
    return True


def yes(fact: bool) -> str:
    return "yes" if fact else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT)
    out = parser.parse_args().out
    out.write_text(matrix(), encoding="utf-8")
    print(out)


if __name__ == "__main__":
    main()
