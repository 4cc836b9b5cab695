"""Files from the uplink to the test regulator."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.model.alert import ReceiptKind
from gateway.uplinks.regulator_blob import PART_BYTES
from tests.fakes.regulator import FakeRegulator, Fault
from tests.fakes.regulator_box import item, regulator_uplink

CONTENT = bytes(range(256)) * 8192 + b"the end"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
ADDRESS = f"/v1/blobs/{DIGEST}"


@pytest.fixture
def regulator(tmp_path: Path) -> Iterator[FakeRegulator]:
    with FakeRegulator(tmp_path / "regulator", max_blob_bytes=4 * PART_BYTES) as regulator:
        yield regulator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    return folder


async def test_a_file_arrives_whole_and_its_media_record_after_it(regulator: FakeRegulator, folder: Path) -> None:
    segment = {"segment_id": "s-1", "camera_id": "cam-1", "started_at_ns": 1, "duration_ms": 4000}
    segment |= {"media_type": "video/mp4", "blob_sha256": DIGEST, "size_bytes": len(CONTENT), "event_id": ""}
    async with regulator_uplink(folder, regulator) as uplink:
        early = (await uplink.send_alerts([item("s-1", "media_segment", segment)]))[0]
        receipt = await uplink.send_blob(CONTENT, "video/mp4")
        after = (await uplink.send_alerts([item("s-1", "media_segment", segment)]))[0]
    assert (early.kind, receipt.kind, after.kind) == (ReceiptKind.RETRY, ReceiptKind.ACCEPTED, ReceiptKind.ACCEPTED)
    assert receipt.detail == DIGEST
    assert (regulator.folder / "blobs" / DIGEST[:2] / DIGEST).read_bytes() == CONTENT


@pytest.mark.parametrize("fault", [Fault.CLOSED, Fault.LOST_REPLY, Fault.GARBAGE])
async def test_a_broken_upload_goes_on_where_it_broke(regulator: FakeRegulator, folder: Path, fault: Fault) -> None:
    async with regulator_uplink(folder, regulator) as uplink:
        await uplink.send_alerts([item("a")])
        for _ in range(2):
            regulator.fail_next(fault, address=ADDRESS)
            assert (await uplink.send_blob(CONTENT, "video/mp4")).kind is ReceiptKind.RETRY
        regulator.clear_faults()
        assert (await uplink.send_blob(CONTENT, "video/mp4")).kind is ReceiptKind.ACCEPTED
    assert regulator.store.stats()["blobs_held"] == 1


async def test_a_file_that_is_held_already_is_not_sent_again(regulator: FakeRegulator, folder: Path) -> None:
    async with regulator_uplink(folder, regulator) as uplink:
        await uplink.send_blob(CONTENT, "video/mp4")
        before = regulator.requests
        assert (await uplink.send_blob(CONTENT, "video/mp4")).kind is ReceiptKind.ACCEPTED
    assert regulator.requests == before + 1


async def test_a_file_over_the_regulators_limit_is_rejected(regulator: FakeRegulator, folder: Path) -> None:
    async with regulator_uplink(folder, regulator) as uplink:
        receipt = await uplink.send_blob(b"x" * (5 * PART_BYTES), "video/mp4")
    assert receipt.kind is ReceiptKind.REJECTED
    assert "too_large" in receipt.detail
