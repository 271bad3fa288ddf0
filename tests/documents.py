"""The code that a page shows, for tests that run it on a tiny budget."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
DOCS = REPOSITORY / "docs"

_ROUNDS = re.compile(r"(\brounds=|--rounds |games?\.rounds\([^)]*\), |r\.index (?:%|==) )([\d_]+)")
_ROWS = re.compile(r"(sample\()(?:10_000|5_?000|2_?000)")


def blocks(path: Path, language: str) -> list[str]:
    """The blocks of code in this language on a page, .rst or .md, in their order."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.M | re.S)
    found = re.findall(rf"^\.\. code-block:: {language}\n\n((?:   .*\n|\n)+)", text, flags=re.M)
    return ["\n".join(line[3:] for line in block.splitlines()) + "\n" for block in found]


def shortened(code: str) -> str:
    """The code with few rounds and rows."""
    code = _ROUNDS.sub(lambda found: f"{found[1]}{max(2, int(found[2]) // 250)}", code)
    return _ROWS.sub(r"\g<1>300", code)


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments in the folder; it finds this copy of the package and the examples."""
    path = [str(REPOSITORY), str(DOCS / "examples"), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, path))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
