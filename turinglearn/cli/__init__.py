"""Command line `turinglearn`."""

__all__ = []
