"""The page on studies, and the README on them: files and commands as they stand there, and what they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from sklearn.datasets import load_breast_cancer

from tests.documents import DOCS, REPOSITORY, blocks

PAGE = DOCS / "studies.rst"
LANGUAGES = ("toml", "python")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")]


def transcripts():
    """Each block of commands with what they print; not those of a cluster."""
    for block in blocks(PAGE, "console"):
        parts = re.split(r"^\$ (.*)\n", block.rstrip("\n") + "\n", flags=re.M)[1:]
        if not any(command.startswith("dask ") for command in parts[::2]):
            yield list(zip(parts[::2], parts[1::2], strict=True))


@pytest.fixture
def shell(tmp_path):
    """A folder with the files of the page, and how to run a command in it."""
    for block in (block for language in LANGUAGES for block in blocks(PAGE, language)):
        if named := re.match(r"# (\w+\.\w+)\n", block):
            (tmp_path / named[1]).write_text(block)
    command = tmp_path / "bin" / "turinglearn"
    command.parent.mkdir()
    place, guard = f"import sys; sys.path.insert(1, {str(REPOSITORY)!r})", 'if __name__ == "__main__":'
    command.write_text(f"#!{sys.executable}\n{place}\nfrom turinglearn.cli.main import main\n{guard}\n    main()\n")
    command.chmod(0o755)
    environment = os.environ | {"PATH": f"{command.parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}

    def run(line):
        where = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
        return subprocess.run(line, shell=True, cwd=tmp_path, env=environment, text=True, timeout=300, check=False, **where)

    return run


def alike(text):
    """Without the identities of cells, which follow the versions of what is installed."""
    return re.sub(r"\b[0-9a-f]{12}:", "", text)


def test_the_commands_print_what_the_page_says(shell):
    pytest.importorskip("pyarrow", reason="needs pyarrow, which is not installed")
    for transcript in transcripts():
        stopped = any("^C" in printed for _, printed in transcript)  # here nobody stops it: only the end is the same
        for i, (command, printed) in enumerate(transcript):
            done = shell(command)
            assert done.returncode == 0, done.stdout
            if not stopped or i == len(transcript) - 1:
                assert alike(done.stdout) == alike(printed), command


def test_the_commands_of_the_readme_run(shell, tmp_path):
    frame = load_breast_cancer(as_frame=True).data.iloc[:200, :4]
    frame[:100].to_csv(tmp_path / "train.csv", index=False)
    frame[100:].to_csv(tmp_path / "test.csv", index=False)
    lines = [line for block in blocks(REPOSITORY / "README.md", "console") for line in block.splitlines()]
    commands = [line for line in lines if line.startswith("turinglearn ")]
    assert [command.split()[1] for command in commands] == ["fit", "sample", "score"]
    for command in commands:
        done = shell(command)
        assert done.returncode == 0, done.stdout
    assert (tmp_path / "fake.csv").read_text().startswith("mean radius,")


def test_a_mistake_is_told_as_on_the_page(shell):
    printed = next(block for block in blocks(PAGE, "text") if block.startswith("Error: "))
    done = shell("sed -i.bak 's/\"forest(/\"forrest(/' discriminators.toml && turinglearn study run discriminators.toml")
    assert (done.returncode, done.stdout.strip()) == (1, printed.strip())


def test_players_that_cannot_meet_are_named_as_on_the_page(shell):
    printed = next(block for block in blocks(PAGE, "text") if block.startswith("left out: "))
    shell("""sed -i.bak 's/^signals = .*/signals = ["exact", "smoothed"]/' discriminators.toml""")
    done = shell("turinglearn study run discriminators.toml --engine inline --only kind=truth")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].split() == printed.split()
