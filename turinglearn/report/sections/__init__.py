"""The sections of a report."""

__all__ = []
