"""Two small things for docstrings that are written to be read in a terminal.

Marks of reStructuredText outside backticks, such as in (n, *event) or |x - z|, are letters. A short name in backticks links
to its one public home, wherever it stands; in a docstring, a name without a home is an argument or a private helper, and stays
code.
"""

from __future__ import annotations

import re

QUOTED = re.compile(r"(``.+?``|`[^`]+`)")


def escape(app, what, name, obj, options, lines):
    """Escape marks outside backticks, literal blocks and doctests."""
    block = False
    for i, line in enumerate(lines):
        block = (block and (not line.strip() or line.startswith("    "))) or (i > 0 and lines[i - 1].rstrip().endswith("::"))
        if block or line.lstrip().startswith((">>>", "...", ".. ")):
            continue
        parts = QUOTED.split(line)
        parts[::2] = [re.sub(r"([*|]|(?<=\w)_(?!\w))", r"\\\1", part) for part in parts[::2]]
        lines[i] = "".join(parts)


def resolve(app, env, node, contnode):
    """Resolve a reference that Sphinx could not, or leave it as it is."""
    target, python = node["reftarget"], env.get_domain("py")
    members = () if "." in target else ("method", "property", "attribute")  # a bare `fit` is not the method of some class
    known = {n for n, entry in python.objects.items() if not entry.aliased and entry.objtype not in members}
    homes = [n for n in known if f".{n}".endswith(f".{target}")]
    if len(homes) == 1:
        return python.resolve_xref(env, node["refdoc"], app.builder, "obj", homes[0], node, contnode)
    return contnode if re.search("docstring of|<autosummary>", node.source or "") else None


def setup(app):
    """Connect the hooks; the first one before numpydoc's."""
    app.connect("autodoc-process-docstring", escape, priority=100)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
