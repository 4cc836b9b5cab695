"""Strangers cost the desk little: who sends is known before the body, signatures are checked before JSON is read, and
whoever sends too much in vain is not listened to for a while. Boxes behind the same address do not suffer."""

import asyncio
import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract import envelope as contract_envelope
from gateway.model.alert import ReceiptKind
from regulator.base.intake import reception as intake_reception
from regulator.base.intake.failures import WINDOW_S, FailureBudget
from regulator.base.intake.opening import SMALL_BYTES
from regulator.base.intake.reception import MESSAGES, Reception
from tests.fakes.contract_box import Answer, ContractBox, alarm_body, canonical, fingerprint, sha256
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.regulator import FakeRegulator
from tests.fakes.regulator_box import BOX, item, regulator_uplink

LONG = 1_800_000


class Parsed:
    """Lengths of what was read as JSON of the contract."""

    def __init__(self, inner: Callable[[bytes], dict[str, Any]]) -> None:
        self._inner, self.lengths = inner, list[int]()

    def __call__(self, raw: bytes) -> dict[str, Any]:
        self.lengths.append(len(raw))
        return self._inner(raw)


class Watch:
    """A clock for the budgets, moved by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Parsed:
    parsed = Parsed(contract_envelope.parse_object)
    monkeypatch.setattr(contract_envelope, "parse_object", parsed)
    return parsed


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def face(tmp_path: Path, clock: DeskClock, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeskFace]:
    monkeypatch.setattr(intake_reception, "FailureBudget", lambda allowance: FailureBudget(allowance, watch))
    with DeskFace(tmp_path, clock) as face:
        yield face


@pytest.fixture
def box(face: DeskFace) -> Iterator[ContractBox]:
    with ContractBox(face.url, "box-1") as box:
        assert box.enrol(face.code_for("box-1", "CONTRACT-1")).status == 200
        yield box


@pytest.fixture
def nobody(face: DeskFace) -> Iterator[ContractBox]:
    with ContractBox(face.url, "nobody") as nobody:
        yield nobody


def reception(face: DeskFace) -> Reception:
    found = face.app.state.reception
    assert isinstance(found, Reception)
    return found


def sender(box: ContractBox, seq: int = 0, **changes: str) -> str:
    """The header as the contract's page spells it."""
    known = {"box_id": box.box_id, "key_id": fingerprint(box.public)} | changes
    words = f"{known['box_id']} {known['key_id']} {seq or box.seq}"
    return f"{words} {box.sign(f'Sitewarden-Sender {words}'.encode())}"


def say(box: ContractBox, raw: bytes, **more: str) -> Answer:
    headers = {"Sitewarden-Signature": box.sign(raw)} | {name.replace("_", "-"): value for name, value in more.items()}
    return box.read(box.client.post("/v1/messages", content=raw, headers=headers), raw)


def long_record(box: ContractBox, length: int = LONG) -> bytes:
    return canonical(box.envelope("evidence_record", f"r{box.seq}", {"record": "x" * length, "sha256": "0" * 64}))


def spend(face: DeskFace) -> None:
    """All that an address may send in vain."""
    for _ in range(MESSAGES.failures):
        reception(face)._failures.failed("127.0.0.1", 1)


def test_a_stranger_who_says_who_he_is_is_turned_away_before_his_body(face: DeskFace, nobody: ContractBox) -> None:
    head = (
        f"POST /v1/messages HTTP/1.1\r\nhost: desk\r\ncontent-length: {LONG}\r\nsitewarden-sender: {sender(nobody, 7)}"
    )
    with socket.create_connection(("127.0.0.1", int(face.url.rpartition(":")[2]))) as connection:
        connection.settimeout(20)
        connection.sendall(head.encode() + b"\r\n\r\n")
        with connection.makefile("rb") as answer:
            said = answer.read()  # to its end: the desk hangs up
    status, _, rest = said.partition(b"\r\n")
    assert b" 401 " in status
    assert b"connection: close" in rest.lower()
    reply = json.loads(rest.partition(b"\r\n\r\n")[2])
    assert (reply["error"]["code"], reply["box_id"], reply["reply_to"]) == ("unknown_sender", "nobody", 7)


