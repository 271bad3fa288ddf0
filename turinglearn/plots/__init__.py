"""Pictures of a game: genuine beside counterfeit, losses against their equilibria, densities, the judge's opinion.

Every function returns a matplotlib Figure and touches no global state of matplotlib, which the extra `plot` installs. The
colours are Okabe and Ito's (2008), which people with any colour vision tell apart; theme=DARK is for dark pages.
"""

from turinglearn.plots.games import density_panel, losses
from turinglearn.plots.pairs import pairs
from turinglearn.plots.samples import real_beside_fake
from turinglearn.plots.style import COUNTERFEIT, DARK, GENUINE, JUDGE, LIGHT, Theme
from turinglearn.plots.surface import judge_surface

__all__ = [
    "COUNTERFEIT",
    "DARK",
    "GENUINE",
    "JUDGE",
    "LIGHT",
    "Theme",
    "density_panel",
    "judge_surface",
    "losses",
    "pairs",
    "real_beside_fake",
]
