"""`python -m regulator`: one JSON line when ready, exit 0 on SIGTERM, refusals with exit 2, a page to look at."""

import json
import stat
import subprocess
import sys
import threading
from pathlib import Path

import httpx

from tests.fakes.contract_box import ContractBox, alarm_body
from tests.fakes.regulator_process import ROOT, regulator_process


def test_it_serves_a_page_keeps_its_key_and_ends_on_sigterm(tmp_path: Path) -> None:
    key_ids = set()
    for _ in range(2):
        with regulator_process(tmp_path, "box-1", "CONTRACT-1") as regulator:
            key_ids.add(regulator.ready["key_id"])
            assert httpx.get(regulator.url + "/v1/stats", trust_env=False).json()["alerts_held"] == 0
            regulator.process.terminate()
            assert regulator.process.wait(10) == 0
    assert len(key_ids) == 1
    assert stat.S_IMODE((tmp_path / "regulator.key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "code").stat().st_mode) == 0o600


def test_a_long_poll_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with regulator_process(tmp_path, "box-1", "CONTRACT-1") as regulator, ContractBox(regulator.url, "box-1") as box:
        box.enrol(regulator.enrol_code)
        statuses: list[int] = []

        def poll() -> None:
            statuses.append(box.say("mailbox_poll", "poll", {"wait_s": 60, "limit": 1}, "/v1/mailbox").status)

        waiting = threading.Thread(target=poll)
        waiting.start()
        with httpx.Client(base_url=regulator.url, trust_env=False) as client:
            while client.get("/v1/stats").json()["polls_waiting"] < 1:
                waiting.join(0.01)
        regulator.process.terminate()
        assert regulator.process.wait(10) == 0
        waiting.join(10)
    assert statuses == [200]


def test_the_page_shows_boxes_and_alerts_and_escapes_what_came_over_the_wire(tmp_path: Path) -> None:
    with regulator_process(tmp_path, "box-1", "CONTRACT-1") as regulator, ContractBox(regulator.url, "box-1") as box:
        box.enrol(regulator.enrol_code)
        box.say("alarm_transition", "k", alarm_body("k", title_zh="<script>x</script>", measured=None))
        page = httpx.get(regulator.url + "/", trust_env=False)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "box-1" in page.text
    assert "&lt;script&gt;" in page.text
    assert "<script" not in page.text
    assert "http" not in page.text.replace('http-equiv="refresh"', "")


def refused(tmp_path: Path, *arguments: str) -> str:
    known = ["--db", str(tmp_path / "r.db"), "--port", "0", "--for-box", "box-1", "--for-project", "P-1"]
    run = subprocess.run(
        [sys.executable, "-m", "regulator", *known, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert run.returncode == 2
    assert run.stdout == ""
    return run.stderr


def test_a_key_file_that_is_none_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "r.key.pem").write_text("not a key")
    assert "r.key.pem" in refused(tmp_path, "--enrol-code-file", str(tmp_path / "code"))
    assert (tmp_path / "r.key.pem").read_text() == "not a key"


def test_the_ready_line_is_json(tmp_path: Path) -> None:
    with regulator_process(tmp_path, "box-1", "CONTRACT-1") as regulator:
        assert json.dumps(regulator.ready)
        assert regulator.ready["pid"] == regulator.process.pid
