"""The words of the field: none of the project's old private words is left in code, messages, pages or the command's help."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

# A pattern, and what to write instead.
BANNED = {
    r"judg(e|es|ed|ing)\b": "discriminator; score",
    r"\bpupils?\b": "generator that learned from it",
    r"counterfeits?\b": "fake",
    r"\bgenuine": "real",
    r"\blaws?\b(?! of (large numbers|the iterated))": "distribution",
    r"\btold\b": "condition; known",
    r"\bgiven(?==[^=])|\.given\b|`given`": "condition",
    r"\banew\b": "again; from scratch",
    r"\bgainsay|\btestimon|\bmend(s|ed|ing)?\b": "contradict; evidence; fix",
    r"\bunseen\b|(nobody|no player) has seen": "held-out",
    r"may as well be|as many as pays": "say it plainly",
    r"(?<!there )\b(is|are) no (?!longer|more|less|such|better|worse|larger|smaller)[a-z]": "is not a",
    r"learns_from|\bexamine\b|\bremembers\b": "feedback_type, score_samples, fits_on_history",
    r"\bCells\b(?! [a-z])|CellSignal|\bLesson\b": "Leaves, LeafSignal, Feedback",
    r"\bcaught=|\.caught\b|[\"'`]caught[\"'`]": "fake_recall",
    r"\baveraging=|\bproducts=|fit_level": "ema_decay; matmul_precision; fit_intercept",
    r"\b(Moved|Resampled|Reweighted)\b": "GradientMove; Resample; Reweight",
    r"Unsavable|BrokenFolder|\bNoModel\b": "NotSerializableError; CorruptModelError; ModelNotFoundError",
    r"turinglearn bench\b|\[\[judge\]\]": "turinglearn study; [[discriminator]]",
    r"\b(Deck|Dealer|Duel|Testimony|Keeper|Ingredients|voice_of|unharmed)\b": "see the names of the modules",
}
# Names of random streams stay: under another name each draw would be another.
STREAMS = re.compile(r'"study/genuine"|[Ss]treams(\(seed\))?\("genuine"\)')
PATTERN = re.compile("|".join(f"(?:{pattern})" for pattern in BANNED), re.IGNORECASE)
CASED = re.compile(r"\bMoved\b|\bCells\b|\bLesson\b|\bDeck\b|\bResampled\b|\bReweighted\b|\bDuel\b")
NOUN_CLAUSE = re.compile(r"(What|Whether|How|Which|Who|Where|Whatever|Whoever)\b")

SOURCES = sorted(
    path
    for folder, endings in {
        "turinglearn": (".py",),
        "docs": (".rst", ".py", ".inc"),
        "benchmarks": (".py", ".md", ".toml"),
        ".": ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "Makefile"),
    }.items()
    for path in ((REPOSITORY / folder).rglob("*") if folder != "." else map(REPOSITORY.joinpath, endings))
    if path.is_file() and path.name.endswith(endings) and "_build" not in path.parts
)
MODULES = [path for path in SOURCES if path.is_relative_to(REPOSITORY / "turinglearn")]


def name(path):
    return str(path.relative_to(REPOSITORY))


def banned(text):
    """Each line with a banned word: its number and the word."""
    for number, line in enumerate(STREAMS.sub("", text).splitlines(), 1):
        for match in PATTERN.finditer(line):
            word = match.group(0)
            if not CASED.match(word.capitalize()) or CASED.match(word):
                yield number, word


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_banned_word_is_left(path):
    found = list(banned(path.read_text(encoding="utf-8")))
    assert found == [], f"the remedies are in BANNED of {name(Path(__file__))}"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_summary_is_an_imperative_or_a_noun(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    said = {
        getattr(node, "name", "module"): ast.get_docstring(node) or ""
        for node in ast.walk(tree)
        if isinstance(node, documented)
    }
    assert [f"{where}: {text.splitlines()[0]}" for where, text in said.items() if NOUN_CLAUSE.match(text)] == []


@pytest.mark.parametrize(
    "word", ["a judge", "Counterfeits", "the law", "x.given", "is no seed", "judged", "class Cells:", "given=x"]
)
def test_banned_words_are_found(word):
    assert list(banned(word))


@pytest.mark.parametrize(
    "text",
    [
        "the law of large numbers",
        "is no longer",
        "there is no key",
        "the cells of a study",
        "Cells are crossed",
        "a deck",
        "given x",
        "moved on",
    ],
)
def test_other_words_are_not(text):
    assert list(banned(text)) == []
