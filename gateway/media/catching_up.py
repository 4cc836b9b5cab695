"""The index follows the chain: what records say since the last look is written into the rows.

In: MEDIA and MEDIA_EXPIRED records. Out: rows. Run after every record and at the start, so that a killed process, a
full disk or a lost file leaves no row that the chain would contradict.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from gateway.evidence.evidence import RecordKind
from gateway.media.index import MediaIndex
from gateway.media.kept import MediaItem, MediaState
from gateway.media.sealing import case_filed, read_case, read_media
from gateway.model.alarm import Alarm
from gateway.model.errors import StoreError
from gateway.store.alert_store import KeptRecord, alarm_from_json, kept_record
from gateway.store.database import open_reader

log = logging.getLogger(__name__)
RECORDS_AT_ONCE: Final = 200


class Chain:
    """Questions to `alerts.db` on connections of their own, from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def media_after(self, seq: int, limit: int = RECORDS_AT_ONCE) -> list[KeptRecord]:
        """MEDIA and MEDIA_EXPIRED records after one, oldest first."""
        sql = "SELECT * FROM evidence WHERE seq > ? AND kind IN (?, ?) ORDER BY seq LIMIT ?"
        return self._records(sql, seq, str(RecordKind.MEDIA), str(RecordKind.MEDIA_EXPIRED), limit)

    def alarm(self, alarm_id: str) -> Alarm | None:
        """One episode of an alarm, None where there is none."""
        return next(self._alarms("SELECT state FROM alarm WHERE alarm_id = ?", alarm_id), None)

    def open_alarms(self) -> list[Alarm]:
        """The episodes that are still open, from the store."""
        return list(self._alarms("SELECT state FROM alarm WHERE is_open = 1 ORDER BY raised_at_ns"))

    def case_open(self, alarm_id: str) -> bool:
        """Whether somebody looks into the alarm now."""
        case = read_case(self._records("SELECT * FROM evidence WHERE alarm_id = ? ORDER BY seq", case_filed(alarm_id)))
        return case is not None and case.open

    def receipts(self, uplinks: Sequence[str], keys: Sequence[str]) -> Mapping[str, str] | None:
        """The signed receipts (uplink and key -> their id) for every row of these keys in the outbox of every uplink;
        None as long as one is still owed. A key that was never put into an outbox is owed to nobody, but for the first,
        which is the record's own."""
        found: dict[str, str] = {}
        with closing(open_reader(self._path)) as db:
            for uplink in uplinks:
                for number, key in enumerate(keys):
                    row = db.execute(
                        "SELECT state, receipt FROM outbox WHERE uplink = ? AND key = ?", (uplink, key)
                    ).fetchone()
                    if row is None and number > 0:
                        continue
                    if row is None or row["state"] != "accepted":
                        return None
                    found[f"{uplink}/{key}"] = row["receipt"]
        return found or None

    def _records(self, sql: str, *parameters: object) -> list[KeptRecord]:
        with closing(open_reader(self._path)) as db:
            return [kept_record(row) for row in db.execute(sql, parameters)]

    def _alarms(self, sql: str, *parameters: object) -> Iterator[Alarm]:
        with closing(open_reader(self._path)) as db:
            return iter([alarm_from_json(row["state"]) for row in db.execute(sql, parameters)])


async def catch_up(index: MediaIndex, chain: Chain) -> None:
    """Read what is new. An index that cannot be written now is caught up the next time."""
    try:
        while records := await asyncio.to_thread(lambda: chain.media_after(index.chain_seq())):
            items = [item for record in records for item in _items(index, record)]
            await asyncio.wrap_future(index.keep(items, records[-1].seq))
    except StoreError as error:
        log.error("event=media_index_failing reason=%r", str(error))


def _items(index: MediaIndex, record: KeptRecord) -> list[MediaItem]:
    try:
        said = read_media(record).items
    except ValueError as error:
        log.error("event=media_record_not_read reason=%r", str(error))
        return []
    if record.kind == RecordKind.MEDIA:
        return list(said)
    known = {item.identity: item for item in index.of_alarm(said[0].alarm_id)} if said else {}
    return [replace(known.get(item.identity, item), state=MediaState.EXPIRED, reason="expired") for item in said]
