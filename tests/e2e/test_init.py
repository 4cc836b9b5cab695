"""From nothing to readings with three commands, as processes: `init`, `check`, `run`, on simulated devices."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import yaml

SITEWARDEN = [sys.executable, "-m", "sitewarden"]


def told(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SITEWARDEN, *words], cwd=folder, capture_output=True, text=True, check=False)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_a_site_of_flags_is_accepted_and_its_secrets_lie_in_files(tmp_path: Path) -> None:
    flags = ["--project-code", "ABC-1", "--crane", "192.0.2.11", "--crane", "192.0.2.12:5020", "--pit", "192.0.2.21"]
    flags += ["--camera", "rtsp://warden:p%40ss@192.0.2.31/1", "--regulator", "https://regulator.example"]
    answer = told(tmp_path, "init", "site.yaml", *flags, "--enrol-code", "once-only")
    assert answer.returncode == 0, answer.stderr
    text = (tmp_path / "site.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=site.schema.json\n")
    assert "p@ss" not in text
    assert "p%40ss" not in text
    assert "once-only" not in text
    assert (tmp_path / "camera-1.password").read_text() == "p@ss\n"
    assert (tmp_path / "camera-1.password").stat().st_mode & 0o777 == 0o600
    assert len(yaml.safe_load(text)["links"]) == 4
    checked = told(tmp_path, "check", "site.yaml")
    assert checked.returncode == 0, checked.stderr + checked.stdout
    assert json.loads((tmp_path / "site.schema.json").read_text())["title"] == "Sitewarden site file"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("mine")
    answer = told(tmp_path, "init", "site.yaml", "--simulated")
    assert answer.returncode == 1
    assert "overwrites nothing" in answer.stderr
    assert (tmp_path / "site.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "nothing to watch"),
        (["--crane", "no host"], "cranes: found 'no host', expected HOST or HOST:PORT"),
        (["--crane", "192.0.2.1", "--project-code", "a b"], "project_code: found 'a b'"),
        (["--camera", "http://u:secret@192.0.2.1/x"], "expected rtsp://HOST/PATH"),
        (["--pit", "192.0.2.1", "--web-port", "0"], "web_port: found 0"),
    ],
)
def test_an_answer_that_will_not_do_is_named(tmp_path: Path, flags: list[str], said: str) -> None:
    answer = told(tmp_path, "init", "site.yaml", *flags)
    assert answer.returncode == 2
    assert said in answer.stderr
    assert "secret" not in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_init_check_run_brings_readings_of_simulated_devices(tmp_path: Path) -> None:
    port = free_port()
    assert told(tmp_path, "init", "site.yaml", "--simulated", "--web-port", str(port)).returncode == 0
    assert told(tmp_path, "check", "site.yaml").returncode == 0
    devices = subprocess.Popen([*SITEWARDEN, "simulate", "--seconds", "60"], cwd=tmp_path, stdout=subprocess.DEVNULL)
    box = subprocess.Popen([*SITEWARDEN, "run", "site.yaml", "--log-file", "box.log"], cwd=tmp_path)
    try:
        assert moment_of(port, box) > 0
    finally:
        for process in (box, devices):
            process.terminate()
            process.wait(20)


def moment_of(port: int, box: "subprocess.Popen[bytes]") -> float:
    """The moment of crane 1 in per cent, as soon as the box knows it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and box.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer:
                for line in answer.read().decode().splitlines():
                    if line.startswith("sitewarden_readings") and float(line.split()[-1]) > 0:
                        return float(line.split()[-1])
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError("the box has read nothing")
