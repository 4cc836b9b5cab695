"""What arrives from boxes, rolled up by day while it is being kept: minutes of assets, states of cameras, stills.

In: the transaction of an item that came for the first time. Out: `asset_days` and `camera_stills`. An item is told
once, so a minute counts once; the second part of a long summary follows its first and counts as the same minute.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, case
from sqlalchemy.dialects import postgresql, sqlite

from contract.messages import MinutePoint, MinuteSummary, Thumbnail
from regulator.base.coverage.ladder import NOT_KNOWN, OFFLINE, USABLE
from regulator.base.days import day_of
from regulator.base.model.heard import Heard
from regulator.base.records.tables.coverage import asset_days, camera_stills

AILMENTS = (
    OFFLINE, "black", "frozen", "blurred", "overexposed", "underexposed", "covered", "moved", "clock_wrong",
    "replayed", "noisy", "hazy", "blocky", "dirty", "torn", "judge_failed",
)  # fmt: skip
"""What a camera's own points say is wrong with it."""
AHEAD_NS = 3_600_000_000_000
"""A minute further ahead of the desk's clock than this counts for no day: that box's clock is wrong."""


def note_minutes(db: Connection, told: Sequence[Heard], now_ns: int) -> None:
    """Hears `minute_summary`, as many at once as there are."""
    said = [(heard, heard.body) for heard in told]
    rows = [
        _minute_row(heard, message)
        for heard, message in said
        if isinstance(message, MinuteSummary) and message.minute_at_ns <= now_ns + AHEAD_NS
    ]
    if rows:
        db.execute(_MINUTE[db.dialect.name], rows)


def _minute_row(heard: Heard, message: MinuteSummary) -> dict[str, object]:
    state = camera_state(message.points)
    return {
        "project_code": heard.project_code,
        "day": day_of(message.minute_at_ns).isoformat(),
        "box_id": heard.box_id,
        "asset": message.asset,
        "minutes": 1,
        "good_minutes": int(any(point.count and point.quality == 0 for point in message.points)),
        "camera": int(state != ""),
        "usable_minutes": int(state == USABLE),
        "judged_minutes": int(state == USABLE and judged(message.points)),
        "last_minute_ns": message.minute_at_ns,
        "last_state": state,
    }


def note_stills(db: Connection, told: Sequence[Heard], now_ns: int) -> None:
    """Hears `thumbnail`: the newest still of each camera. Many at once count in their order."""
    said = [(heard, heard.body) for heard in told]
    rows = [
        _still_row(heard, message)
        for heard, message in said
        if isinstance(message, Thumbnail) and message.captured_at_ns <= now_ns + AHEAD_NS
    ]
    if rows:
        db.execute(_STILL[db.dialect.name], rows)


def _still_row(heard: Heard, message: Thumbnail) -> dict[str, object]:
    return {
        "project_code": heard.project_code,
        "camera_id": message.camera_id,
        "sha256": message.sha256,
        "media_type": message.media_type,
        "box_id": heard.box_id,
        "item_key": heard.key,
        "captured_at_ns": message.captured_at_ns,
    }


def camera_state(points: tuple[MinutePoint, ...]) -> str:
    """A camera's state over the minute: usable, its ailments, or unknown; empty for an asset that is no camera.

    A camera says `<asset>.usable` and `<asset>.<ailment>`, 1 while it holds: what held for half of the minute counts.
    """
    said = {point.point_id.rpartition(".")[2]: point for point in points}
    if USABLE not in said and OFFLINE not in said:
        return ""
    ailing = [name for name in AILMENTS if name in said and _held(said[name])]
    if ailing and (OFFLINE in ailing or not _held(said.get(USABLE))):
        return "+".join(ailing)
    return USABLE if _held(said.get(USABLE)) else NOT_KNOWN


def judged(points: tuple[MinutePoint, ...]) -> bool:
    """Whether a camera judged whom it saw for half of the minute: its point `judged`. A box that has no such point is
    older: what its usable picture shows counts as judged, as it did before."""
    said = next((point for point in points if point.point_id.rpartition(".")[2] == "judged"), None)
    return said is None or _held(said)


def _held(point: MinutePoint | None) -> bool:
    return point is not None and point.count > 0 and point.mean is not None and float(point.mean) >= 0.5


def _adding_minute(dialect: Any) -> Any:
    added, at = dialect.insert(asset_days), asset_days.c
    new = added.excluded
    counts = case((at.last_minute_ns == new.last_minute_ns, 0), else_=1)
    changes = {
        "minutes": at.minutes + counts,
        "good_minutes": at.good_minutes + counts * new.good_minutes,
        "usable_minutes": at.usable_minutes + counts * new.usable_minutes,
        "judged_minutes": at.judged_minutes + counts * new.judged_minutes,
        "camera": case((at.camera == 1, 1), else_=new.camera),
        "last_state": case((new.last_minute_ns > at.last_minute_ns, new.last_state), else_=at.last_state),
        "last_minute_ns": case((new.last_minute_ns > at.last_minute_ns, new.last_minute_ns), else_=at.last_minute_ns),
    }
    key = ["project_code", "day", "box_id", "asset"]
    return added.on_conflict_do_update(index_elements=key, set_=changes)


def _adding_still(dialect: Any) -> Any:
    added, key = dialect.insert(camera_stills), ["project_code", "camera_id"]
    values = {column.name: added.excluded[column.name] for column in camera_stills.c if column.name not in key}
    older = camera_stills.c.captured_at_ns <= added.excluded.captured_at_ns
    return added.on_conflict_do_update(index_elements=key, set_=values, where=older)


_MINUTE = {"postgresql": _adding_minute(postgresql), "sqlite": _adding_minute(sqlite)}
_STILL = {"postgresql": _adding_still(postgresql), "sqlite": _adding_still(sqlite)}
"""Built once: every picture and minute asks for them, and building a statement costs more than running it."""
