"""A database that is gone, or an older copy of itself, is noticed at the next start, by `doctor` and by `verify`."""

import json
import shutil
from pathlib import Path

import pytest

from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry
from gateway.line.store_watch import StoreWatch
from gateway.store.last_known import LAST_KNOWN_FILE, LostStore, last_known, lost_stores
from sitewarden.__main__ import main
from tests.fakes.site import NOW_NS, Site, layout, points, poll, threshold

LAYOUT = layout()


async def run(folder: Path, records: int = 3) -> list[LostStore]:
    """One run of a box with some records and a block of history; what it found lost at its start."""
    lost = lost_stores(folder)
    site = Site(folder, points(), [threshold()])
    watch = StoreWatch(folder, site.alerts, site.history, site.clock)
    site.start()
    watch.report(lost, site.recorder)
    for n in range(records):
        await site.recorder.record(Entry(RecordKind.STARTED, NOW_NS + n, {"n": n}))
        site.history.append(poll(LAYOUT, float(n), NOW_NS + n))
        site.history.flush(NOW_NS).done.result(5)
    await watch.remember()
    await site.stop()
    return lost


def copy(folder: Path, name: str, to: Path) -> None:
    to.mkdir()
    for part in folder.glob(f"{name}*"):
        shutil.copy2(part, to)


def remove(folder: Path, name: str) -> None:
    for part in folder.glob(f"{name}*"):
        part.unlink()


async def test_a_box_that_kept_its_stores_has_lost_nothing(tmp_path: Path) -> None:
    assert await run(tmp_path) == []
    known = last_known(tmp_path)
    assert known is not None
    assert (known.seq, known.block_id) == (3, 3)
    assert await run(tmp_path) == []


@pytest.mark.parametrize("name", ["alerts.db", "history.db"])
@pytest.mark.parametrize("how", ["gone", "an older copy"])
async def test_a_store_that_holds_less_than_it_did_is_sealed_and_verify_fails(
    tmp_path: Path, name: str, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "box"
    await run(folder)
    copy(folder, name, tmp_path / "older")
    await run(folder)
    assert main(["verify", str(folder)]) == 0
    remove(folder, name)
    if how == "an older copy":
        copy_back(tmp_path / "older", folder)
    found = 0 if how == "gone" else 3
    assert lost_stores(folder) == [LostStore(name, 6, found)]
    assert await run(folder) == [LostStore(name, 6, found)]
    sealed = sealed_losses_of(folder)
    assert sealed == [{"file": name, "expected": 6, "found": found}]
    assert lost_stores(folder) == []
    capsys.readouterr()
    assert main(["verify", str(folder)]) == 1
    assert f"store lost: {name} is gone or an older copy" in capsys.readouterr().out


def copy_back(older: Path, folder: Path) -> None:
    for part in older.iterdir():
        shutil.copy2(part, folder)


def sealed_losses_of(folder: Path) -> list[dict[str, object]]:
    site = Site(folder, points(), [threshold()])
    found = [json.loads(r.body)["content"] for r in site.alerts.all_evidence() if r.kind == RecordKind.STORE_LOST]
    site.alerts.close()
    site.history.close(NOW_NS)
    return found


async def test_another_chain_of_the_same_length_is_another_store(tmp_path: Path) -> None:
    await run(tmp_path / "one")
    await run(tmp_path / "two", 4)
    shutil.copy2(tmp_path / "one" / LAST_KNOWN_FILE, tmp_path / "two")
    known = json.loads((tmp_path / "two" / LAST_KNOWN_FILE).read_text())
    (tmp_path / "two" / LAST_KNOWN_FILE).write_text(json.dumps(known | {"sha256": "f" * 64}))
    assert lost_stores(tmp_path / "two") == [LostStore("alerts.db", 3, 2)]


async def test_a_power_cut_may_take_the_newest_blocks_and_loses_no_store(tmp_path: Path) -> None:
    await run(tmp_path)
    known = json.loads((tmp_path / LAST_KNOWN_FILE).read_text())
    (tmp_path / LAST_KNOWN_FILE).write_text(json.dumps(known | {"block_id": 5}))
    assert [lost.file for lost in lost_stores(tmp_path)] == ["history.db"], "closed in order, so nothing may be gone"
    site = Site(tmp_path, points(), [threshold()])
    assert lost_stores(tmp_path) == [], "open, as a power cut leaves it"
    site.alerts.close()
    site.history.close(NOW_NS)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"seq": 1}'])
def test_a_note_that_cannot_be_read_accuses_nobody(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / LAST_KNOWN_FILE).write_text(text)
    assert lost_stores(tmp_path) == []
    assert "event=last_known_unreadable" in caplog.text
