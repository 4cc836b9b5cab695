"""An order's way over a real socket: down the mailbox, answered with photos, back to the regulator, once, whatever
breaks in between."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.media.sending import MediaSending
from gateway.model.alert import ReceiptKind
from gateway.parts.orders.order import Answer, Standing
from gateway.parts.orders.sealing import seal_order
from gateway.uplinks.regulator import RegulatorUplink
from tests.fakes.order_box import OrderBox, order, order_state, permit, photo, said, warning
from tests.fakes.regulator import FakeRegulator, Fault
from tests.fakes.regulator_box import item, regulator_uplink, simulated, stop, until
from tests.fakes.site import BOX

PHOTOS = photo(1), photo(2, "PNG")


@pytest.fixture
def regulator(tmp_path: Path) -> Iterator[FakeRegulator]:
    with FakeRegulator(tmp_path / "regulator") as regulator:
        yield regulator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    return folder


def replies(regulator: FakeRegulator) -> list[dict[str, object]]:
    return [json.loads(row["body"]) for row in regulator.store.items("order_reply")]


def sending(uplink: RegulatorUplink, box: OrderBox) -> MediaSending:
    return MediaSending(uplink, box.alerts, box.shelf, box.clock)


async def answered(box: OrderBox) -> list[str]:
    """One order, reported as rectified with two photos; their digests."""
    found = await box.ordered()
    reply = await box.office.answer(found.seq, said(Answer.RECTIFIED, "护栏已恢复", *PHOTOS))
    return [each.sha256 for each in reply.photos]


async def test_orders_states_permits_and_warnings_come_down_the_mailbox(regulator: FakeRegulator, folder: Path) -> None:
    clock, box = simulated(), OrderBox(folder)
    async with regulator_uplink(folder, regulator, clock) as uplink:
        await uplink.send_alerts([item("a")])
        keep = uplink.on_message
        uplink.on_message = lambda down: seal_order(down, keep, box.recorder, clock, uplink.name)
        for kind, body in (
            ("order", order()),
            ("order_state", order_state("returned", words="未固定")),
            ("work_permit", permit()),
            ("weather_warning", warning()),
        ):
            regulator.post(BOX, kind, body)
        running = asyncio.create_task(uplink.run())
        await until(lambda: int(regulator.store.boxes()[0]["waiting"]) == 0, clock)
        await stop(running)
    (found,) = box.office.orders()
    assert (found.uplink, found.standing, found.told[0].words) == ("regulator", Standing.RETURNED, "未固定")
    assert [each.permit_id for each in box.register.permits] == ["p-1"]
    assert [each.warning_id for each in box.register.warnings] == ["w-1"]
    await box.stop()


async def test_photos_arrive_before_the_answer_that_names_them(regulator: FakeRegulator, folder: Path) -> None:
    box = OrderBox(folder)
    digests = await answered(box)
    async with regulator_uplink(folder, regulator) as uplink:
        receipt = await sending(uplink, box).send_next()
        assert receipt is not None
        assert receipt.kind is ReceiptKind.ACCEPTED
    (reply,) = replies(regulator)
    assert (reply["order_id"], reply["answer"], reply["blob_sha256"]) == ("o-1", "rectified", digests)
    for digest, body in zip(digests, PHOTOS, strict=True):
        assert (regulator.folder / "blobs" / digest[:2] / digest).read_bytes() == body
    await box.stop()


@pytest.mark.parametrize("fault", [Fault.LOST_REPLY, Fault.CLOSED, Fault.GARBAGE, Fault.BAD_SIGNATURE])
async def test_a_spoilt_exchange_sends_it_again_and_it_is_held_once(
    regulator: FakeRegulator, folder: Path, fault: Fault
) -> None:
    box = OrderBox(folder)
    await answered(box)
    async with regulator_uplink(folder, regulator) as uplink:
        await uplink.send_alerts([item("a")])
        regulator.fail_next(fault)
        lane = sending(uplink, box)
        first, second, third = await lane.send_next(), await lane.send_next(), await lane.send_next()
        assert first is not None
        assert second is not None
        assert (first.kind, second.kind, third) == (ReceiptKind.RETRY, ReceiptKind.ACCEPTED, None)
    assert len(replies(regulator)) == 1
    await box.stop()


async def test_a_link_that_dies_among_the_photos_loses_nothing(regulator: FakeRegulator, folder: Path) -> None:
    box = OrderBox(folder)
    digests = await answered(box)
    async with regulator_uplink(folder, regulator) as uplink:
        await uplink.send_alerts([item("a")])
        regulator.fail_next(Fault.CLOSED, address=f"/v1/blobs/{digests[1]}")
        lane = sending(uplink, box)
        first = await lane.send_next()
        assert first is not None
        assert first.kind is ReceiptKind.RETRY
        assert replies(regulator) == []
        regulator.stop()
        dead = await lane.send_next()
        assert dead is not None
        assert dead.kind is ReceiptKind.RETRY
        regulator.start()
        last = await lane.send_next()
        assert last is not None
        assert last.kind is ReceiptKind.ACCEPTED
    assert [reply["blob_sha256"] for reply in replies(regulator)] == [digests]
    await box.stop()


async def test_an_answer_outlives_the_box_being_killed(regulator: FakeRegulator, folder: Path) -> None:
    box = OrderBox(folder)
    digests = await answered(box)
    await box.stop()
    again = OrderBox(folder)
    async with regulator_uplink(folder, regulator) as uplink:
        lane = sending(uplink, again)
        while await lane.send_next() is not None:
            pass
    assert [reply["blob_sha256"] for reply in replies(regulator)] == [digests]
    await again.stop()


async def test_a_regulator_that_lost_a_photo_gets_it_again(regulator: FakeRegulator, folder: Path) -> None:
    box = OrderBox(folder)
    await answered(box)
    async with regulator_uplink(folder, regulator) as uplink:
        await uplink.send_alerts([item("a")])
        regulator.fail_next(Fault.SIGNED_ERROR, code="blob_missing")
        lane = sending(uplink, box)
        kinds = [each.kind for each in (await lane.send_next(), await lane.send_next()) if each is not None]
    assert kinds == [ReceiptKind.RETRY, ReceiptKind.ACCEPTED]
    await box.stop()


async def test_a_photo_beyond_what_the_regulator_takes_is_refused_by_it_and_shown_as_refused(
    tmp_path: Path, folder: Path
) -> None:
    box = OrderBox(folder)
    await answered(box)
    with FakeRegulator(tmp_path / "small", max_blob_bytes=1000) as small:
        async with regulator_uplink(folder, small) as uplink:
            receipt = await sending(uplink, box).send_next()
    assert receipt is not None
    assert receipt.kind is ReceiptKind.REJECTED
    sent = box.outbox.newest("regulator", "order_reply")
    assert sent is not None
    assert "too_large" in sent.words
    await box.stop()


async def test_a_photo_changed_on_the_disk_never_leaves(regulator: FakeRegulator, folder: Path) -> None:
    box = OrderBox(folder)
    digests = await answered(box)
    box.shelf.path(digests[0]).write_bytes(photo(9))
    async with regulator_uplink(folder, regulator) as uplink:
        receipt = await sending(uplink, box).send_next()
    assert receipt is not None
    assert (receipt.kind, "damaged" in receipt.detail) == (ReceiptKind.REJECTED, True)
    assert replies(regulator) == []
    await box.stop()
