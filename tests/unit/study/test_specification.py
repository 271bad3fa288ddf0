"""Specifications: what they cross to, and errors with their place, whatever a file says."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path

import pytest

from turinglearn.bias import Pair
from turinglearn.recipes import Recipe, read
from turinglearn.registry import make
from turinglearn.signals import Smoothed
from turinglearn.study import SpecificationError, read_specification
from turinglearn.study.specification import FUNCTION, plan_of

GOOD = """\
title = "Both kinds"
seeds = 3
replicas = 2

[limits]
seconds = 30
memory = 100

[problems]
ring = "ring(sigma=0.1)"
correlated = { make = "pair", family = "correlated", dimension = 2, kl = [0.1, 0.5] }

[generators]
network = "neural(hidden=(8,))"

[discriminators]
"leaves of ten" = { make = "forest", n_estimators = [5, 9], min_samples_leaf = 10 }

[signals]
smooth = "smoothed(probes=4)"

[[discriminator]]
problems = "correlated"
discriminators = ["logistic", "leaves of ten"]
n = [20, 40]
training_sets = 3

[[game]]
problems = ["ring", "moons", "correlated"]
generators = "network"
discriminators = ["neural", "leaves of ten"]
signals = ["exact", "smooth"]
rounds = 7
rows = 50
"""

SCORED = "[[discriminator]]\nproblems = \"pair(family='shifted', dimension=1, kl=1)\"\ndiscriminators = 'logistic'\nn = 20\n"


def reader(tmp_path):
    def read_text(text, **options):
        path = tmp_path / "study.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_specification(path, **options)

    return read_text


@pytest.fixture
def error_at(tmp_path):
    """The line, column and text of the error of a specification; it names the file, and has no second line."""

    def error_of(text, **options):
        with pytest.raises(SpecificationError) as caught:
            reader(tmp_path)(text, **options)
        match = re.fullmatch(rf"{re.escape(str(tmp_path / 'study.toml'))}:(\d+):(\d+): (.+)", str(caught.value))
        assert match, caught.value
        assert len(match[3]) < 600
        return int(match[1]), int(match[2]), match[3]

    return error_of


def test_lists_are_crossed(tmp_path):
    study = reader(tmp_path)(GOOD)
    assert (study.title, study.time_limit, study.memory_limit) == ("Both kinds", 30.0, 100 * 2**20)
    kinds = [cell.kind for cell in study.cells]
    # discriminators: 2 problems, 3 discriminators, 2 sizes; games: 4 problems, networks by 2 signals in 2 groups, 2 forests by
    # 1 for 3 seeds
    assert [kinds.count(kind) for kind in ("discriminator", "truth", "game")] == [12, 4, 4 * (2 * 2 + 2 * 3)]
    assert len({cell.identity for cell in study.cells}) == len(study.cells)
    discriminators = [cell for cell in study.cells if cell.kind == "discriminator"]
    assert [cell.problem.label for cell in discriminators[::6]] == ["correlated[kl=0.1]", "correlated[kl=0.5]"]
    assert {cell.discriminator.label for cell in discriminators} == {
        "logistic",
        "leaves of ten[n_estimators=5]",
        "leaves of ten[n_estimators=9]",
    }
    assert dict(discriminators[0].budget) == {
        "n": 20,
        "training_sets": 3,
        "fits": 1,
        "points": 2000,
        "steps": 1000,
        "batch_size": 128,
    }
    assert str(discriminators[0].problem.recipe) == "pair(dimension=2, family='correlated', kl=0.1)"
    games = [cell for cell in study.cells if cell.kind == "game"]
    assert {cell.seeds for cell in games if cell.discriminator.label == "neural"} == {(0, 1), (2,)}
    assert {cell.seeds for cell in games if cell.discriminator.label != "neural"} == {(0,), (1,), (2,)}
    assert dict(games[0].budget) == {"rounds": 7, "rows": 50, "draws": 2000, "kept": 64}


def test_players_that_cannot_play_each_other_are_left_out_and_named(tmp_path):
    study = reader(tmp_path)(GOOD)
    (why,) = study.incompatible
    assert why.count(" with exact") == 2
    assert why.count("offers only scores") == 1
    assert not [c for c in study.cells if c.kind == "game" and c.signal.label == "exact" and c.discriminator.label != "neural"]


def test_the_remedy_for_players_that_cannot_play_each_other_helps(tmp_path):
    (why, *_) = reader(tmp_path)(GOOD).incompatible
    assert "student" in why.lower()
    assert "smoothed" in why.lower()
    text = GAME.format(problem='"ring"', discriminator='"neural"', seeds=1) + 'objectives = ["usual", "minimax"]\n'
    (why,) = reader(tmp_path)(text.replace('generators = "neural"', 'generators = "mixture"')).incompatible
    assert "Leave objective out, or " in why
    for fixed in ("student", "smoothed"):
        assert not reader(tmp_path)(GOOD.replace('["exact", "smooth"]', f'"{fixed}"')).incompatible


def test_a_plan_has_each_cell_as_a_job(tmp_path):
    study = reader(tmp_path)(GOOD)
    plan = plan_of(tmp_path / "study.toml")
    assert plan.title == "Both kinds"
    assert reader(tmp_path)(GOOD.replace('title = "Both kinds"', "")).plan().title == ""
    assert [(job.identity, job.payload) for job in plan.jobs] == [(c.identity, c.payload()) for c in study.cells]
    assert (plan.function, plan.limits.seconds, plan.limits.memory) == (FUNCTION, 30.0, 100 * 2**20)


def test_how_a_recipe_is_written_changes_no_identity(tmp_path):
    def identities(recipe):
        text = (
            f'[problems]\na = {recipe}\n[[game]]\nproblems = "a"\ngenerators = "neural"\ndiscriminators = "neural"\nrounds = 1'
        )
        return [cell.identity for cell in reader(tmp_path)(text).cells]

    first = identities('"ring( sigma = 1e-1,modes=5 )"')
    assert identities('{ make = "ring", modes = 5, sigma = 0.1 } # as a table') == first
    assert identities('"ring(modes=6, sigma=0.1)"') != first


def test_a_cell_that_two_tables_ask_for_is_there_once(tmp_path):
    tables = GOOD[GOOD.index("[[game]]") :]
    assert reader(tmp_path)(GOOD + tables).cells == reader(tmp_path)(GOOD).cells


def test_more_seeds_keep_the_cells_of_whole_groups(tmp_path):
    few, many = (reader(tmp_path)(GOOD.replace("seeds = 3", f"seeds = {n}")).cells for n in (4, 9))
    assert set(few) < set(many)


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "said"),
    [
        ("seeds = 3", "seads = 3", 2, 1, "unknown key 'seads'; did you mean 'seeds'"),
        ("seeds = 3", "seeds = -3", 2, 9, "seeds is -3; expected a whole number from 1"),
        ("seeds = 3", "seeds = [1, 2, true]", 2, 16, "seeds is True; expected a whole number from 0"),
        ("seeds = 3", "seeds = [\n  1,\n  1]", 2, 9, "a seed is listed twice"),
        ("seeds = 3", "seeds = []", 2, 9, "seeds is an empty list"),
        ("seconds = 30", "seconds = nan", 6, 11, "seconds is nan; expected a number above 0"),
        ("memory = 100", "memory = 1e3", 7, 10, "memory is 1000.0; expected a whole number"),
        ("memory = 100", "megabytes = 100", 7, 1, "unknown key 'megabytes'; expected one of: seconds, memory"),
        ("[limits]", "[[limits]]", 5, 3, "limits is a list; expected a table"),
        ('"ring(sigma=0.1)"', '"rung(sigma=0.1)"', 10, 8, "There is no problem called 'rung'; did you mean 'ring'"),
        ('"ring(sigma=0.1)"', '"ring(sigma=-1)"', 10, 8, "ring(sigma=-1) cannot be made"),
        ('"ring(sigma=0.1)"', '"ring(sigmma=0.1)"', 10, 8, "ring has no option 'sigmma'; did you mean 'sigma'?"),
        ('"ring(sigma=0.1)"', '"ring(0.1)"', 10, 8, "'ring(0.1)' is not a recipe"),
        ('"ring(sigma=0.1)"', "3", 10, 8, "'ring' is not a recipe; expected a text, or a table with make"),
        ('family = "correlated"', "family = 1979-05-27", 11, 40, "family is a date; expected a number, a text"),
        ("kl = [0.1, 0.5]", "kl = []", 11, 14, "'correlated' crosses to 0 recipes"),
        ("kl = [0.1, 0.5]", "kl = [0.1, -1]", 11, 14, "cannot be made: kl=-1"),
        ('"neural(hidden=(8,))"', '"neural(hiden=8)"', 14, 11, "has no option 'hiden'; did you mean 'hidden'?"),
        ('make = "forest"', 'make = "forrest"', 17, 19, "There is no discriminator called 'forrest'; did you mean 'forest'"),
        (
            'make = "forest"',
            'make = "sklearn.svm.SVM"',
            17,
            19,
            "is not a discriminator of scikit-learn; did you mean 'sklearn.svm.SVC'?",
        ),
        ('make = "forest"', 'make = "sklearn.linear_model.Ridge"', 17, 19, "Ridge is not a classifier; choose one, such as"),
        ('make = "forest"', 'make = "knn"', 17, 19, "no option 'min_samples_leaf'; expected one of: neighbours, tail."),
        ('"leaves of ten" = ', '" " = ', 16, 2, "a name in [discriminators] is empty"),
        ('problems = "correlated"', 'problems = ["correlated",\n"moons"]', 24, 1, "'moons' is not a pair"),
        (
            '["logistic", "leaves of ten"]',
            '["logistics"]',
            24,
            19,
            "A class is named by its path, such as 'sklearn.svm.SVC'. Names of [discriminators]: leaves",
        ),
        ('["logistic", "leaves of ten"]', '[["logistic"]]', 24, 19, "['logistic'] is not a discriminator"),
        ("n = [20, 40]", "n = [20, 2]", 25, 10, "n is 2; expected a whole number from 4"),
        ("n = [20, 40]\n", "", 22, 3, "n is missing"),
        ("rounds = 7", "rounds = [7, 8]", 33, 10, "A list is not possible here: write one table for each number"),
        ("rounds = 7\n", "", 28, 3, "expected either rounds, the length of each game, or seconds"),
        ("rounds = 7", "rounds = 7\nseconds = 2", 28, 3, "expected either rounds"),
        ("rows = 50", 'metrics = ["modes", "mode"]', 34, 21, "there is no metric 'mode'; did you mean 'modes'"),
        ("rows = 50", 'cross_examiners = "neural(criterion=1)"', 34, 19, "'neural(criterion=1)' is not a discriminator"),
        ('generators = "network"\n', 'generators = "sklearn.svm.SVC"\n', 30, 14, "cannot sample; choose one that can"),
        ('generators = "network"\n', "", 28, 3, "generators is missing; expected the names of generators"),
    ],
)
def test_an_error_has_its_place(error_at, old, new, line, column, said):
    assert GOOD.count(old) == 1
    text = GOOD.replace(old, new)
    found = error_at(text)
    assert found[:2] == (line, column), found
    assert said in found[2]
    assert re.search(r"[^.?][.?]$", found[2])  # it ends in one mark


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("a = ", 1, 5, "this is not TOML"),
        ("title = 'x'\na = [1,", 2, 8, "this is not TOML"),
        ("title = 'x'", 1, 1, "there is nothing to run"),
        ("", 1, 1, "there is nothing to run"),
        ("[game]\nrounds = 1", 1, 2, "game is a table; expected tables, each under [[game]]"),
        ("game = [3]", 1, 9, "game is a number; expected a table"),
        (b"title = 'x'\nb = '\xc3\xa9\xff'", 2, 7, "not UTF-8"),
        ("a = " + "[" * 100_000, 1, 1, "nested too deeply"),
        ("a = " + "{x=" * 5_000, 1, 1, "nested too deeply"),
        ("seeds = " + "9" * 5_000, 1, 1, "cannot be read"),
        (
            "seeds = 3\n" + SCORED,
            1,
            1,
            "seeds at the top is for games, and there is no [[game]]; set seeds in each [[discriminator]]",
        ),
        ("title = 'x'\nreplicas = 3\n" + SCORED, 2, 1, "replicas at the top is for games, and there is no [[game]]"),
        ("limits.seconds = " + "9" * 4_000, 1, 18, "seconds is a number of 13,288 bits"),
        ("limits.memory = 0x" + "f" * 9_000, 1, 17, "memory is a number of 36,000 bits"),
        ("# " + "x" * 400_000, 1, 1, "more than 262,144 characters"),
        ("'" + "k" * 300 + "' = 1", 1, 1, "unknown key"),
    ],
)
def test_the_error_of_another_file_has_its_place(error_at, text, line, column, said):
    found = error_at(text)
    assert said in found[2]
    assert found[:2] == (line, column), found


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(SpecificationError, match=re.escape(f"{path}: ")):
            read_specification(path)


GAME = '[[game]]\nproblems = {problem}\ngenerators = "neural"\ndiscriminators = {discriminator}\nrounds = 1\nseeds = {seeds}\n'


@pytest.mark.parametrize(
    ("problem", "discriminator", "seeds", "said"),
    [
        ('"ring"', '"neural"', "1_000_000_000", "seeds is 1000000000; expected a whole number from 1 to 200,000"),
        ('["ring", "moons", "grid"]', '"neural"', "100_000", "this crosses to 300,000 cells; expected at most 200,000"),
        ('"ring(modes=10000000000)"', '"neural"', "1", "modes is too large"),
        ("\"pair(family='shifted', dimension=30000, kl=1)\"", '"neural"', "1", "dimension is too large"),
        ("\"pair(family='scaled', dimension=2, kl=1e300)\"", '"neural"', "1", "cannot be made"),
        ('"ring(sigma=1e999)"', '"neural"', "1", "sigma is inf; expected a finite number"),
        ('"ring(modes=9**9**9)"', '"neural"', "1", "is not a recipe"),
        ("\"__import__('os').system('touch pwned')\"", '"neural"', "1", "is not a recipe"),
        ('"ring"', '"os.system"', "1", "allow that with --allow-imports"),
        ('"ring"', '"antigravity:Discriminator"', "1", "allow that with --allow-imports"),
        ('"ring"', '"sklearn.utils.discovery.all_estimators"', "1", "allow that with --allow-imports"),
        ('"ring"', "\"sklearn.pipeline.Pipeline(steps=(), memory='/')\"", "1", "is not a classifier; choose one"),
        ('"ring"', '"../../etc/passwd"', "1", "is not a recipe"),
        ('"ring"', '"neural(hidden=[i for i in (1,)])"', "1", "is not a recipe"),
        ('"ring"', '"neural(**{})"', "1", "is not a recipe"),
        ('"ring"', f'"neural(hidden={"(" * 300}{")" * 300})"', "1", "is not a recipe"),
        ('"ring"', f'"neural(hidden={"1" * 5000})"', "1", "characters; expected at most 1,000"),
        ('"ring"', f'"neural(hidden={"1" * 500})"', "1", "hidden is a number of 1,658 bits"),
        ('"ring"', r'"neural\u0000"', "1", "is not a recipe"),
        ('"ring"', '"<script>alert(1)</script>"', "1", "is not a recipe"),
        ('"ring"', '"torch"', "1", "needs module, which a text cannot hold"),
    ],
)
def test_nothing_hostile_is_run(error_at, tmp_path, monkeypatch, problem, discriminator, seeds, said):
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    line, _, text = error_at(GAME.format(problem=problem, discriminator=discriminator, seeds=seeds))
    assert said in text
    assert line in (1, 2, 4, 6)
    assert "antigravity" not in set(sys.modules) - before
    assert not (tmp_path / "pwned").exists()


def test_a_table_that_crosses_to_too_many_recipes_is_an_error(error_at):
    lists = ", ".join(f"a{i} = [{', '.join(map(str, range(99)))}]" for i in range(20))
    assert "recipes; expected 1 to 1,000" in error_at(f'[problems]\nr = {{ make = "ring", {lists} }}\n')[2]


def test_sklearns_own_classifiers_play_and_others_where_imports_are_allowed(tmp_path, monkeypatch):
    text = GAME.format(problem='"ring"', discriminator='"sklearn.svm.SVC(C=10)"', seeds=1).replace(
        "rounds", 'signals = "smoothed"\nrounds'
    )
    assert reader(tmp_path)(text).cells[-1].discriminator.label == "sklearn.svm.SVC(C=10)"
    (tmp_path / "my_discriminators.py").write_text("from sklearn.linear_model import LogisticRegression as Mine\n")
    monkeypatch.syspath_prepend(tmp_path)
    text = text.replace("sklearn.svm.SVC(C=10)", "my_discriminators:Mine(C=2.0)")
    assert reader(tmp_path)(text, allow_imports=True).cells[-1].discriminator.label == "my_discriminators.Mine(C=2.0)"


def test_a_discriminator_of_a_pair_must_return_log_odds_and_a_problem_must_be_a_pair(error_at, tmp_path):
    scored = "[[discriminator]]\nproblems = {}\ndiscriminators = {}\nn = 20\n"
    pair = "\"pair(family='shifted', dimension=1, kl=1)\""
    assert error_at(scored.format('"moons"', '"logistic"')) == (
        2,
        12,
        "'moons' is not a pair, so its log-odds are not known; expected a problem made by 'pair'.",
    )
    (tmp_path / "orders.py").write_text(
        "from turinglearn.discriminators import HandwrittenDiscriminator\n"
        "def order():\n    return HandwrittenDiscriminator(lambda x: x[:, 0])\n"
    )
    sys.path.insert(0, str(tmp_path))
    try:
        found = error_at(scored.format(pair, '"orders:order"'), allow_imports=True)
    finally:
        sys.path.remove(str(tmp_path))
    assert found == (3, 18, "'orders.order' returns Scores; expected a discriminator that returns LogOdds.")


def test_a_game_whose_players_cannot_play_each_other_is_an_error(error_at):
    text = GAME.format(problem='"ring"', discriminator='"forest"', seeds=1).replace("rounds", 'signals = "exact"\nrounds')
    line, column, said = error_at(text)
    assert (line, column) == (1, 3)
    assert "none of its players can play each other" in said


def test_a_recipe_is_one_text_whatever_its_spelling():
    recipe = read(' pair( kl = .5,family="shifted", dimension=[2] )')
    assert str(recipe) == "pair(dimension=(2,), family='shifted', kl=0.5)"
    assert read(str(recipe)) == recipe == Recipe.of("pair", {"kl": 0.5, "dimension": [2], "family": "shifted"})


def test_what_recipes_make():
    assert make("signal", read("usual")) is None
    assert make("signal", read("smoothed(probes=4)")) == Smoothed(probes=4)
    assert isinstance(make("problem", read("pair(family='shifted', dimension=2, kl=1)")), Pair)
    with pytest.raises(ValueError, match="takes no options"):
        make("objective", read("usual(a=1)"))


SHIPPED = Path(__file__).parents[3] / "benchmarks" / "bias"


def test_the_smoke_specification_has_a_part_of_everything():
    cells = read_specification(SHIPPED / "smoke.toml").cells
    discriminators = [dict(cell.budget)["n"] for cell in cells if cell.kind == "discriminator"]
    assert len(set(discriminators)) > 1
    assert {cell.kind for cell in cells} == {"discriminator", "truth", "game"}
    played = {
        (cell.discriminator.label, cell.signal.label, cell.problem.label, seed)
        for cell in cells
        if cell.generator is not None and cell.generator.label == "network" and dict(cell.budget).get("rounds")
        for seed in cell.seeds
    }
    discriminators, signals, problems = (
        ("network", "RBF SVM", "forest", "logistic"),
        ("exact", "smoothed"),
        ("ring", "gaussian"),
    )
    asked = set(itertools.product(discriminators, signals, problems, range(3)))
    assert played == {each for each in asked if each[:2] != ("forest", "exact")}
    assert any("seconds" in dict(cell.budget) for cell in cells)
    assert any(cell.generator is not None and cell.generator.label == "Gaussian" for cell in cells)


def test_the_headline_specification_asks_its_question():
    study = read_specification(SHIPPED / "headline.toml")
    played = [
        c for c in study.cells if c.generator is not None and c.generator.label == "network" and "rounds" in dict(c.budget)
    ]
    assert len({c.discriminator.label for c in played}) == 8
    assert {c.signal.label for c in played} == {"exact", "smoothed", "student"}
    assert len({c.problem.label for c in played}) == 5
    assert {seed for c in played for seed in c.seeds} == set(range(30))
    scored = [c for c in study.cells if c.kind == "discriminator"]
    assert len({c.problem.name for c in scored}) == 6
    crossed = {(c.discriminator.label, c.signal.label, c.objective.label) for c in played if c.objective.label != "usual"}
    divergences = ("non-saturating", "forward KL", "reverse KL")
    assert crossed == set(itertools.product(("network", "RBF SVM", "forest", "logistic"), ("smoothed", "student"), divergences))
    assert {dict(c.budget)["training_sets"] for c in study.cells if c.kind == "discriminator"} == {30}
    (why,) = study.incompatible
    assert why.startswith("network against forest with exact, network against boosting with exact: ")
