"""Capture and eye processes are shut in by the kernel that runs the tests: what they cannot do, and still do."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.model.picture import CameraLink
from kit.clock import SystemClock
from tests.fakes.eye_parts import watched
from tests.fakes.gateway_process import ROOT
from tests.fakes.rtsp_viewer import Viewer, camera_settings
from vision.camera.capture_handle import COMMAND, CaptureHandle
from vision.camera.measure import make_film
from vision.camera.own_folder import PICTURES, leave_folder, own_folder
from vision.camera.plan import CapturePlan
from vision.camera.slot_file import SlotWriter, Stamp, create_slot, remove_slot
from vision.eye_hub import EyeHub, Listener
from vision.process.confinement import kernel_lacks
from vision.sight.observation import Observation

pytestmark = pytest.mark.skipif(bool(kernel_lacks()), reason=f"this kernel lacks {kernel_lacks()}")

FAKES = ROOT / "tests" / "fakes"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "SECRET_OF_THE_TEST": "hunter2"}
SECOND_NS = 1_000_000_000
IO_URING_SETUP, BPF, KEYCTL = 425, {"x86_64": 321, "aarch64": 280}, {"x86_64": 250, "aarch64": 219}


@pytest.fixture
def slot(tmp_path: Path) -> Iterator[Path]:
    folder = own_folder(tmp_path, PICTURES)
    path = create_slot("cam-1", 320, 180, [folder])
    yield path
    remove_slot(path)
    leave_folder(folder)


@pytest.fixture
def listening() -> Iterator[tuple[int, int]]:
    """The ports of a camera and of something else; nothing is said on them."""
    with socket.create_server(("127.0.0.1", 0)) as camera, socket.create_server(("127.0.0.1", 0)) as other:
        yield camera.getsockname()[1], other.getsockname()[1]


def tried(face: str, deeds: dict[str, tuple[str, list[Any]]], **given: Any) -> dict[str, str]:
    """What became of each deed in a process that is shut in as such a one."""
    answer = answered(face, deeds, **given)
    assert answer["lacks"] == []
    return dict(answer["done"])


def answered(face: str, deeds: dict[str, tuple[str, list[Any]]], **given: Any) -> dict[str, Any]:
    asked = json.dumps({"face": face, "deeds": deeds, **given})
    command = [sys.executable, str(FAKES / "confined_child.py")]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def plan_of(source: str, slot: Path, work: Path | None = None) -> dict[str, Any]:
    return asdict(CapturePlan("cam-1", source, slot_path=str(slot), work_folder=str(work or "")))


def machine() -> str:
    return os.uname().machine


def forbidden_to_both(slot: Path, outside: Path) -> dict[str, tuple[str, list[Any]]]:
    outside.write_bytes(b"the key of the box")
    return {
        "reads the passwords of the system": ("read", ["/etc/shadow"]),
        "reads a file of the gateway": ("read", [str(outside)]),
        "reads it in a thread": ("read in a thread", [str(outside)]),
        "reads the environment of the gateway": ("read", [f"/proc/{os.getpid()}/environ"]),
        "lists a folder": ("list", ["/"]),
        "makes a file": ("write", [str(outside.with_name("new"))]),
        "makes a file in shared memory": ("write", ["/dev/shm/sitewarden-test-new"]),
        "makes a file beside its pictures": ("write", [str(slot.with_name("new"))]),
        "writes a file of the gateway": ("append", [str(outside)]),
        "removes it": ("remove", [str(outside)]),
        "renames it": ("rename", [str(outside)]),
        "removes its pictures": ("remove", [str(slot)]),
        "shrinks its pictures": ("shrink", [str(slot)]),
        "changes their rights": ("chmod", [str(slot)]),
        "starts a program": ("exec", ["/bin/true"]),
        "starts a process": ("fork", []),
        "signals the gateway": ("kill", [os.getpid()]),
        "sets the limits of the gateway": ("limit", [os.getpid()]),
        "looks into the gateway": ("ptrace", [os.getpid()]),
        "mounts": ("mount", []),
        "makes a namespace": ("unshare", []),
        "becomes another user": ("setuid", []),
        "makes a ring of calls": ("call", [IO_URING_SETUP]),
        "loads a program into the kernel": ("call", [BPF[machine()]]),
        "asks for keys": ("call", [KEYCTL[machine()]]),
        "listens": ("bind", []),
        "opens a socket of the machine": ("socket", [socket.AF_UNIX, socket.SOCK_STREAM, 0]),
        "opens a socket to the kernel": ("socket", [socket.AF_NETLINK, socket.SOCK_RAW, 0]),
        "opens a raw socket": ("socket", [socket.AF_INET, socket.SOCK_RAW, 1]),
        "opens UDP": ("socket", [socket.AF_INET, socket.SOCK_DGRAM, 0]),
        "opens multipath TCP": ("socket", [socket.AF_INET, socket.SOCK_STREAM, 262]),
    }


REFUSED = "PermissionError"


def test_limits_that_are_refused_are_said_and_all_else_stands(slot: Path, tmp_path: Path) -> None:
    """The process goes on: a camera that is watched by a process without limits is better than one that is not."""
    deeds = {"reads": ("read", [str(tmp_path / "outside")]), "starts a program": ("exec", ["/bin/true"])}
    (tmp_path / "outside").write_bytes(b"the key of the box")
    answer = answered("capture", deeds, plan=plan_of("rtsp://127.0.0.1:8554/1", slot), limits_refused=True)
    assert answer == {"lacks": ["limits"], "done": dict.fromkeys(deeds, REFUSED)}


def test_a_capture_reaches_its_camera_and_nothing_else(slot: Path, tmp_path: Path, listening: tuple[int, int]) -> None:
    camera, other = listening
    work = tmp_path / "work"
    work.mkdir()
    deeds = forbidden_to_both(slot, tmp_path / "outside") | {
        "connects to another port": ("connect", [other]),
        "connects there with its first bytes": ("fast open", [other]),
    }
    may = {
        "connects to its camera": ("connect", [camera]),
        "writes its pictures": ("append", [str(slot)]),
        "makes a clip": ("write", [str(work / "clip.mp4")]),
        "removes it": ("remove", [str(work / "clip.mp4")]),
    }
    done = tried(
        "capture",
        deeds | {f"may: {k}": v for k, v in may.items()},
        plan=plan_of(f"rtsp://127.0.0.1:{camera}/site", slot, work),
    )
    assert {name: done[name] for name in deeds} == dict.fromkeys(deeds, REFUSED)
    assert {name: done[f"may: {name}"] for name in may} == dict.fromkeys(may, "done")
    assert (tmp_path / "outside").read_bytes() == b"the key of the box"


def test_an_eye_reads_the_pictures_and_has_no_socket(slot: Path, tmp_path: Path, listening: tuple[int, int]) -> None:
    camera, _ = listening
    deeds = forbidden_to_both(slot, tmp_path / "outside") | {
        "connects": ("connect", [camera]),
        "changes pictures": ("append", [str(slot)]),
    }
    done = tried("eye", deeds | {"may": ("read", [str(slot)])}, arguments=[str(slot.parent)])
    assert {name: done[name] for name in deeds} == dict.fromkeys(deeds, REFUSED)
    assert done["may"] == "done"


@pytest.mark.parametrize("face", ["capture", "eye"])
def test_memory_has_an_end(face: str, slot: Path) -> None:
    given = {"plan": plan_of("/nowhere/film.mp4", slot), "arguments": []}
    done = tried(face, {"some": ("memory", [1 << 30]), "all": ("memory", [1 << 40])}, **given)
    assert done == {"some": "done", "all": "OSError"}


def test_udp_is_open_only_where_a_name_must_be_asked_for(slot: Path, listening: tuple[int, int]) -> None:
    camera, other = listening
    deeds = {"asks": ("udp", [other]), "connects elsewhere": ("connect", [other]), "connects": ("connect", [camera])}
    done = tried("capture", deeds, plan=plan_of(f"rtsp://localhost:{camera}/site", slot))
    assert done == {"asks": "done", "connects elsewhere": REFUSED, "connects": "done"}


def test_a_capture_of_files_reads_their_folder_and_has_no_socket(
    slot: Path, tmp_path: Path, listening: tuple[int, int]
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    (films / "site.mp4").write_bytes(b"film")
    (tmp_path / "beside").write_bytes(b"secret")
    deeds = {
        "reads": ("read", [str(films / "site.mp4")]),
        "writes": ("append", [str(films / "site.mp4")]),
        "reads beside": ("read", [str(tmp_path / "beside")]),
        "connects": ("connect", [listening[0]]),
    }
    done = tried("capture", deeds, plan=plan_of(str(films / "site.mp4"), slot))
    assert done == {"reads": "done", "writes": REFUSED, "reads beside": REFUSED, "connects": REFUSED}


def shut_in(pid: int) -> tuple[str, str]:
    """What the kernel says of a process: no new privileges, and a filter."""
    lines = dict(line.split(":\t") for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    return lines["NoNewPrivs"], lines["Seccomp"]


def soft_limit(pid: int, name: str) -> str:
    (line,) = [line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith(name)]
    return line.removeprefix(name).split()[0]


async def test_a_real_capture_is_shut_in_when_the_camera_first_hears_of_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as camera:
        camera.settimeout(20)
        async with Viewer(f"rtsp://127.0.0.1:{camera.getsockname()[1]}/site") as viewer:
            connection, _ = await asyncio.to_thread(camera.accept)
            with connection:
                assert viewer.state.pid is not None
                assert shut_in(viewer.state.pid) == ("1", "2")
                assert soft_limit(viewer.state.pid, "Max core file size") == "0"
                assert soft_limit(viewer.state.pid, "Max open files") == "128"
                await viewer.until(lambda: viewer.state.report.phase != "starting", "a report")
                assert viewer.state.report.lacks == ""


class Heard:
    """What an eye said of a camera."""

    def __init__(self) -> None:
        self.observations: list[Observation] = []
        self.losses: list[str] = []
        self.listener = Listener(self.observations.append, self.losses.append)


@contextlib.asynccontextmanager
async def real_eye(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EyeHub]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    hub = EyeHub(SystemClock())
    task = asyncio.create_task(hub.run())
    try:
        yield hub
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition: Any, what: str) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)
    assert condition(), what


def show(path: Path, seq: int) -> None:
    """A picture that can be judged: noise, so that it is no flat one."""
    rows = np.random.default_rng(seq).integers(0, 255, (180, 960), dtype=np.uint8)
    now_ns = SystemClock().now_ns()
    writer = SlotWriter(path)
    writer.write(memoryview(rows.tobytes()), (320, 180), 960, Stamp(seq, now_ns, now_ns, False, 1))
    writer.close()


async def test_a_real_eye_is_shut_in_and_judges_with_the_shipped_model(
    slot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard()
    show(slot, 1)
    async with real_eye(monkeypatch) as hub:
        hub.watch("cam-1", str(slot), watched().settings, heard.listener)
        await until(lambda: any(b"site_heads" in each.said for each in heard.observations), "a judged frame")
        assert hub.state.alive is not None
        assert (hub.state.alive.lacks, hub.state.alive.models) == ("", {})
        assert hub.state.pid is not None
        assert shut_in(hub.state.pid) == ("1", "2")


async def test_a_camera_whose_pictures_lie_elsewhere_gets_an_eye_that_may_read_them(
    slot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "other"
    base.mkdir()
    folder = own_folder(base, PICTURES)
    later = create_slot("cam-2", 320, 180, [folder])
    first, second = Heard(), Heard()
    show(slot, 1)
    show(later, 1)
    async with real_eye(monkeypatch) as hub:
        hub.watch("cam-1", str(slot), watched().settings, first.listener)
        await until(lambda: any(b'"frame":1' in each.said for each in first.observations), "the first")
        hub.watch("cam-2", str(later), watched("cam-2").settings, second.listener)
        await until(lambda: any(b'"frame":1' in each.said for each in second.observations), "the second")
        assert (hub.state.starts, hub.state.kills, hub.state.garbage) == (2, 0, 0)
        assert first.losses == ["the eye is started again for another camera"]
    remove_slot(later)
    leave_folder(folder)


OLD_KERNELS = [("landlock", "files,ports"), ("both", "calls,files,ports")]


@pytest.mark.parametrize(("kernel", "lacks"), OLD_KERNELS)
async def test_what_the_kernel_lacks_is_said_and_watching_goes_on(
    kernel: str,
    lacks: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    film = tmp_path / "site.mp4"
    make_film(film, "h264", (320, 180), 15, 2.0)
    old = (sys.executable, str(FAKES / "old_kernel.py"), kernel)
    handle = CaptureHandle(camera_settings(str(film), loop=True), SystemClock(), [tmp_path], (*old, *COMMAND))
    running = asyncio.create_task(handle.run())
    try:
        await until(lambda: handle.state().link is CameraLink.LIVE, "live")
        assert handle.state().report.lacks == lacks
        assert f"event=capture_not_shut_in camera=cam-1 lacks={lacks}" in caplog.text
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        handle.close()


@pytest.mark.parametrize(("kernel", "lacks"), [("none", ""), *OLD_KERNELS])
def test_check_warns_of_what_the_kernel_lacks(kernel: str, lacks: str) -> None:
    check = [sys.executable, "-m", "sitewarden", "check", str(ROOT / "examples" / "cameras.yaml")]
    old = [] if kernel == "none" else [sys.executable, str(FAKES / "old_kernel.py"), kernel]
    said = subprocess.run([*old, *check], capture_output=True, text=True, env=ENVIRONMENT, check=True, cwd=ROOT).stdout
    warnings = {"files": "without Landlock:", "ports": "rules for ports", "calls": "filter for system calls"}
    found = [lack for lack, text in warnings.items() if text in said]
    assert sorted(found) == [lack for lack in lacks.split(",") if lack]
