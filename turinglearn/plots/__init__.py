"""Plots of a game: real samples beside fakes, losses and their equilibria, densities, scores of the discriminator.

Each function takes what users have at hand, a `turinglearn.Game`, a `turinglearn.TuringLearner`, a discriminator, a function
or arrays, and returns a matplotlib Figure. None touches the global state of matplotlib, which the extra `plot` installs. The
colours are those of Okabe and Ito (2008), which people with any colour vision can tell apart; ``theme=DARK`` is for dark pages.

The report of a study has charts of its own as SVG, since it must work without matplotlib and have the same bytes everywhere.
Colours and scales, which both need, are in `turinglearn.plots.palette` and `turinglearn.plots.scales`.
"""

from turinglearn.plots.densities import density_panel
from turinglearn.plots.histories import losses
from turinglearn.plots.pairs import pairs
from turinglearn.plots.palette import DISCRIMINATOR, FAKE, REAL
from turinglearn.plots.samples import real_beside_fake
from turinglearn.plots.style import DARK, LIGHT, Theme
from turinglearn.plots.surface import discriminator_surface

__all__ = [
    "DARK",
    "DISCRIMINATOR",
    "FAKE",
    "LIGHT",
    "REAL",
    "Theme",
    "density_panel",
    "discriminator_surface",
    "losses",
    "pairs",
    "real_beside_fake",
]
