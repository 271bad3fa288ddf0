"""Contract checks for generators and discriminators: each requirement is one check with its own message."""

from turinglearn.checks.players import check_discriminator, check_generator
from turinglearn.checks.suite import BrokenContract, CheckResult, CheckSuite, ContractCheck

__all__ = ["BrokenContract", "CheckResult", "CheckSuite", "ContractCheck", "check_discriminator", "check_generator"]
