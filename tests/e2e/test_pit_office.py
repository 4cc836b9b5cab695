"""A surveyor's table into a running box and the day's report out of it, by the command line and over HTTP."""

import hashlib
import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.chain import ChainHead
from gateway.parts.pit.hand_entry.parsing import SITE_ZONE
from gateway.store.alert_store import open_for_reading
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.mosquitto import free_port
from tests.fakes.pit_box import write_pit_site
from tests.fakes.ready_python import READY, run_ready
from tests.fakes.waiting import wait_until

NOON = datetime.now(SITE_ZONE).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
DAY = NOON.date().isoformat()
LARGE = 600
WHO = {"user": "li", "reason": "复测"}


@pytest.fixture
def box(tmp_path: Path) -> Iterator[GatewayProcess]:
    port = free_port()
    site = write_pit_site(tmp_path, web_port=port, broker_port=free_port())
    with GatewayProcess(site, f"http://127.0.0.1:{port}", python=READY) as gateway:
        yield gateway


def table(folder: Path) -> Path:
    """Four days of good lines, and three bad ones, as Excel in China saves them."""
    days = [(NOON - timedelta(days=3 - i), 9.0 + i) for i in range(4)]
    lines = ["一号基坑人工监测", "测点编号,观测时间,本次读数(mm)"]
    lines += [f"DJ-01,{at:%Y-%m-%d %H:%M},{value}" for at, value in days]
    lines += [f"DJ-99,{NOON:%Y-%m-%d %H:%M},1.0", f"ZQ-01,{NOON:%Y-%m-%d},2.0", f"ZQ-01,{NOON:%Y-%m-%d %H:%M},坏"]
    path = folder / "一号基坑.csv"
    path.write_bytes("\r\n".join(lines).encode("gb18030"))
    return path


def sitewarden(*arguments: object) -> subprocess.CompletedProcess[str]:
    done = run_ready("sitewarden", *map(str, arguments))
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def bring(folder: Path) -> subprocess.CompletedProcess[str]:
    by = ("--user", "surveyor-1", "--reason", "每日测量")
    return sitewarden("pit", "import", folder / "site.yaml", "pit-1", table(folder), *by)


