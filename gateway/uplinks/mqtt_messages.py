"""What the MQTT uplink says, as topics and bytes. Pure: outbox rows and history blocks in, messages out.

    <prefix>/alerts/<subject>     the outbox row's body, byte for byte
    <prefix>/readings/<device>    {"device": "mast-1-logger", "points": ["mast-1.wind"], "t_ns": [1700000000000000000],
                                   "v": [[3.2]], "q": [[1]], "late": true}

`v` has a row for each time in `t_ns` and a column for each point; null where the quality is BAD. `q` (0 good,
1 suspect, 2 bad) has the same shape and is left out when everything is good. `late` stands there only when it is true:
the newest poll in the message is more than a minute old.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import orjson

from gateway.model.alert import OutboxItem
from gateway.model.reading import Quality
from gateway.ports import ReadingBlock

LATE_AFTER_NS = 60_000_000_000
_NOT_IN_A_LEVEL = str.maketrans(dict.fromkeys("/+#\0", "_"))


@dataclass(frozen=True, slots=True)
class OutMessage:
    """One PUBLISH to be. `user` are MQTT 5 user properties; MQTT 3.1.1 has no room for them. The broker keeps a message
    that is `retain` for whoever subscribes later."""

    topic: str
    payload: bytes
    user: tuple[tuple[str, str], ...] = ()
    retain: bool = False


def alert_message(prefix: str, item: OutboxItem, now_ns: int) -> OutMessage:
    """The outbox row as it is; its key travels beside it (and inside, as the body's `event_id`)."""
    user = [("key", item.key), ("kind", item.kind)]
    if now_ns - item.created_at_ns > LATE_AFTER_NS:
        user.append(("late", "true"))
    return OutMessage(f"{prefix}/alerts/{_subject_of(item)}", item.body, tuple(user))


def block_messages(prefix: str, block: ReadingBlock, now_ns: int, max_bytes: int) -> Iterator[OutMessage]:
    """One message, or several with fewer polls each where one would be larger than `max_bytes`.

    A single poll is never cut: it may come out larger.
    """
    payload = _block_bytes(block, now_ns)
    polls = len(block.observed_at_ns)
    if len(payload) <= max_bytes or polls < 2:
        yield OutMessage(f"{prefix}/readings/{block.device}", payload)
        return
    for rows in (slice(None, polls // 2), slice(polls // 2, None)):
        yield from block_messages(prefix, _part(block, rows), now_ns, max_bytes)


def _block_bytes(block: ReadingBlock, now_ns: int) -> bytes:
    bad = block.quality == Quality.BAD
    record: dict[str, object] = {
        "device": block.device,
        "points": [point.point_id for point in block.points],
        "t_ns": np.ascontiguousarray(block.observed_at_ns),
        "v": np.where(bad, np.nan, block.value),
    }
    if block.quality.any():
        record["q"] = np.ascontiguousarray(block.quality)
    if len(block.observed_at_ns) and now_ns - int(block.observed_at_ns[-1]) > LATE_AFTER_NS:
        record["late"] = True
    return orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY)


def _part(block: ReadingBlock, rows: slice) -> ReadingBlock:
    return ReadingBlock(
        block.cursor, block.device, block.points, block.observed_at_ns[rows], block.value[rows], block.quality[rows]
    )


def _subject_of(item: OutboxItem) -> str:
    """The alarm's subject as one topic level; the message kind where a body names none."""
    try:
        body = orjson.loads(item.body)
    except orjson.JSONDecodeError:
        body = None
    subject = body.get("subject") if isinstance(body, dict) else None
    return (subject if isinstance(subject, str) and subject else item.kind).translate(_NOT_IN_A_LEVEL)
