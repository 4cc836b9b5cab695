"""What the uplink makes of a regulator, a proxy or a line that misbehaves: an alert is never lost and never given up
on anyone's word but the regulator's own."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.canonical import canonical_bytes
from gateway.model.alert import OutboxItem, Receipt, ReceiptKind
from gateway.ports import LinkState
from tests.fakes.contract_box import alarm_body
from tests.fakes.regulator import FakeRegulator, Fault
from tests.fakes.regulator_box import item, regulator_uplink


@pytest.fixture
def regulator(tmp_path: Path) -> Iterator[FakeRegulator]:
    with FakeRegulator(tmp_path / "regulator") as regulator:
        yield regulator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    return folder


async def send_through(regulator: FakeRegulator, folder: Path, fault: Fault, **details: Any) -> tuple[Receipt, Receipt]:
    """The same alert through a fault and again after it."""
    async with regulator_uplink(folder, regulator, reply_timeout_s=0.3) as uplink:
        await uplink.send_alerts([item("first")])
        regulator.fail_next(fault, **details)
        spoilt = (await uplink.send_alerts([item("a")]))[0]
        regulator.clear_faults()
        regulator.release()
        return spoilt, (await uplink.send_alerts([item("a")]))[0]


@pytest.mark.parametrize(
    "fault",
    [
        Fault.GARBAGE,
        Fault.SILENCE,
        Fault.CLOSED,
        Fault.LOST_REPLY,
        Fault.SLOW,
        Fault.BAD_SIGNATURE,
        Fault.OTHERS_REPLY,
        Fault.OTHERS_RECEIPT,
    ],
)
async def test_whatever_spoils_the_answer_the_alert_is_held_once(
    regulator: FakeRegulator, folder: Path, fault: Fault
) -> None:
    spoilt, repeated = await send_through(regulator, folder, fault)
    assert spoilt.kind is ReceiptKind.RETRY
    assert repeated.kind is ReceiptKind.ACCEPTED
    assert sorted(alert["key"] for alert in regulator.store.alerts()) == ["a", "first"]


@pytest.mark.parametrize("fault", [Fault.LOST_REPLY, Fault.SLOW, Fault.BAD_SIGNATURE])
async def test_what_was_taken_before_the_answer_was_spoilt_is_a_duplicate(
    regulator: FakeRegulator, folder: Path, fault: Fault
) -> None:
    await send_through(regulator, folder, fault)
    assert regulator.store.stats()["duplicates_refused"] == 1


@pytest.mark.parametrize("code", ["invalid_body", "conflicting_body", "unknown_kind", "digest_mismatch", "too_large"])
async def test_the_regulators_own_refusal_of_an_item_ends_it(regulator: FakeRegulator, folder: Path, code: str) -> None:
    spoilt, _ = await send_through(regulator, folder, Fault.SIGNED_ERROR, code=code)
    assert spoilt.kind is ReceiptKind.REJECTED
    assert code in spoilt.detail


@pytest.mark.parametrize(
    "code",
    [
        "bad_signature",
        "unknown_sender",
        "code_refused",
        "stale_sequence",
        "wrong_version",
        "unknown_algorithm",
        "overloaded",
        "unavailable",
        "internal",
        "not_found",
        "blob_missing",
    ],
)
async def test_a_refusal_of_the_sending_keeps_the_alert(regulator: FakeRegulator, folder: Path, code: str) -> None:
    spoilt, repeated = await send_through(regulator, folder, Fault.SIGNED_ERROR, code=code)
    assert (spoilt.kind, repeated.kind) == (ReceiptKind.RETRY, ReceiptKind.ACCEPTED)


@pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503])
async def test_a_status_that_the_regulator_did_not_sign_never_ends_an_alert(
    regulator: FakeRegulator, folder: Path, status: int
) -> None:
    spoilt, repeated = await send_through(regulator, folder, Fault.BARE_STATUS, status=status)
    assert (spoilt.kind, repeated.kind) == (ReceiptKind.RETRY, ReceiptKind.ACCEPTED)
    assert str(status) in spoilt.detail


@pytest.mark.parametrize(("fault", "code"), [(Fault.SIGNED_ERROR, "overloaded"), (Fault.BARE_STATUS, "")])
async def test_retry_after_is_heeded(regulator: FakeRegulator, folder: Path, fault: Fault, code: str) -> None:
    spoilt, _ = await send_through(regulator, folder, fault, code=code, status=429, retry_after_s=17)
    assert spoilt.retry_after_s == 17


async def test_a_page_that_nobody_signed_delays_an_alert_by_a_minute_at_most(
    regulator: FakeRegulator, folder: Path
) -> None:
    spoilt, repeated = await send_through(regulator, folder, Fault.BARE_STATUS, status=503, retry_after_s=3600)
    assert spoilt.kind is ReceiptKind.RETRY
    assert spoilt.retry_after_s == 60
    assert repeated.kind is ReceiptKind.ACCEPTED


async def test_a_changed_body_under_a_used_key_is_rejected_and_counted(regulator: FakeRegulator, folder: Path) -> None:
    async with regulator_uplink(folder, regulator) as uplink:
        await uplink.send_alerts([item("a")])
        receipts = await uplink.send_alerts([item("a", body=alarm_body("a", measured="1.0")), item("b")])
    assert [receipt.kind for receipt in receipts] == [ReceiptKind.REJECTED, ReceiptKind.ACCEPTED]
    assert regulator.store.stats()["conflicts_refused"] == 1
    assert {alert["measured"] for alert in regulator.store.alerts()} == {"112.5"}


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"x":1.5}', b'{"x":"\\u0000"}', b"\xff"])
async def test_a_poison_item_is_rejected_and_its_neighbours_go(
    regulator: FakeRegulator, folder: Path, body: bytes
) -> None:
    poison = OutboxItem(1, "regulator", "poison", "alarm_transition", body, 1, 0)
    async with regulator_uplink(folder, regulator) as uplink:
        receipts = await uplink.send_alerts([item("a"), poison, item("b")])
    expected = [ReceiptKind.ACCEPTED, ReceiptKind.REJECTED, ReceiptKind.ACCEPTED]
    assert [receipt.kind for receipt in receipts] == expected


async def test_a_message_over_the_limit_is_rejected_without_being_sent(regulator: FakeRegulator, folder: Path) -> None:
    huge = canonical_bytes(alarm_body("huge", reason="x" * (3 << 20)))
    async with regulator_uplink(folder, regulator) as uplink:
        await uplink.send_alerts([item("a")])
        before = regulator.requests
        receipts = await uplink.send_alerts([OutboxItem(1, "regulator", "huge", "alarm_transition", huge, 1, 0)])
    assert receipts[0].kind is ReceiptKind.REJECTED
    assert regulator.requests == before


async def test_with_nobody_there_a_batch_costs_one_timeout_and_not_one_an_item(
    regulator: FakeRegulator, folder: Path
) -> None:
    async with regulator_uplink(folder, regulator, reply_timeout_s=0.2, pipelining=2) as uplink:
        await uplink.send_alerts([item("first")])
        regulator.fail_next(Fault.SILENCE, times=100)
        before = regulator.requests
        receipts = await uplink.send_alerts([item(f"k{n}") for n in range(100)])
        regulator.clear_faults()
        regulator.release()
        assert {receipt.kind for receipt in receipts} == {ReceiptKind.RETRY}
        await asyncio.to_thread(regulator.wait_until, lambda: regulator.requests >= before + 2)
    assert regulator.requests <= before + 4


async def test_a_dead_regulator_is_down_once_and_back_once_in_the_log(
    regulator: FakeRegulator, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "gateway.uplinks.regulator")
    async with regulator_uplink(folder, regulator) as uplink:
        await uplink.send_alerts([item("a")])
        regulator.stop()
        for _ in range(3):
            assert (await uplink.send_alerts([item("b")]))[0].kind is ReceiptKind.RETRY
        assert uplink.health().state is LinkState.DOWN
        regulator.start()
        assert (await uplink.send_alerts([item("b")]))[0].kind is ReceiptKind.ACCEPTED
    lines = [
        record.getMessage().split(":")[0] for record in caplog.records if record.name == "gateway.uplinks.regulator"
    ]
    assert lines == ["enrolled", "regulator answers", "regulator does not answer", "regulator answers"]


async def test_a_store_that_fails_is_told_as_unavailable(
    regulator: FakeRegulator, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with regulator_uplink(folder, regulator) as uplink:
        await uplink.send_alerts([item("a")])
        regulator.store.close()
        receipt = (await uplink.send_alerts([item("b")]))[0]
    assert receipt.kind is ReceiptKind.RETRY
