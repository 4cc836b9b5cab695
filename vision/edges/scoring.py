"""How well findings of open edges fit what is known to be missing: for benches and `vision evaluate-edges`.

Truth in, findings in time order in, one table out. What could not be judged is counted apart, never as found.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.model.verdict import Truth
from vision.edges.watch import Section
from vision.picture.finding import Finding, FindingKind

LEAST_M: Final = 1.0
"""Sections at least so long are asked for."""
AFTER_S: Final = 600.0
"""So long after a section was mended its finding may still stand; longer, and it counts as false."""
NEAR_M: Final = 0.7


@dataclass(frozen=True, slots=True)
class MissingSection:
    """What is known to be missing: metres and seconds. `counts` false: it may be found or not (a net gone while the
    rails stand, a gap under half a metre)."""

    edge_id: str
    from_m: float
    to_m: float
    from_s: float
    to_s: float
    what: str
    counts: bool = True

    @property
    def asked(self) -> bool:
        """Whether the section that is missing must be found."""
        return self.counts and self.to_m - self.from_m >= LEAST_M


@dataclass(slots=True)
class Chased:
    """One section and what has been said of it. `unknown`, `said_ok`: frames in which half of it or more was so."""

    section: MissingSection
    delay_s: float | None = None
    frames: int = 0
    unknown: int = 0
    said_ok: int = 0


@dataclass(slots=True)
class Tally:
    """Counts for one camera. `take` each judged frame in order."""

    truth: Sequence[MissingSection]
    frames: int = 0
    false: list[Mapping[str, Any]] = field(default_factory=list)
    metre_frames: float = 0.0
    unknown_metre_frames: float = 0.0
    chased: list[Chased] = field(default_factory=list)
    _blamed: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chased = [Chased(section) for section in self.truth]

    def take(self, at_s: float, findings: Iterable[Finding], sections: Sequence[Section]) -> None:
        """Count a judged frame, `at_s` after the clip's beginning."""
        self.frames += 1
        for part in sections:
            self.metre_frames += part.to_m - part.from_m
            self.unknown_metre_frames += (part.to_m - part.from_m) * (part.verdict == "unknown")
        told = [one for one in findings if one.kind is FindingKind.EDGE_OPEN and one.truth is Truth.TRUE]
        for chase in self.chased:
            self._chase(chase, at_s, told, sections)
        for finding in told:
            self._blame(finding, at_s)

    def _chase(self, chase: Chased, at_s: float, told: list[Finding], sections: Sequence[Section]) -> None:
        section = chase.section
        if not section.from_s <= at_s < section.to_s:
            return
        chase.frames += 1
        chase.unknown += _told(sections, section, "unknown") >= 0.5
        chase.said_ok += _told(sections, section, "ok") >= 0.5
        if chase.delay_s is None and any(_names(finding, section) for finding in told):
            chase.delay_s = at_s - section.from_s

    def _blame(self, finding: Finding, at_s: float) -> None:
        since = int(finding.about["since_ns"])
        if self._blamed.get(finding.key) == since:
            return
        for section in self.truth:
            in_time = section.from_s <= at_s < section.to_s + AFTER_S
            if in_time and section.edge_id == finding.about["edge"] and _near(finding, section):
                return
        self._blamed[finding.key] = since
        self.false.append({"second": at_s, **finding.about})


def summary(tallies: Sequence[Tally], every_s: float) -> dict[str, Any]:
    """All cameras together. `found_share` is of every section asked for, those in the dark included;
    `found_share_of_judged` leaves out the ones that were UNKNOWN most of the time; `missed_and_called_ok` counts those
    that were never told and stood as protected for most of the time: the worst that can be said of one."""
    chased = [one for tally in tallies for one in tally.chased if one.section.asked and one.frames]
    found = sorted(one.delay_s for one in chased if one.delay_s is not None)
    hidden = [one for one in chased if one.delay_s is None and one.unknown > 0.5 * one.frames]
    wrong = [one for one in chased if one.delay_s is None and one.said_ok > 0.5 * one.frames]
    days = sum(tally.frames for tally in tallies) * every_s / 86_400
    false = sum(len(tally.false) for tally in tallies)
    metres = sum(tally.metre_frames for tally in tallies)
    return {
        "cameras": len(tallies),
        "frames": sum(tally.frames for tally in tallies),
        "every_s": every_s,
        "camera_days": round(days, 3),
        "sections": len(chased),
        "found": len(found),
        "found_share": _share(len(found), len(chased)),
        "missed_while_unknown": len(hidden),
        "missed_and_called_ok": len(wrong),
        "found_share_of_judged": _share(len(found), len(chased) - len(hidden)),
        "false_sections": false,
        "false_per_camera_day": round(false / days, 3) if days else None,
        "unknown_share": _share(sum(tally.unknown_metre_frames for tally in tallies), metres),
        "delay_s": {"p50": _percentile(found, 0.5), "p95": _percentile(found, 0.95)},
        "by_what": _by_what(chased),
    }


def _by_what(chased: Sequence[Chased]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for one in chased:
        row = table.setdefault(one.section.what, {"n": 0, "found": 0})
        row["n"] += 1
        row["found"] += one.delay_s is not None
    return table


def _names(finding: Finding, section: MissingSection) -> bool:
    """Whether a finding tells of a section: half of it, or a metre."""
    if finding.about["edge"] != section.edge_id:
        return False
    if section.what in ("cover", "open_cover"):
        return True
    common = _overlap(float(finding.about["from_m"]), float(finding.about["to_m"]), section)
    return common >= min(1.0, 0.5 * (section.to_m - section.from_m))


def _told(sections: Sequence[Section], section: MissingSection, verdict: str) -> float:
    """Which part of a section has this verdict now."""
    metres = sum(
        _overlap(part.from_m, part.to_m, section)
        for part in sections
        if part.edge_id == section.edge_id and part.verdict == verdict
    )
    return metres / (section.to_m - section.from_m)


def _near(finding: Finding, section: MissingSection) -> bool:
    from_m, to_m = float(finding.about["from_m"]), float(finding.about["to_m"])
    return from_m <= section.to_m + NEAR_M and to_m >= section.from_m - NEAR_M


def _overlap(from_m: float, to_m: float, section: MissingSection) -> float:
    return max(0.0, min(to_m, section.to_m) - max(from_m, section.from_m))


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else None
