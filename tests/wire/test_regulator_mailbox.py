"""What comes down: kept before it is acknowledged, handed on once, keys changed without losing a word."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from contract.envelope import SignedText, open_text
from contract.mailbox import KeyRotation, LiveViewRequest, Order
from contract.messages import DownModel, MailboxMessage
from contract.signing import generate_key
from gateway.model.alert import ReceiptKind
from gateway.uplinks.regulator_mailbox import DownMessage
from regulator.base.intake import mailbox
from tests.fakes.regulator import FakeRegulator, Fault
from tests.fakes.regulator_box import BOX, item, regulator_uplink, simulated, stop, until

ORDER = Order(
    order_id="o-1",
    number="整改〔2026〕1号",
    title_zh="限期整改",
    words="立即停止超载吊装",
    legal_basis="建质规〔2024〕5号",
    severity="P1",
    deadline_at_ns=1_700_000_000_000_000_000,
)
LIVE = LiveViewRequest(request_id="l-1", camera_id="cam-1", duration_s=60, requested_by_role="county", reason="检查")


@pytest.fixture
def regulator(tmp_path: Path) -> Iterator[FakeRegulator]:
    with FakeRegulator(tmp_path / "regulator") as regulator:
        yield regulator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    return folder


def waiting(regulator: FakeRegulator) -> int:
    return int(regulator.store.boxes()[0]["waiting"])


def kept(signed: list[SignedText], regulator: FakeRegulator) -> list[MailboxMessage]:
    return [open_text(text, MailboxMessage, regulator.key.public) for text in signed]


async def test_messages_are_kept_in_order_and_acknowledged(regulator: FakeRegulator, folder: Path) -> None:
    clock = simulated()
    async with regulator_uplink(folder, regulator, clock) as uplink:
        await uplink.send_alerts([item("a")])
        regulator.post(BOX, "order", ORDER)
        regulator.post(BOX, "live_view_request", LIVE)
        running = asyncio.create_task(uplink.run())
        await until(lambda: waiting(regulator) == 0, clock)
        await stop(running)
        messages = kept(uplink.inbox.messages(), regulator)
    assert [(message.kind, message.mailbox_seq) for message in messages] == [("order", 1), ("live_view_request", 2)]
    assert Order.model_validate(messages[0].body) == ORDER


async def test_a_message_that_arrives_during_a_long_poll_comes_at_once(regulator: FakeRegulator, folder: Path) -> None:
    got: asyncio.Queue[DownMessage] = asyncio.Queue()
    async with regulator_uplink(folder, regulator, mailbox_wait_s=60) as uplink:
        await uplink.send_alerts([item("a")])
        uplink.on_message = got.put
        running = asyncio.create_task(uplink.run())
        for number in range(3):
            regulator.post(BOX, "order", ORDER.model_copy(update={"order_id": f"o-{number}"}))
            async with asyncio.timeout(10):
                assert (await got.get()).message.body["order_id"] == f"o-{number}"
        await stop(running)


async def test_a_lost_acknowledgement_brings_the_message_again_but_it_is_handed_on_once(
    regulator: FakeRegulator, folder: Path
) -> None:
    clock = simulated()
    handed: list[str] = []

    async def note(down: DownMessage) -> None:
        handed.append(down.message.message_id)

    async with regulator_uplink(folder, regulator, clock, heartbeat_s=3600) as uplink:
        await uplink.send_alerts([item("a")])
        uplink.on_message = note
        running = asyncio.create_task(uplink.run())
        await until(lambda: uplink.health().heartbeats > 0, clock, 0)
        regulator.fail_next(Fault.CLOSED)
        regulator.post(BOX, "order", ORDER)
        await until(lambda: waiting(regulator) == 0, clock)
        await stop(running)
    assert len(handed) == 1


async def test_a_handler_that_cannot_keep_a_message_gets_it_again(regulator: FakeRegulator, folder: Path) -> None:
    clock = simulated()
    tries: list[int] = []

    async def full_disk_twice(down: DownMessage) -> None:
        tries.append(down.message.mailbox_seq)
        if len(tries) < 3:
            raise OSError(28, "No space left on device")

    async with regulator_uplink(folder, regulator, clock) as uplink:
        await uplink.send_alerts([item("a")])
        uplink.on_message = full_disk_twice
        regulator.post(BOX, "order", ORDER)
        running = asyncio.create_task(uplink.run())
        await until(lambda: waiting(regulator) == 0, clock)
        await stop(running)
    assert tries == [1, 1, 1]


async def test_a_kind_this_box_does_not_know_is_kept_unread_and_does_not_stop_the_rest(
    regulator: FakeRegulator, folder: Path
) -> None:
    clock = simulated()
    handed: list[str] = []

    async def note(down: DownMessage) -> None:
        handed.append(down.message.kind)

    async with regulator_uplink(folder, regulator, clock) as uplink:
        await uplink.send_alerts([item("a")])
        uplink.on_message = note
        regulator.post(BOX, "from_the_future", DownModel())
        regulator.post(BOX, "order", DownModel())
        regulator.post(BOX, "order", ORDER)
        running = asyncio.create_task(uplink.run())
        await until(lambda: waiting(regulator) == 0, clock)
        await stop(running)
        unread = kept(uplink.inbox.messages(), regulator)
    assert handed == ["order"]
    assert [message.kind for message in unread] == ["from_the_future", "order"]


@pytest.mark.parametrize("public_key", ["", "AAAA"])
@pytest.mark.parametrize(("whose", "alg"), [("regulator", "SM2"), ("regulator", "Ed25519"), ("box", "SM2")])
async def test_a_key_this_box_cannot_use_is_said_to_be_unsupported_and_does_not_hold_up_orders(
    regulator: FakeRegulator, folder: Path, whose: Literal["regulator", "box"], alg: str, public_key: str
) -> None:
    clock = simulated()
    handed: list[str] = []

    async def note(down: DownMessage) -> None:
        handed.append(down.message.kind)

    async with regulator_uplink(folder, regulator, clock) as uplink:
        await uplink.send_alerts([item("a")])
        uplink.on_message = note
        rotation = KeyRotation(rotation_id="r-1", whose=whose, alg=alg, public_key=public_key)
        regulator.post(BOX, "key_rotation", rotation)
        regulator.post(BOX, "order", ORDER)
        running = asyncio.create_task(uplink.run())
        await until(lambda: waiting(regulator) == 0, clock)
        await stop(running)
        unread = kept(uplink.inbox.messages(), regulator)
        assert (await uplink.send_alerts([item("b")]))[0].kind is ReceiptKind.ACCEPTED
    assert handed == ["order"]
    assert [message.kind for message in unread] == ["key_rotation"]


async def test_the_receipt_for_evidence_comes_down_too(regulator: FakeRegulator, folder: Path) -> None:
    import hashlib

    clock = simulated()
    record = json.dumps({"seq": 1, "prev": "0" * 64, "box_id": BOX})
    body = {"record": record, "sha256": hashlib.sha256(record.encode()).hexdigest()}
    async with regulator_uplink(folder, regulator, clock) as uplink:
        await uplink.send_alerts([item("evidence-1", "evidence_record", body)])
        running = asyncio.create_task(uplink.run())
        await until(lambda: waiting(regulator) == 0, clock)
        await stop(running)
        message = kept(uplink.inbox.messages(), regulator)[0]
    assert message.kind == "receipt"
    assert '"key":"evidence-1"' in message.body["receipt"]["text"]


async def test_a_message_forged_in_the_mailbox_is_neither_handed_on_nor_acknowledged(
    regulator: FakeRegulator, folder: Path
) -> None:
    clock = simulated()
    async with regulator_uplink(folder, regulator, clock) as uplink:
        await uplink.send_alerts([item("a")])
        regulator.store.do(mailbox.post, BOX, "order", ORDER, generate_key(), 1)
        running = asyncio.create_task(uplink.run())
        await until(lambda: "not trusted" in uplink.health().last_error, clock, 0)
        await stop(running)
        assert uplink.inbox.messages() == []
    assert waiting(regulator) == 1


def box_rotation(number: int) -> KeyRotation:
    return KeyRotation(rotation_id=f"r-{number}", whose="box", alg="Ed25519")


async def test_the_box_changes_its_key_and_the_old_one_is_retired(regulator: FakeRegulator, folder: Path) -> None:
    clock = simulated()
    async with regulator_uplink(folder, regulator, clock) as uplink:
        await uplink.send_alerts([item("a")])
        regulator.post(BOX, "key_rotation", box_rotation(1))
        running = asyncio.create_task(uplink.run())
        await until(lambda: waiting(regulator) == 0, clock)
        await stop(running)
        assert (await uplink.send_alerts([item("b")]))[0].kind is ReceiptKind.ACCEPTED
    used = [json.loads(row["envelope"])["key_id"] for row in regulator.store.items("alarm_transition")]
    assert len(set(used)) == 2
    assert regulator.store.find_key(BOX, used[0]) is None
    assert regulator.store.find_key(BOX, used[1]) is not None
    async with regulator_uplink(folder, regulator) as uplink:
        assert (await uplink.send_alerts([item("c")]))[0].kind is ReceiptKind.ACCEPTED


@pytest.mark.parametrize("fault", [Fault.LOST_REPLY, Fault.CLOSED, Fault.BAD_SIGNATURE])
async def test_a_key_change_survives_a_spoilt_answer(regulator: FakeRegulator, folder: Path, fault: Fault) -> None:
    clock = simulated()
    async with regulator_uplink(folder, regulator, clock, heartbeat_s=3600) as uplink:
        await uplink.send_alerts([item("a")])
        running = asyncio.create_task(uplink.run())
        await until(lambda: uplink.health().heartbeats > 0, clock, 0)
        regulator.fail_next(fault)
        regulator.post(BOX, "key_rotation", box_rotation(1))
        await until(lambda: waiting(regulator) == 0, clock)
        await stop(running)
        assert (await uplink.send_alerts([item("b")]))[0].kind is ReceiptKind.ACCEPTED
    assert not (folder / "keys" / "regulator.next.pem").exists()


async def test_the_regulators_next_key_is_trusted_once_the_present_one_announced_it(
    regulator: FakeRegulator, folder: Path
) -> None:
    clock, new = simulated(), generate_key()
    announced = KeyRotation(rotation_id="r-2", whose="regulator", alg="Ed25519", public_key=new.public.public_text)
    async with regulator_uplink(folder, regulator, clock) as uplink:
        await uplink.send_alerts([item("a")])
        regulator.post(BOX, "key_rotation", announced)
        running = asyncio.create_task(uplink.run())
        await until(lambda: waiting(regulator) == 0, clock)
        await stop(running)
        regulator.stop()
        regulator.key = new
        regulator.start()
        assert (await uplink.send_alerts([item("b")]))[0].kind is ReceiptKind.ACCEPTED
