"""What the command line makes of a user's mistakes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from turinglearn.protocols import PlayerError
from turinglearn.study.outcomes import StudyProblem

__all__ = ["INTERRUPTED", "MISTAKE", "mistakes", "printable"]

MISTAKE, INTERRUPTED = 1, 130  # exit codes
_KINDS = (ValueError, TypeError, OSError, ImportError, PlayerError, StudyProblem)


@contextmanager
def mistakes(as_json: bool) -> Iterator[None]:
    """A mistake, or Ctrl-C, ends in a line and an exit code, not a traceback; a reader that leaves, such as head, is none."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what the interpreter flushes when it ends
    except KeyboardInterrupt as error:
        print("Stopped.", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from error
    except _KINDS as error:
        print(json.dumps({"error": str(error)}) if as_json else f"Error: {printable(str(error))}", file=sys.stderr)
        raise typer.Exit(MISTAKE) from error


def printable(text: str) -> str:
    """A text for a terminal, without what would command it."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
