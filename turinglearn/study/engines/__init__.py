"""Engines, which play cells: in this process, in child processes, or on a Dask cluster."""

from turinglearn.study.engines.children import Child
from turinglearn.study.engines.cluster import Cluster
from turinglearn.study.engines.inline import Inline
from turinglearn.study.engines.processes import Processes

__all__ = ["Child", "Cluster", "Inline", "Processes"]
