"""Errors of the command line: one line and an exit code for a user's mistake, instead of a traceback."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from turinglearn.protocols import PlayerError
from turinglearn.study.jobs import StudyProblem

__all__ = ["INTERRUPTED", "USER_ERROR", "errors_as_lines", "printable"]

USER_ERROR, INTERRUPTED = 1, 130  # exit codes
_USER_ERRORS = (ValueError, TypeError, OSError, ImportError, PlayerError, StudyProblem)


@contextmanager
def errors_as_lines(as_json: bool) -> Iterator[None]:
    """Print an error of the block as one line, or as JSON, and exit.

    Ctrl-C exits with its own code. A reader that closes the pipe early, such as ``head``, is not an error.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes it at its end
    except KeyboardInterrupt as error:
        print("Stopped.", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from error
    except _USER_ERRORS as error:
        print(json.dumps({"error": str(error)}) if as_json else f"Error: {printable(str(error))}", file=sys.stderr)
        raise typer.Exit(USER_ERROR) from error


def printable(text: str) -> str:
    """Return a text that is safe to print on a terminal, without control characters."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
