"""Results as a page to look at: one self-contained HTML file."""

from turinglearn.report.page import Page

__all__ = ["Page"]
