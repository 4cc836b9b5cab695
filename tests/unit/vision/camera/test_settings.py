"""A camera's settings: every wrong word is a fault, and the plan carries the password only where it is needed."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from kit.secret import Secret
from vision.camera.plan import CapturePlan
from vision.camera.settings import CameraLinkSettings


def settings(**more: Any) -> CameraLinkSettings:
    return CameraLinkSettings.model_validate({"id": "cam-1", "driver": "camera", "source": "rtsp://h/x", **more})


def test_an_address_is_enough() -> None:
    plan = settings().plan()
    assert (plan.camera, plan.source, plan.read_timeout_s, plan.ring_s) == ("cam-1", "rtsp://h/x", 5.0, 30.0)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"source": "rtsp://a:b@h/x"}, "they stand under username and password"),
        ({"source": "ftp://h/x"}, "ftp:// is not read"),
        ({"password": {"env": "X"}}, "a password needs a username"),
        ({"password": "plain", "username": "u"}, "password"),
        ({"reconnect_min_s": 5, "reconnect_max_s": 1}, "reconnect_max_s must not be below"),
        ({"read_timeout_s": 0}, "read_timeout_s"),
        ({"fps_cap": 0}, "fps_cap"),
        ({"fps_cap": float("nan")}, "fps_cap"),
        ({"transport": "udp"}, "transport"),
        ({"loop": True}, "for files and folders only"),
        ({"realtime": False}, "for files and folders only"),
        ({"source": "/a.mp4", "username": "u"}, "for rtsp sources only"),
        ({"source": "/a.mp4", "sub_source": "rtsp://h/y"}, "for rtsp sources only"),
        ({"sub_source": "/a.mp4"}, "another rtsp:// address"),
        ({"sub_source": "rtsp://a:b@h/y"}, "they stand under username and password"),
        ({"source": "rtsp://h/{password}", "username": "u"}, "no password is set"),
        ({"fps": 5}, "fps"),
    ],
)
def test_a_wrong_word_is_a_fault(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**more)
    assert said in str(caught.value)


def test_the_password_is_read_when_the_plan_is_made_and_shown_by_nothing(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("hunter2hunter2\n")
    link = settings(username="admin", password=Secret(file=path))
    plan = link.plan()
    assert plan.password == "hunter2hunter2"
    assert "hunter2" not in repr(link) + repr(plan) + link.model_dump_json()


def test_a_password_too_long_for_libav_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("hunter2" * 30)
    with pytest.raises(LookupError, match="more than 127 bytes") as caught:
        settings(username="admin", password=Secret(file=path)).plan()
    assert "hunter2" not in str(caught.value)


def test_a_plan_travels_as_json() -> None:
    plan = settings(source="/a.mp4", loop=True).plan(Path("/dev/shm/slot"), 7)
    assert CapturePlan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"camera": "hunter2"}'])
def test_what_is_no_plan_is_refused_and_not_repeated(body: bytes) -> None:
    with pytest.raises(ValueError, match="not a capture plan") as caught:
        CapturePlan.from_json(body)
    assert "hunter2" not in str(caught.value)


def test_a_site_file_with_passwords_in_addresses_is_refused_without_repeating_them(tmp_path: Path) -> None:
    demo = (Path(__file__).parents[4] / "config/sites/demo.yaml").read_text(encoding="utf-8")
    sources = [
        "rtsp://admin:hunter2@10.0.0.5/x",
        "rtsp://admin:a/hunter2@10.0.0.5/x",
        "rtsp://10.0.0.5/user=admin&password=hunter2&channel=1",
    ]
    links = [f'  - {{id: cam-{i}, driver: camera, source: "{source}"}}\n' for i, source in enumerate(sources)]
    site = tmp_path / "site.yaml"
    site.write_text(demo.replace("links:\n", "links:\n" + "".join(links), 1), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sitewarden", "check", str(site)], capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 2
    assert all(f"links[{i}].source" in said for i in range(len(sources)))
    assert "hunter2" not in said
