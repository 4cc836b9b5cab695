"""The fleet as a table for other programs: the same boxes, in the same order, as the page shows."""

from collections.abc import Sequence
from datetime import UTC, datetime

from regulator.base.documents.exports import Column, Table, Value
from regulator.parts.fleet.boxes import FleetBox, Standing
from screens.formats import SITE_ZONE

STANDING_WORDS = {
    Standing.SILENT: "失联 silent",
    Standing.OUTDATED: "版本落后 outdated",
    Standing.UNKNOWN: "未知 unknown",
    Standing.CURRENT: "正常 current",
}
COLUMNS = (
    Column("box_id", "监控主机编号", "box"),
    Column("project_code", "项目编号", "project code"),
    Column("project_name", "项目名称", "project"),
    Column("standing", "状态", "standing", "", "silent before outdated before unknown before current"),
    Column("enrolment", "登记", "enrolment", "", "in force, waits for an approver, revoked"),
    Column("software", "软件版本", "software", "", "empty: the box has not said it"),
    Column("models", "识别模型", "models", "", "name, beginning of the SHA-256, cameras"),
    Column("rule_packs", "规则包", "rule packs", "", "name, SHA-256, origin"),
    Column("packs_behind", "未生效的下发规则包", "offered packs not in force"),
    Column("settings_sha256", "配置摘要", "settings digest"),
    Column("clock", "对时", "clock kept", "", "kept, free or unknown, as the box's kernel says"),
    Column("clock_offset_s", "时钟偏差", "clock offset", "s", "box less desk at the last heartbeat, the way included"),
    Column("last_heard", "最近通信", "last heard", "UTC+8"),
    Column("state_heard", "状态上报时间", "state heard", "UTC+8"),
    Column("head_seq", "证据链末号", "chain head"),
    Column("records_missing", "未核验记录数", "records not verified", "", "the box's head less what holds here"),
    Column("record_at", "最近证据记录送达", "last record arrived", "UTC+8"),
    Column("chain_fault", "证据链异常", "chain fault"),
    Column("waiting", "待发条数", "waiting", "", "items in the box's queue; empty: not said"),
    Column("disk_days_left", "磁盘剩余天数", "disk days left", "d", "empty: not said or too little measured"),
)


def fleet_table(rows: Sequence[FleetBox]) -> Table:
    """The fleet as a table, one row a box."""
    return Table("fleet", COLUMNS, [_row(box) for box in rows])


def _row(box: FleetBox) -> tuple[Value, ...]:
    state = box.state
    models = "" if state is None else "; ".join(f"{each.name} {each.sha256} ×{each.cameras}" for each in state.models)
    packs = "" if state is None else "; ".join(f"{each.name} {each.sha256} {each.origin}" for each in state.rule_packs)
    return (
        box.box_id,
        box.project_code,
        box.project_name,
        STANDING_WORDS[box.standing],
        _enrolment(box),
        "" if state is None else state.software,
        models,
        packs,
        "; ".join(box.packs_behind),
        "" if state is None else state.settings_sha256,
        "" if state is None else state.clock,
        None if box.clock_offset_ns is None else round(box.clock_offset_ns / 1e9, 3),
        _time(box.last_seen_ns),
        _time(box.state_heard_at_ns),
        box.head_seq,
        box.records_missing,
        _time(box.record_at_ns),
        box.chain_fault,
        box.waiting,
        box.disk_days_left,
    )


def _enrolment(box: FleetBox) -> str:
    if box.revoked:
        return "已吊销 revoked"
    return "待审批 waits for an approver" if box.waiting_for_approver else "已接入 in force"


def _time(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // 10**9, UTC).astimezone(SITE_ZONE).isoformat() if at_ns else ""
