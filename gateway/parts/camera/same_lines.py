"""Tells whether a person's confirmation still holds for a later drawing: the lines have not moved.

A name, a length or a zone may change, and an edge may go; a line that was moved or is new was not in the picture that
was looked at. Pure.
"""

from typing import Final

from gateway.model.survey import Edge, Spot, Survey

NEAR: Final = 0.0005
"""Of the picture: what the numbers on the drawing page leave out."""


def lines_stay(before: Survey, after: Survey) -> bool:
    """Whether every edge of `after` was drawn just so in `before`, on the same picture."""
    if before.reference_sha256 != after.reference_sha256 or not after.edges:
        return False
    return all(any(_same(edge, old) for old in before.edges) for edge in after.edges)


def _same(edge: Edge, old: Edge) -> bool:
    ours, theirs = _spots(edge), _spots(old)
    if edge.kind is not old.kind or len(ours) != len(theirs):
        return False
    return all(abs(a - c) < NEAR and abs(b - d) < NEAR for (a, b), (c, d) in zip(ours, theirs, strict=True))


def _spots(edge: Edge) -> list[Spot]:
    return [*edge.line, *(spot for mark in edge.marks for spot in (mark.foot, mark.top, (mark.height_m, 0.0)))]
