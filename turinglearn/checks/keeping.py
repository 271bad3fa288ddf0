"""What generators and discriminators keep alike: parameters as they were given, and a memory that can be put back."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np

from turinglearn.arrays import to_numpy
from turinglearn.checks.problem import close
from turinglearn.checks.suite import BrokenContract, Inapplicable, Subject, expect, rests_on
from turinglearn.persistence.codec import Parcel, Unsavable, decode, encode
from turinglearn.persistence.estimators import estimator_bytes
from turinglearn.protocols import Array
from turinglearn.state import recall, remember

__all__ = ["TRIALS"]


def keeps_its_parameters(s: Subject) -> None:
    """Learning leaves the arguments of `__init__` as they were given; `repr` works."""
    player = s.fresh()
    if not hasattr(player, "get_params"):
        raise Inapplicable("it has no parameters to be cloned by: it does not inherit sklearn.base.BaseEstimator")
    given = player.get_params(deep=False)
    insides = {name: set(getattr(value, "__dict__", ())) for name, value in given.items()}
    s.begin(s, player)
    repr(player)
    for name, value in player.get_params(deep=False).items():
        expect(
            value is given[name] or (type(value) is type(given[name]) and repr(value) == repr(given[name])),
            f"{s.who} changed its parameter {name} from {given[name]!r} to {value!r} while it learned; expected it as it was "
            f"given. Store what is learned under another name, such as {name}_.",
        )
        grown = sorted(set(getattr(value, "__dict__", ())) - insides[name])
        expect(
            not grown,
            f"{s.who} learned within its parameter {name}, which now has {', '.join(grown)}; expected it as it was given. "
            "Learn on a copy, such as sklearn.base.clone makes.",
        )


@rests_on("keeps_its_parameters", "draws_from_rng_alone")
def remembers(s: Subject) -> None:
    """Its state, put back into it or into a new one, is all that it has learned."""
    player, twin = s.fresh(), s.fresh()
    s.begin(s, player)
    state, known = copy.deepcopy(remember(player)), _shown(s, player)
    s.go_on(s, player)
    later = _shown(s, player)
    for who, whose in ((player, "it again"), (twin, "a new one")):
        recall(who, state)
        expect(
            close(s.show(s, who), known),
            f"{s.who} is not the same once its state is put into {whose}; expected what it was when the state was taken. "
            "Keep all that is learned in attributes of the player, or in state() and restore(state).",
        )
    s.go_on(s, twin)
    expect(
        close(s.show(s, twin), later),
        f"{s.who} learns on otherwise once its state is put into a new one; expected the same as without. Keep counts of "
        "updates and what an optimizer remembers among the attributes too, or in state() and restore(state).",
    )


@rests_on("remembers")
def can_be_saved(s: Subject) -> None:
    """Its state can be written to a folder without code, and read back."""
    player, twin, parcel = s.fresh(), s.fresh(), Parcel()
    s.begin(s, player)
    try:
        text = json.dumps(encode(remember(player), s.who, parcel))
        estimators = {key: _reread(key, estimator) for key, estimator in parcel.estimators.items()}
    except Unsavable as error:
        raise BrokenContract(
            f"{error} Expected nothing but arrays, numbers, texts and estimators in what {s.who} learned. Keep functions among "
            "the arguments of __init__, or write state() and restore(state) without them."
        ) from error
    known = _shown(s, player)
    recall(twin, decode(json.loads(text), Parcel(parcel.arrays, estimators)))
    expect(
        close(s.show(s, twin), known),
        f"{s.who} is not the same once it was saved and loaded; expected what it was. Keep all that is learned in attributes "
        "of the player, as arrays, numbers and texts, or in state() and restore(state).",
    )


def _reread(key: str, estimator: Any) -> Any:
    """An estimator, written and read back; its own types are trusted."""
    import skops.io

    content = estimator_bytes(key, estimator)
    return skops.io.loads(content, trusted=skops.io.get_untrusted_types(data=content))


def _shown(s: Subject, player: Any) -> Array:
    """A copy of what can be seen of the player, on the host."""
    return np.array(to_numpy(s.show(s, player)))


TRIALS = (keeps_its_parameters, remembers, can_be_saved)
