"""The trees of a fitted forest as one array of nodes, and the boxes that they cut a table into."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

__all__ = ["Trees"]


@dataclass(frozen=True, eq=False, slots=True)
class Trees:
    """The nodes of all trees, one tree after another. A node without children, left < 0, is a leaf.

    left, right, feature, threshold and missing_left (nodes,): rows with a value up to the threshold go left, and rows without
    one where missing_left is. roots (trees,). number (nodes,): the number of each leaf among the n_leaves that a row can reach.
    """

    left: Any
    right: Any
    feature: Any
    threshold: Any
    missing_left: Any
    roots: Any
    number: Any
    n_leaves: int

    @classmethod
    def of(cls, forest: Any, whole: Any) -> Trees:
        """The trees of a fitted forest of scikit-learn; columns that are whole, (d,), are cut halfway between whole numbers."""
        trees = [estimator.tree_ for estimator in forest.estimators_]
        roots = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]

        def joined(name: str, moved: bool = False) -> Any:
            parts = (getattr(tree, name) for tree in trees)
            return np.concatenate([np.where(p < 0, -1, p + r) if moved else p for p, r in zip(parts, roots, strict=True)])

        left, right = joined("children_left", moved=True), joined("children_right", moved=True)
        feature, threshold = np.maximum(joined("feature"), 0), joined("threshold")
        threshold = np.where((left >= 0) & whole[feature], np.floor(threshold) + 0.5, threshold)
        missing_left = joined("missing_go_to_left").astype(bool)
        return cls(left, right, feature, threshold, missing_left, roots, np.empty(0, int), 0)._numbered()

    def leaves(self, x: Any) -> Any:
        """The leaf of each row of x (n, d) in each tree, (n, trees), by number."""
        return self.number[self._descended(x, *self._at_roots(len(x)))].reshape(len(x), len(self.roots))

    def spliced(self, x: Any, least: int) -> Trees:
        """The trees without leaves that hold fewer than least rows of x (n, d): their siblings take their place.

        Watson et al. (2023) call it pruning. A tree whose rows are fewer is one leaf.
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
            home = np.arange(len(trees.left))  # where rows of a lost node begin anew
            home[left[both]] = home[right[both]] = inner[both]
            home[np.where(small[left], left, right)[one]] = home[inner[one]] = sibling[one]
            trees = trees._without(home, inner[both])
            moved = np.flatnonzero(home[node] != node)
            node[moved] = trees._descended(x, rows[moved], trees._settled(home)[node[moved]])

    def boxes(self, d: int) -> tuple[Any, Any]:
        """The lower and the upper ends of the leaves, (n_leaves, d); infinite where there is none."""
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

    def reached(self) -> Any:
        """Which nodes a row can come to, (nodes,)."""
        found = np.zeros(len(self.left), dtype=bool)
        for node in self._levels():
            found[node] = True
        return found

    def _levels(self) -> Any:
        """The nodes at each depth, from the roots on."""
        node = self.roots
        while node.size:
            yield node
            node = node[self.left[node] >= 0]
            node = np.concatenate((self.left[node], self.right[node]))

    def _at_roots(self, n: int) -> tuple[Any, Any]:
        """Each row beside the root of each tree, (n trees,)."""
        return np.repeat(np.arange(n), len(self.roots)), np.tile(self.roots, n)

    def _descended(self, x: Any, rows: Any, node: Any) -> Any:
        """The leaf that each row of x comes to from its node."""
        node = node.copy()
        active = np.flatnonzero(self.left[node] >= 0)
        while active.size:
            at = node[active]
            value = x[rows[active], self.feature[at]]
            goes_left = (value <= self.threshold[at]) | (np.isnan(value) & self.missing_left[at])
            node[active] = at = np.where(goes_left, self.left[at], self.right[at])
            active = active[self.left[at] >= 0]
        return node

    def _without(self, home: Any, merged: Any) -> Trees:
        """The trees whose pointers lead to where lost nodes have gone; merged nodes are leaves."""
        home = self._settled(home)
        left, right = self.left.copy(), self.right.copy()
        left[merged] = right[merged] = -1
        inner = left >= 0
        left[inner], right[inner] = home[left[inner]], home[right[inner]]
        return replace(self, left=left, right=right, roots=home[self.roots])

    @staticmethod
    def _settled(home: Any) -> Any:
        """Where each node has gone in the end."""
        while (home[home] != home).any():
            home = home[home]
        return home

    def _numbered(self) -> Trees:
        leaf = self.reached() & (self.left < 0)
        number = np.where(leaf, np.cumsum(leaf) - 1, -1)
        return replace(self, number=number, n_leaves=int(leaf.sum()))
