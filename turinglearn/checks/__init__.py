"""The public contract suite: what a player of your own must keep, one promise at a time."""

from turinglearn.checks.players import check_discriminator, check_generator
from turinglearn.checks.suite import BrokenContract, Check, Result

__all__ = ["BrokenContract", "Check", "Result", "check_discriminator", "check_generator"]
