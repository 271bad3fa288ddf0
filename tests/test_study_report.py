"""The report of a study: the same bytes each time, everything escaped, every number that of turinglearn.bias."""

from __future__ import annotations

import csv
import gc
import hashlib
import io
import json
import math
import os
import random
import re
import time
from html.parser import HTMLParser
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy.stats import t as student_t

from tests.study_rows import HOSTILE, JUDGES, everything, failing, game_rows, judge_rows, kept_sample, payload, renamed, row
from turinglearn.bias import (
    completion,
    holm,
    mean_interval,
    paired_interval,
    parameter_errors,
    probability_of_improvement,
    relative_efficiency,
    split_energy,
)
from turinglearn.report import compose, estimates, laws, write
from turinglearn.report.document import Figure, Formula, Heading, Statements, Table, comma_separated, say
from turinglearn.report.dress import SCRIPT
from turinglearn.report.folder import LISTING
from turinglearn.report.markdown import as_markdown, plain, standing_alone
from turinglearn.report.markup import as_html

NASTY = "a\"b'c<img src=x onerror=alert(1)>|`[x](javascript:alert(1))\n# *"


@pytest.fixture(scope="module")
def rows():
    return everything()


@pytest.fixture(scope="module")
def document(rows):
    return compose(rows, title="A study")


def table(document, name):
    """A CSV of the report, as dictionaries."""
    return list(csv.DictReader(io.StringIO(comma_separated(document.data()[name]))))


def figures(rows, kind, arm, name, n=None, d=None):
    """One figure by seed, straight from the rows, nan where the row failed."""
    found = {}
    for each in rows:
        cell = each["payload"]
        if (cell["kind"], cell["discriminator"]) != (kind, arm) or n not in (None, cell["budget"].get("n")):
            continue
        if d is not None and f"dimension={d}," not in cell["recipes"]["problem"]:
            continue
        for i, seed in enumerate(cell["seeds"]):
            key = name if len(cell["seeds"]) == 1 else f"{name}@{i}"
            found[seed] = each["figures"].get(key, math.nan)
    return np.array([found[seed] for seed in sorted(found)])


class Elements(HTMLParser):
    """Every element with its attributes, and the text of scripts."""

    def __init__(self, html):
        super().__init__()
        self.found, self.scripts, self._inside = [], [], False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self._inside = tag == "script"

    def handle_endtag(self, tag):
        self._inside = False

    def handle_data(self, data):
        if self._inside:
            self.scripts.append(data)


