"""The regulator uplink against the test regulator: enrolment, receipts, heartbeats, what goes over the wire."""

import asyncio
import hashlib
import json
import stat
from pathlib import Path

import pytest

from contract.chain import ChainHead
from contract.faults import OtherProject
from gateway.model.alert import ReceiptKind
from gateway.ports import LinkState
from regulator.base.records.tables.intake import boxes
from tests.fakes.regulator import FakeRegulator, Fault
from tests.fakes.regulator_box import BOX, Chain, item, regulator_uplink, simulated, stop, until


@pytest.fixture
def regulator(tmp_path: Path):
    with FakeRegulator(tmp_path / "regulator") as regulator:
        yield regulator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    return folder


async def test_the_first_alert_enrols_the_box_and_is_accepted(regulator: FakeRegulator, folder: Path) -> None:
    async with regulator_uplink(folder, regulator) as uplink:
        receipts = await uplink.send_alerts([item("a"), item("b")])
        health = uplink.health()
    assert [receipt.kind for receipt in receipts] == [ReceiptKind.ACCEPTED] * 2
    assert len({receipt.detail for receipt in receipts}) == 2
    assert {alert["key"] for alert in regulator.store.alerts()} == {"a", "b"}
    assert (health.state, health.enrolled, health.accepted) == (LinkState.UP, True, 2)


async def test_the_boxs_key_is_readable_by_its_owner_only(regulator: FakeRegulator, folder: Path) -> None:
    async with regulator_uplink(folder, regulator) as uplink:
        await uplink.send_alerts([item("a")])
    assert stat.S_IMODE((folder / "keys" / "regulator.pem").stat().st_mode) == 0o600


async def test_receipts_stay_in_order_with_many_on_their_way(regulator: FakeRegulator, folder: Path) -> None:
    async with regulator_uplink(folder, regulator, pipelining=8) as uplink:
        receipts = await uplink.send_alerts([item(f"k{n}") for n in range(40)])
    held = {row["key"]: json.loads(json.loads(row["receipt"])["text"])["receipt_id"] for row in _items(regulator)}
    assert [receipt.detail for receipt in receipts] == [held[f"k{n}"] for n in range(40)]


def _items(regulator: FakeRegulator) -> list[dict]:
    return regulator.store.items("alarm_transition")


async def test_a_restarted_box_keeps_its_key_and_never_repeats_a_number(regulator: FakeRegulator, folder: Path) -> None:
    for key in ("a", "b", "c"):
        async with regulator_uplink(folder, regulator) as uplink:
            assert (await uplink.send_alerts([item(key)]))[0].kind is ReceiptKind.ACCEPTED
    numbers = [json.loads(row["envelope"])["seq"] for row in _items(regulator)]
    assert numbers == sorted(set(numbers))
    assert regulator.store.stats()["boxes"] == 1
    assert regulator.store.stats()["stale_refused"] == 0


@pytest.mark.parametrize("damage", ["missing", "garbage", "restored", "far ahead"])
async def test_a_lost_sequence_file_heals_by_the_regulators_word(
    regulator: FakeRegulator, folder: Path, damage: str
) -> None:
    file = folder / "uplinks" / "regulator" / "sequence"
    async with regulator_uplink(folder, regulator) as uplink:
        await uplink.send_alerts([item("a")])
    if damage == "missing":
        file.unlink()
    else:
        damaged = {"restored": "0", "far ahead": "900000000000000000"}
        file.write_text(damaged.get(damage, "\x00\x00 not a number"))
    async with regulator_uplink(folder, regulator) as uplink:
        receipts = await uplink.send_alerts([item("b"), item("c")])
    assert [receipt.kind for receipt in receipts] == [ReceiptKind.ACCEPTED] * 2
    assert {row["key"] for row in _items(regulator)} == {"a", "b", "c"}


async def test_what_waited_long_is_marked_late(regulator: FakeRegulator, folder: Path) -> None:
    clock = simulated()
    async with regulator_uplink(folder, regulator, clock) as uplink:
        waited = item("old", created_at_ns=clock.now_ns() - 61_000_000_000)
        await uplink.send_alerts([waited, item("new", created_at_ns=clock.now_ns())])
    assert {alert["key"]: bool(alert["late"]) for alert in regulator.store.alerts()} == {"old": True, "new": False}


