"""The help of every command, in plain words of the field."""

from __future__ import annotations

import re

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from tests.docs.test_vocabulary import banned
from turinglearn.cli.main import app


def commands(command, path=()):
    """Each command and group of commands, by its words."""
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


PATHS = list(commands(get_command(app)))


def help_of(path):
    done = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.stdout


def test_commands_are_found():
    found = {"fit", "sample", "score", "players", "check", "demo"}
    assert {path[0] for path in PATHS if len(path) == 1} == found | {"study"}
    assert {path[1] for path in PATHS if len(path) == 2} == {"run", "status", "resume", "export", "report"}


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_no_banned_word_is_in_the_help(path):
    assert list(banned(help_of(path))) == []


def command_of(path):
    command = get_command(app)
    for name in path:
        command = command.commands[name]
    return command


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_a_command_and_each_of_its_options_are_explained(path):
    command = command_of(path)
    assert command.help
    assert not re.match(r"(What|Whether|How|Which|Who|Where)\b", command.help)
    assert [option.name for option in command.params if not option.help] == []
