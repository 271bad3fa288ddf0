"""Where cells are played: in this process, in processes beside it, on a Dask cluster."""

from turinglearn.study.engines.children import Child
from turinglearn.study.engines.cluster import Cluster
from turinglearn.study.engines.inline import Inline
from turinglearn.study.engines.processes import Processes

__all__ = ["Child", "Cluster", "Inline", "Processes"]
