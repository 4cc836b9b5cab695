import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.alert import OutboxItem
from gateway.model.quantity import Point
from gateway.ports import ReadingBlock
from gateway.uplinks.mqtt_messages import alert_message, block_messages

NOW_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000


def block(values: list[list[float]], quality: list[list[int]] | None = None, age_s: int = 1) -> ReadingBlock:
    points = tuple(Point(f"mast-1.p{i}", "mast-1", f"p{i}", "", "mast-1", "", "") for i in range(len(values[0])))
    times = NOW_NS - age_s * SECOND_NS - np.arange(len(values), dtype=np.int64)[::-1]
    flags = np.array(quality or np.zeros_like(values), dtype=np.uint8)
    return ReadingBlock(1, "mast-1-logger", points, times, np.array(values, dtype=np.float64), flags)


def alert(body: bytes, created_at_ns: int = NOW_NS) -> OutboxItem:
    return OutboxItem(1, "site-mqtt", "key-1", "alarm_transition", body, created_at_ns, 0)


def test_good_readings_need_no_quality_and_no_late_mark() -> None:
    (message,) = block_messages("site/box", block([[1.5, 2], [3, 4]]), NOW_NS, 100_000)
    assert message.topic == "site/box/readings/mast-1-logger"
    assert json.loads(message.payload) == {
        "device": "mast-1-logger",
        "points": ["mast-1.p0", "mast-1.p1"],
        "t_ns": [NOW_NS - SECOND_NS - 1, NOW_NS - SECOND_NS],
        "v": [[1.5, 2.0], [3.0, 4.0]],
    }


def test_a_bad_value_is_null_even_where_a_number_was_left_behind() -> None:
    (message,) = block_messages("p", block([[1.5, 65535, 7]], [[0, 2, 1]]), NOW_NS, 100_000)
    record = json.loads(message.payload)
    assert (record["v"], record["q"]) == ([[1.5, None, 7.0]], [[0, 2, 1]])


@pytest.mark.parametrize(("age_s", "late"), [(59, False), (61, True)])
def test_what_is_older_than_a_minute_is_marked_late(age_s: int, late: bool) -> None:
    (message,) = block_messages("p", block([[1.0]], age_s=age_s), NOW_NS, 100_000)
    assert json.loads(message.payload).get("late", False) is late


def test_a_slice_of_a_larger_array_is_encoded_as_itself() -> None:
    whole = block([[1, 2, 3], [4, 5, 6]])
    columns = ReadingBlock(
        1, "d", whole.points[:2], whole.observed_at_ns[::2], whole.value[::2, :2], whole.quality[::2, :2]
    )
    (message,) = block_messages("p", columns, NOW_NS, 100_000)
    assert json.loads(message.payload)["v"] == [[1.0, 2.0]]


@given(polls=st.integers(1, 60), max_bytes=st.integers(1, 3_000))
def test_a_large_block_is_cut_between_polls_and_nothing_is_lost(polls: int, max_bytes: int) -> None:
    values = [[float(i), -float(i)] for i in range(polls)]
    messages = list(block_messages("p", block(values), NOW_NS, max_bytes))
    records = [json.loads(message.payload) for message in messages]
    assert [row for record in records for row in record["v"]] == values
    assert all(len(m.payload) <= max_bytes or len(r["v"]) == 1 for m, r in zip(messages, records, strict=True))


def test_an_alert_leaves_byte_for_byte_under_its_subject_with_its_key_beside_it() -> None:
    body = b'{"subject":"crane-1", "measured":"101.5"}'
    message = alert_message("site/box", alert(body), NOW_NS)
    assert (message.topic, message.payload) == ("site/box/alerts/crane-1", body)
    assert message.user == (("key", "key-1"), ("kind", "alarm_transition"))


def test_a_late_alert_says_so() -> None:
    message = alert_message("p", alert(b"{}", NOW_NS - 61 * SECOND_NS), NOW_NS)
    assert ("late", "true") in message.user


@pytest.mark.parametrize(
    ("body", "level"),
    [
        (b'{"subject":"a/b+c#"}', "a_b_c_"),
        (b'{"subject":""}', "alarm_transition"),
        (b'{"subject":5}', "alarm_transition"),
        (b"[1]", "alarm_transition"),
        (b"not json", "alarm_transition"),
    ],
)
def test_a_subject_is_one_topic_level_whatever_a_body_says(body: bytes, level: str) -> None:
    assert alert_message("p", alert(body), NOW_NS).topic == f"p/alerts/{level}"
