"""The report of a study: the same bytes each time, in a folder that others may use too, and sentences on what is lacking."""

from __future__ import annotations

import csv
import gc
import hashlib
import io
import os
import random
import re
import time

import pytest

from tests.report_tables import table
from tests.study_rows import discriminator_rows, everything, failing, game_rows, payload, row
from turinglearn.report import compose, write
from turinglearn.report.render.document import ReportFigure, format_cell
from turinglearn.report.render.folder import LISTING
from turinglearn.report.render.report_html import as_html
from turinglearn.study.schema import Row


def digests(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.*")}


def test_the_same_rows_in_any_order_give_the_same_bytes(tmp_path, rows):
    shuffled = [*rows]
    random.Random(0).shuffle(shuffled)
    as_rows = [Row(**each) for each in shuffled]
    found = []
    for i, each in enumerate((rows, shuffled, as_rows, iter(rows))):
        write(compose(each, title="A study"), tmp_path / str(i))
        found.append(digests(tmp_path / str(i)))
    assert all(each == found[0] for each in found)
    assert {"report.html", "report.md"} < set(found[0])
    assert not [name for name in found[0] if name.endswith(".partial")]


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
    assert "plane-discriminator-excess_log_loss_bias-0.svg" in names(tmp_path / "again")
    write(compose(discriminator_rows(seeds=1)[:1]), tmp_path / "again")
    write(compose(discriminator_rows(seeds=1)[:1]), tmp_path / "again")
    assert names(tmp_path / "again") == names(tmp_path / "again") == {*listed(tmp_path / "again"), LISTING}
    assert digests(tmp_path / "again") == digests(tmp_path / "again")


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
    write(compose(discriminator_rows(seeds=3)), tmp_path)
    first = digests(tmp_path)

    class Killed(BaseException):
        pass

    def replace(source, target, left=iter(range(12))):
        if next(left, None) is None:
            raise Killed
        os.rename(source, target)

    monkeypatch.setattr("turinglearn.data.atomic.os.replace", replace)
    with pytest.raises(Killed):
        write(compose(rows), tmp_path)
    monkeypatch.undo()
    assert set(first) < set(digests(tmp_path))
    (tmp_path / "data" / "comparisons.csv.0123abcd.partial").write_text("of a process that was killed")
    write(compose(discriminator_rows(seeds=3)), tmp_path)
    assert digests(tmp_path) == first


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


@pytest.mark.parametrize(
    "rows",
    [
        [],
        discriminator_rows(seeds=1),
        discriminator_rows(seeds=2)[:1],
        failing(discriminator_rows(seeds=3), every=1),
        failing(discriminator_rows(seeds=3), every=1, arm="neural"),
        [{**each, "status": "crashed", "figures": {}} for each in everything()],
        [each for each in game_rows() if each["payload"]["kind"] != "truth"],
        [each for each in game_rows() if each["payload"]["kind"] == "truth"],
        game_rows(seeds=2),
        [row(payload("discriminator", "p", "pair", "x"), {"odd": None, "other": 1.0})],
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


def test_a_part_of_a_study_says_so(rows):
    assert f"{len(rows)} of 200 cells are finished" in as_html(compose(rows, planned=200))
    discriminators, games = (sum(each["payload"]["kind"] == kind for each in rows) for kind in ("discriminator", "game"))
    games_said = f"games of mixture on gaussian ({games} cells)"
    part = f"a part of the study: discriminators on correlated ({discriminators} cells); {games_said}."
    assert part in as_html(compose(rows, planned=200))
    assert "This is a part" not in as_html(compose(rows, planned=len(rows)))


def test_every_figure_shows_the_numbers_of_its_file(tmp_path, rows, document):
    page = write(document, tmp_path).read_text()
    parts = document.data()
    assert len(parts) >= 12
    assert len([p for p in parts.values() if isinstance(p, ReportFigure)]) >= 9
    for name, part in parts.items():
        written = list(csv.reader(io.StringIO((tmp_path / "data" / f"{name}.csv").read_text())))
        whole = part.filed
        assert written[0] == list(whole.columns)
        assert set(part.columns) <= set(whole.columns)
        assert len(written) == 1 + len(part.rows)
        assert f'href="data/{name}.csv"' in page
        if isinstance(part, ReportFigure):
            assert part.pictures or name.startswith(("measured", "cost"))
            assert all(svg in page for svg in part.pictures)
    shown = re.findall(r"<title>svm: ([^ <]*)", "".join(parts["plane-discriminator-squared_bias"].pictures))
    assert shown == [
        format_cell(float(c["bias"]))
        for c in table(document, "plane-discriminator-squared_bias")
        if c["discriminator"] == "svm"
    ]


def test_a_row_without_a_field_is_refused():
    with pytest.raises(ValueError, match=r"A row has no identity, only \['payload'\]. Report on the rows of a study"):
        compose([{"payload": {}}])


def test_a_payload_that_is_not_a_cell_is_refused():
    with pytest.raises(ValueError, match="is not a cell of a study"):
        compose([row({"seed": 1}, {"value": 1.0})])


@pytest.mark.slow
def test_a_hundred_thousand_rows_would_take_less_than_half_a_minute(tmp_path):
    discriminators = {f"discriminator {i}": (0.03 + 0.01 * i, 0.01) for i in range(9)} | {"neural": (0.03, 0.01)}
    rows = discriminator_rows(
        seeds=20,
        discriminators=discriminators,
        sizes=(100, 400),
        dimensions=range(1, 6),
        continuous_factors=[0.2 * i for i in range(1, 6)],
    )
    assert len(rows) == 10_000
    begun = time.process_time()
    page = write(compose(rows), tmp_path)
    assert time.process_time() - begun < 3
    assert page.stat().st_size < 5e6
