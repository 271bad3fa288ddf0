"""How Sphinx builds these pages: `make docs`. Nothing here reads from the network, nor does a page when it is viewed."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from turinglearn import __version__

project = "turinglearn"
author = copyright = "the turinglearn developers"
release = version = __version__
language = "en_GB"

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "mathml", "plain_docstrings"]
exclude_patterns = ["_build", "_ext", "examples", "images/*.py"]
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(sklearn|numpy|torch)\..*")]  # described elsewhere, and nothing is fetched from there

default_role = "py:obj"
autosummary_generate = False
autodoc_typehints = "none"  # docstrings give types and shapes
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_preserve_defaults = True  # LIGHT, not its fields
add_module_names = False
toc_object_entries_show_parents = "hide"
maximum_signature_line_length = 88
smartquotes = False  # docstrings quote code
pygments_style = "default"

html_theme = "pydata_sphinx_theme"
html_title = "turinglearn"
html_static_path = ["_static"]
html_css_files = ["turinglearn.css"]
html_math_renderer = "mathml"
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False
html_sidebars = {"*": [], "reference/*": ["sidebar-nav-bs"]}
html_theme_options = {
    "logo": {"text": "turinglearn"},
    "show_toc_level": 2,
    "header_links_before_dropdown": 9,
    "navbar_align": "left",
    "footer_start": ["theme-version"],
    "footer_end": ["sphinx-version"],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
