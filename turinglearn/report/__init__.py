"""Results as a page to look at: the page of the demonstration, and the report of a study."""

from turinglearn.report.document import Document
from turinglearn.report.page import Page
from turinglearn.report.study import compose, write

__all__ = ["Document", "Page", "compose", "write"]
