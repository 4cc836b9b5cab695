"""`sitewarden pit import | report`: what is asked of the box, what is printed, and the exit status."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sitewarden.__main__ import main
from tests.fakes.http_replies import HttpReplies, Reply
from tests.fakes.mosquitto import free_port
from tests.fakes.pit_box import write_pit_site

FAULT = {
    "sheet": "",
    "line": 3,
    "code": "unknown_point",
    "message_zh": "第 3 行：未知测点",
    "message_en": "line 3: unknown",
}
BY = ("--user", "surveyor-1", "--reason", "每日测量")


def site_for(folder: Path, url: str) -> str:
    return str(write_pit_site(folder, web_port=urlsplit(url).port or 0))


def answer(*faults: dict[str, object]) -> Reply:
    body = {"accepted": 4, "known": 2, "faults": faults, "evidence_seq": 7, "sha256": "0" * 64}
    return Reply(200, body=json.dumps(body).encode())


@pytest.mark.parametrize(("faults", "status"), [((), 0), ((FAULT,), 1)])
def test_an_import_prints_counts_and_each_fault_and_ends_with_1_when_there_is_any(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], faults: tuple[dict[str, object], ...], status: int
) -> None:
    table = tmp_path / "读数.csv"
    table.write_bytes(b"a,b")
    with HttpReplies([answer(*faults)]) as server:
        assert main(["pit", "import", site_for(tmp_path, server.url), "pit-1", str(table), *BY]) == status
        (request,) = server.requests
    assert request.path.startswith("/api/pits/pit-1/readings?name=%E8%AF%BB%E6%95%B0.csv&user=surveyor-1&reason=")
    said = capsys.readouterr().out
    assert f"accepted 4, known 2, not taken {len(faults)}" in said
    assert ("第 3 行：未知测点 / line 3: unknown" in said) is bool(faults)


def test_a_report_is_written_as_the_box_sent_it(tmp_path: Path) -> None:
    out = tmp_path / "a.pdf"
    with HttpReplies([Reply(200, body=b"%PDF the very bytes")]) as server:
        assert main(["pit", "report", site_for(tmp_path, server.url), "pit-1", "2026-03-04", "--out", str(out)]) == 0
        assert server.requests[0].path == "/api/pits/pit-1/reports/2026-03-04.pdf?"
    assert out.read_bytes() == b"%PDF the very bytes"


def test_a_name_that_says_no_kind_asks_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = site_for(tmp_path, f"http://127.0.0.1:{free_port()}")
    assert main(["pit", "report", site, "pit-1", "2026-03-04", "--out", str(tmp_path / "a.doc")]) == 2
    assert "ends in .html or .pdf" in capsys.readouterr().err


@pytest.mark.parametrize("command", [("import", "TABLE", *BY), ("report", "2026-03-04", "--out", "OUT.pdf")])
def test_a_box_that_is_not_there_is_said_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    (tmp_path / "TABLE").write_bytes(b"a,b")
    kind, *rest = [str(tmp_path / each) if each in ("TABLE", "OUT.pdf") else each for each in command]
    site = site_for(tmp_path, f"http://127.0.0.1:{free_port()}")
    assert main(["pit", kind, site, "pit-1", *rest]) == 1
    assert "does not answer" in capsys.readouterr().err
    assert not (tmp_path / "OUT.pdf").exists()


def test_a_table_that_is_not_there_is_told_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = site_for(tmp_path, f"http://127.0.0.1:{free_port()}")
    assert main(["pit", "import", site, "pit-1", str(tmp_path / "none.csv"), *BY]) == 1
    assert "none.csv" in capsys.readouterr().err
