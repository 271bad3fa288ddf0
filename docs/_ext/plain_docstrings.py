"""Docstrings that are written to be read in a terminal, as reStructuredText.

Marks outside backticks are letters, indented formulas are shown as they stand, and parameters, attributes and fields become
lists. A name in backticks links to what is public under it, wherever the docstring stands.
"""

from __future__ import annotations

import re

SECTIONS = ("Parameters", "Attributes", "Examples")
QUOTED = re.compile(r"(``.+?``|`[^`]+`)")
FIELD = re.compile(r"[a-z_]+(, [a-z_]+)*: ")


def literal(text):
    """The text with every mark of reStructuredText made a letter, but for what stands in backticks."""
    parts = QUOTED.split(text)
    parts[::2] = [re.sub(r"([\\*|]|(?<=\w)_(?!\w))", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def convert(lines):
    """A docstring's lines as reStructuredText."""
    made, section, i = [], None, 0
    while i < len(lines):
        line = lines[i]
        if line in SECTIONS and i + 1 < len(lines) and set(lines[i + 1]) == {"-"}:
            section = line
            made += [f".. rubric:: {section}", ""]
            i += 2
        elif section == "Examples" or line.startswith(">>>"):
            made.append(line)
            i += 1
        elif section and line.strip():
            i, item = items(lines, i, section)
            made += item
        elif FIELD.match(line) and starts(lines, i) and is_list(lines, i):
            while i < len(lines) and lines[i]:
                i, item = items(lines, i, "Fields", ": ")
                made += item
        elif line.startswith(" ") and starts(lines, i):
            i, block = formula(lines, i)
            made += block
        else:
            made.append(literal(line))
            i += 1
    return made


def starts(lines, i):
    """Whether line i begins a paragraph."""
    return i == 0 or not lines[i - 1].strip()


def is_list(lines, i):
    """Whether the paragraph that begins with line i is a list of fields, their further lines indented."""
    paragraph = lines[i : lines.index("", i) if "" in lines[i:] else len(lines)]
    return all(line.startswith(" ") or FIELD.match(line) for line in paragraph)


def items(lines, i, section, separator=" : "):
    """One entry of a list of parameters, attributes or fields: its name, and what is said of it."""
    name, _, rest = lines[i].partition(separator)
    body, i = [], i + 1
    while "".join(lines[i : i + 2]).startswith(" "):  # a further line, or an empty one before a further one
        body.append(literal(lines[i]))
        i += 1
    names = ", ".join(f"``{n}``" for n in name.split(", "))
    if section == "Parameters" and body:
        return i, [names + (f" : {literal(rest)}" if rest else ""), *body, ""]
    return i, [names, f"    {literal(rest)}", *body, ""]


def formula(lines, i):
    """An indented block that follows a blank line, as it stands."""
    block = []
    while i < len(lines) and (lines[i].startswith(" ") or not lines[i].strip()):
        block.append(lines[i])
        i += 1
    while not block[-1].strip():
        block.pop()
    return i, ["::", "", *block, ""]


def process(app, what, name, obj, options, lines):
    """Sphinx's hook: the lines are changed in place."""
    lines[:] = convert(lines) if what != "module" else [literal(line) for line in lines]


def skip(app, what, name, obj, skipped, options):
    """Sphinx's hook: scikit-learn adds set_fit_request and the like to every estimator."""
    return True if re.fullmatch(r"set_\w+_request", name) else None


def resolve(app, env, node, contnode):
    """Sphinx's hook: a name without a target where it stands is the public one, or else, in a docstring, an argument's."""
    target, python = node["reftarget"], env.get_domain("py")
    members = () if "." in target else ("method", "property", "attribute")  # by its bare name nobody means another's method
    known = {n: entry for n, entry in python.objects.items() if not entry.aliased and entry.objtype not in members}
    homes = [n for n in known if f".{n}".endswith(f".{target}")]
    if len(homes) == 1:
        return python.resolve_xref(env, node["refdoc"], app.builder, "obj", homes[0], node, contnode)
    return contnode if re.search("docstring of|<autosummary>", node.source or "") else None


def signature(app, what, name, obj, options, arguments, returned):
    """Sphinx's hook: nobody makes an instance of a protocol, so it has no arguments to show."""
    return ("", None) if getattr(obj, "_is_protocol", False) else None


def setup(app):
    """Connect the hooks."""
    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-process-signature", signature)
    app.connect("autodoc-skip-member", skip)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
