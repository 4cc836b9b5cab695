"""One row of places for all that judges edges of a camera, so that an alarm's subject stays the same gap.

    preset "gate":  places 1-4 of its watch, taped edges 5, 6 ..  --.
    preset "crane": places 1-4 of its watch                       --+--> edge_open_1..4 and person_at_edge_1..4

A gap keeps the camera's place from the frame in which it is first told until another gap needs that place after it was
clear. While the camera looks elsewhere it is unknown: what is told of one preset clears nothing of another. In: the
findings of the preset that is looked at. Out: findings of the camera's places. Pure.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from gateway.model.verdict import Truth
from vision.eye.judged import PLACES
from vision.picture.finding import Finding, FindingKind

NOT_AT_A_PRESET: Final = "not at a preset"
_ALL: Final = range(1, PLACES[FindingKind.EDGE_OPEN] + 1)


class EdgePlaces:
    """The places of one camera."""

    def __init__(self) -> None:
        self._owner: dict[int, tuple[str, int]] = {}
        self._clear: set[int] = set()

    def step(self, preset: str | None, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """Findings of every place after a frame; `preset` None: it looks at none."""
        gaps = {each.place: each for each in findings if each.kind is FindingKind.EDGE_OPEN}
        people = {each.place: each for each in findings if each.kind is FindingKind.PERSON_AT_EDGE}
        for place, (of, own) in list(self._owner.items()):
            if of == preset and own not in gaps:
                self._leave(place)
        new = [self._allotted(preset, own, gaps[own]) for own in sorted(gaps)]
        told = [self._told(place, preset, gaps, place in new) for place in _ALL]
        mine = {place: own for place, (of, own) in self._owner.items() if of == preset}
        there = [_person(people.get(mine.get(gap.place, 0)), gap) for gap in told]
        self._clear |= {gap.place for gap in told if gap.place in mine and gap.truth is Truth.FALSE}
        return (*told, *there)

    def held(self, preset: str) -> dict[int, int]:
        """The camera's place by the preset's own, for a restart."""
        return {own: place for place, (of, own) in self._owner.items() if of == preset}

    def hold(self, preset: str, held: Mapping[int, int]) -> None:
        """Go on with what `held` gave. A place that is taken already stays with whom it has."""
        for own, place in held.items():
            if place in _ALL and place not in self._owner:
                self._owner[place] = (preset, own)

    def _allotted(self, preset: str | None, own: int, gap: Finding) -> int | None:
        """The place that a gap gets now; None where it has one, needs none, or has to wait."""
        if preset is None or gap.truth is not Truth.TRUE:
            return None
        has = next((place for place, owner in self._owner.items() if owner == (preset, own)), None)
        if has is not None:
            again = has in self._clear
            self._clear.discard(has)
            return has if again else None
        free = [place for place in _ALL if place not in self._owner] + sorted(self._clear)
        if not free:
            return None
        self._leave(free[0])
        self._owner[free[0]] = (preset, own)
        return free[0]

    def _leave(self, place: int) -> None:
        self._owner.pop(place, None)
        self._clear.discard(place)

    def _told(self, place: int, preset: str | None, gaps: Mapping[int, Finding], new: bool) -> Finding:
        owner = self._owner.get(place)
        if owner is not None and owner[0] == preset:
            gap = gaps[owner[1]]
            return replace(gap, place=place, fired=gap.fired or new)
        if owner is not None and place not in self._clear:
            why = NOT_AT_A_PRESET if preset is None else "another preset is looked at"
            return _unknown(place, {"why": why, "preset": owner[0]})
        if preset is None:
            return _unknown(place, {"why": NOT_AT_A_PRESET})
        mine = {each for of, each in self._owner.values() if of == preset}
        blank = next((gap for own, gap in gaps.items() if own not in mine and gap.truth is Truth.UNKNOWN), None)
        return _unknown(place, blank.about) if blank else Finding(FindingKind.EDGE_OPEN, place, Truth.FALSE, 0.0)


def _unknown(place: int, about: Mapping[str, str | int | float]) -> Finding:
    return Finding(FindingKind.EDGE_OPEN, place, Truth.UNKNOWN, math.nan, None, about)


def _person(told: Finding | None, gap: Finding) -> Finding:
    """Of a place that nobody has, nobody can be at it; of one that is unknown, nobody knows."""
    if told is not None:
        return replace(told, place=gap.place)
    truth = Truth.UNKNOWN if gap.truth is Truth.UNKNOWN else Truth.FALSE
    return Finding(FindingKind.PERSON_AT_EDGE, gap.place, truth, math.nan if truth is Truth.UNKNOWN else 0.0)