def test_curl_hears_that_it_is_nobody_and_keeps_its_body(face: DeskFace, nobody: ContractBox, tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(bytes(LONG))
    asked = [
        "curl",
        "--silent",
        "--max-time",
        "20",
        "--data-binary",
        f"@{file}",
        "--write-out",
        "%{http_code} %{size_upload}",
    ]
    asked += ["--header", f"Sitewarden-Sender: {sender(nobody, 1)}", "--header", "Expect: 100-continue"]
    asked += ["--output", str(tmp_path / "answer"), f"{face.url}/v1/messages"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert done.stdout == "401 0"
    assert json.loads((tmp_path / "answer").read_bytes())["error"]["code"] == "unknown_sender"


@pytest.mark.parametrize("with_header", [False, True])
def test_a_long_body_with_a_wrong_signature_is_never_read_as_json(
    box: ContractBox, parsed: Parsed, with_header: bool
) -> None:
    raw = long_record(box)
    more = {"Sitewarden_Sender": sender(box)} if with_header else {}
    headers = {"Sitewarden-Signature": box.sign(b"other")} | {k.replace("_", "-"): v for k, v in more.items()}
    answer = box.read(box.client.post("/v1/messages", content=raw, headers=headers), raw)
    assert (answer.status, answer.error["code"]) == (401, "bad_signature")
    assert (answer.reply["box_id"], answer.reply["reply_to"]) == ("box-1", box.seq)
    assert max(parsed.lengths, default=0) < SMALL_BYTES


def test_a_long_body_of_nobody_is_never_read_as_json(nobody: ContractBox, parsed: Parsed) -> None:
    answer = say(nobody, long_record(nobody))
    assert (answer.status, answer.error["code"]) == (401, "unknown_sender")
    assert parsed.lengths == []


def test_boxes_with_and_without_the_header_are_heard_alike_with_long_records(box: ContractBox) -> None:
    for with_header in (False, True):
        text = canonical({"seq": 1 + with_header, "prev": "0" * 64, "box_id": "box-1", "words": "x" * 800_000}).decode()
        raw = canonical(
            box.envelope("evidence_record", f"r{with_header}", {"record": text, "sha256": sha256(text.encode())})
        )
        more = {"Sitewarden_Sender": sender(box)} if with_header else {}
        assert say(box, raw, **more).status == 200


def test_an_envelope_that_is_not_canonical_is_heard_without_the_header(box: ContractBox) -> None:
    said = alarm_body("k1") | {"reason": "x" * 3000}
    raw = json.dumps(box.envelope("alarm_transition", "k1", said), indent=1).encode()
    assert say(box, raw).status == 200
    text = canonical({"seq": 1, "prev": "0" * 64, "box_id": "box-1", "words": "x" * 100_000}).decode()
    body = {"record": text, "sha256": sha256(text.encode())}
    assert say(box, json.dumps(box.envelope("evidence_record", "r", body), indent=1).encode()).status == 200


@pytest.mark.parametrize("header", ["", "x", "box-1 key 1 AAAA", "a" * 5000])
def test_a_header_that_is_none_is_refused_and_an_empty_one_is_no_header(box: ContractBox, header: str) -> None:
    raw = canonical(box.envelope("alarm_transition", "k", alarm_body("k")))
    answer = say(box, raw, Sitewarden_Sender=header)
    assert answer.status == (400 if header else 200)


@pytest.mark.parametrize("address", ["messages", "mailbox", "enrol"])
def test_a_number_beyond_the_last_one_is_refused_wherever_it_stands(nobody: ContractBox, address: str) -> None:
    """In the header, and at the end of an envelope that has none."""
    end = canonical(nobody.envelope("heartbeat", "k", {}) | {"seq": 10**19 - 1})
    for headers in ({"Sitewarden-Sender": sender(nobody, 10**19 - 1)}, {}):
        answer = nobody.client.post(f"/v1/{address}", content=end, headers=headers)
        assert (answer.status_code, answer.json()["reply_to"]) == (400, 0)


def test_a_header_of_one_box_does_not_carry_the_message_of_another(face: DeskFace, box: ContractBox) -> None:
    with ContractBox(face.url, "box-2") as other:
        assert other.enrol(face.code_for("box-2", "CONTRACT-1")).status == 200
        raw = canonical(box.envelope("alarm_transition", "k", alarm_body("k")))
        answer = say(box, raw, Sitewarden_Sender=sender(other, box.seq))
        assert (answer.status, answer.error["code"]) == (401, "bad_signature")
    forged = canonical(box.envelope("alarm_transition", "k", alarm_body("k"), box_id="box-2"))
    answer = say(box, forged, Sitewarden_Sender=sender(box))
    assert (answer.status, answer.error["code"]) == (401, "unknown_sender")


def test_a_caller_who_sent_too_much_in_vain_waits_and_a_box_beside_him_does_not(
    face: DeskFace, box: ContractBox, nobody: ContractBox, watch: Watch, parsed: Parsed
) -> None:
    spend(face)
    for raw in (long_record(nobody), long_record(nobody, 10)):
        answer = nobody.client.post("/v1/messages", content=raw, headers={"Sitewarden-Signature": nobody.sign(raw)})
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "overloaded")
        assert 0 < int(answer.headers["Retry-After"]) <= WINDOW_S + 1
    raw = canonical(nobody.envelope("heartbeat", "k", {}))
    assert say(nobody, raw, Sitewarden_Sender=sender(nobody)).status == 429
    raw = canonical(box.envelope("alarm_transition", "k", alarm_body("k")))
    wrong = f"{sender(box).rpartition(' ')[0]} {box.sign(b'other')}"
    assert say(box, raw, Sitewarden_Sender=wrong).status == 429
    assert say(box, raw, Sitewarden_Sender=sender(box)).status == 200
    assert say(box, canonical(box.envelope("alarm_transition", "l", alarm_body("l")))).status == 429
    assert max(parsed.lengths) < SMALL_BYTES
    watch.now_s += WINDOW_S
    assert say(box, canonical(box.envelope("alarm_transition", "m", alarm_body("m")))).status == 200
    assert say(nobody, long_record(nobody)).error["code"] == "unknown_sender"


@pytest.mark.parametrize("sent", [MESSAGES.failures - 1, MESSAGES.failures])
def test_failures_are_counted_to_the_last_one(sent: int) -> None:
    watch = Watch()
    budget = FailureBudget(MESSAGES, watch)
    for _ in range(sent):
        budget.failed("10.0.0.1", 1)
    assert bool(budget.wait_s("10.0.0.1")) is (sent == MESSAGES.failures)
    assert budget.wait_s("10.0.0.2") == 0


@pytest.mark.parametrize("size", [MESSAGES.size_bytes - 1, MESSAGES.size_bytes])
def test_bytes_are_counted_to_the_last_one_and_a_minute_later_it_begins_anew(size: int) -> None:
    watch = Watch()
    budget = FailureBudget(MESSAGES, watch)
    budget.failed("2001:db8:1:2::1", size)
    assert bool(budget.wait_s("2001:db8:1:2:ffff::9")) is (size == MESSAGES.size_bytes)
    assert budget.wait_s("2001:db8:1:3::1") == 0
    watch.now_s += WINDOW_S
    assert budget.wait_s("2001:db8:1:2::1") == 0


def test_failures_of_one_minute_say_nothing_of_the_next() -> None:
    watch = Watch()
    budget = FailureBudget(MESSAGES, watch)
    budget.failed("10.0.0.1", MESSAGES.size_bytes - 1)
    watch.now_s += WINDOW_S
    budget.failed("10.0.0.1", 1)
    assert budget.wait_s("10.0.0.1") == 0


def test_refusals_of_content_cost_a_box_no_budget(face: DeskFace, box: ContractBox) -> None:
    for number in range(MESSAGES.failures + 5):
        raw = canonical(box.envelope("alarm_transition", f"k{number}", {"severity": "P9"}))
        assert say(box, raw).error["code"] == "invalid_body"


def test_enrolments_in_vain_are_counted_apart(face: DeskFace, nobody: ContractBox) -> None:
    for _ in range(60):
        assert nobody.enrol("AAAA-BBBB-CCCC").error["code"] == "code_refused"
    assert nobody.enrol("AAAA-BBBB-CCCC").error["code"] == "overloaded"
    assert say(nobody, long_record(nobody, 10)).error["code"] == "unknown_sender"


def test_six_nobodies_with_long_envelopes_are_read_no_further_than_the_budget(
    face: DeskFace, box: ContractBox, parsed: Parsed
) -> None:
    """Over real sockets, 40 envelopes each. What is counted: bytes that the desk took, JSON that it read."""
    statuses: list[int] = []

    def flood(name: str) -> None:
        with ContractBox(face.url, name) as nobody:
            raw = long_record(nobody)
            signature = {"Sitewarden-Signature": nobody.sign(raw)}
            for _ in range(40):
                try:
                    statuses.append(nobody.client.post("/v1/messages", content=raw, headers=signature).status_code)
                except httpx.TransportError:
                    statuses.append(0)  # cut while it still sent

    floods = [threading.Thread(target=flood, args=(f"nobody-{number}",)) for number in range(6)]
    for thread in floods:
        thread.start()
    heard = []
    for number in range(20):
        raw = canonical(box.envelope("alarm_transition", f"k{number}", alarm_body(f"k{number}")))
        heard.append(say(box, raw, Sitewarden_Sender=sender(box)))
    for thread in floods:
        thread.join()
    assert [answer.status for answer in heard] == [200] * 20
    assert len(statuses) == 240
    assert 0 < statuses.count(401) <= MESSAGES.size_bytes // LONG + 6
    assert max(parsed.lengths) < SMALL_BYTES


async def test_the_uplink_proves_itself_where_a_neighbour_has_spent_all(tmp_path: Path) -> None:
    with FakeRegulator(tmp_path / "regulator") as regulator:
        folder = tmp_path / "box"
        folder.mkdir()
        async with regulator_uplink(folder, regulator) as uplink:
            assert (await uplink.send_alerts([item("a")]))[0].kind is ReceiptKind.ACCEPTED
            for _ in range(MESSAGES.failures):
                regulator._reception._failures.failed("127.0.0.1", 1)
            sent = await asyncio.wait_for(uplink.send_alerts([item(f"k{n}") for n in range(20)]), 30)
            assert [receipt.kind for receipt in sent] == [ReceiptKind.ACCEPTED] * 20
        with ContractBox(regulator.url, BOX) as other:
            assert say(other, long_record(other, 10)).error["code"] == "overloaded"
