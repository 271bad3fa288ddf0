"""Stylesheets of a report and of a plain page, and the script that sorts and filters the tables of a report."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from turinglearn.plots.palette import SERIES_DARK, SERIES_LIGHT

__all__ = ["PAGE_STYLE", "PICTURE_STYLE", "POLICY", "REPORT_STYLE", "SCRIPT"]


def _colours(of: tuple[str, ...]) -> str:
    """Return colours as variables of CSS."""
    return " ".join(f"--c{i}: {colour};" for i, colour in enumerate(of))


_THEME = f"""
:root {{ color-scheme: light dark; --paper: #fff; --ink: #1d2126; --soft: #5a626b; --rule: #d9dde2; --card: #f5f7f9;
  --heat: #d55e00; --yes: #a33c00; --no: #005a8c; --open: #5a626b; --link: #005a8c; {_colours(SERIES_LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ --paper: #15181c; --ink: #e4e7ea; --soft: #a0a8b1; --rule: #353b43;
  --card: #1e2329; --heat: #f08a3c; --yes: #f5a567; --no: #7cc4f0; --open: #a0a8b1; --link: #7cc4f0;
  {_colours(SERIES_DARK)} }} }}
"""
_MARKS = "\n".join(f".f{i} {{ fill: var(--c{i}); }} .s{i} {{ stroke: var(--c{i}); }}" for i in range(len(SERIES_LIGHT)))
_PICTURE = f"""
svg text {{ font: 11px system-ui, sans-serif; fill: var(--ink); }}
svg .title {{ font-weight: 600; font-size: 12px; }}
svg .tick, svg .label {{ fill: var(--soft); }}
svg .middle {{ text-anchor: middle; }}
svg .end {{ text-anchor: end; }}
svg .grid {{ stroke: var(--rule); stroke-width: .6; }} svg .zero {{ stroke: var(--soft); stroke-width: .9; }}
svg .mark {{ stroke: var(--ink); stroke-width: 1; stroke-dasharray: 4 3; }}
svg .bar {{ stroke-width: 1.4; opacity: .75; }}
svg .points {{ fill: none; stroke-width: 4; stroke-linecap: round; stroke-opacity: .7; }}
svg .real {{ stroke: var(--ink); }}
svg .curve {{ fill: none; stroke-width: 1.4; }}
svg .heat {{ fill: var(--heat); }}
svg .cell {{ fill: none; stroke: var(--rule); }}
{_MARKS}
"""
PICTURE_STYLE = f"{_THEME}{_PICTURE}svg {{ background: var(--paper); }}"
REPORT_STYLE = f"""{_THEME}{_PICTURE}
body {{ font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 76rem;
  padding: 1.5rem 1rem 4rem; }}
h1 {{ font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }}
h2 {{ font-size: 1.25rem; margin: 2.6rem 0 .5rem; padding-top: .6rem; border-top: 1px solid var(--rule); }}
p, li {{ max-width: 48rem; overflow-wrap: anywhere; }} p {{ margin: .5rem 0; }} a {{ color: var(--link); }}
nav {{ font-size: .9rem; margin: .6rem 0 0; }} nav a {{ margin-right: 1rem; display: inline-block; }}
.statements {{ list-style: none; margin: .8rem 0; padding: 0; display: grid; gap: .5rem; }}
.statements li {{ background: var(--card); border-left: 4px solid var(--open); padding: .5rem .8rem; max-width: none; }}
.statements .true {{ border-color: var(--yes); }} .statements .false {{ border-color: var(--no); }}
.verdict {{ font-weight: 700; color: var(--open); white-space: nowrap; }}
.true .verdict, td .true {{ color: var(--yes); }}
.false .verdict, td .false {{ color: var(--no); }}
td .verdict {{ font-weight: 600; }}
.wide {{ overflow: auto; max-height: 36rem; margin: .4rem 0; border-bottom: 1px solid var(--rule); }}
table {{ border-collapse: collapse; font-size: .85rem; }}
.note, figcaption {{ color: var(--soft); font-size: .9rem; max-width: 48rem; }}
th, td {{ padding: .25rem .4rem; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }}
td.n, th.n {{ text-align: right; font-variant-numeric: tabular-nums; }} td.n {{ white-space: nowrap; }}
td {{ max-width: 20rem; overflow-wrap: break-word; }} td:not(.n, .s) {{ min-width: 13rem; }}
td.s {{ max-width: none; white-space: nowrap; }} .roomy td {{ max-width: 44rem; }}
thead th {{ position: sticky; top: 0; background: var(--paper); }}
th button {{ font: inherit; font-weight: 600; color: inherit; background: none; border: 0; padding: 0; cursor: pointer;
  text-align: inherit; }}
