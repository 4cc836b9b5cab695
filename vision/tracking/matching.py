"""Which box is which track: the cheapest pairs within a gate. Pure.

In: a matrix of costs, infinite where a pair cannot be. Out: pairs; as many as can be made, then as cheap as can be.

Tracks and boxes that can only go together with each other fall into small groups (two people crossing are a group of
2 × 2), each solved exactly by the Hungarian method; nobody else has to wait for a crowd in a corner.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pairs = list[tuple[int, int]]


def cheapest_pairs(cost: Floats) -> Pairs:
    """Pairs (row, column) of an (n, m) matrix: first as many as possible, among those with the smallest sum."""
    possible = cost < np.inf
    rows_at, columns_at = np.nonzero(possible)
    if not len(rows_at):
        return []
    in_row, in_column = np.bincount(rows_at), np.bincount(columns_at)
    sure = (in_row[rows_at] == 1) & (in_column[columns_at] == 1)
    pairs: Pairs = list(zip(rows_at[sure].tolist(), columns_at[sure].tolist(), strict=True))
    if sure.all():
        return pairs
    possible[rows_at[sure], columns_at[sure]] = False
    for rows, columns in _groups(possible):
        if len(rows) == 1 or len(columns) == 1:
            part = cost[np.ix_(rows, columns)]
            i, j = np.unravel_index(int(np.argmin(part)), part.shape)
            pairs.append((rows[int(i)], columns[int(j)]))
        else:
            pairs += _solved(cost, rows, columns)
    return pairs


def _groups(possible: NDArray[np.bool_]) -> list[tuple[list[int], list[int]]]:
    """Rows and columns that hang together over possible pairs; those without any are left out."""
    left = set(np.flatnonzero(possible.any(axis=1)).tolist())
    groups = []
    while left:
        rows, columns, fresh = set[int](), set[int](), {left.pop()}
        while fresh:
            rows |= fresh
            more = set(np.flatnonzero(possible[sorted(fresh)].any(axis=0)).tolist()) - columns
            columns |= more
            reached = np.flatnonzero(possible[:, sorted(more)].any(axis=1)).tolist() if more else []
            fresh = set(reached) - rows
        left -= rows
        groups.append((sorted(rows), sorted(columns)))
    return groups


def _solved(cost: Floats, rows: list[int], columns: list[int]) -> Pairs:
    part = cost[np.ix_(rows, columns)]
    finite = np.isfinite(part)
    # An impossible pair costs more than all possible ones together, so that it is taken only where nothing else is.
    forbidden = float(part[finite].sum()) + 1.0
    part = np.where(finite, part, forbidden)
    turned = part.shape[0] > part.shape[1]
    chosen = _hungarian(part.T if turned else part)
    found = [(j, i) if turned else (i, j) for i, j in enumerate(chosen)]
    return [(rows[i], columns[j]) for i, j in found if finite[i, j]]


def _hungarian(cost: Floats) -> list[int]:
    """Column of each row of an (n, m) matrix with n <= m at the smallest sum: shortest augmenting paths with
    potentials, O(n² m) (Kuhn, Munkres; in the form of Jonker and Volgenant)."""
    n, m = cost.shape
    row_price, column_price = np.zeros(n + 1), np.zeros(m + 1)
    row_of = np.zeros(m + 1, dtype=np.intp)  # 0: free; rows and columns count from 1
    for row in range(1, n + 1):
        row_of[0], column = row, 0
        least, before = np.full(m + 1, np.inf), np.zeros(m + 1, dtype=np.intp)
        done = np.zeros(m + 1, dtype=bool)
        while row_of[column] != 0:
            done[column] = True
            i = row_of[column]
            slack = cost[i - 1] - row_price[i] - column_price[1:]
            better = ~done[1:] & (slack < least[1:])
            least[1:][better], before[1:][better] = slack[better], column
            nearest = int(np.argmin(np.where(done, np.inf, least)[1:])) + 1
            delta = least[nearest]
            row_price[row_of[done]] += delta
            column_price[done] -= delta
            least[~done] -= delta
            column = nearest
        while column:
            row_of[column] = row_of[before[column]]
            column = int(before[column])
    chosen = [0] * n
    for column in range(1, m + 1):
        if row_of[column]:
            chosen[row_of[column] - 1] = column - 1
    return chosen
