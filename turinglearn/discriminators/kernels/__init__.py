"""Discriminators that compare samples with the rows of their fit by kernels."""

__all__ = []