th[aria-sort] button::after {{ content: " ▲"; }} th[aria-sort="descending"] button::after {{ content: " ▼"; }}
.filter {{ font: inherit; font-size: .88rem; padding: .25rem .5rem; width: min(100%, 20rem); box-sizing: border-box;
  color: var(--ink);
  background: var(--card); border: 1px solid var(--rule); border-radius: 4px; }}
.count {{ margin-left: .6rem; color: var(--soft); font-size: .85rem; }}
figure {{ margin: .8rem 0 1.4rem; }} .pictures {{ display: grid; gap: .8rem; margin: .5rem 0; overflow-x: auto;
  align-items: end;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }}
.pictures svg {{ width: 100%; height: auto; max-width: 30rem; }}
.pictures svg.broad {{ min-width: 30rem; max-width: 46rem; grid-column: 1 / -1; }}
.legend {{ list-style: none; padding: 0; margin: .3rem 0; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem;
  font-size: .88rem; }}
.legend svg {{ width: 1rem; height: 1rem; vertical-align: -.15rem; margin-right: .35rem; }}
details {{ margin: .4rem 0; }} summary {{ cursor: pointer; color: var(--link); font-size: .9rem; }}
pre {{ background: var(--card); padding: .6rem .8rem; overflow: auto; font-size: .85rem; white-space: pre-wrap;
  overflow-wrap: anywhere; }}
@media print {{ .filter, .count, nav {{ display: none; }} .wide {{ max-height: none; overflow: visible; }} }}
"""
PAGE_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff;
       margin: 2rem auto; max-width: 68rem; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: .3rem; } h2 { font-size: 1.25rem; margin: 2.2rem 0 .4rem; }
p { max-width: 46rem; } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; margin: .6rem 0; }
caption { text-align: left; color: #555; padding-bottom: .3rem; }
th, td { padding: .3rem .8rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap;
         font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; } th { border-bottom: 2px solid #888; }
tr.floor { color: #666; font-style: italic; } tr.best { background: #e8f3fa; font-weight: 600; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 28rem), 1fr)); gap: .8rem; }
figure { margin: 0; } figure svg { width: 100%; height: auto; } footer { color: #666; font-size: .85rem; margin: 3rem 0 1rem; }
"""
SCRIPT = """
"use strict";
for (const table of document.querySelectorAll("table.sorted")) {
  const body = table.tBodies[0], rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
  const key = (row, i) => row.cells[i].dataset.v ?? row.cells[i].textContent;
  heads.forEach((head, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending", numeric = head.classList.contains("n");
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const order = (a, b) => {
        const x = key(a, i), y = key(b, i);
        if (!numeric) return up ? x.localeCompare(y) : y.localeCompare(x);
        if (x === "" || y === "") return (x === "") - (y === "");
        return up ? x - y : y - x;
      };
      body.append(...[...rows].sort(order));
    });
  });
  if (rows.length < 6) continue;
  const box = document.createElement("input"), count = document.createElement("span");
  box.type = "search";
  box.className = "filter";
  box.placeholder = "Filter: words that a row must have";
  box.setAttribute("aria-label", box.placeholder);
  count.className = "count";
  count.setAttribute("role", "status");
  const texts = rows.map((row) => row.textContent.toLowerCase());
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !words.every((word) => texts[i].includes(word));
      shown += !row.hidden;
    });
    count.textContent = `${shown} of ${rows.length} rows`;
  });
  table.parentElement.before(box, count);
}
"""
_HASH = b64encode(sha256(SCRIPT.encode()).digest()).decode()
# Nothing is fetched, and no other script runs.
_SOURCES = f"style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{_HASH}'"
POLICY = f"default-src 'none'; {_SOURCES}; base-uri 'none'; form-action 'none'"
