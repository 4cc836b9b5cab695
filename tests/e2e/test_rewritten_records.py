"""Root on a box: a running gateway's own files are rewritten after it has reported, and `sitewarden verify` says so."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.store.alert_store import open_for_reading
from gateway.store.receipts import receipts_path
from tests.fakes.reporting_box import reporting_box
from tests.fakes.rewriter import rewrite
from tests.fakes.waiting import wait_until


def verify(folder: Path) -> tuple[int, str]:
    told = [sys.executable, "-m", "sitewarden", "verify", str(folder)]
    done = subprocess.run(told, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def record_of(folder: Path, transition: str) -> int:
    """Number of the newest record of a transition."""
    records = [json.loads(record.body) for record in open_for_reading(folder).all_evidence()]
    return max(int(each["seq"]) for each in records if each["content"].get("transition") == transition)


@pytest.mark.services
def test_a_record_that_was_rewritten_on_the_box_no_longer_holds(tmp_path: Path) -> None:
    storage = tmp_path / "box"
    with reporting_box(tmp_path, storage) as box:
        box.gateway.start()
        box.raise_alarm()
        box.return_alarm()
        wait_until(lambda: box.counters().get("waiting") == 0, "everything sent")
        box.gateway.stop()
        assert receipts_path(storage, "desk").is_file()
        status, said = verify(storage)
        assert (status, "receipts do not hold" in said) == (0, False), said
        raised = record_of(storage, "raised")
        rewrite(storage, raised, transition="returned")
        status, said = verify(storage)
    assert status == 1
    assert "chain holds" in said
    assert f"record {raised} was rewritten: the receipt signed by desk names another digest" in said
