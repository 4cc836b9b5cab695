"""What a table says of values that are numbers already: the same as of the words that they were made of."""

from typing import Any

import numpy as np
import pytest

from drivers.belief import TableBelief
from drivers.frames.settings import FramePoint
from drivers.mqtt.settings import FieldPoint
from gateway.model.reading import BAD, GOOD, SUSPECT
from tests.fakes.modbus_binding import point, table

TITLES = {"title_zh": "点", "title_en": "point"}


def judged(belief: TableBelief, said: list[float | None], quality: int = GOOD) -> list[int]:
    """Qualities of one poll; None: the recording has no such point."""
    value = np.array([np.nan if each is None else each for each in said], dtype=np.float64)
    there = np.array([each is not None for each in said])
    return belief.recorded(value, np.where(there, np.uint8(quality), BAD), there)[1].tolist()


def one(type_: str, **more: Any) -> TableBelief:
    return TableBelief(table([point("x", 0, type_, **more)]).points)


@pytest.mark.parametrize(
    ("type_", "more", "bad", "good"),
    [
        ("uint16", {"sentinels": [0xFFFF], "scale": 0.1}, [6553.5], [6553.4]),
        ("int16", {"sentinels": [0x8000], "scale": 0.01, "offset": -40}, [-367.68], [-367.67, 327.68]),
        ("float32", {"sentinels": [7.7]}, [7.7, float(np.float32(7.7))], [7.70001]),
        ("float32", {"min": 0, "max": 99.99}, [-0.001, 99.991, np.inf, np.nan], [float(np.float32(99.99)), 99.99]),
        ("uint16", {"sentinels": [0]}, [0.0], [1.0]),
    ],
)
def test_sentinels_and_limits_hold_for_scaled_numbers(
    type_: str, more: dict[str, Any], bad: list[float], good: list[float]
) -> None:
    belief = one(type_, **more)
    assert [judged(belief, [each])[0] for each in bad] == [BAD] * len(bad)
    assert [judged(belief, [each])[0] for each in good] == [GOOD] * len(good)


def test_nothing_is_believed_more_than_it_was_recorded() -> None:
    belief = one("float32")
    assert [judged(belief, [1.0], quality)[0] for quality in (GOOD, SUSPECT, BAD)] == [GOOD, SUSPECT, BAD]


def test_decimals_count_where_the_recording_has_them() -> None:
    points = [
        point("places", 0, "uint16", min=0, max=3),
        point("level", 1, "int16", decimals="places", offset=1, sentinels=[-9999]),
    ]
    belief = TableBelief(table(points).points)
    assert judged(belief, [2, -98.99]) == [GOOD, BAD], "the sentinel with two places"
    assert judged(belief, [1, -98.99]) == [GOOD, GOOD]
    assert judged(belief, [4, 5.0]) == [BAD, BAD], "places that cannot be"
    assert judged(belief, [None, 5.0])[1] == GOOD, "the number has its places already"


def test_a_fault_bit_doubts_what_was_recorded_with_it() -> None:
    points = [point("load", 0, fault=["a", "b"]), point("a", 2, "bit", bit=0), point("b", 2, "bit", bit=1)]
    belief = TableBelief(table(points).points)
    assert judged(belief, [1.0, 0, 1])[0] == SUSPECT
    assert judged(belief, [1.0, 0, 0])[0] == GOOD
    assert judged(belief, [1.0, None, 0])[0] == GOOD
    assert judged(belief, [1.0, 1, None])[0] == SUSPECT


def test_every_drivers_points_are_understood() -> None:
    of_messages = FieldPoint(key="x", path="$.x", scale=0.1, sentinels=(-999,), **TITLES)
    assert judged(TableBelief([of_messages]), [-99.9]) == [BAD]
    of_frames = FramePoint(key="x", at=0, type="int8", scale=0.5, sentinels=(-128,), **TITLES)
    belief = TableBelief([of_frames])
    assert (judged(belief, [-64.0]), judged(belief, [-63.5])) == ([BAD], [GOOD])
