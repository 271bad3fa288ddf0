"""Reports as HTML and Markdown, and their charts."""

__all__ = []