# -------------------------------------------------------------------------------------------------------- the same bytes
def digests(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.*")}


def test_the_same_rows_in_any_order_give_the_same_bytes(tmp_path, rows):
    shuffled = [*rows]
    random.Random(0).shuffle(shuffled)
    as_text = [{**each, "payload": json.dumps(each["payload"]), "figures": json.dumps(each["figures"])} for each in shuffled]
    as_objects = [SimpleNamespace(**each) for each in shuffled]
    found = []
    for i, each in enumerate((rows, shuffled, as_text, as_objects, iter(rows))):
        write(compose(each, title="A study"), tmp_path / str(i))
        found.append(digests(tmp_path / str(i)))
    assert all(each == found[0] for each in found)
    assert {"report.html", "report.md"} < set(found[0])
    assert not [name for name in found[0] if name.endswith(".part")]


def test_who_worked_and_when_changes_nothing(rows, document):
    others = [{**each, "started": "2027-02-02T00:00:00+00:00", "worker": "two"} for each in rows]
    assert as_html(compose(others, title="A study")) == as_html(document)


def test_a_report_is_written_over_the_last(tmp_path, rows):
    write(compose(rows, title="A study"), tmp_path)
    before = digests(tmp_path)
    write(compose([]), tmp_path)
    write(compose(rows, title="A study"), tmp_path)
    assert digests(tmp_path) == before


def names(folder):
    return {path.name for path in (folder / "data").iterdir()}


def listed(folder):
    """The files of the listing, each checked against its digest."""
    lines = [line.split("  ") for line in (folder / "data" / LISTING).read_text().splitlines()]
    for digest, name in lines:
        assert hashlib.sha256((folder / "data" / name).read_bytes()).hexdigest() == digest
    return {name for _, name in lines}


def test_nothing_of_an_earlier_report_is_left(tmp_path, rows):
    write(compose(rows), tmp_path / "again")
    assert "plane-judge-excess_log_loss_bias-0.svg" in names(tmp_path / "again")
    write(compose(judge_rows(seeds=1)[:1]), tmp_path / "again")
    write(compose(judge_rows(seeds=1)[:1]), tmp_path / "anew")
    assert names(tmp_path / "again") == names(tmp_path / "anew") == {*listed(tmp_path / "again"), LISTING}
    assert digests(tmp_path / "again") == digests(tmp_path / "anew")


def test_what_no_report_wrote_is_left(tmp_path, rows):
    data = tmp_path / "data"
    data.mkdir()
    (data / "own.csv").write_text("mine")
    (data / "folder").mkdir()
    write(compose(rows), tmp_path)
    (data / "comparisons.csv").write_text("changed since")  # an earlier report's no more
    (data / "completion.csv").unlink()
    (data / "completion.csv").symlink_to(data / "own.csv")
    write(compose([]), tmp_path)
    assert names(tmp_path) == {"own.csv", "folder", "comparisons.csv", "completion.csv", LISTING}
    assert (data / "own.csv").read_text() == "mine"


@pytest.mark.parametrize("name", ["../own.csv", "/own.csv", "..", ".own.csv", "folder/own.csv", ""])
def test_a_listing_names_files_of_its_folder_alone(tmp_path, name):
    places = [tmp_path / "own.csv", tmp_path / "data" / "folder" / "own.csv", tmp_path / "data" / ".own.csv"]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("mine")
    (tmp_path / "data" / LISTING).write_text(f"{hashlib.sha256(b'mine').hexdigest()}  {name}\n\ufffd\n")
    write(compose([]), tmp_path)
    assert all(place.read_text() == "mine" for place in places)


def test_a_report_that_was_interrupted_is_cleared_up_by_the_next(tmp_path, rows, monkeypatch):
    write(compose(judge_rows(seeds=3)), tmp_path)
    first = digests(tmp_path)

    class Killed(BaseException):
        pass

    def replace(source, target, left=iter(range(12))):
        if next(left, None) is None:
            raise Killed
        os.rename(source, target)

    monkeypatch.setattr("turinglearn.report.folder.os.replace", replace)
    with pytest.raises(Killed):
        write(compose(rows), tmp_path)
    monkeypatch.undo()
    assert set(first) < set(digests(tmp_path))
    assert any(name.endswith(".part") for name in digests(tmp_path))
    write(compose(judge_rows(seeds=3)), tmp_path)
    assert digests(tmp_path) == first


# --------------------------------------------------------------------------------------------------------------- escaping
@pytest.mark.parametrize(
    "name", [HOSTILE, NASTY, '" onload="alert(1)', "</title></svg></table>", "&lt;b&gt;", "\x00\u202e\ud800"]
)
def test_names_from_data_are_text_wherever_they_stand(tmp_path, name):
    rows = [
        *renamed(failing(judge_rows(seeds=3)), "forest", name),
        *renamed(game_rows(seeds=4), "forest", name),
        row(payload("game", name, name, name, generator=name), status="error", error=f"{name}\n{name}"),
    ]
    for each in rows:
        each["payload"]["problem"] = name + each["payload"]["problem"]
        each["figures"] = {k.replace("caught[forest]", f"caught[{name}]"): v for k, v in each["figures"].items()}
        each["commit"], each["versions"] = name, {name: name}
    document = compose(rows, title=name)
    html = as_html(document)
    elements = Elements(html)
    assert [tag for tag, _ in elements.found].count("script") == 1
    assert "".join(elements.scripts).strip() == SCRIPT.strip()
    allowed = {"html", "head", "meta", "link", "title", "style", "body", "h1", "h2", "nav", "a", "p", "ul", "li", "span", "div"}
    allowed |= {"table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "details", "summary", "pre", "strong"}
    allowed |= {"svg", "g", "line", "text", "circle", "polygon", "polyline", "path", "rect", "script"}
    assert {tag for tag, _ in elements.found} <= allowed
    attributes = {(tag, key) for tag, attrs in elements.found for key in attrs}
    assert not [key for _, key in attributes if key.startswith("on")]
    links = {attrs[key] for _, attrs in elements.found for key in ("href", "src") if key in attrs}
    assert all(link.startswith(("#", "data/")) or link == "data:," for link in links)
    for svg in standing_alone(document).values():
        ElementTree.fromstring(svg)
        assert not re.search(
            r"<script|<img|onload=|onerror=", re.sub(r"<(text|title)[^>]*>[^<]*|aria-label=\"[^\"]*\"", "", svg)
        )
    text = as_markdown(document)
    prose = "\n".join(line for line in text.splitlines() if not line.startswith("    "))
    assert not re.search(r"<(script|img|b|/)", prose)
    assert "](javascript" not in re.sub(r"\\.", "", prose)
    write(document, tmp_path)


def test_tables_of_markdown_keep_their_columns():
    document = compose(renamed(judge_rows(seeds=3), "forest", "a|b\n|c"))
    tables = [part.splitlines() for part in as_markdown(document).split("\n\n") if part.startswith("|")]
    assert len(tables) == len(document.data())
    for lines in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1


def test_plain_text_is_no_markup():
    assert plain("<b> *x* [y](z) `c`\n# d | e_f") == "&lt;b&gt; \\*x\\* \\[y\\](z) \\`c\\` \\# d \\| e\\_f"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_a_name_is_no_formula_of_a_spreadsheet(name):
    written = comma_separated(Table("t", "", ("a", "b"), [(name, -1.5)]))
    assert next(csv.reader(io.StringIO(written.splitlines()[1]))) == [f"'{name}", "-1.5"]


def test_the_page_asks_for_nothing(document):
    html = as_html(document)
    assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(https?:)?//", html)
    assert "@import" not in html
    assert "default-src 'none'" in html.replace("&#x27;", "'")


# ------------------------------------------------------------------------------------------------------------ the numbers
def test_comparisons_are_paired_intervals_adjusted_by_holm(rows, document):
    found = table(document, "comparisons")
    assert len(found) == 14
    assert {c["control"] for c in found} == {"neural"}
    line = next(c for c in found if c["discriminator"] == "logistic" and "(n = 800, d = 8" in c["setting"])
    ours, theirs = (figures(rows, "judge", arm, "excess_log_loss_bias", 800, 8) for arm in ("logistic", "neural"))
    expected = paired_interval(ours, theirs)
    assert [float(line[k]) for k in ("difference", "low", "high")] == [expected.value, expected.low, expected.high]
    p = 2 * student_t.sf(abs(expected.value) / expected.standard_error, len(ours) - 1)
    assert float(line["p"]) == pytest.approx(p, rel=1e-12)
    adjusted = holm({i: float(c["p"]) for i, c in enumerate(found)})
    assert [float(c["adjusted p"]) for c in found] == list(adjusted.values())
    for c in found:
        verdict = "undecided" if float(c["adjusted p"]) > 0.05 else "true" if float(c["difference"]) > 0 else "false"
        assert c["raises it?"] == verdict


def test_a_failure_counts_twice(rows, document):
    line = next(
        c for c in table(document, "comparisons") if c["discriminator"] == "forest" and "(n = 200, d = 2" in c["setting"]
    )
    each = {arm: figures(rows, "judge", arm, "excess_log_loss_bias", 200, 2) for arm in ("forest", "neural", "svm", "logistic")}
    done = np.isfinite(each["forest"])
    assert (line["replicates"], line["failed"]) == (f"{done.sum()} seeds", str((~done).sum()))
    assert not done.all()
    dropped = paired_interval(each["forest"][done], each["neural"][done])
    worst = max(np.nanmax(v) for v in each.values())
    imputed = paired_interval(np.where(done, each["forest"], worst), each["neural"])
    assert (float(line["difference"]), float(line["failures as the worst"])) == (dropped.value, imputed.value)
    p = [2 * student_t.sf(abs(i.value) / i.standard_error, n - 1) for i, n in ((dropped, done.sum()), (imputed, len(done)))]
    assert float(line["p"]) == pytest.approx(max(p), rel=1e-12)


def test_completion_is_that_of_the_bias_room(rows, document):
    line = next(c for c in table(document, "completion") if (c["cells"], c["discriminator"]) == ("judge", "forest"))
    found = []
    for d in (2, 8):
        for n in (200, 800):
            each = {
                arm: figures(rows, "judge", arm, "excess_log_loss_bias", n, d)
                for arm in ("forest", "neural", "svm", "logistic")
            }
            found.append(completion(each["forest"], max(np.nanmax(v) for v in each.values())))
    for column, name in (("completion", "rate"), ("failures left out", "dropped"), ("failures as the worst", "imputed")):
        assert float(line[column]) == pytest.approx(np.mean([getattr(c, name) for c in found]), rel=1e-12)
    assert int(line["ok"]) + int(line["error"]) + int(line["timeout"]) + int(line["crashed"]) == int(line["runs"]) == 24


def test_completion_of_games_is_told_where_only_all_seeds_together_have_a_bias():
    rows = failing(game_rows(), every=1)
    found = {c["discriminator"]: c for c in table(compose(rows), "completion")}
    energy = figures(rows, "game", "svm", "energy_distance").mean()
    assert float(found["svm"]["completion"]) == 1
    assert found["svm"]["of"] == "distance of the learned law, bias and variance together"
    for column in ("failures left out", "failures as the worst"):
        assert float(found["svm"][column]) == pytest.approx(energy)
        assert found["forest"][column] == ""  # no run of it ended
    assert float(found["forest"]["completion"]) == 0


def test_a_text_in_markdown_is_no_link_and_no_formula():
    assert plain("https://a.example www.a.example a@b.example $x$ 1:2") == (
        r"https\://a.example www\.a.example a\@b.example \$x\$ 1:2"
    )


def test_the_levels_of_judges_and_games_are_apart(rows):
    levels = {(c["cells"], c["factor"]): c["levels"] for c in table(compose(rows), "specification")}
    assert levels["judge", "n"] == "200, 800"
    assert levels["game", "n (budget: rows)"] == "400"
    assert not any("draws" in factor for _, factor in levels)  # of the problem by itself
    assert {kind for kind, _ in levels} == {"game", "judge"}


def test_the_summary_has_the_mean_over_settings_by_seed_and_the_chance_of_less():
    rows = judge_rows()
    shape = [(n, d) for d in (2, 8) for n in (200, 800)]
    ours, theirs = (
        np.array([figures(rows, "judge", arm, "excess_log_loss_bias", n, d) for n, d in shape]) for arm in ("forest", "neural")
    )
    expected = paired_interval(ours.mean(axis=0), theirs.mean(axis=0))
    said = next(
        text for _, text in next(b for b in compose(rows).blocks if isinstance(b, Statements)).sentences if "forest" in text
    )
    assert f"Mean difference over 4 settings: +{say(expected.value)} (95 % interval" in said
    assert f"{say(expected.low)} to {say(expected.high)}" in said
    assert f"with chance {probability_of_improvement(theirs, ours):.2f}" in said


def test_the_plane_has_means_over_seeds(rows, document):
    line = next(
        c
        for c in table(document, "plane-judge-squared_bias")
        if c["discriminator"] == "svm" and c["setting"] == "correlated (n = 200, d = 2, KL = 0.5)"
    )
    for column, name in (("bias", "squared_bias"), ("variance", "variance")):
        expected = mean_interval(figures(rows, "judge", "svm", name, 200, 2))
        assert [float(line[k]) for k in (column, f"{column} low", f"{column} high")] == [
            expected.value,
            expected.low,
            expected.high,
        ]


@pytest.mark.parametrize("first", [0, 1])
def test_the_interval_of_a_figure_that_one_seed_has_is_that_seeds_own(first):
    seeds = [{"accuracy": 0.8, "accuracy_low": 0.7, "accuracy_high": 0.9}, {"accuracy": None, "accuracy_low": None}]
    rows = [
        row(payload("judge", "one", "pair(kl=0.5)", "neural", seeds=[seed]), seeds[(seed + first) % 2] | {"squared_bias": 1.0})
        for seed in (0, 1)
    ]
    (line,) = (c for c in table(compose(rows), "measured-judge") if c["measure"] == "accuracy")
    assert (line["mean"], line["low"], line["high"]) == ("0.8", "0.7", "0.9")


def test_a_report_on_many_samples_says_which_rows_it_compares(monkeypatch, rows):
    assert "Each learned law is known by 24 rows that its run keeps, the genuine one by 200." in as_html(compose(rows))
    for name, value in {"_GENUINE": 0, "_LEARNED": 0, "_LEAST_GENUINE": 50, "_LEAST_LEARNED": 8}.items():
        monkeypatch.setattr(estimates, name, value)
    page = as_html(compose(rows))
    assert "Each learned law is known by 8 of the 24 rows that its run keeps, the genuine one by 50 of 200." in page
    line = next(c for c in table(compose(rows), "plane-game-law_bias") if c["discriminator"] == "svm")
    truth = next(each for each in rows if each["payload"]["kind"] == "truth")["figures"]
    found = split_energy([x[:8] for x in samples(rows, "svm")], np.array(truth["x"])[:50])
    assert float(line["bias"]) == found.bias.value


def test_the_collector_is_as_it_was_after_a_report(rows):
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            compose(rows)
            with pytest.raises(ValueError, match="no discriminator 'none'"):
                compose(rows, control="none")
            assert gc.isenabled() is enabled
        finally:
            gc.enable()


def test_the_hash_of_the_rows_tells_samples(rows):
    other = json.loads(json.dumps(rows))
    next(each for each in other if "x" in each["figures"])["figures"]["x"][0][0] += 1.0
    hashes = {table(compose(each), "provenance")[0]["which"] for each in (rows, other)}
    assert len(hashes) == 2


def test_provenance_names_limits_and_the_recipes_of_examiners(document):
    origins = {(line["what"], line["which"]) for line in table(document, "provenance")}
    assert ("limits", "memory in MiB 1024, seconds 60") in origins
    recipes = {(line["factor"], line["name"], line["recipe"]) for line in table(document, "recipes")}
    assert ("examiner", "forest", "forest(n_estimators=10)") in recipes
    assert {factor for factor, _, _ in recipes} == {"problem", "generator", "discriminator", "examiner"}


def samples(rows, arm):
    """The samples that rows keep, by seed."""
    return [*figures(rows, "game", arm, "x")]


def test_learned_laws_are_split_by_their_kept_samples(rows, document):
    truth = next(each for each in rows if each["payload"]["kind"] == "truth")["figures"]
    genuine = np.array(truth["x"])
    for arm in ("neural", "svm"):  # replicas of one cell, and a cell for each seed
        line = next(c for c in table(document, "plane-game-law_bias") if c["discriminator"] == arm)
        expected = split_energy(samples(rows, arm), genuine)
        assert float(line["bias"]) == expected.bias.value
        assert float(line["bias low"]) == expected.bias.low
        assert float(line["variance high"]) == expected.variance.high
    biases = [split_energy(samples(rows, arm), genuine).bias.value for arm in ("svm", "neural")]
    line = next(c for c in table(document, "comparisons") if (c["cells"], c["discriminator"]) == ("game", "svm"))
    assert float(line["difference"]) == pytest.approx(biases[0] - biases[1], abs=1e-12)


def test_of_several_genuine_samples_the_largest_counts():
    rows = game_rows()
    few, more = (
        row(payload("truth", "gaussian", "gaussian(mean=(1.0, -1.0))", budget={"kept": n}), kept_sample(x[:n]))
        for x in [np.random.default_rng(5).normal((1, -1), 1, (900, 2))]
        for n in (150, 900)
    )
    truth = np.array(more["figures"]["x"])
    for each in ([few, *rows, more], [more, *rows, few]):
        line = next(c for c in table(compose(each), "plane-game-law_bias") if c["discriminator"] == "svm")
        assert float(line["bias"]) == split_energy(samples(rows, "svm"), truth).bias.value


def test_a_distance_to_a_genuine_sample_is_found_once(monkeypatch, rows):
    asked, found = [], laws.cdist
    monkeypatch.setattr(laws, "cdist", lambda x, y: asked.append((x.tobytes(), len(y))) or found(x, y))
    compose(rows)
    genuine = [x for x, count in asked if count == 200]
    assert len(genuine) == len(set(genuine)) == 16  # three arms with six seeds each, of which two have failed


@pytest.mark.parametrize("seeds", [6, 10])
def test_parameters_stand_beside_their_bounds(seeds):
    rows = game_rows(seeds=seeds)
    line = next(c for c in table(compose(rows), "efficiency") if (c["parameter"], c["discriminator"]) == ("mean 0", "neural"))
    learned, control, truth = (
        figures(rows, "game", "neural", f"{k}[mean 0]")[:, None] for k in ("estimate", "control", "truth")
    )
    expected = parameter_errors((learned - truth) / 0.05, np.zeros(1)).rmse[0]
    assert float(line["rmse over bound"]) == pytest.approx(expected.value, rel=1e-12)
    assert float(line["rmse over bound high"]) == pytest.approx(expected.high, rel=1e-12)
    if seeds < 10:
        assert line["relative efficiency"] == line["relative efficiency high"] == ""
        return
    beside = relative_efficiency(learned - truth, control - truth, np.zeros(1))[0]
    assert float(line["relative efficiency"]) == pytest.approx(beside.value, rel=1e-12)


def test_cross_examination_has_means_over_seeds(rows, document):
    line = next(
        c for c in table(document, "cross-examination") if (c["learned from"], c["fresh judge"]) == ("neural", "logistic")
    )
    expected = mean_interval(figures(rows, "game", "neural", "caught[logistic]"))
    assert [float(line[k]) for k in ("accuracy", "low", "high")] == [expected.value, expected.low, expected.high]


def test_every_figure_of_the_rows_is_shown(rows, document):
    found = table(document, "measured-judge")
    assert {c["measure"] for c in found} == {"excess_log_loss", "calibration_slope", "bayes_log_loss"}
    line = next(
        c
        for c in found
        if (c["discriminator"], c["measure"]) == ("svm", "calibration_slope") and "(n = 200, d = 2," in c["setting"]
    )
    expected = mean_interval(figures(rows, "judge", "svm", "calibration_slope", 200, 2))
    assert [float(line[k]) for k in ("mean", "low", "high")] == [expected.value, expected.low, expected.high]
    assert line["replicates"] == "6 seeds"
    best = [c for c in found if c["discriminator"] == ""]
    assert [(c["measure"], float(c["mean"]), c["low"]) for c in best] == [("bayes_log_loss", 0.54, "")] * 4
    assert {c["measure"] for c in table(document, "measured-game")} == {"energy_distance"}
    assert "Everywhere the same: rounds 500." in document.data()["measured-game"].caption
    assert {c["measure"] for c in table(document, "measures") if not c["what it is"]} == set()


def test_a_figure_of_one_seed_has_the_interval_of_its_cell():
    found = table(compose(single_rows()), "measured-judge")
    line = next(c for c in found if (c["discriminator"], c["measure"]) == ("svm", "calibration_slope"))
    assert float(line["high"]) - float(line["mean"]) == pytest.approx(0.04)
    assert line["replicates"] == "20 training sets"


def test_figures_of_games_stand_beside_those_of_the_truth():
    rows = game_rows(seeds=3)
    for each in rows:
        if each["payload"]["kind"] == "truth":
            each["figures"] |= {"floor": 0.002, "entropy": 2.5, "entropy_se": 0.1}
        elif each["payload"]["discriminator"] == "svm":
            each["figures"] |= {"log_density": -3.0, "reverse_kl": 0.1 * each["payload"]["seeds"][0]}
    beside = {(c["discriminator"], c["measure"]): c["of the truth"] for c in table(compose(rows), "measured-game")}
    assert {measure: beside["svm", measure] for measure in ("energy_distance", "log_density", "reverse_kl")} == {
        "energy_distance": "0.002",
        "log_density": "-2.5",
        "reverse_kl": "",
    }


def test_intervals_of_shares_and_counts_end_where_nothing_is_possible():
    rows = game_rows(seeds=3)
    for each in rows:
        if each["payload"]["kind"] == "game":
            seed = each["payload"]["seeds"][0]
            each["figures"] |= {"modes": 8, "modes_captured": 8 - (seed == 0), "high_quality": 1 - 0.5 * (seed == 0)}
            each["figures"] |= {"off_support": 0.1 * (seed == 0)}
    found = compose(rows)
    ends = {c["measure"]: (float(c["low"]), float(c["high"])) for c in table(found, "measured-game")}
    assert ends["modes_captured"][1] == 8
    assert ends["high_quality"][1] == 1
    assert ends["off_support"][0] == 0
    assert all(0 <= float(c["low"]) <= float(c["high"]) <= 1 for c in table(found, "cross-examination"))
    assert "Everywhere the same: modes 8, rounds 500." in found.data()["measured-game"].caption


def test_a_long_table_of_figures_is_closed_at_first():
    html, short = (as_html(compose(judge_rows(seeds=3, dimensions=dimensions))) for dimensions in ((2, 3, 4, 8), (2,)))
    for page, closed in ((html, True), (short, False)):
        section = page[page.index('<h2 id="measured">') : page.index("measures.csv")]
        assert ("<details>" in section) == closed
        assert "calibration_slope" in section


def test_seconds_stand_beside_what_was_reached(rows, document):
    line = next(c for c in table(document, "cost") if (c["discriminator"], c["measure"]) == ("svm", "energy_distance"))
    assert float(line["seconds"]) == 2.5
    expected = mean_interval(figures(rows, "game", "svm", "energy_distance"))
    assert [float(line[k]) for k in ("mean", "low", "high")] == [expected.value, expected.low, expected.high]


def test_every_figure_shows_the_numbers_of_its_file(tmp_path, rows, document):
    page = write(document, tmp_path).read_text()
    parts = document.data()
    assert len(parts) >= 12
    assert len([p for p in parts.values() if isinstance(p, Figure)]) >= 9
    for name, part in parts.items():
        written = list(csv.reader(io.StringIO((tmp_path / "data" / f"{name}.csv").read_text())))
        whole = (isinstance(part, Table) and part.whole) or part
        assert written[0] == list(whole.columns)
        assert set(part.columns) <= set(whole.columns)
        assert len(written) == 1 + len(part.rows)
        assert f'href="data/{name}.csv"' in page
        if isinstance(part, Figure):
            assert part.pictures or name.startswith(("measured", "cost"))
            assert all(svg in page for svg in part.pictures)
    shown = re.findall(r"<title>svm: ([^ <]*)", "".join(parts["plane-judge-squared_bias"].pictures))
    assert shown == [say(float(c["bias"])) for c in table(document, "plane-judge-squared_bias") if c["discriminator"] == "svm"]


def test_pictures_are_well_formed_and_finite(document):
    svgs = [svg for part in document.data().values() if isinstance(part, Figure) for svg in part.pictures]
    for svg in [*svgs, *standing_alone(document).values()]:
        ElementTree.fromstring(svg)
        assert not re.search(r'"[^"]*\b(nan|inf)\b[^"]*"', re.sub(r"aria-label=\"[^\"]*\"", "", svg))


# ---------------------------------------------------------------------------------------------------------------- methods
def methods(document):
    """The titles and sources of the section on methods, and its references."""
    formulas = [block for block in document.blocks if isinstance(block, Formula)]
    heads = [i for i, block in enumerate(document.blocks) if block == Heading("References", "references")]
    return [f.title for f in formulas], " ".join(f.source for f in formulas), [p.text for p in document.blocks[heads[0] + 1 :]]


def single_rows(**options):
    """Cells of one seed, with enough training sets."""
    rows = judge_rows(seeds=1, **options)
    for each in rows:
        each["payload"]["budget"]["sets"] = 20
    return rows


@pytest.mark.parametrize(
    "make", [everything, single_rows, lambda: game_rows(seeds=12), list], ids=["all", "one", "games", "none"]
)
def test_what_is_cited_is_referenced_and_nothing_else(make):
    _, sources, references = methods(compose(make()))
    cited = re.findall(r"([A-Z]\w+)(?: & \w+| et al\.)? \((\d{4})\)", sources)
    assert bool(cited) == bool(make())
    for name, year in cited:
        assert [text for text in references if name in text and year in text], f"{name} ({year})"
    for text in references:
        assert [name for name, year in cited if name in text and year in text], text
    assert len(set(references)) == len(references)


def test_methods_are_those_of_this_report():
    games, judges, single = (set(methods(compose(rows))[0]) for rows in (game_rows(), judge_rows(), single_rows()))
    only = {
        "Comparison of two biases that seeds have together": (True, False, False),
        "Interval of the variance of a law": (True, False, False),
        "Parameter efficiency": (True, False, False),
        "Cross-examination": (True, False, False),
        "Comparison of two discriminators by seed": (False, True, False),
        "Comparison of cells of one seed, over R training sets": (False, False, True),
        "Mean difference over settings, by seed": (False, True, False),
        "Mean difference over settings where no seed has a difference in all of them": (False, False, True),
        "Chance that a seed has less": (False, True, False),
        "Interval of a squared bias, or of the bias of a law": (True, True, True),
        "Family of comparisons": (True, True, True),
    }
    assert {title: tuple(title in each for each in (games, judges, single)) for title in only} == only


def test_letters_of_formulas_are_explained(document):
    """Each of the letters stands in the table of symbols."""
    letters = " ".join(line["letter"] for line in table(document, "symbols"))
    for letter in ("n", "d", "KL", "R", "S", "k", "π", "I", "D", "r̄", "ℓ", "λ"):
        formulas = " ".join(block.formula for block in document.blocks if isinstance(block, Formula))
        assert letter in letters or f"{letter} =" in formulas, letter
    meaning = next(line["what it is"] for line in table(document, "symbols") if line["letter"] == "n")
    assert "rows of each kind" in meaning
    assert "in all" in meaning


# ----------------------------------------------------------------------------------------------------- what may be lacking
@pytest.mark.parametrize(
    "rows",
    [
        [],
        judge_rows(seeds=1),
        judge_rows(seeds=2)[:1],
        failing(judge_rows(seeds=3), every=1),
        failing(judge_rows(seeds=3), every=1, arm="neural"),
        [{**each, "status": "crashed", "figures": {}} for each in everything()],
        [each for each in game_rows() if each["payload"]["kind"] != "truth"],
        [each for each in game_rows() if each["payload"]["kind"] == "truth"],
        game_rows(seeds=2),
        [row(payload("judge", "p", "pair", "x"), {"odd": None, "other": 1.0})],
        [row({"seed": 1}, {"value": 1.0})],
    ],
    ids=[
        "empty",
        "one seed",
        "one row",
        "one fails",
        "control fails",
        "all fail",
        "no truth",
        "only truth",
        "two seeds",
        "odd",
        "bare",
    ],
)
def test_a_report_says_what_is_lacking(tmp_path, rows):
    html = write(compose(rows), tmp_path).read_text()
    for anchor in (
        "answer",
        "plane",
        "curves",
        "efficiency",
        "cross-examination",
        "beside",
        "measured",
        "failures",
        "provenance",
        "methods",
    ):
        assert f'<h2 id="{anchor}">' in html
    assert "nan" not in re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL).lower().replace("finance", "").split()


def test_what_cannot_be_tested_is_left_undecided_and_out_of_the_family():
    document = compose(judge_rows(seeds=6) + judge_rows(seeds=1, dimensions=(3,), sizes=(200,)))
    found = table(document, "comparisons")
    lone = [c for c in found if c["replicates"] == "1 seed"]
    assert len(lone) == 3
    assert {(c["raises it?"], c["p"]) for c in lone} == {("undecided", "")}
    adjusted = holm({i: float(c["p"]) for i, c in enumerate(found) if c["p"]})
    assert [float(c["adjusted p"]) for c in found if c["p"]] == list(adjusted.values())


def test_cells_of_one_seed_are_compared_by_their_own_errors():
    rows = judge_rows(seeds=1)
    for each in rows:
        each["payload"]["budget"]["sets"] = 20
    found = [c for c in table(compose(rows), "comparisons") if c["discriminator"] == "logistic"]
    assert len(found) == 4
    error = math.hypot(0.005, 0.005)
    for c in found:
        d = float(c["difference"])
        assert float(c["p"]) == pytest.approx(2 * student_t.sf(abs(d) / error, 19), rel=1e-12)
        assert float(c["high"]) == pytest.approx(d + student_t.ppf(0.975, 19) * error, rel=1e-12)


def test_one_comparison_is_one():
    one = {name: JUDGES[name] for name in ("neural", "forest")}
    (single, many) = (as_html(compose(judge_rows(3, judges, (200,), (2,)))) for judges in (one, None))
    assert "1 comparison that could be tested of 1;" in single
    assert "3 comparisons that could be tested of 3;" in many


def test_budgets_of_ones_own_are_compared_and_others_are_not():
    rows = judge_rows(seeds=3, sizes=(200,), dimensions=(2,))
    for each in rows:
        each["payload"]["budget"]["steps"] = 10 if each["payload"]["discriminator"] == "neural" else 20
    assert len(table(compose(rows), "comparisons")) == 3
    more = judge_rows(seeds=3, sizes=(200,), dimensions=(2,))
    for each in more:
        each["payload"]["budget"]["steps"] = 20 if each["payload"]["discriminator"] == "neural" else 40
    found = table(compose(rows + more), "comparisons")  # each of several budgets: only equal ones are compared
    assert {c["setting"] for c in found} == {"correlated (n = 200, d = 2, KL = 0.5, steps 20)"}


def test_seeds_that_change_nothing_decide_nothing():
    rows = [
        row(payload("judge", "p", "pair", arm, seeds=[s]), {"excess_log_loss_bias": b})
        for s in range(5)
        for arm, b in (("a", 0.1), ("b", 0.3))
    ]
    assert {c["raises it?"] for c in table(compose(rows), "comparisons")} == {"undecided"}


def test_the_control_is_chosen_or_a_network(rows):
    assert {c["control"] for c in table(compose(rows, control="svm"), "comparisons")} == {"svm"}
    with pytest.raises(ValueError, match=r"no discriminator 'nobody'.*Choose among: forest, logistic"):
        compose(rows, control="nobody")


@pytest.mark.parametrize(
    ("failed", "control"),
    [((), "neural"), (("neural",), "forest"), (("neural", "forest"), "logistic"), (("forest", "logistic"), "neural")],
)
def test_a_discriminator_that_never_finished_is_no_control_by_itself(failed, control):
    rows = judge_rows(seeds=3)
    for arm in failed:
        rows = failing(rows, every=1, arm=arm)
    assert {c["control"] for c in table(compose(rows), "comparisons")} == {control}
    assert {c["control"] for c in table(compose(rows, control="forest"), "comparisons")} == {"forest"}


def test_a_discriminator_without_any_figures_is_the_reason_of_its_comparison():
    found = table(compose(failing(judge_rows(seeds=1), every=1, arm="forest")), "comparisons")
    why = {line["why undecided"] for line in found if line["discriminator"] == "forest"}
    assert why == {"no run of forest ended with figures: see Failures and cost"}


def test_a_part_of_a_study_says_so(rows):
    assert f"{len(rows)} of 200 cells are finished" in as_html(compose(rows, planned=200))
    judges, games = (sum(each["payload"]["kind"] == kind for each in rows) for kind in ("judge", "game"))
    part = f"a part of the study: judges on correlated ({judges} cells); games of mixture on gaussian ({games} cells)."
    assert part in as_html(compose(rows, planned=200))
    assert "This is a part" not in as_html(compose(rows, planned=len(rows)))


def test_a_row_without_identity_is_refused():
    with pytest.raises(ValueError, match="no identity"):
        compose([{"payload": {}}])


@pytest.mark.slow
def test_a_hundred_thousand_rows_would_take_less_than_half_a_minute(tmp_path):
    judges = {f"judge {i}": (0.03 + 0.01 * i, 0.01) for i in range(9)} | {"neural": (0.03, 0.01)}
    rows = judge_rows(seeds=20, judges=judges, sizes=(100, 400), dimensions=range(1, 6), dials=[0.2 * i for i in range(1, 6)])
    assert len(rows) == 10_000
    begun = time.process_time()
    page = write(compose(rows), tmp_path)
    assert time.process_time() - begun < 3
    assert page.stat().st_size < 5e6
