"""Fréchet distance between the Gaussians that have two samples' means and covariances: what FID is on image features."""

from __future__ import annotations

from typing import Any

import numpy as np

from turinglearn.metrics.inputs import pair
from turinglearn.protocols import Array

__all__ = ["frechet_distance"]


def frechet_distance(x: Array, y: Array, /) -> float:
    """Squared Fréchet (2-Wasserstein) distance between Gaussians fitted to two samples; squared as in FID.

        |m_x - m_y|² + tr C_x + tr C_y - 2 tr (C_x^½ C_y C_x^½)^½                                         (1)

    x is (n, d), y is (m, d), of any array library; 1-D is (n, 1), and events of any shape are flattened. Covariances are
    the unbiased ones. In the squared units of x: scale the columns first where their units differ. It sees means and
    covariances only, and lies above the truth by a term in 1/n that grows with d and depends on the law (Bińkowski et al.
    2018): compare values at the same sample sizes only. ValueError for samples of d rows or fewer, whose covariance is
    singular, and for bad samples.

    Dowson & Landau (1982), Journal of Multivariate Analysis 12; Heusel et al. (2017) for FID.
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
    # tr (C_x^½ C_y C_x^½)^½ = tr ((RS)(RS)ᵀ)^½ = the sum of the singular values of RS, for the roots R and S: the root of
    # a product, which would lose half of the digits, is never taken.
    overlap = np.linalg.svd(root_x @ root_y, compute_uv=False).sum()
    squared = shift @ shift + np.sum(root_x**2) + np.sum(root_y**2) - 2 * overlap  # (1)
    return max(float(squared), 0.0)


def _root(x: Any) -> Any:
    """The symmetric root of the covariance of x (n, d), by its eigenvectors."""
    centred = x - x.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / (len(x) - 1))
    return vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T  # rounding may leave an eigenvalue just below 0