async def test_the_bodys_exact_bytes_arrive(regulator: FakeRegulator, folder: Path) -> None:
    record = '{"box_id":"box-1","prev":"' + "0" * 64 + '","seq":1,"words":"塔机 \\u0000 \\"x\\""}'
    sent = item("e-1", "evidence_record", {"record": record, "sha256": hashlib.sha256(record.encode()).hexdigest()})
    async with regulator_uplink(folder, regulator) as uplink:
        assert (await uplink.send_alerts([sent]))[0].kind is ReceiptKind.ACCEPTED
    assert regulator.store.items("evidence_record")[0]["body"].encode() == sent.body
    assert regulator.store.chain(BOX).verified_seq == 1


async def test_heartbeats_carry_the_chains_head_and_bring_back_how_it_stands(
    regulator: FakeRegulator, folder: Path
) -> None:
    chain = Chain()
    chain.head = ChainHead(7, "a" * 64)
    clock = simulated()
    async with regulator_uplink(folder, regulator, clock, chain, heartbeat_s=30) as uplink:
        running = asyncio.create_task(uplink.run())
        await until(lambda: uplink.health().heartbeats == 1, clock)
        assert _head(regulator) == 7
        chain.head = ChainHead(8, "b" * 64)
        await until(lambda: uplink.health().heartbeats >= 2, clock, 10)
        assert _head(regulator) == 8
        await stop(running)
    assert uplink.health().chain_state == "ok"


def _head(regulator: FakeRegulator) -> int:
    boxes = regulator.store.boxes()
    return boxes[0]["head_seq"] if boxes else 0


async def test_run_enrols_by_itself_once_the_regulator_is_there(folder: Path, tmp_path: Path) -> None:
    regulator = FakeRegulator(tmp_path / "regulator")
    regulator.start()
    (folder / "enrol-code").write_text(regulator.code_for(BOX))
    regulator.stop()
    clock = simulated()
    async with regulator_uplink(folder, regulator, clock) as uplink:
        running = asyncio.create_task(uplink.run())
        await until(lambda: uplink.health().state is LinkState.DOWN, clock, 0)
        assert not uplink.health().enrolled
        with regulator:
            await until(lambda: uplink.health().heartbeats > 0, clock)
            await stop(running)
            assert [box["box_id"] for box in regulator.store.boxes()] == [BOX]


async def test_a_pinned_key_that_is_another_ones_stops_enrolment(regulator: FakeRegulator, folder: Path) -> None:
    async with regulator_uplink(folder, regulator, regulator_key_id="ed25519:" + "0" * 32) as uplink:
        receipt = (await uplink.send_alerts([item("a")]))[0]
    assert receipt.kind is ReceiptKind.RETRY
    assert "ed25519:" + "0" * 32 in receipt.detail


async def test_the_pinned_key_lets_the_box_enrol(regulator: FakeRegulator, folder: Path) -> None:
    async with regulator_uplink(folder, regulator, regulator_key_id=regulator.key.public.key_id) as uplink:
        assert (await uplink.send_alerts([item("a")]))[0].kind is ReceiptKind.ACCEPTED


async def test_a_regulator_with_another_key_is_not_believed(
    regulator: FakeRegulator, folder: Path, tmp_path: Path
) -> None:
    async with regulator_uplink(folder, regulator) as uplink:
        await uplink.send_alerts([item("a")])
    with FakeRegulator(tmp_path / "impostor") as impostor:
        async with regulator_uplink(folder, impostor) as uplink:
            receipt = (await uplink.send_alerts([item("b")]))[0]
    assert receipt.kind is ReceiptKind.RETRY
    assert "not believed" in receipt.detail


