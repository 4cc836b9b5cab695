"""`sitewarden vision watch` on a real RTSP server."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.block_model import write_block_model
from tests.fakes.rtsp_server import RtspServer, film
from vision.watch import watch

pytestmark = pytest.mark.services

PASSWORD = "h0lz-w3g"


def _run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, list[dict[str, Any]], str]:
    parser = argparse.ArgumentParser()
    watch.add_arguments(parser)
    status = watch.run(parser.parse_args([*argv, "--json"]))
    said = capsys.readouterr()
    return status, [json.loads(line) for line in said.out.splitlines()], said.out + said.err


def _argv(folder: Path, camera: RtspServer, password: str) -> list[str]:
    (folder / "password").write_text(password + "\n", encoding="utf-8")
    model = str(write_block_model(folder / "model"))
    return [
        camera.url,
        "--model",
        model,
        "--min-head-px",
        "12",
        "--username",
        "viewer",
        "--password-file",
        str(folder / "password"),
    ]


def test_a_stream_is_watched_for_as_many_frames_as_asked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with RtspServer(film(), auth="digest", password=PASSWORD) as camera:
        status, lines, said = _run(capsys, *_argv(tmp_path, camera, PASSWORD), "--frames", "8")
    assert status == 0
    assert lines[-1]["frames_judged"] == 8
    assert lines[0]["frame"] == 0
    assert PASSWORD not in said


def test_a_wrong_password_is_said_and_not_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with RtspServer(film(), auth="digest", password="another") as camera:
        status, _, said = _run(capsys, *_argv(tmp_path, camera, PASSWORD), "--frames", "8")
    assert status == 2
    assert "the camera refuses the user name or password (401)" in said
    assert PASSWORD not in said
