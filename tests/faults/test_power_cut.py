"""Power cuts: whatever the regulator was told is in the box's chain after the next start, once."""

from pathlib import Path

import pytest

from gateway.store.alert_store import open_for_reading
from tests.fakes.cut_disk import cut_disk
from tests.fakes.reporting_box import reporting_box

pytestmark = pytest.mark.alone

CUTS = 3


def test_what_was_told_is_sealed_after_a_power_cut(tmp_path: Path) -> None:
    with cut_disk(tmp_path, seed=1) as disk, reporting_box(tmp_path, disk.folder / "box") as box:
        keys, unsynced = [], disk.folder / "unsynced"
        for _ in range(CUTS):
            box.gateway.start()
            keys.append(box.raise_alarm())
            unsynced.write_bytes(b"x" * 40_000)
            disk.cut()
            box.gateway.kill()
            disk.power_on()
            assert not unsynced.exists() or not unsynced.read_bytes(), "the disk lost nothing: this test shows nothing"
            box.gateway.start()
            box.return_alarm()
            box.gateway.kill()
        assert box.raised()[::-1] == keys
        records = {record.seq: record.sha256 for record in open_for_reading(box.storage).all_evidence()}
        told = box.told_records()
        assert len(told) == 2 * CUTS
        assert [records[seq] for seq, _ in told] == [sha256 for _, sha256 in told]
        box.assert_chain_holds()
