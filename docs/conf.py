"""How Sphinx builds these pages: `make docs`. Nothing here reads from the network, nor does a page when it is viewed."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import mathjax  # the files of MathJax, as a package

from turinglearn import __version__

project = "turinglearn"
author = copyright = "the turinglearn developers"
release = version = __version__
language = "en_GB"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_design",
    "docstrings",
]
exclude_patterns = ["_build", "_ext", "examples/*", "images/*.py", "**/*.inc"]
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"(sklearn|numpy|torch|pandas|collections|pathlib|os|types)\..*"),  # their inventories would have to be fetched
    (r"py:class", r"turinglearn\..*|[A-Z]\w*|np\.\w+"),  # private classes and names of types, in annotations alone
]

default_role = "py:obj"
autosummary_generate = False
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {
    "members": True,
    "member-order": "bysource",
    "exclude-members": "set_fit_request, set_score_request, set_predict_request, set_partial_fit_request",  # scikit-learn's
}
autodoc_preserve_defaults = True  # LIGHT, not its fields
add_module_names = False
toc_object_entries_show_parents = "hide"
maximum_signature_line_length = 88
numpydoc_show_class_members = False  # the pages list them
numpydoc_class_members_toctree = False
smartquotes = False  # docstrings quote code
pygments_style = "default"

html_theme = "pydata_sphinx_theme"
html_title = "turinglearn"
html_static_path = ["_static", str(Path(mathjax.__file__).parent / "static" / "mathjax" / "es5" / "tex-svg.js")]
html_css_files = ["turinglearn.css"]
mathjax_path = "tex-svg.js"  # in one file with its glyphs, served with the pages
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False
html_sidebars = {page: [] for page in ("index", "tour", "examples", "benchmarks")}  # other pages list their section
html_theme_options = {
    "logo": {"text": "turinglearn"},
    "show_toc_level": 2,
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "footer_start": ["theme-version"],
    "footer_end": ["sphinx-version"],
    "secondary_sidebar_items": {"**": ["page-toc"], "index": [], "zoo": []},  # its tables are wide
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
