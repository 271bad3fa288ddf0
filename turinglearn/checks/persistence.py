"""Requirements of every player: parameters that learning does not change, and a state that can be restored and saved."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from turinglearn.checks.samples import close, on_host
from turinglearn.checks.suite import BrokenContract, Capability, Case, expect, requirement
from turinglearn.game.checkpoint import get_state, set_state
from turinglearn.persistence.codec import Attachments, NotSerializableError, decode, encode
from turinglearn.persistence.estimators import estimator_bytes

__all__ = ["REQUIREMENTS"]

_PARAMETERS = Capability(
    "it has no get_params: it does not inherit from sklearn.base.BaseEstimator", lambda case: hasattr(case.player, "get_params")
)


@requirement(capability=_PARAMETERS)
def keeps_its_parameters(case: Case[Any]) -> None:
    """Learning does not change the arguments of `__init__`; `repr` works."""
    player = case.fresh()
    passed = player.get_params(deep=False)
    attributes = {name: set(getattr(value, "__dict__", ())) for name, value in passed.items()}
    case.teach(case, player)
    repr(player)
    for name, value in player.get_params(deep=False).items():
        expect(
            value is passed[name] or (type(value) is type(passed[name]) and repr(value) == repr(passed[name])),
            f"{case.name} changed its parameter {name} from {passed[name]!r} to {value!r} while it learned; expected it "
            f"unchanged. Store what is learned under another name, such as {name}_.",
        )
        added = sorted(set(getattr(value, "__dict__", ())) - attributes[name])
        expect(
            not added,
            f"{case.name} fitted its parameter {name}, which now has {', '.join(added)}; expected it unchanged. "
            "Fit a copy, such as sklearn.base.clone makes.",
        )


@requirement("keeps_its_parameters", "draws_only_from_rng")
def state_can_be_restored(case: Case[Any]) -> None:
    """Its state, put back into it or into a new player, is all that it has learned."""
    player, twin = case.fresh(), case.fresh()
    case.teach(case, player)
    state, known = copy.deepcopy(get_state(player)), _observed(case, player)
    case.teach_more(case, player)
    later = _observed(case, player)
    for receiver, which in ((player, "it again"), (twin, "a new one")):
        set_state(receiver, state)
        expect(
            close(case.observe(case, receiver), known),
            f"{case.name} differs once its state is put into {which}; expected what it was when the state was taken. "
            "Keep all that is learned in attributes of the player, or in state() and restore(state).",
        )
    case.teach_more(case, twin)
    expect(
        close(case.observe(case, twin), later),
        f"{case.name} learns differently once its state is put into a new one; expected the same next update. Keep counts of "
        "updates and the state of an optimizer in attributes too, or in state() and restore(state).",
    )


@requirement("state_can_be_restored")
def can_be_saved(case: Case[Any]) -> None:
    """Its state can be written to a folder without code, and read back."""
    player, twin, attachments = case.fresh(), case.fresh(), Attachments()
    case.teach(case, player)
    try:
        text = json.dumps(encode(get_state(player), case.name, attachments))
        estimators = {key: _reread(key, estimator) for key, estimator in attachments.estimators.items()}
    except NotSerializableError as error:
        raise BrokenContract(
            f"{error} Expected nothing but arrays, numbers, texts and estimators in what {case.name} learned. Keep functions "
            "among the arguments of __init__, or write state() and restore(state) without them."
        ) from error
    known = _observed(case, player)
    set_state(twin, decode(json.loads(text), Attachments(attachments.arrays, estimators)))
    expect(
        close(case.observe(case, twin), known),
        f"{case.name} differs once it was saved and loaded; expected what it was. Keep all that is learned in attributes of "
        "the player, as arrays, numbers and texts, or in state() and restore(state).",
    )


def _reread(key: str, estimator: BaseEstimator) -> BaseEstimator:
    """Write an estimator and read it back, trusting its own types."""
    import skops.io

    content = estimator_bytes(key, estimator)
    return skops.io.loads(content, trusted=skops.io.get_untrusted_types(data=content))


def _observed(case: Case[Any], player: Any) -> NDArray[np.float64]:
    """Return a copy of what is observed of the player."""
    return on_host(case.observe(case, player))


REQUIREMENTS = (keeps_its_parameters, state_can_be_restored, can_be_saved)
