"""Sources of real samples, table encoding and table files."""

__all__ = []
