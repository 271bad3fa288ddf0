"""The adversarial loop and its parts."""

from turinglearn.game.game import Game
from turinglearn.game.records import Round, Rounds
from turinglearn.game.replay import Replay
from turinglearn.game.replicas import Replicas
from turinglearn.game.schedule import Schedule

__all__ = ["Game", "Replay", "Replicas", "Round", "Rounds", "Schedule"]
