"""What is not proven is SUSPECT everywhere behind the intake; a record that cannot be read arms nothing."""

from collections.abc import Awaitable
from pathlib import Path

import numpy as np

from gateway.line.arming import FILE, FOLDER, AssetArming, UnprovenSink, read_arming, write_arming
from gateway.model.quantity import Point, PointTable
from gateway.model.reading import Quality, Readings

CRANES = ("crane-1", "crane-2")
POINTS = PointTable(
    tuple(Point(f"{c}.{q}", c, q, "t", c, q, q) for c in CRANES for q in ("load_t", "moment_pct", "slew_deg"))
)


class KeptSink:
    """Keeps what is offered."""

    def __init__(self) -> None:
        self.kept: list[Readings] = []

    def offer(self, readings: Readings) -> bool:
        self.kept.append(readings)
        return True

    async def put(self, readings: Readings) -> Awaitable[None]:
        self.kept.append(readings)
        raise NotImplementedError

    def set_aside(self, device: str, payload: bytes, reason: str) -> None:
        raise NotImplementedError


def entry(asset: str, armed: bool) -> AssetArming:
    return AssetArming(asset=asset, armed=armed, reason_zh="误差", reason_en="error", at_ns=1, sheet_sha256="00")


def poll(first: int, quality: list[int]) -> Readings:
    n = len(quality)
    return Readings(
        "d", np.arange(first, first + n, dtype=np.int32), np.ones(n), np.array(quality, dtype=np.uint8), 1, 1
    )


def test_a_box_that_was_never_commissioned_has_nothing_on_record(tmp_path: Path) -> None:
    arming = read_arming(tmp_path, CRANES)
    assert (dict(arming.assets), dict(arming.unproven)) == ({}, {})


def test_one_crane_is_written_and_the_other_stays(tmp_path: Path) -> None:
    write_arming(tmp_path, [entry("crane-1", True), entry("crane-2", False)])
    write_arming(tmp_path, [entry("crane-1", False)])
    write_arming(tmp_path, [entry("crane-2", True)])
    arming = read_arming(tmp_path, CRANES)
    assert {name: one.armed for name, one in arming.assets.items()} == {"crane-1": False, "crane-2": True}
    assert arming.suspects(POINTS).tolist() == [True, True, False, False, False, False]
    assert arming.reason_of(POINTS[2]) is None


def test_a_record_that_cannot_be_read_disarms_every_crane(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    for content in ("", "{", '{"assets": [{"asset": "crane-1", "armed": "perhaps"}]}', "[]"):
        (tmp_path / FOLDER / FILE).write_text(content)
        arming = read_arming(tmp_path, CRANES)
        assert set(arming.unproven) == set(CRANES)
        assert "cannot be read" in arming.unproven["crane-1"].reason_en


def test_good_becomes_suspect_and_bad_stays_bad() -> None:
    kept = KeptSink()
    sink = UnprovenSink(kept, np.array([True, True, False, False, False, False]))
    given = poll(0, [Quality.GOOD, Quality.BAD, Quality.GOOD])
    assert sink.offer(given)
    (marked,) = kept.kept
    assert marked.quality.tolist() == [Quality.SUSPECT, Quality.BAD, Quality.GOOD]
    assert marked.point_index is given.point_index, "the layout's identity is what the rules are compiled by"
    assert given.quality.tolist() == [Quality.GOOD, Quality.BAD, Quality.GOOD], "the driver's arrays are its own"


def test_other_devices_pass_untouched() -> None:
    kept = KeptSink()
    other = poll(3, [Quality.GOOD] * 3)
    UnprovenSink(kept, np.array([True, True, False, False, False, False])).offer(other)
    assert kept.kept[0] is other


def test_a_check_on_request_is_off_until_it_is_confirmed_on_that_camera(tmp_path: Path) -> None:
    cameras = PointTable(
        tuple(
            Point(f"{camera}.{key}_1", camera, f"{key}_1", "", camera, key, key, item=key, on_request=asked)
            for camera in ("cam-1", "cam-2")
            for key, asked in (("bare_head", False), ("in_danger_zone", True), ("person_down", True))
        )
    )
    never = read_arming(tmp_path, ())
    assert never.suspects(cameras).tolist() == [False, True, True] * 2
    why = never.reason_of(cameras[1])
    assert why is not None
    assert "has not confirmed" in why.reason_en
    confirmed = AssetArming(asset="cam-1", armed=True, at_ns=1, sheet_sha256="00", checks=("in_danger_zone",))
    write_arming(tmp_path, [confirmed])
    assert read_arming(tmp_path, ()).suspects(cameras).tolist() == [False, False, True, False, True, True]
