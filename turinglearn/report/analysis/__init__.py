"""Rows of a store as estimates and comparisons."""

__all__ = []
