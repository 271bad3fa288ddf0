"""Colours of all pictures: Okabe and Ito's (2008), which people with any colour vision can tell apart.

The plots of `turinglearn.plots` and the charts of a study's report use them. On light paper they are darkened, and on dark
paper lightened, until they stand out.
"""

from __future__ import annotations

__all__ = ["DISCRIMINATOR", "FAKE", "REAL", "SERIES_DARK", "SERIES_LIGHT"]

REAL, FAKE, DISCRIMINATOR = "#0072B2", "#D55E00", "#009E73"

# Colours of series, such as the discriminators of a study, in their order.
SERIES_LIGHT = ("#0072b2", "#d55e00", "#00805c", "#a8507f", "#6b3a00", "#2f8fc4", "#444444", "#7733dd")
SERIES_DARK = ("#56b4e9", "#f08a3c", "#2fc79a", "#e39ac4", "#e8c547", "#9ad1f5", "#c8c8c8", "#8866ff")