async def test_the_enrolment_code_shows_nowhere(
    regulator: FakeRegulator, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    (folder / "enrol-code").write_text("a-wrong-code-4711")
    async with regulator_uplink(folder, regulator) as uplink:
        receipt = (await uplink.send_alerts([item("a")]))[0]
        seen = f"{receipt} {uplink.health()} {uplink._settings!r} {caplog.text}"
    assert "a-wrong-code-4711" not in seen


async def test_a_code_on_a_stick_is_waited_for_and_missed_once_in_the_log(
    regulator: FakeRegulator, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = simulated()
    caplog.set_level("WARNING", logger="gateway.uplinks")
    code = {"file": str(folder / "media" / "*" / "sitewarden-code")}
    async with regulator_uplink(folder, regulator, clock, enrol_code=code) as uplink:
        for _ in range(5):
            assert (await uplink.send_alerts([item("a")]))[0].kind is ReceiptKind.RETRY
            await clock.advance(60)
        stick = folder / "media" / "usb0"
        stick.mkdir(parents=True)
        (stick / "sitewarden-code").write_text(f"{regulator.code_for(BOX)}\n")
        assert (await uplink.send_alerts([item("a")]))[0].kind is ReceiptKind.ACCEPTED
    assert caplog.text.count("waiting for the code") == 1


async def test_a_wrong_code_is_clear_and_a_repaired_one_lets_the_alert_go(
    regulator: FakeRegulator, folder: Path
) -> None:
    clock = simulated()
    (folder / "enrol-code").write_text("a-wrong-code-4711")
    async with regulator_uplink(folder, regulator, clock) as uplink:
        receipt = (await uplink.send_alerts([item("a")]))[0]
        assert receipt.kind is ReceiptKind.RETRY
        assert uplink.health().refused.startswith("code_refused")
        (folder / "enrol-code").write_text(regulator.code_for(BOX))
        await clock.advance(60)
        assert (await uplink.send_alerts([item("a")]))[0].kind is ReceiptKind.ACCEPTED
        assert uplink.health().refused == ""


async def test_enrolment_is_not_tried_at_every_alert(regulator: FakeRegulator, folder: Path) -> None:
    (folder / "enrol-code").write_text("a-wrong-code-4711")
    async with regulator_uplink(folder, regulator, simulated()) as uplink:
        for _ in range(5):
            await uplink.send_alerts([item("a")])
    assert regulator.requests == 1


async def test_a_lost_reply_to_enrolment_spends_no_code(regulator: FakeRegulator, folder: Path) -> None:
    clock = simulated()
    regulator.fail_next(Fault.LOST_REPLY, address="/v1/enrol")
    async with regulator_uplink(folder, regulator, clock) as uplink:
        assert (await uplink.send_alerts([item("a")]))[0].kind is ReceiptKind.RETRY
        await clock.advance(60)
        assert (await uplink.send_alerts([item("a")]))[0].kind is ReceiptKind.ACCEPTED


async def test_a_regulator_that_forgot_the_box_gets_it_back_with_a_new_code(
    regulator: FakeRegulator, folder: Path, tmp_path: Path
) -> None:
    clock = simulated()
    async with regulator_uplink(folder, regulator, clock) as uplink:
        await uplink.send_alerts([item("a")])
        regulator.stop()
        (regulator.folder / "regulator.db").unlink()
        regulator.start()
        (folder / "enrol-code").write_text(regulator.code_for(BOX))
        refused = (await uplink.send_alerts([item("b")]))[0]
        assert (refused.kind, refused.detail.split(":")[0]) == (ReceiptKind.RETRY, "unknown_sender")
        assert uplink.health().refused.startswith("unknown_sender")
        assert (await uplink.send_alerts([item("b")]))[0].kind is ReceiptKind.ACCEPTED
        assert uplink.health().refused == ""


async def test_the_number_of_a_poisoned_box_heals_with_a_new_code(regulator: FakeRegulator, folder: Path) -> None:
    """A box that was silenced at the regulator by one message with the highest number there is."""
    clock = simulated()
    async with regulator_uplink(folder, regulator, clock) as uplink:
        await uplink.send_alerts([item("a")])
        with regulator.store.database.transaction() as db:
            db.execute(boxes.update().values(seq_highest=2**63 - 1, seq_bits="1"))
        assert (await uplink.send_alerts([item("b")]))[0].kind is ReceiptKind.RETRY
        await uplink._session.enrol(regulator.code_for(BOX), "test")
        assert (await uplink.send_alerts([item("b")]))[0].kind is ReceiptKind.ACCEPTED


async def test_alarms_of_another_project_wait_until_the_site_file_is_mended(
    regulator: FakeRegulator, folder: Path
) -> None:
    """A box that enrolled before it remembered for which project: the regulator tells it."""
    async with regulator_uplink(folder, regulator) as uplink:
        await uplink.send_alerts([item("a")])
        await uplink._session.memory.remember(project_code="")
    async with regulator_uplink(folder, regulator, project="P-wrong") as uplink:
        (receipt,) = await uplink.send_alerts([item("b")])
        assert (receipt.kind, receipt.detail.split(":")[0]) == (ReceiptKind.RETRY, "other_project")
        assert "未登记于项目 P-wrong，应为 P-1" in uplink.fault()[0]
        assert uplink.fault()[1].startswith("site.project_code: ")
        assert uplink.health().state is LinkState.UP, "the line is well: nothing flaps between two beats"
    async with regulator_uplink(folder, regulator) as uplink:
        assert (await uplink.send_alerts([item("b")]))[0].kind is ReceiptKind.ACCEPTED
        assert uplink.fault() == ("", "")
    assert {alert["project_code"] for alert in regulator.store.alerts()} == {"P-1"}


async def test_a_box_whose_site_file_names_another_project_says_nothing_before_it_is_enrolled_for_it(
    regulator: FakeRegulator, folder: Path
) -> None:
    clock = simulated()
    async with regulator_uplink(folder, regulator, clock) as uplink:
        await uplink.send_alerts([item("a")])
    async with regulator_uplink(folder, regulator, clock, project="P-2") as uplink:
        (receipt,) = await uplink.send_alerts([item("b")])
        assert (receipt.kind, "code_refused" in receipt.detail) == (ReceiptKind.RETRY, True)
        assert "项目 P-2 监控主机 box-1" in uplink.fault()[0]
        assert [alert["key"] for alert in regulator.store.alerts()] == ["a"]
        (folder / "enrol-code").write_text(regulator.code_for(BOX, "P-2"))
        await clock.advance(60)
        assert (await uplink.send_alerts([item("b")]))[0].kind is ReceiptKind.ACCEPTED
    assert {alert["key"]: alert["project_code"] for alert in regulator.store.alerts()} == {"a": "P-1", "b": "P-2"}


async def test_an_answer_to_an_order_of_another_project_is_put_aside(regulator: FakeRegulator, folder: Path) -> None:
    async with regulator_uplink(folder, regulator) as uplink:
        await uplink.send_alerts([item("a")])
        refused = uplink._refused(OtherProject("body.order_id", "an order of P-1"))
    assert refused.kind is ReceiptKind.REJECTED


async def test_a_second_box_waits_shows_why_and_goes_on_once_it_is_admitted(
    regulator: FakeRegulator, folder: Path
) -> None:
    clock = simulated()
    with regulator.store.database.transaction() as db:
        row = {"box_id": "box-0", "project_code": "P-1", "verified_sha256": "0" * 64}
        db.execute(boxes.insert().values(**row))
    async with regulator_uplink(folder, regulator, clock) as uplink:
        (receipt,) = await uplink.send_alerts([item("a")])
        assert (receipt.kind, receipt.detail.split(":")[0]) == (ReceiptKind.RETRY, "not_admitted")
        assert "须经审批人审批" in uplink.fault()[0]
        assert "an approver has to admit" in uplink.fault()[1]
        assert not await uplink._beat()
        assert any(uplink.fault())
        with regulator.store.database.transaction() as db:
            db.execute(boxes.update().values(waiting=0))
        assert (await uplink.send_alerts([item("a")]))[0].kind is ReceiptKind.ACCEPTED
        assert uplink.fault() == ("", "")


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nxx\n-----END PRIVATE KEY-----\n", b"\xff\x00"])
async def test_a_damaged_key_is_told_and_a_restored_one_needs_no_restart(
    regulator: FakeRegulator, folder: Path, content: bytes
) -> None:
    async with regulator_uplink(folder, regulator) as uplink:
        await uplink.send_alerts([item("a")])
    key = folder / "keys" / "regulator.pem"
    whole = key.read_bytes()
    key.write_bytes(content)
    async with regulator_uplink(folder, regulator) as uplink:
        (receipt,) = await uplink.send_alerts([item("b")])
        assert receipt.kind is ReceiptKind.RETRY
        assert str(key) in receipt.detail
        assert uplink.health().state is LinkState.DOWN
        assert all(str(key) in words for words in uplink.fault())
        running = asyncio.create_task(uplink.run())
        key.write_bytes(whole)
        (receipt,) = await uplink.send_alerts([item("b")])
        assert receipt.kind is ReceiptKind.ACCEPTED
        assert uplink.fault() == ("", "")
        assert not running.done(), "heartbeats and the mailbox live on"
        await stop(running)
