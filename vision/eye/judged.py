"""From what the judging parts found to what the gateway is told: a number for every key, and a text for the evidence.

In: findings and health of one camera after one frame. Out: `values` by the keys of the device table, and `said`, the
JSON that goes with the readings into the evidence. Pure. NaN is "cannot be judged" and never becomes 0.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence

from gateway.model.verdict import Truth
from vision.picture.finding import ON_REQUEST, Ailment, Finding, FindingKind, PictureHealth

PLACES: Mapping[FindingKind, int] = {
    FindingKind.BARE_HEAD: 8,
    FindingKind.EDGE_OPEN: 4,
    FindingKind.PERSON_AT_EDGE: 4,
    **dict.fromkeys(ON_REQUEST, 4),
}
"""How many places a kind of finding has, which is how many points the shipped device table gives it."""
MAX_SAID_BYTES = 4096
UNKNOWN = math.nan


def finding_values(findings: Iterable[Finding], judged: Iterable[FindingKind]) -> dict[str, float]:
    """A number for each place. A place that nothing is said of is empty (0) where its kind was judged, else NaN."""
    known = frozenset(judged)
    values = {
        f"{kind}_{place}": 0.0 if kind in known else UNKNOWN
        for kind, places in PLACES.items()
        for place in range(1, places + 1)
    }
    for finding in findings:
        if finding.key in values and finding.kind in known:
            values[finding.key] = _measured(finding)
    return values


def _measured(finding: Finding) -> float:
    if finding.truth is Truth.UNKNOWN:
        return UNKNOWN
    return float(finding.measured) if finding.truth is Truth.TRUE else 0.0


def health_values(health: PictureHealth, *, judging: bool, dangerous_works: bool) -> dict[str, float]:
    """A number for each ailment, and for what follows from them. `judging`: a model looks at the picture."""
    truths = {Truth.TRUE: 1.0, Truth.FALSE: 0.0, Truth.UNKNOWN: UNKNOWN}
    values = {str(ailment): truths[health.ailing.get(ailment, Truth.UNKNOWN)] for ailment in Ailment}
    values["usable"] = float(health.usable)
    values["judge_failed"] = float(not judging)
    values["blind_dangerous"] = float(dangerous_works and not (health.usable and judging))
    values["infrared"] = float(health.figures.get("infrared", UNKNOWN))
    values["clock_offset_s"] = float(health.figures.get("clock_offset_s", UNKNOWN))
    return values


def said_text(
    findings: Sequence[Finding],
    health: PictureHealth,
    about: Mapping[str, str | int],
    digests: Mapping[str, Sequence[str]],
) -> bytes:
    """Canonical JSON of at most `MAX_SAID_BYTES`: what is TRUE in full, what is UNKNOWN by its key, the ailments.

    `digests` are the SHA-256 of the fired frame and its strip by the finding's key. Where it would be too long, first
    the strips' digests go, then the findings' own words, the newest places first; `cut` counts what went.
    """
    true = [finding for finding in findings if finding.truth is Truth.TRUE]
    whole = {finding.key: _told(finding, digests.get(finding.key, ())) for finding in true}
    document: dict[str, object] = {
        **about,
        "ailing": sorted(str(ailment) for ailment, truth in health.ailing.items() if truth is Truth.TRUE),
        "unknown": sorted(finding.key for finding in findings if finding.truth is Truth.UNKNOWN),
        "findings": whole,
    }
    cut = 0
    for shorter in (_without_strip, _bare):
        for key in reversed(list(whole)):
            if len(body := _canonical(document)) <= MAX_SAID_BYTES:
                return body
            whole[key] = shorter(whole[key])
            cut += 1
            document["cut"] = cut
    return _canonical(document)


def _told(finding: Finding, digests: Sequence[str]) -> dict[str, object]:
    told: dict[str, object] = {key: _short(value) for key, value in finding.about.items()}
    told["measured"] = round(float(finding.measured), 3)
    if finding.box_px is not None:
        told["box_px"] = [round(float(side)) for side in finding.box_px]
    if digests:
        told["frame_sha256"], told["strip_sha256"] = digests[0], list(digests[1:])
    return told


def _short(value: str | int | float) -> str | int | float:
    if isinstance(value, str):
        return value[:100]
    return value if isinstance(value, int) or not math.isfinite(value) else round(value, 3)


def _without_strip(told: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in told.items() if key != "strip_sha256"}


def _bare(told: dict[str, object]) -> dict[str, object]:
    return {key: told[key] for key in ("measured", "frame_sha256") if key in told}


def _canonical(document: Mapping[str, object]) -> bytes:
    text = json.dumps(_plain(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def _plain(value: object) -> object:
    """A number that is none becomes null: JSON has no NaN."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
