"""What records of the chain say to a person: rows of a paper, one a record.

In: kept records. Out: cells. A record that does not hold what its kind should is shown by its number, never left out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from gateway.store.alert_store import KeptRecord
from gateway.web.sheet import Cell, Mark, count, moment, plain
from kit.words import Words

Row = tuple[Cell, ...]
Content = Mapping[str, Any]
SERVICE_WORDS = {
    "out_of_service": Words("停用", "out of service"),
    "in_service": Words("恢复投用", "back in service"),
}
SHELVING_WORDS = {"shelved": Words("搁置", "shelved"), "unshelved": Words("取消搁置", "unshelved")}
NOTE_WORDS = {
    "noted": "",
    "judged_false": "误报",
    "judgement_withdrawn": "撤销误报判断",
    "handed_over": "上报监管",
}


def content(record: KeptRecord) -> Content:
    """What the record holds, parsed from its bytes."""
    found = orjson.loads(record.body).get("content")
    return found if isinstance(found, dict) else {}


def hand_reading_row(record: KeptRecord) -> Row:
    """When, which pit, how many readings, who, why."""
    said = content(record)
    return (
        moment(record.at_ns),
        plain(str(said["asset"])),
        count(int(said["accepted"])),
        plain(str(said["user"])),
        plain(str(said["reason"])),
    )


def service_row(record: KeptRecord) -> Row:
    """When, what, which device or point, until when, who, why."""
    said = content(record)
    words = SERVICE_WORDS.get(str(said["transition"]), Words(str(said["transition"]), str(said["transition"])))
    who = str(said["user"] or said["taken_out_by"])
    why = str(said["reason"] or said["taken_out_because"])
    return (
        moment(record.at_ns),
        Cell(words),
        plain(str(said["target"])),
        moment(said["until_ns"]),
        plain(who),
        plain(why),
    )


def shelving_row(record: KeptRecord) -> Row:
    """When, what, which alarm, until when, who, why."""
    said = content(record)
    alarm = said["alarm"]
    words = SHELVING_WORDS[str(said["transition"])]
    title = Cell(Words(f"{alarm['title_zh']} {alarm['subject']}", f"{alarm['title_en']} {alarm['subject']}"))
    until = moment(int(alarm["shelved_until_ns"]))
    return moment(record.at_ns), Cell(words), title, until, plain(str(said["user"])), plain(str(said["reason"]))


def order_row(record: KeptRecord) -> Row:
    """When it came, its number and title, by when."""
    said = orjson.loads(content(record)["text"])
    body = said.get("body", said)
    title = Words(str(body.get("title_zh") or said.get("kind", "")), str(body.get("title_en") or said.get("kind", "")))
    number = str(body.get("number") or body.get("order_id") or said.get("message_id", ""))
    return moment(record.at_ns), plain(number), Cell(title), moment(int(body.get("deadline_at_ns") or 0))


def rows_of(records: Iterable[KeptRecord], row: Callable[[KeptRecord], Row], width: int) -> tuple[Row, ...]:
    """A row of the paper for each record."""
    return tuple(_row(record, row, width) for record in records)


def shelvings(records: Sequence[KeptRecord]) -> list[KeptRecord]:
    """Those transitions by which somebody put an alarm aside, or took it back."""
    return [record for record in records if content(record).get("transition") in SHELVING_WORDS]


def notes_by_alarm(records: Sequence[KeptRecord]) -> dict[str, list[str]]:
    """What people said of each alarm (its id), oldest first."""
    found: dict[str, list[str]] = {}
    for record in records:
        said = content(record)
        kind = NOTE_WORDS.get(str(said.get("transition")), "")
        words = " ".join(part for part in (kind, str(said.get("user") or ""), str(said.get("reason") or "")) if part)
        if words:
            found.setdefault(record.alarm_id, []).append(words)
    return found


def _row(record: KeptRecord, row: Callable[[KeptRecord], Row], width: int) -> Row:
    try:
        return row(record)
    except (KeyError, TypeError, ValueError):
        number = Cell(Words(f"第 {record.seq} 号记录", f"record {record.seq}"), Mark.UNKNOWN)
        return moment(record.at_ns), number, *(plain("") for _ in range(width - 2))
