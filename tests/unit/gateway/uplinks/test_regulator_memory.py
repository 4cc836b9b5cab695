"""What the regulator uplink keeps on disk survives crashes: numbers are skipped, never repeated; messages are whole."""

import asyncio
import json
from pathlib import Path

import pytest

from contract.envelope import SignedText
from contract.messages import MailboxMessage
from gateway.uplinks.regulator_memory import BLOCK, Inbox, Memory, MemoryFile, RegulatorKey, SequenceFile


async def test_numbers_rise_by_one_and_a_restart_skips(tmp_path: Path) -> None:
    path = tmp_path / "sequence"
    first = SequenceFile(path)
    before = [await first.take() for _ in range(3)]
    after = [await SequenceFile(path).take() for _ in range(3)]
    assert before == [1, 2, 3]
    assert after == [BLOCK + 1, 2 * BLOCK + 1, 3 * BLOCK + 1]


async def test_many_at_once_never_share_a_number_across_blocks(tmp_path: Path) -> None:
    sequence = SequenceFile(tmp_path / "sequence")
    numbers = await asyncio.gather(*(sequence.take() for _ in range(2 * BLOCK + 10)))
    assert sorted(numbers) == list(range(1, 2 * BLOCK + 11))


async def test_a_jump_goes_above_what_was_used_and_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "sequence"
    sequence = SequenceFile(path)
    await sequence.take()
    await sequence.jump(70_000)
    assert await sequence.take() == 70_001
    await sequence.jump(5)
    assert await sequence.take() == 70_002
    assert await SequenceFile(path).take() > 70_002


async def test_numbers_out_of_the_regulators_reach_come_back_down(tmp_path: Path) -> None:
    path = tmp_path / "sequence"
    path.write_text("900000000000000000")
    sequence = SequenceFile(path)
    assert await sequence.take() > 2**59
    await asyncio.gather(*(sequence.jump(70) for _ in range(3)))
    assert [await sequence.take() for _ in range(3)] == [71, 72, 73]
    assert await SequenceFile(path).take() == 71 + BLOCK


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff\x00", b"-5", b"9" * 50])
async def test_a_damaged_sequence_file_begins_again_and_says_so(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "sequence").write_bytes(content)
    assert await SequenceFile(tmp_path / "sequence").take() == 1
    assert "sequence file unreadable" in caplog.text


async def test_a_disk_that_takes_nothing_stops_no_number(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "uplinks"
    folder.write_text("no folder can be made here, by anybody")
    sequence = SequenceFile(folder / "sequence")
    numbers = [await sequence.take() for _ in range(2 * BLOCK + 1)]
    await sequence.jump(70_000)
    assert [*numbers, await sequence.take()] == [*range(1, 2 * BLOCK + 2), 70_001]
    assert caplog.text.count("in memory") == 1
    folder.unlink()
    await sequence.jump(80_000)
    assert await SequenceFile(folder / "sequence").take() > 80_000


async def test_what_is_remembered_comes_back(tmp_path: Path) -> None:
    key = RegulatorKey(alg="Ed25519", key_id="ed25519:0", public_key="AAAA")
    file = MemoryFile(tmp_path / "regulator.json", "box-1")
    await file.load()
    await file.remember(regulator_keys=(key,), mailbox_seq=4)
    again = MemoryFile(tmp_path / "regulator.json", "box-1")
    await again.load()
    assert again.now == Memory(box_id="box-1", regulator_keys=(key,), mailbox_seq=4)
    assert again.now.find_key("ed25519:1") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"box_id":"box-2","mailbox_seq":9}'])
async def test_a_memory_that_is_damaged_or_anothers_is_not_believed(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "regulator.json").write_bytes(content)
    file = MemoryFile(tmp_path / "regulator.json", "box-1")
    await file.load()
    assert file.now == Memory(box_id="box-1")
    assert "remembered" in caplog.text


def signed(number: int) -> tuple[MailboxMessage, SignedText]:
    message = MailboxMessage(
        message_id=f"m{number}", mailbox_seq=number, box_id="box-1", kind="order", issued_at_ns=1, body={"行": "\n\r"}
    )
    return message, SignedText(alg="Ed25519", key_id="k", text=message.model_dump_json(), signature="s")


async def test_a_message_is_kept_once_across_restarts(tmp_path: Path) -> None:
    path = tmp_path / "below" / "inbox.jsonl"
    for number in (1, 2, 1, 2, 3):
        await Inbox(path).keep(*signed(number))
    assert Inbox(path).messages() == [signed(number)[1] for number in (1, 2, 3)]


async def test_a_torn_last_line_is_removed_and_the_message_kept_when_it_comes_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "inbox.jsonl"
    for number in (1, 2):
        await Inbox(path).keep(*signed(number))
    path.write_bytes(path.read_bytes()[:-7])
    assert Inbox(path).messages() == [signed(1)[1]]
    await Inbox(path).keep(*signed(2))
    assert Inbox(path).messages() == [signed(1)[1], signed(2)[1]]
    assert "incomplete last line" in caplog.text


async def test_an_inbox_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        await Inbox(tmp_path / "file" / "inbox.jsonl").keep(*signed(1))


async def test_every_line_is_json(tmp_path: Path) -> None:
    path = tmp_path / "inbox.jsonl"
    await Inbox(path).keep(*signed(1))
    assert json.loads(path.read_text(encoding="utf-8"))["message_id"] == "m1"
