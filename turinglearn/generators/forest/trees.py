"""The trees of a fitted forest as one array of nodes, and the boxes that they cut a table into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from turinglearn.generators.common import Booleans, Floats, Integers

__all__ = ["Trees"]


class Forest(Protocol):
    """A fitted forest of scikit-learn."""

    @property
    def estimators_(self) -> list[Any]:
        """Its fitted trees."""


@dataclass(frozen=True, eq=False, slots=True)
class Trees:
    """The nodes of all trees, one tree after another. A node without children, left < 0, is a leaf.

    Parameters
    ----------
    left, right : array of int of shape (nodes,)
        Children of each node; -1 for none.
    feature : array of int of shape (nodes,)
        Column that a node splits.
    threshold : array of shape (nodes,)
        Rows with a value up to the threshold go left.
    missing_left : array of bool of shape (nodes,)
        Whether rows without a value go left.
    roots : array of int of shape (trees,)
        Root of each tree.
    number : array of int of shape (nodes,)
        Number of each leaf among those that a row can reach; -1 for other nodes.
    n_leaves : int
        Number of leaves that a row can reach.
    """

    left: Integers
    right: Integers
    feature: Integers
    threshold: Floats
    missing_left: Booleans
    roots: Integers
    number: Integers
    n_leaves: int

    @classmethod
    def of(cls, forest: Forest, integer: Booleans) -> Trees:
        """Return the trees of a fitted forest; columns of integers, a mask (d,), are cut halfway between integers."""
        trees = [estimator.tree_ for estimator in forest.estimators_]
        roots = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]

        def joined(name: str, moved: bool = False) -> NDArray[Any]:
            parts = (getattr(tree, name) for tree in trees)
            return np.concatenate([np.where(p < 0, -1, p + r) if moved else p for p, r in zip(parts, roots, strict=True)])

        left, right = joined("children_left", moved=True), joined("children_right", moved=True)
        feature, threshold = np.maximum(joined("feature"), 0), joined("threshold")
        threshold = np.where((left >= 0) & integer[feature], np.floor(threshold) + 0.5, threshold)
        missing_left = joined("missing_go_to_left").astype(bool)
        return cls(left, right, feature, threshold, missing_left, roots, np.empty(0, int), 0)._numbered()

    def leaves(self, x: Floats) -> Integers:
        """Return the number of the leaf of each row of x (n, d) in each tree, (n, trees)."""
        return self.number[self._descended(x, *self._at_roots(len(x)))].reshape(len(x), len(self.roots))

    def pruned(self, x: Floats, least: int) -> Trees:
        """Return the trees without leaves that hold fewer than `least` rows of x (n, d); siblings take their place.

        It is the pruning of Watson et al. (2023). A tree with fewer rows is one leaf.
        """
        trees, (rows, node) = self, self._at_roots(len(x))
        node = trees._descended(x, rows, node)
        while True:
            counts = np.bincount(node, minlength=len(trees.left))
            inner = np.flatnonzero(trees.reached() & (trees.left >= 0))
            left, right = trees.left[inner], trees.right[inner]
            small = (trees.left < 0) & (counts < least)
            both = small[left] & small[right]
            one = small[left] ^ small[right]
            if not (both | one).any():
                return trees._numbered()
            sibling = np.where(small[left], right, left)
            home = np.arange(len(trees.left))  # the node from which rows of a removed node go on
            home[left[both]] = home[right[both]] = inner[both]
            home[np.where(small[left], left, right)[one]] = home[inner[one]] = sibling[one]
            trees = trees._without(home, inner[both])
            moved = np.flatnonzero(home[node] != node)
            node[moved] = trees._descended(x, rows[moved], trees._settled(home)[node[moved]])

    def boxes(self, d: int) -> tuple[Floats, Floats]:
        """Return the lower and the upper ends of the leaves, (n_leaves, d) each; infinite where there is none."""
        low, high = np.full((len(self.left), d), -np.inf), np.full((len(self.left), d), np.inf)
        for node in self._levels():
            node = node[self.left[node] >= 0]
            left, right, j = self.left[node], self.right[node], self.feature[node]
            for child in (left, right):
                low[child], high[child] = low[node], high[node]
            high[left, j] = np.minimum(high[left, j], self.threshold[node])
            low[right, j] = np.maximum(low[right, j], self.threshold[node])
        found = self.number >= 0
        return low[found], high[found]

    def reached(self) -> Booleans:
        """Return a mask (nodes,) of the nodes that a row can reach."""
        found = np.zeros(len(self.left), dtype=bool)
        for node in self._levels():
            found[node] = True
        return found

    def _levels(self) -> Iterator[Integers]:
        """Yield the nodes at each depth, from the roots on."""
        node = self.roots
        while node.size:
            yield node
            node = node[self.left[node] >= 0]
            node = np.concatenate((self.left[node], self.right[node]))

    def _at_roots(self, n: int) -> tuple[Integers, Integers]:
        """Return each row beside the root of each tree, (n trees,)."""
        return np.repeat(np.arange(n), len(self.roots)), np.tile(self.roots, n)

    def _descended(self, x: Floats, rows: Integers, node: Integers) -> Integers:
        """Return the leaf that each row of x reaches from its node."""
        node = node.copy()
        active = np.flatnonzero(self.left[node] >= 0)
        while active.size:
            at = node[active]
            value = x[rows[active], self.feature[at]]
            goes_left = (value <= self.threshold[at]) | (np.isnan(value) & self.missing_left[at])
            node[active] = at = np.where(goes_left, self.left[at], self.right[at])
            active = active[self.left[at] >= 0]
        return node

    def _without(self, home: Integers, merged: Integers) -> Trees:
        """Return the trees with pointers past removed nodes; merged nodes are leaves."""
        home = self._settled(home)
        left, right = self.left.copy(), self.right.copy()
        left[merged] = right[merged] = -1
        inner = left >= 0
        left[inner], right[inner] = home[left[inner]], home[right[inner]]
        return replace(self, left=left, right=right, roots=home[self.roots])

    @staticmethod
    def _settled(home: Integers) -> Integers:
        """Return the last replacement of each node."""
        while (home[home] != home).any():
            home = home[home]
        return home

    def _numbered(self) -> Trees:
        leaf = self.reached() & (self.left < 0)
        number = np.where(leaf, np.cumsum(leaf) - 1, -1)
        return replace(self, number=number, n_leaves=int(leaf.sum()))
