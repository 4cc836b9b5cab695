"""Figures of what arrives: gaps of the feed, how much of the time cameras could be used, and how much they judged."""

from sqlalchemy import Connection, func, select

from kit.words import Words
from regulator.base.intake.findings import FindingKind
from regulator.base.kinds import DeviceKind
from regulator.base.records.tables.coverage import asset_days
from regulator.base.records.tables.intake import boxes, findings
from regulator.base.records.tables.registry import devices
from regulator.parts.reports.statistics.figure import Figure
from regulator.parts.reports.statistics.making import Span, known, unknown
from regulator.parts.reports.statistics.selection import Selection

GAPS = (FindingKind.SILENT_BOX, FindingKind.CHAIN_GAP)
MINUTE_NS = 60_000_000_000


def feed_figures(db: Connection, selection: Selection, span: Span) -> list[Figure]:
    """Gaps, availability and judged time."""
    return [_gaps(db, selection, span), *_of_cameras(db, selection, span)]


def _gaps(db: Connection, selection: Selection, span: Span) -> Figure:
    held, at = boxes.c, findings.c
    here = (selection.covers(held.project_code), held.enrolled_at_ns < span.to_ns)
    n = db.scalar(select(func.count()).select_from(boxes).where(*here)) or 0
    if not n:
        return unknown("feed_gaps", span.feed, Words("没有已登记的监控主机", "no box has enrolled"))
    opened = (at.opened_at_ns >= span.from_ns, at.opened_at_ns < span.to_ns, at.kind.in_([kind.value for kind in GAPS]))
    found = select(func.count()).select_from(findings).where(*opened, selection.covers(at.project_code))
    note = Words(f"监控主机 {n} 台", f"{n} boxes")
    return known("feed_gaps", db.scalar(found) or 0, n, span.feed, note)


def _of_cameras(db: Connection, selection: Selection, span: Span) -> list[Figure]:
    """How much of the scheduled time cameras could be used, and how much they judged. A camera that told nothing counts
    as neither."""
    keys, cameras = ("availability", "judged_time"), _cameras(db, selection, span)
    scheduled_min = sum(cameras.values())
    if not scheduled_min:
        why = Words("没有在册的摄像机", "no camera is registered")
        return [unknown(key, span.feed, why) for key in keys]
    told = {camera: minutes for camera, minutes in _told(db, selection, span).items() if camera in cameras}
    if not told:
        why = Words("在册摄像机均无数据", "nothing arrived of any registered camera")
        return [unknown(key, span.feed, why, len(cameras)) for key in keys]
    silent = len(cameras) - len(told)
    notes = (
        Words(
            f"应用 {scheduled_min} 分钟；{silent} 台在册摄像机从未上报，按不可用计",
            f"{scheduled_min} minutes scheduled; {silent} registered cameras told nothing and count as not usable",
        ),
        Words(
            f"应用 {scheduled_min} 分钟；旧版监控主机不上报此项，其画面可用的分钟按有效识别计",
            f"{scheduled_min} minutes scheduled; older boxes do not say it: their usable minutes count as judged",
        ),
    )
    sums = [sum(min(told[camera][place], cameras[camera]) for camera in told) for place in range(len(keys))]
    return [
        known(key, 100 * minutes / scheduled_min, len(cameras), span.feed, note)
        for key, minutes, note in zip(keys, sums, notes, strict=True)
    ]


def _cameras(db: Connection, selection: Selection, span: Span) -> dict[tuple[str, str], int]:
    """Scheduled minutes of each camera by project and asset: all day while it stood in the register."""
    at = devices.c
    stood = select(devices).where(
        at.kind == DeviceKind.CAMERA.value, at.registered_at_ns < span.to_ns, selection.covers(at.project_code),
        (at.ended_at_ns == 0) | (at.ended_at_ns > span.from_ns),
    )  # fmt: skip
    found = {}
    for row in db.execute(stood):
        until_ns = min(row.ended_at_ns or span.to_ns, span.to_ns)
        spent_ns = until_ns - max(row.registered_at_ns, span.from_ns)
        found[row.project_code, row.asset or row.device_code] = spent_ns // MINUTE_NS
    return found


def _told(db: Connection, selection: Selection, span: Span) -> dict[tuple[str, str], tuple[int, int]]:
    """Usable and judged minutes of each camera by project and asset."""
    at = asset_days.c
    counted = (
        select(at.project_code, at.asset, func.sum(at.usable_minutes), func.sum(at.judged_minutes))
        .where(at.day >= span.first, at.day <= span.last, at.camera == 1, selection.covers(at.project_code))
        .group_by(at.project_code, at.asset)
    )
    return {(row[0], row[1]): (int(row[2]), int(row[3])) for row in db.execute(counted)}
