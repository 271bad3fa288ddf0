"""The table on the page of classifiers: what each can do as a judge, asked of the classifiers that are installed.

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
from turinglearn.checks.problem import problem, seeded
from turinglearn.contract import examine, start, update
from turinglearn.discriminators import ClassifierDiscriminator, as_discriminator
from turinglearn.discriminators.voices import voice_of
from turinglearn.protocols import PlayerError

OUT = Path(__file__).parent / "zoo_matrix.inc"
COLUMNS = {
    "classifier": 26,
    "plays": 10,
    "says": 10,
    "from": 14,
    "exact gradient": 10,
    "learns on": 10,
    "weights": 10,
    "NaN": 8,
    "fails": 24,
}
VOICES = {"predict_proba": "probabilities", "decision_function": "decisions", "predict": "votes"}


def matrix() -> str:
    """The whole table, and with which versions it was made."""
    return ".. Written by docs/zoo_matrix.py; do not edit.\n\n" + "\n".join(
        map(part, filter(None, (every_classifier(), others())))
    )


def part(classifiers) -> str:
    """The table of some classifiers, below the versions of what they come from."""
    return f"Asked of {packages(classifiers)}:\n\n{table(classifiers)}"


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


def table(classifiers) -> str:
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {' '.join(map(str, COLUMNS.values()))}", ""]
    for row in [list(COLUMNS), *([f"``{name}``", *facts(name, c)] for name, c in classifiers.items())]:
        lines += [f"   {'*' if i == 0 else ' '} - {cell}".rstrip() for i, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


def facts(name, classifier) -> list[str]:
    """What the columns say of a classifier."""
    known = KNOWN.get(name, {})
    fails = "; ".join(f"``{check}``: {reason}" for check, reason in known.items() if check != "gives_a_score_for_each_sample")
    try:
        judge = taught(classifier)
    except (TypeError, ValueError, PlayerError) as refusal:
        why = known.get("gives_a_score_for_each_sample", str(refusal).partition(";")[0])
        return [f"no: {why}", *[""] * (len(COLUMNS) - 2)]
    return [
        "yes" if judge.estimator is classifier else "yes, adapted",
        f"`{judge.says.__name__}`",
        VOICES[voice_of(judge.estimator)],
        yes(hasattr(judge, "vjp")),
        yes(learns_on(classifier)),
        yes(has_fit_parameter(classifier, "sample_weight")),
        yes(takes_nan(classifier)),
        fails,
    ]


def taught(classifier):
    """The classifier as a judge that was shown both kinds and asked once."""
    judge, told = as_discriminator(classifier), problem()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start(judge, told.real(), seeded(1))
        update(judge, told.real(), told.fake(), seeded(2))
        examine(judge, told.both())
    return judge


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
