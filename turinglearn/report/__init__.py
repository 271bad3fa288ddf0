"""Results as pages: the report of a study, and the page of the demonstration."""

from turinglearn.report.render.document import Report
from turinglearn.report.render.page import Page
from turinglearn.report.study import compose, write

__all__ = ["Page", "Report", "compose", "write"]
