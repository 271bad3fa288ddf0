"""The report of a study in a real browser: no error, no request, tables that sort and filter, names that do nothing."""

from __future__ import annotations

import shutil

import pytest

from tests.study_rows import HOSTILE, discriminator_rows, everything, game_rows, renamed
from turinglearn.report import compose, write

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"]
SIZES = {"wide": (1200, 900), "narrow": (360, 740)}


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, which is not installed")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"needs a browser; found none of {', '.join(BROWSERS)}")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=found, args=OPTIONS, chromium_sandbox=False)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A report in which a discriminator, a problem and an error are hostile."""
    rows = [*renamed(everything(), "forest", HOSTILE)]
    for each in rows:
        problem = each["payload"]["problem"]
        hostile = {**problem, "name": f'"><img src=x onerror=alert(2)>{problem["name"]}'}
        each["payload"] = {**each["payload"], "problem": hostile}
        each["error"] = each["error"] and f"{each['error']}\n{HOSTILE}</pre><script>alert(3)</script>"
    return write(compose(rows, title=f"A study {HOSTILE}"), tmp_path_factory.mktemp("report")).as_uri()


@pytest.fixture
def opened(browser, address):
    """The page, and what must stay empty: errors, requests, dialogs."""
    page = browser.new_page()
    seen = []
    page.on("console", lambda message: seen.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: seen.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (seen.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: request.url.startswith(("file:", "data:,")) or seen.append(f"request: {request.url}"))
    page.goto(address)
    yield page
    page.close()
    assert seen == []


def column(page, table, index):
    """The texts of a column's rows that are shown."""
    return page.eval_on_selector_all(
        f"{table} tbody tr", f"rows => rows.filter(r => !r.hidden).map(r => r.cells[{index}].textContent)"
    )


def test_only_the_page_itself_is_read(browser, address):
    page, asked = browser.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    assert [url for url in asked if url != "data:,"] == [address]
    page.close()


def test_hostile_names_do_nothing_and_can_be_read(opened):
    assert opened.evaluate("document.scripts.length") == 1
    assert opened.evaluate("document.images.length") == 0
    assert HOSTILE in opened.inner_text("body")
    assert opened.title() == f"A study {HOSTILE}"
    for summary in opened.query_selector_all("summary"):
        summary.click()
    assert f"{HOSTILE}</pre><script>alert(3)</script>" in opened.inner_text("body")


def test_tables_sort_by_number_and_by_text(opened):
    table = ".sorted >> nth=0"
    heads = opened.eval_on_selector_all(f"{table} >> th", "heads => heads.map(h => h.textContent)")
    by_number, by_text = heads.index("p"), heads.index("discriminator")
    first = "table.sorted"
    values = f"rows => rows.map(r => Number(r.cells[{by_number}].dataset.v))"
    opened.click(f"{table} >> th >> nth={by_number} >> button")
    rows = opened.locator(first).first.locator("tbody tr")
    up = rows.evaluate_all(values)
    assert up == sorted(up)
    assert opened.locator(first).first.locator("th").nth(by_number).get_attribute("aria-sort") == "ascending"
    opened.click(f"{table} >> th >> nth={by_number} >> button")
    assert rows.evaluate_all(values) == sorted(up, reverse=True)
    assert len(set(up)) > 5
    opened.click(f"{table} >> th >> nth={by_text} >> button")
    names = rows.evaluate_all(f"rows => rows.map(r => r.cells[{by_text}].textContent)")
    assert names[0] == HOSTILE
    assert names == sorted(names, key=lambda name: (name != HOSTILE, name))
    assert opened.locator(first).first.locator("th[aria-sort]").count() == 1


def test_tables_filter_by_words(opened):
    table = opened.locator("table.sorted").first
    box = opened.locator("input.filter").first
    total = table.locator("tbody tr").count()
    box.fill("LOGISTIC correlated")
    shown = table.locator("tbody tr:not([hidden])")
    assert 0 < shown.count() < total
    assert all("logistic" in text for text in shown.all_inner_texts())
    assert opened.locator(".count").first.inner_text() == f"{shown.count()} of {total} rows"
    box.fill("nothing of the kind")
    assert shown.count() == 0
    box.fill("")
    assert shown.count() == total


def test_it_is_readable_without_its_script(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    text = page.inner_text("body")
    assert "Replacing neural by logistic raises the bias" in text
    assert page.locator("svg").count() > 10
    assert page.locator("input").count() == 0
    context.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_window_in_both_themes(browser, address, size, scheme):
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ink, paper = page.evaluate("(({color, backgroundColor}) => [color, backgroundColor])(getComputedStyle(document.body))")
    light, dark = (sum(map(int, c.partition("(")[2].strip(")").split(","))) for c in (ink, paper))
    assert (light < dark) == (scheme == "light")
    page.close()


def test_all_comparisons_columns_are_on_a_wide_screen(browser, tmp_path):
    rows = renamed(discriminator_rows(seeds=3, sizes=(100, 400)) + game_rows(), "svm", "16 neighbours")
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(write(compose(rows), tmp_path).as_uri())
    table = page.locator("table.sorted").first
    heads = table.locator("th").all_inner_texts()
    assert {"adjusted p", "p", "why undecided"} <= set(heads)
    assert "adjusted p > 0.05" in table.inner_text()
    assert table.evaluate("t => t.offsetWidth <= t.parentElement.clientWidth")
    page.close()


def test_text_in_pictures_stays_inside_them(opened):
    outside = opened.evaluate("""() => [...document.querySelectorAll(".pictures svg")].flatMap(svg => {
        const box = svg.viewBox.baseVal, place = svg.getScreenCTM().inverse();
        return [...svg.querySelectorAll("text")].filter(text => {
            const r = text.getBoundingClientRect();
            const [a, b] = [new DOMPoint(r.left, r.top), new DOMPoint(r.right, r.bottom)].map(p => p.matrixTransform(place));
            return a.x < -1 || b.x > box.width + 1 || a.y < -1 || b.y > box.height + 1;
        }).map(text => text.textContent);
    })""")
    assert outside == []
