"""The line of a run: it counts, and its estimate of the time that is left knows that some players take longer."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from turinglearn.study import Job, Outcome
from turinglearn.study.progress import TimeLeft, duration, watching

QUICK = [Job(f"q{i}", {"kind": "discriminator", "discriminator": "logistic"}) for i in range(10)]
SLOW = [Job(f"s{i}", {"kind": "game", "discriminator": "forest", "generator": "neural"}) for i in range(10)]


def outcome(job, seconds, status="ok"):
    return Outcome(job.identity, status, {}, "", seconds, "2026-01-01T00:00:00+00:00", "here:1")


def test_the_time_left_is_that_of_the_players_that_are_left():
    estimate = TimeLeft([*QUICK, *SLOW])
    assert estimate.after(1.0) == 0.0  # nothing is known yet
    for job in QUICK:
        estimate.note(outcome(job, 1.0))
    assert estimate.after(5.0) == pytest.approx(5.0)  # two at a time, and no game was played yet
    for job in SLOW[:2]:
        estimate.note(outcome(job, 50.0))
    assert estimate.after(55.0) == pytest.approx(8 * 50 / 2)
    for job in SLOW[2:]:
        estimate.note(outcome(job, 50.0))
    assert estimate.after(255.0) == 0.0


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (90, "2 min"), (3599, "60 min"), (9000, "2.5 h")])
def test_durations_have_two_digits(seconds, text):
    assert duration(seconds) == text


def test_the_line_counts_on_a_terminal_and_is_silent_elsewhere():
    for terminal in (True, False):
        stream = StringIO()
        with watching(Console(file=stream, force_terminal=terminal, width=120), QUICK, lambda: "http://here") as watch:
            watch(outcome(QUICK[0], 1.0))
            watch(outcome(QUICK[1], 1.0, "error"))
        found = stream.getvalue()
        assert all((part in found) == terminal for part in ("cell 2/10", "1 failed", "left", "http://here"))
