"""The scikit-learn adapter: any classifier as a discriminator."""

__all__ = []
