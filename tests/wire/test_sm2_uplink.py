"""Box and regulator with SM2 keys over a real connection, each beside a peer of the other algorithm too."""

import asyncio
import base64
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from contract.keyfile import load, load_or_create
from contract.mailbox import KeyRotation
from contract.signing import generate_key
from gateway.model.alert import ReceiptKind
from tests.fakes.regulator import FakeRegulator
from tests.fakes.regulator_box import BOX, item, regulator_uplink, simulated, stop, until
from tests.fakes.sm2_keys import WITHOUT_LIBRARY, needs_sm2, openssl_holds
from tests.wire.test_regulator_mailbox import waiting

pytestmark = needs_sm2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("ours", ["Ed25519", "SM2"])
@pytest.mark.parametrize("theirs", ["Ed25519", "SM2"])
async def test_a_box_enrols_and_gets_its_receipts(ours: str, theirs: str, tmp_path: Path, folder: Path) -> None:
    regulator = FakeRegulator(tmp_path / "regulator")
    regulator.key = generate_key(theirs)
    with regulator:
        for key in ("a", "b"):  # the second one is a restarted box
            async with regulator_uplink(folder, regulator, signature=ours) as uplink:
                (receipt,) = await uplink.send_alerts([item(key)])
            assert receipt.kind is ReceiptKind.ACCEPTED, receipt.detail
        rows = regulator.store.items("alarm_transition")
    envelopes = [json.loads(row["envelope"]) for row in rows]
    assert {envelope["alg"] for envelope in envelopes} == {ours}
    assert {json.loads(row["receipt"])["alg"] for row in rows} == {theirs}


async def test_openssl_takes_what_the_box_sent(tmp_path: Path, folder: Path) -> None:
    with FakeRegulator(tmp_path / "regulator") as regulator:
        async with regulator_uplink(folder, regulator, signature="SM2") as uplink:
            await uplink.send_alerts([item("a")])
        (row,) = regulator.store.items("alarm_transition")
    signature = base64.b64decode(row["envelope_signature"])
    assert openssl_holds(folder / "keys" / "regulator.pem", signature, row["envelope"].encode())


async def test_a_key_that_is_there_stays_and_the_log_says_so(
    tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeRegulator(tmp_path / "regulator") as regulator:
        async with regulator_uplink(folder, regulator) as uplink:
            await uplink.send_alerts([item("a")])
        with caplog.at_level(logging.WARNING):
            async with regulator_uplink(folder, regulator, signature="SM2") as uplink:
                (receipt,) = await uplink.send_alerts([item("b")])
    assert receipt.kind is ReceiptKind.ACCEPTED
    assert "alg=Ed25519 set=SM2" in caplog.text
    assert load(folder / "keys" / "regulator.pem").public.alg == "Ed25519"


async def test_a_box_goes_over_to_sm2_with_a_new_code(tmp_path: Path, folder: Path) -> None:
    """As the documents say: the old key's file is moved away, a new code is put in."""
    with FakeRegulator(tmp_path / "regulator") as regulator:
        async with regulator_uplink(folder, regulator) as uplink:
            await uplink.send_alerts([item("a")])
        key_file = folder / "keys" / "regulator.pem"
        key_file.rename(folder / "old.pem")
        (folder / "enrol-code").write_text(regulator.code_for(BOX))
        clock = simulated()
        async with regulator_uplink(folder, regulator, clock, signature="SM2") as uplink:
            running = asyncio.create_task(uplink.run())
            await until(lambda: uplink.health().heartbeats > 0, clock)
            await stop(running)
            (receipt,) = await uplink.send_alerts([item("b")])
        assert receipt.kind is ReceiptKind.ACCEPTED, receipt.detail
        old = load(folder / "old.pem").public.key_id
        assert regulator.store.find_key(BOX, old) is None
    assert load(key_file).public.alg == "SM2"


async def test_a_regulator_goes_over_to_sm2(tmp_path: Path, folder: Path) -> None:
    with FakeRegulator(tmp_path / "regulator") as regulator:
        clock, new = simulated(), generate_key("SM2")
        public = new.public
        announced = KeyRotation(rotation_id="r", whose="regulator", alg=public.alg, public_key=public.public_text)
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


async def test_a_box_that_is_asked_for_a_new_key_stays_with_sm2(tmp_path: Path, folder: Path) -> None:
    with FakeRegulator(tmp_path / "regulator") as regulator:
        clock = simulated()
        async with regulator_uplink(folder, regulator, clock, signature="SM2") as uplink:
            await uplink.send_alerts([item("a")])
            before = load(folder / "keys" / "regulator.pem").public.key_id
            for number, alg in enumerate(("Ed25519", "SM2")):
                regulator.post(BOX, "key_rotation", KeyRotation(rotation_id=f"r-{number}", whose="box", alg=alg))
            running = asyncio.create_task(uplink.run())
            await until(lambda: waiting(regulator) == 0, clock)
            await stop(running)
            assert (await uplink.send_alerts([item("b")]))[0].kind is ReceiptKind.ACCEPTED
    after = load_or_create(folder / "keys" / "regulator.pem").public
    assert (after.alg, after.key_id == before) == ("SM2", False)


BOX_WITHOUT_LIBRARY = """
import asyncio, pathlib
from tests.fakes.regulator import FakeRegulator
from tests.fakes.regulator_box import item, regulator_uplink

async def main(folder):
    with FakeRegulator(folder / "regulator") as regulator:
        async with regulator_uplink(folder, regulator, signature="SM2") as uplink:
            (receipt,) = await uplink.send_alerts([item("a")])
            print(receipt.kind, uplink.health().state, receipt.detail, *uplink.fault(), sep="\\n")

asyncio.run(main(pathlib.Path(sys.argv[1])))
"""
INSTALL = "pip install 'sitewarden[sm]'"


def without_library(program: str, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_LIBRARY + program, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_box_without_the_library_sends_nothing_and_says_what_to_install(folder: Path) -> None:
    done = without_library(BOX_WITHOUT_LIBRARY, folder)
    assert done.returncode == 0, done.stderr
    kind, state, *words = done.stdout.splitlines()
    assert (kind, state) == ("retry", "down")
    assert all(INSTALL in said for said in words), "the receipt, and the banner in both languages"
    assert not (folder / "keys" / "regulator.pem").exists()


def test_check_warns_where_the_library_is_missing(tmp_path: Path) -> None:
    uplink = (
        '- {name: regulator, kind: regulator, url: "https://regulator.example", signature: SM2, enrol_code: {env: X}}'
    )
    text = Path("deploy/sites/site.yaml").read_text().replace("uplinks:\n", f"uplinks:\n  {uplink}\n")
    (tmp_path / "site.yaml").write_text(text)
    program = "from sitewarden.__main__ import main; sys.exit(main(['check', sys.argv[1]]))"
    done = without_library(program, tmp_path / "site.yaml")
    assert done.returncode == 0, done.stdout
    (line,) = [line for line in done.stdout.splitlines() if "signature" in line]
    assert INSTALL in line