def post(box: GatewayProcess, path: str, content: bytes, kind: str) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(box.url + path, content, {"content-type": kind})
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return reply.status, json.loads(reply.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def report(box: GatewayProcess, name: str) -> bytes:
    with urllib.request.urlopen(f"{box.url}/api/pits/pit-1/reports/{name}", timeout=60) as reply:
        content: bytes = reply.read()
        return content


def test_a_table_twice_and_a_report_twice(box: GatewayProcess, tmp_path: Path) -> None:
    first, second = bring(tmp_path), bring(tmp_path)
    assert (first.returncode, second.returncode) == (1, 1)
    assert "接收 4，已有 0，未接收 3" in first.stdout
    assert "accepted 0, known 4, not taken 3" in second.stdout
    assert "第 7 行：未知测点“DJ-99” / line 7: unknown point 'DJ-99'" in first.stdout
    trace = box.get("/api/history?point=pit-1.dj-01&from_ns=0&to_ns=4000000000000000000")
    assert trace["value"] == [9.0, 10.0, 11.0, 12.0]

    page = tmp_path / "report.html"
    assert sitewarden("pit", "report", tmp_path / "site.yaml", "pit-1", DAY, "--out", page).returncode == 0
    assert "一号基坑 基坑监测日报" in page.read_text("utf-8")
    assert report(box, f"{DAY}.html") == page.read_bytes()
    pdf = report(box, f"{DAY}.pdf")
    box.kill()
    box.start()
    assert report(box, f"{DAY}.pdf") == pdf
    (kept,) = box.get("/api/pits/pit-1/reports")["reports"]
    assert (kept["day"], kept["pdf_sha256"]) == (DAY, hashlib.sha256(pdf).hexdigest())
    box.stop()
    chain = open_for_reading(tmp_path / "box")
    assert isinstance(chain.verify(), ChainHead)
    kinds = [record.kind for record in chain.all_evidence()]
    assert (kinds.count("hand_readings"), kinds.count("report")) == (1, 1)


def test_a_pit_measured_by_hand_alone_runs_without_a_link(tmp_path: Path) -> None:
    port = free_port()
    path = write_pit_site(tmp_path, web_port=port)
    site = yaml.safe_load(path.read_text("utf-8"))
    pit = site["assets"][0]
    pit["pit"]["points"] = [point for point in pit["pit"]["points"] if point.get("by_hand")]
    site["assets"] = [pit]
    del site["links"], site["devices"]
    path.write_text(yaml.safe_dump(site, allow_unicode=True), "utf-8")
    checked = sitewarden("check", path)
    assert (checked.returncode, "0 devices" in checked.stdout) == (0, True), checked.stderr
    with GatewayProcess(path, f"http://127.0.0.1:{port}", python=READY) as box:
        assert "接收 4" in bring(tmp_path).stdout
        trace = box.get("/api/history?point=pit-1.dj-01&from_ns=0&to_ns=4000000000000000000")
        assert trace["value"] == [9.0, 10.0, 11.0, 12.0]
        health = box.get("/api/health")
        assert health["links"] == []
        for page in ("/", "/health", "/alarms", "/figures"):
            with urllib.request.urlopen(box.url + page, timeout=20) as reply:
                assert reply.status == 200, page
        found = json.loads(sitewarden("doctor", path, "--json").stdout)
        assert not [check for check in found if check["level"] not in ("ok", "note")], found


def test_a_kill_in_the_middle_of_a_large_table_neither_loses_nor_doubles(box: GatewayProcess, tmp_path: Path) -> None:
    days = [NOON - timedelta(hours=hours) for hours in range(LARGE, 0, -1)]
    lines = [f"{point},{at:%Y-%m-%d %H:%M},{i * 0.01:.2f}" for i, at in enumerate(days) for point in ("DJ-01", "ZQ-01")]
    content = "\n".join(("测点,时间,读数", *lines)).encode()
    path = f"/api/pits/pit-1/readings?{urllib.parse.urlencode(WHO)}"
    with ThreadPoolExecutor(1) as pool:
        bringing = pool.submit(post, box, path, content, "text/csv")
        wait_until(lambda: len(samples(box, "pit-1.dj-01_hand")) > 10, "some of the table in the history")
        box.kill()
        assert isinstance(bringing.exception(10), OSError | HTTPException)
    box.start()
    wait_until(lambda: len(samples(box, "pit-1.zq-01_hand")) >= LARGE, "the rest of the table in the history", 60)
    for point in ("pit-1.dj-01_hand", "pit-1.zq-01_hand", "pit-1.dj-01", "pit-1.zq-01"):
        assert samples(box, point) == [round(i * 0.01, 2) for i in range(LARGE)]
    status, again = post(box, path, content, "text/csv")
    assert (status, again["accepted"], again["known"]) == (200, 0, 2 * LARGE)
    box.stop()
    sealed = [record.body for record in open_for_reading(tmp_path / "box").all_evidence()]
    contents = [json.loads(body)["content"] for body in sealed if b'"kind":"hand_readings"' in body]
    assert [content.get("accepted", 0) for content in contents] == [2 * LARGE, 0]
    assert 0 < contents[1]["resumed"] < 2 * LARGE


def samples(box: GatewayProcess, point: str) -> list[float]:
    trace = box.get(f"/api/history?point={point}&from_ns=0&to_ns=4000000000000000000&samples=10000")
    values: list[float] = trace["value"]
    return values


def test_a_damaged_report_is_a_clear_error(box: GatewayProcess, tmp_path: Path) -> None:
    report(box, f"{DAY}.pdf")
    kept = tmp_path / "box" / "reports" / "pit-1" / f"{DAY}.pdf"
    kept.write_bytes(b"%PDF-1.7 something else")
    with pytest.raises(urllib.error.HTTPError) as refused:
        report(box, f"{DAY}.pdf")
    error = json.loads(refused.value.read())["error"]
    assert (refused.value.code, error["code"]) == (500, "report_damaged")
    assert "备份" in error["message_zh"]
    out = tmp_path / "report.pdf"
    asked = sitewarden("pit", "report", tmp_path / "site.yaml", "pit-1", DAY, "--out", out)
    assert (asked.returncode, out.exists()) == (1, False)


def test_one_typed_reading_a_baseline_and_what_is_refused(box: GatewayProcess) -> None:
    by = urllib.parse.urlencode(WHO)
    order = {"user": "li", "reason": "初始值", "point": "dj-02", "kind": "initial", "zero": 100}
    order["at"] = (NOON - timedelta(days=9)).isoformat()
    status, answer = post(box, "/api/pits/pit-1/baselines", json.dumps(order).encode(), "application/json")
    assert (status, answer["evidence_seq"] > 0) == (200, True)
    typed = {"point": "DJ-02", "at": NOON.isoformat(), "value": 104.5, "unit": "mm"}
    status, answer = post(box, f"/api/pits/pit-1/readings?{by}", json.dumps(typed).encode(), "application/json")
    assert (status, answer["accepted"]) == (200, 1)
    trace = box.get("/api/history?point=pit-1.dj-02&from_ns=0&to_ns=4000000000000000000")
    assert trace["value"] == [4.5]
    bad = json.dumps({**typed, "at": "03/04/2026 09:00"}).encode()
    status, answer = post(box, f"/api/pits/pit-1/readings?{by}", bad, "application/json")
    assert (status, answer["error"]["code"]) == (422, "ambiguous_time")
    assert post(box, f"/api/pits/pit-1/readings?{by}", b"a,b", "text/plain")[0] == 415
    assert post(box, "/api/pits/pit-1/baselines", b"a,b", "text/csv")[0] == 415
    assert post(box, f"/api/pits/pit-9/readings?{by}", b"a,b", "text/csv")[0] == 404
    assert post(box, "/api/pits/pit-1/readings?user=li", b"a,b", "text/csv")[0] == 422
    assert box.get("/api/cranes/crane-1/cycles") == {"asset": "crane-1", "kept": 0, "cycles": []}
    assert post(box, "/api/cranes/pit-1/tilt_baseline", json.dumps(WHO).encode(), "application/json")[0] == 404
