"""Figures that were recorded once: the same numbers come out, whatever things are called.

Where the processor and the libraries are those of the recording, every bit is compared. Another processor rounds sums in
another order, and a game amplifies that: Adam divides by the root of a mean square, so that a gradient near 0 turns rounding
into a step of full length, and the rows that a tree splits at move. There only the first two rounds are compared, and figures
that come of no game: to 1e-6 in float64, and to 1e-3 in float32, whose rounding of 6e-8 grows by some orders of magnitude on
its way through two rounds. Other versions of libraries may draw and fit differently, so that the test is skipped until figures
are recorded again.
"""

from __future__ import annotations

import functools
import json

import pytest

from tests import golden


@functools.cache
def recorded():
    return json.loads(golden.PATH.read_text())


def test_every_game_is_recorded():
    assert list(recorded()["games"]) == list(golden.GAMES)


@pytest.mark.parametrize("name", golden.GAMES)
def test_figures_are_those_that_were_recorded(name):
    kept, chosen = recorded(), golden.GAMES[name]
    for library in chosen.needs:
        pytest.importorskip(library, reason=f"needs {library}, which is not installed")
    for library, version in kept["versions"].items():
        if library != "python" and (present := golden.versions()[library]) != version:
            pytest.skip(f"needs {library} {version}, with which the figures were recorded; this is {present}")
    rtol = None if golden.machine() == kept["machine"] else chosen.rtol
    found = golden.play(name)
    differing = list(golden.differences(found, kept["games"][name], rtol, after=chosen.after))
    assert not differing, f"{name}: {len(differing)} figures differ\n" + "\n".join(differing[:20])
