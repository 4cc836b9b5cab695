"""An alarm's pictures from the box to the test regulator: bodies before what names them, alerts before both."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.media.rendition import THUMBNAIL_KIND
from gateway.media.sending import MediaSending
from gateway.model.alert import ReceiptKind
from tests.fakes.media_box import CAMERA, MediaBox, camera_alarm, picture, scene
from tests.fakes.regulator import FakeRegulator, Fault
from tests.fakes.regulator_box import regulator_uplink
from tests.fakes.site import NOW_NS, until


@pytest.fixture
def regulator(tmp_path: Path) -> Iterator[FakeRegulator]:
    with FakeRegulator(tmp_path / "regulator") as regulator:
        yield regulator


@pytest.fixture
async def box(tmp_path: Path):
    box = MediaBox(tmp_path / "box")
    box.eyes.scenes[CAMERA, "bare_head_1"] = scene()
    box.eyes.release.set()
    box.start()
    await box.raise_alarm(camera_alarm(at_ns=NOW_NS))
    await until(lambda: len(box.alerts.pending("regulator", 100, media=True)) == 10)
    await until(lambda: any(item.kind == THUMBNAIL_KIND for item in box.alerts.pending("regulator", 100)))
    yield box
    await box.stop()


async def test_the_regulator_holds_every_body_and_shows_the_alarm_with_its_picture(
    box: MediaBox, regulator: FakeRegulator, tmp_path: Path
) -> None:
    async with regulator_uplink(tmp_path / "box", regulator) as uplink:
        receipts = await uplink.send_alerts(box.alerts.pending("regulator", 100))
        sending = MediaSending(uplink, box.alerts, box.shelf, box.clock)
        while await sending.send_next() is not None:
            pass

    assert {receipt.kind for receipt in receipts} == {ReceiptKind.ACCEPTED}
    assert sending.sent == 10
    frame, clip = picture("bare_head_1 frame"), regulator.store.items("media_segment")[-1]
    assert (regulator.folder / "blobs" / frame.sha256[:2] / frame.sha256).read_bytes() == frame.body
    assert "video/mp4" in clip["body"]
    async with httpx.AsyncClient(trust_env=False) as client:
        page = await client.get(regulator.url + "/")
    assert frame.sha256[:16] in page.text
    assert "连拍 strip: 8" in page.text
    assert "data:image/jpeg;base64," in page.text
    assert "img-src data:" in page.headers["Content-Security-Policy"]


async def test_a_regulator_that_lost_the_body_gets_it_again(
    box: MediaBox, regulator: FakeRegulator, tmp_path: Path
) -> None:
    async with regulator_uplink(tmp_path / "box", regulator) as uplink:
        sending = MediaSending(uplink, box.alerts, box.shelf, box.clock)
        regulator.fail_next(Fault.SIGNED_ERROR, code="blob_missing")
        first = await sending.send_next()
        second = await sending.send_next()

    assert first is not None
    assert second is not None
    assert (first.kind, second.kind) == (ReceiptKind.RETRY, ReceiptKind.ACCEPTED)
    assert sending.sent == 1


async def test_a_dead_line_keeps_every_body_for_later(box: MediaBox, regulator: FakeRegulator, tmp_path: Path) -> None:
    async with regulator_uplink(tmp_path / "box", regulator) as uplink:
        await uplink.send_alerts(box.alerts.pending("regulator", 100))
        regulator.stop()
        sending = MediaSending(uplink, box.alerts, box.shelf, box.clock)
        receipt = await sending.send_next()

    assert receipt is not None
    assert receipt.kind is ReceiptKind.RETRY
    assert len(box.alerts.pending("regulator", 100, media=True)) == 10
