"""What the review page's script gets: frozen rows as JSON. Times are milliseconds; the server's clock says how far."""

import math
from typing import Any

from regulator.parts.review.dossier import AlarmWords, Dossier
from regulator.parts.review.judgement import LEASE_NS, UNDO_NS
from regulator.parts.review.leases import Lease
from regulator.parts.review.pictures import Picture
from regulator.parts.review.queue import QueuePage, QueueRow
from regulator.parts.review.series import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH
from regulator.parts.review.sheets import Sheet
from regulator.parts.review.spans import Span
from regulator.parts.review.statistics import Share
from regulator.parts.review.verdicts import Judged
from screens.catalogue import Language
from screens.citing import certainty_text, clause_text, item_text
from screens.formats import local_day_time, short_decimal, unit_sign

MS = 1_000_000


def queue_json(page: QueuePage, waiting: dict[str, int], now_ns: int) -> dict[str, Any]:
    """A page of the queue as plain data for JSON."""
    after = str(page.next) if page.next else ""
    return {"rows": [row_json(row) for row in page.rows], "next": after, "waiting": waiting, "now_ms": now_ns // MS}


def row_json(row: QueueRow) -> dict[str, Any]:
    """One line of the queue as plain data for JSON."""
    return {
        "id": row.item_id,
        "place": str(row.place),
        "project": row.project_name,
        "project_code": row.project_code,
        "severity": row.severity,
        "title_zh": row.title_zh,
        "title_en": row.title_en,
        "source": row.source_id,
        "rule": row.rule_id,
        "stage": row.stage,
        "risks": row.risk_reasons,
        "raised_ms": row.raised_at_ns // MS,
        "raised": local_day_time(row.raised_at_ns),
        "group": row.group_key,
        "group_size": row.group_size,
        "held_by": row.held_by,
        "seen": row.seen,
        "acknowledged_by": row.acknowledged_by,
    }


def dossier_json(found: Dossier) -> dict[str, Any]:
    """All of one item as plain data for JSON."""
    alarm = found.alarm
    return {
        **row_json(found.row),
        "alarm": {
            "id": alarm.alarm_id,
            "box": alarm.box_id,
            "subject": alarm.subject,
            "asset": alarm.asset,
            "measured": short_decimal(alarm.measured),
            "limit": short_decimal(alarm.limit),
            "unit": unit_sign(alarm.unit),
            "limit_source": alarm.limit_source,
            "clause": alarm.clause,
            "certainty": alarm.certainty,
            "basis_zh": _basis("zh-CN", alarm),
            "basis_en": _basis("en", alarm),
            "suspected": alarm.suspected_code,
            "suspected_zh": item_text("zh-CN", alarm.suspected_code),
            "suspected_en": item_text("en", alarm.suspected_code),
            "active": alarm.active,
            "acknowledged": local_day_time(alarm.acknowledged_at_ns) if alarm.acknowledged_at_ns else "",
            "returned": local_day_time(alarm.returned_at_ns) if alarm.returned_at_ns else "",
            "handed_over": local_day_time(alarm.handed_over_at_ns) if alarm.handed_over_at_ns else "",
            "late": alarm.late,
            "unsealed": alarm.unsealed,
        },
        "pictures": [_picture_json(found.row.item_id, picture) for picture in found.pictures],
        "spans": [_span_json(found.row.item_id, span) for span in found.spans],
        "plot": [LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM, WIDTH, HEIGHT],
        "in_a_day": found.raised_in_a_day,
        "rate": _share_json(found.rate, indicative=found.rate_indicative),
        "came_back": found.came_back,
        "hazard_id": found.hazard_id,
    }


def _basis(language: Language, alarm: AlarmWords) -> str:
    """The clause and how surely it is known, in words."""
    said = (clause_text(language, alarm.clause), certainty_text(language, alarm.certainty))
    return " · ".join(filter(None, said))


def lease_json(lease: Lease, now_ns: int) -> dict[str, Any]:
    """A lease that was taken; `for_ms` from now."""
    return {
        "id": lease.item_id,
        "name": lease.name,
        "for_ms": (lease.until_ns - now_ns) // MS,
        "lease_ms": LEASE_NS // MS,
    }


def judged_json(judged: Judged, now_ns: int) -> dict[str, Any]:
    """A verdict that was kept; `undo_ms` from now, 0 when it stands."""
    undo_ms = max(0, judged.undo_until_ns - now_ns) // MS
    return {"id": judged.item_id, "state": judged.state.value, "undo_ms": undo_ms, "hazard_id": judged.hazard_id}


def sheet_json(sheet: Sheet) -> dict[str, Any]:
    """A contact sheet as plain data for JSON."""
    items = [{"id": item_id, "thumbnail": f"/review/items/{item_id}/thumbnail"} for item_id in sheet.item_ids]
    return {"id": sheet.sheet_id, "items": items, "undo_ms": UNDO_NS // MS}


def _picture_json(item_id: str, picture: Picture) -> dict[str, Any]:
    small = picture.media_class == "thumbnail"
    return {
        "class": picture.media_class,
        "url": f"/review/items/{item_id}/thumbnail" if small else f"/media/{picture.sha256}",
        "type": picture.media_type,
        "at": local_day_time(picture.at_ns),
        "at_ms": picture.at_ns // MS,
        "duration_ms": picture.duration_ms,
        "size": [picture.width_px, picture.height_px],
        "boxes": picture.boxes,
        "versions": picture.versions,
        "sha256": picture.sha256,
        "blurred": picture.blurred,
    }


def _span_json(item_id: str, span: Span) -> dict[str, Any]:
    url = f"/review/items/{item_id}/curve.svg?span={span.name.value}"
    return {"name": span.name.value, "from_ms": span.from_ns // MS, "to_ms": span.to_ns // MS, "curve": url}


def _share_json(share: Share | None, *, indicative: bool) -> dict[str, Any] | None:
    if share is None or math.isnan(share.value):
        return None
    per_cent = {name: round(100 * getattr(share, name)) for name in ("value", "low", "high")}
    return {**per_cent, "n": share.n, "indicative": indicative}
