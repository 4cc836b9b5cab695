"""Folders of one gateway: private, removed with their last user, found again when a gateway was killed."""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from vision.camera.needs import capture_needs
from vision.camera.own_folder import CLIPS, PICTURES, leave_folder, own_folder, remove_stale_folders
from vision.camera.plan import CapturePlan


def test_a_folder_is_shared_by_its_users_and_goes_with_the_last(tmp_path: Path) -> None:
    first, second = own_folder(tmp_path, PICTURES), own_folder(tmp_path, PICTURES)
    assert first == second
    assert first.stat().st_mode & 0o077 == 0, "others on the box do not see the site"
    clips = own_folder(tmp_path, CLIPS)
    assert clips != first
    (first / "slot").write_bytes(b"picture")
    leave_folder(first)
    assert first.is_dir()
    leave_folder(first)
    leave_folder(clips)
    assert list(tmp_path.iterdir()) == []


def test_folders_of_gateways_that_are_gone_are_removed(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    stale, held = (tmp_path / f"sitewarden-pictures-{ended.pid}-{name}" for name in ("abc", "xyz"))
    somebody_elses = tmp_path / f"sitewarden-{ended.pid}"
    for path in (stale, held, somebody_elses):
        path.mkdir()
    (stale / "slot").write_bytes(b"picture")
    (tmp_path / f"sitewarden-clips-{ended.pid}-link").symlink_to(somebody_elses)
    mine = own_folder(tmp_path, CLIPS)
    lock = os.open(held, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert remove_stale_folders([tmp_path, tmp_path / "missing"]) == 1
    assert not stale.exists()
    assert all(path.is_dir() for path in (held, mine, somebody_elses)), "in another container its number looks dead"
    os.close(lock)
    assert remove_stale_folders([tmp_path]) == 1
    leave_folder(mine)


@pytest.mark.parametrize(
    ("source", "sub_source", "ports", "names"),
    [
        ("rtsp://192.0.2.7/main", "", (554,), False),
        ("rtsp://192.0.2.7:8554/main", "rtsp://192.0.2.7/sub", (554, 8554), False),
        ("rtsps://[2001:db8::7]/main", "", (322,), False),
        ("rtsp://[fe80::1%25eth0]/main", "", (554,), False),
        ("rtsp://camera.site/main", "", (554,), True),
        ("rtsp://192.0.2.7/main", "rtsp://camera.site:555/sub", (554, 555), True),
        ("v4l2:/dev/video0", "", (), False),
        ("/films/site.mp4", "", (), False),
    ],
)
def test_the_ports_of_a_plan(source: str, sub_source: str, ports: tuple[int, ...], names: bool) -> None:
    needs = capture_needs(CapturePlan("cam-1", source, sub_source=sub_source))
    assert (needs.ports, needs.names) == (ports, names)


def test_the_files_of_a_plan(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    for source, folder in {
        f"{tmp_path}/films/": tmp_path / "films",
        f"file://{tmp_path}/films/site.mp4": tmp_path / "films",
        f"{tmp_path}/films/not/yet/site.mp4": tmp_path / "films",
    }.items():
        assert capture_needs(CapturePlan("cam-1", source)).read == (str(folder),)
    assert capture_needs(CapturePlan("cam-1", "/nowhere/at/all.mp4")).read == ()
    assert capture_needs(CapturePlan("cam-1", "v4l2:/dev/video3")).devices == ("/dev/video3",)
    assert capture_needs(CapturePlan("cam-1", "rtsps://h/x", tls_ca_file="/ca.pem")).read == ("/ca.pem",)
