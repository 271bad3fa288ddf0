"""Fréchet distance between the Gaussians that have two samples' means and covariances: FID, if x are image features."""

from __future__ import annotations

import numpy as np

from turinglearn.metrics.inputs import Floats, pair
from turinglearn.protocols import Array

__all__ = ["frechet_distance"]


def frechet_distance(x: Array, y: Array, /) -> float:
    """Compute the squared Fréchet (2-Wasserstein) distance between Gaussians fitted to two samples.

    It is squared, as FID is::

        |m_x - m_y|² + tr C_x + tr C_y - 2 tr (C_x^½ C_y C_x^½)^½                                         (1)

    with the unbiased covariances. It sees means and covariances only. It is larger than the true distance by a term in 1/n
    that grows with d and depends on the distribution (Bińkowski et al. 2018): compare values at the same sample sizes only.

    Parameters
    ----------
    x : array of shape (n, d)
        First sample, of any array library. 1-D is read as (n, 1); events of any shape are flattened.
    y : array of shape (m, d)
        Second sample.

    Returns
    -------
    float
        The squared distance, in the squared units of x. Scale the columns first where their units differ.

    Raises
    ------
    ValueError
        For samples of d rows or fewer, whose covariance is singular, and for invalid samples.

    References
    ----------
    Dowson and Landau (1982), Journal of Multivariate Analysis 12. Heusel et al. (2017) for FID.
    """
    x, y = pair(x, y)
    for name, z in (("first", x), ("second", y)):
        if len(z) <= z.shape[1]:
            raise ValueError(
                f"The {name} sample has {len(z)} rows of {z.shape[1]} features, so its covariance is singular; expected at "
                f"least {z.shape[1] + 1} rows, and far more for a figure to trust. Give more rows or fewer features."
            )
    shift = x.mean(axis=0) - y.mean(axis=0)
    root_x, root_y = _root(x), _root(y)
    # tr (C_x^½ C_y C_x^½)^½ = tr ((RS)(RS)ᵀ)^½ = the sum of the singular values of RS, for the roots R and S. The root of
    # a product, which would lose half of the digits, is never taken.
    overlap = np.linalg.svd(root_x @ root_y, compute_uv=False).sum()
    squared = shift @ shift + np.sum(root_x**2) + np.sum(root_y**2) - 2 * overlap  # (1)
    return max(float(squared), 0.0)


def _root(x: Floats) -> Floats:
    """Return the symmetric root of the covariance of x (n, d), by its eigenvectors."""
    centred = x - x.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / (len(x) - 1))
    root: Floats = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T  # rounding may leave an eigenvalue just below 0
    return root
