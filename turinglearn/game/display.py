"""Both players side by side in notebooks, as scikit-learn shows the parts of a composite estimator."""

from __future__ import annotations

from sklearn.utils import estimator_html_repr
from sklearn.utils._repr_html.estimator import _VisualBlock

from turinglearn.protocols import Discriminator, Generator

__all__ = ["PlayersDisplay", "players_block"]


def players_block(generator: object, discriminator: object) -> _VisualBlock:
    """Return scikit-learn's block of two parts."""
    return _VisualBlock("parallel", [generator, discriminator], names=["generator", "discriminator"], dash_wrapped=False)


class PlayersDisplay:
    """Mixin for what has a generator and a discriminator."""

    generator: Generator
    discriminator: Discriminator

    def _sk_visual_block_(self) -> _VisualBlock:
        return players_block(self.generator, self.discriminator)

    def _repr_html_(self) -> str:
        html: str = estimator_html_repr(self)
        return html
