"""`sitewarden demo`: the whole line on one machine, with nothing but what is embedded.

    twins (own process: three cranes, a pit, a bus of instruments, a weather mast, a broker)
          --Modbus TCP, MQTT-->  gateway (this process)  --contract over HTTP-->  review desk (own process, database)
    drawn camera (own process)  --RTSP-->  capture and eye (own processes)  --^        |
    surveyor's table of the last weeks  --import-->  gateway                          '--docking--> a platform above it
    499 simulated sites (own process)  --contract over HTTP-->  review desk

The twins tell a windy afternoon (`drivers.sim.afternoon`); headless, the cranes overload every few seconds instead of
once in the story, as the figures need it. The camera's scene is drawn (`drivers.sim.camera_scene`), and judged by the
detector that is shipped; its edge is surveyed at the start as a person would draw it.

The province is founded in a process of its own while the box starts: the site page is there first. A run that counts
(`--seconds`, `--tour`) begins when everything is there. Processes are ended by the ids that were started here; one that
ends by itself ends the demo, and the last lines of its log are printed.
"""

import asyncio
import contextlib
import errno
import json
import os
import re
import secrets
import shutil
import signal
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from gateway.logs import LogFile, start_logging
from kit.folder_lock import AlreadyRunning, lock_folder
from sitewarden.demo.run import DemoFigures, DemoOptions, DemoPlaces, Say, plain_person
from sitewarden.demo.words import logins_text, too_large_text, tour_text

READY_WITHIN_S = 300.0
QUIET_TAIL_S = 4.0
WEB_PORT, DESK_PORT = 15000, 15001
BOX_LOG = "box.log"
RUNS_KEPT = 2
SIZE_EVERY_S = 10.0
RUN_NAME = re.compile(r"run-\d{8}-\d{6}x*")
LAST_LINES, LONGEST_LINE = 20, 400
BEFORE_THE_GAP_S = 20.0
"""Where a tour begins in the camera's round: the gap is there, and is looked at for its ten seconds before a person
comes."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the demo. `ready`: the line that it printed."""

    name: str
    ready: Mapping[str, Any]
    process: asyncio.subprocess.Process
    log: Path

    async def over(self) -> None:
        """Raises OSError once it has ended by itself, with the last lines of its log."""
        await self.process.wait()
        raise _ended(self.name, self.log, f"ended by itself with exit status {self.process.returncode}")


@dataclass(frozen=True, slots=True)
class DemoOutcome:
    """`walked`: what the tour found, None without one."""

    figures: DemoFigures
    walked: Mapping[str, Any] | None

    @property
    def whole(self) -> bool:
        """Whether nothing was lost, and every step of the tour was done."""
        return self.figures.whole and (self.walked is None or not self.walked["failed"])


def run_demo(options: DemoOptions) -> int:
    """Run, print, and say with the exit status whether every injected overload arrived exactly once. 130: interrupted
    before it was up. Raises OSError with the last lines of the log of a part that failed."""
    if options.tour:
        _require_browser()
    try:
        outcome = asyncio.run(_demo(options))
    except asyncio.CancelledError:
        return 130
    said = asdict(outcome.figures) | ({} if outcome.walked is None else {"tour": outcome.walked})
    if options.as_json:
        print(json.dumps(said, ensure_ascii=False), flush=True)
    else:
        for name, value in said.items():
            print(f"{name:>20}  {value}")
    return 0 if outcome.whole else 1


async def _demo(options: DemoOptions) -> DemoOutcome:
    _cancel_on_signals()
    folder = _run_folder(options.folder)
    start_logging("WARNING", LogFile(folder / BOX_LOG))
    say = _silent if options.headless else _say_with_time()
    say(f"示范开始 the demo starts; 数据 data: {folder}")
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(lock_folder(folder))
        remove_old_runs(options.folder)
        demo = _Demo(options, folder, say, stack)
        return await demo.run()


class _Demo:
    """One run: its processes, in the order in which they are needed."""

    def __init__(self, options: DemoOptions, folder: Path, say: Say, stack: contextlib.AsyncExitStack) -> None:
        self.options, self.folder, self.say, self.stack = options, folder, say, stack
        self.ports = [_free_port(0 if options.headless else port) for port in (WEB_PORT, DESK_PORT)]
        self.desk_url = f"http://127.0.0.1:{self.ports[1]}"
        self.photo = folder
        self.ending: list[asyncio.Task[None]] = []

    async def run(self) -> DemoOutcome:
        """Start everything, run for the time asked for, end everything."""
        _write_secret(self.folder / "enrol-code", secrets.token_urlsafe(16))
        founding = asyncio.create_task(self._found_desk())
        box_parts = asyncio.create_task(asyncio.to_thread(_box_parts))
        try:
            if self.options.counts:
                await founding
            self.say("启动模拟现场和摄像机 starting the simulated field and its camera")
            camera = await self._start("drivers.sim.camera", _camera_arguments(self.options, self.folder))
            self.photo = Path(camera["reference"])
            twins = await self._start("drivers.sim", _sim_arguments(self.options, self.folder))
            self.say("启动监控主机 starting the site's box")
            box = (await box_parts).DemoBox(self.folder, twins, camera, self.desk_url, self.ports[0])
            return await self._run_box(box, founding)
        finally:
            for task in (founding, box_parts, *self.ending):
                task.cancel()
            await asyncio.gather(founding, box_parts, *self.ending, return_exceptions=True)

    async def _run_box(self, box: Any, founding: "asyncio.Task[DemoPlaces]") -> DemoOutcome:
        async with box.running(self.say) as running:
            self.say(f"现场页 site page     {box.gateway.url}/")
            if not self.options.headless and not self.options.tour:
                _open_browser(f"{box.gateway.url}/")
            telling = asyncio.create_task(box.tell_progress(_silent if self.options.tour else self.say))
            try:
                places = await self._unless_one_ends(founding, running)
                box.count_from_now()
                began = time.monotonic()
                walked = await self._unless_one_ends(asyncio.create_task(self._last(places)), running)
                seconds = time.monotonic() - began
            finally:
                telling.cancel()
        return DemoOutcome(box.figures(seconds), walked)

    async def _last(self, places: DemoPlaces) -> Mapping[str, Any] | None:
        """As long as the run lasts."""
        if self.options.tour:
            from sitewarden.demo.walk import walk  # noqa: PLC0415 - only a tour needs a browser

            folder = self.folder / "tour"
            pictures = self.options.pictures or folder
            return asdict(await walk(places, folder, pictures, self.photo, self.options.sites, self.say))
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        asked = asyncio.create_task(stop.wait())
        full = asyncio.create_task(grown_beyond(self.folder, self.options.max_gib))
        await asyncio.wait((asked, full), timeout=self.options.seconds or None, return_when=asyncio.FIRST_COMPLETED)
        if full.done():
            print(too_large_text(self.folder, self.options.max_gib), file=sys.stderr, flush=True)
        for task in (asked, full):
            task.cancel()
        return None

    async def _unless_one_ends(self, wanted: "asyncio.Task[Any]", running: "asyncio.Task[None]") -> Any:
        """What was wanted, unless the box or a process ends first. Raises OSError."""
        waits: set[asyncio.Task[Any]] = {wanted, running}
        while not wanted.done():
            done, _ = await asyncio.wait(waits | set(self.ending), return_when=asyncio.FIRST_COMPLETED, timeout=1)
            for task in done - {wanted}:
                task.result()
                raise _ended("sitewarden.composition.box", self.folder / BOX_LOG, "the site's box ended by itself")
        return wanted.result()

    async def _found_desk(self) -> DemoPlaces:
        self.say(f"建立示范省 founding a province of {self.options.sites} projects")
        platform = await self._start("drivers.sim.platform", [])
        docking = _docking(platform, self.folder)
        arguments = ["--folder", str(self.folder), "--port", str(self.ports[1]), "--sites", str(self.options.sites)]
        arguments += ["--days", str(self.options.days)]
        founded = await self._start("sitewarden.demo.desk", [*arguments, "--docking", json.dumps(docking)], lasts=False)
        self.say("启动审查台 starting the review desk")
        regulator = await self._start("sitewarden", ["desk", founded["file"]])
        people = {person.login: person for person in map(plain_person, founded["people"])}
        places = DemoPlaces(f"http://127.0.0.1:{self.ports[0]}", str(regulator["url"]), people)
        self._tell(places)
        if founded["plan"] is not None:
            boxes = ["--url", regulator["url"], "--plan", founded["plan"]]
            await self._start("regulator.twins", boxes)
            self.say(f"其余工地已接入 the other {self.options.sites - 1} sites have enrolled")
        return places

    def _tell(self, places: DemoPlaces) -> None:
        self.say(f"审查台 review desk   {places.desk_url}/")
        if not self.options.headless:
            print(logins_text(places), tour_text(places), sep="\n\n", end="\n\n", flush=True)

    async def _start(self, module: str, arguments: Sequence[str], *, lasts: bool = True) -> Mapping[str, Any]:
        part = await self.stack.enter_async_context(_process(module, arguments, self.folder, self.say))
        if lasts:
            self.ending.append(asyncio.create_task(part.over()))
        return part.ready


async def grown_beyond(folder: Path, max_gib: float) -> None:
    """Returns once the run's folder holds more than that: a demo left alone must not fill the disk."""
    while await asyncio.to_thread(folder_bytes, folder) <= max_gib * 2**30:
        await asyncio.sleep(SIZE_EVERY_S)


def folder_bytes(folder: Path) -> int:
    """What the files below a folder hold together. Files come and go meanwhile."""
    held = 0
    for parent, _folders, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                held += Path(parent, name).lstat().st_size
    return held


def _box_parts() -> ModuleType:
    """A second of imports, while the other processes start."""
    from sitewarden.demo import box as demo_box  # noqa: PLC0415

    return demo_box


def _require_browser() -> None:
    from sitewarden.demo.browser import browser_missing  # noqa: PLC0415 - only a tour needs a browser

    if missing := browser_missing():
        raise OSError(errno.ENOENT, missing, "demo --tour:")


@contextlib.asynccontextmanager
async def _process(module: str, arguments: Sequence[str], folder: Path, say: Say) -> AsyncIterator[Part]:
    """A module as its own process, once it has printed that it is ready; ended by its id.

    What it says on standard error lies in `<module>.log`. Raises OSError when it ends before it is ready.
    """
    path = folder / f"{module}.log"
    with path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE, stderr=log
        )
    try:
        try:
            ready = await asyncio.wait_for(_ready_line(process, say), READY_WITHIN_S)
        except TimeoutError:
            raise _ended(module, path, f"was not ready within {READY_WITHIN_S:.0f} s") from None
        except EOFError:
            await process.wait()
            said = f"ended with exit status {process.returncode} before it was ready"
            raise _ended(module, path, said) from None
        yield Part(module, ready, process, path)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        await process.wait()


async def _ready_line(process: asyncio.subprocess.Process, say: Say) -> dict[str, Any]:
    """The line that says that it is ready; what it says of its progress before is passed on. Raises EOFError."""
    assert process.stdout is not None
    while line := await process.stdout.readline():
        said: dict[str, Any] = json.loads(line)
        if said.get("ready"):
            return said
        say(f"    {said.get('progress', '')}")
    raise EOFError


def _ended(module: str, log: Path, why: str) -> OSError:
    """With the last lines of its log: they say more than the name of a file."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
    shown = "\n".join(f"    {line[:LONGEST_LINE]}" for line in lines) or "    (nothing was logged)"
    return OSError(errno.ECHILD, f"{why}. The last lines of {log}:\n{shown}", module)


def _run_folder(parent: Path) -> Path:
    folder = parent / time.strftime("run-%Y%m%d-%H%M%S")
    while folder.exists():
        folder = folder.with_name(folder.name + "x")
    folder.mkdir(parents=True)
    return folder


def remove_old_runs(parent: Path) -> None:
    """Delete all but the newest runs of the demonstration. One that is still going on holds its folder, and stays."""
    runs = sorted(path for path in parent.glob("run-*") if RUN_NAME.fullmatch(path.name) and path.is_dir())
    for run in runs[:-RUNS_KEPT]:
        with contextlib.suppress(AlreadyRunning), lock_folder(run):
            shutil.rmtree(run)


def _write_secret(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path


def _docking(platform: Mapping[str, Any], folder: Path) -> dict[str, object]:
    """The entry of the desk's file for the platform above it."""
    names = {name: _write_secret(folder / f"docking-{name}", str(platform[name])) for name in ("app_key", "app_secret")}
    return {
        "name": "national",
        "platform": "pattern-i-sorted-parameters",
        "url": platform["url"],
        "secret_files": {name: str(path.resolve()) for name, path in names.items()},
        "hazard_grades": ["major", "general"],
    }


def _free_port(wanted: int) -> int:
    """The wanted port when nobody has it, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise OSError(98, "no free TCP port on 127.0.0.1")


def _sim_arguments(options: DemoOptions, folder: Path) -> list[str]:
    """The twins outlive the run a little; their last overload is over `QUIET_TAIL_S` before the run ends."""
    arguments = ["--folder", str(folder), "--crane-ports", "0,0", "--pit-port", "0", "--broker-port", "0"]
    arguments += ["--seed", str(options.seed), "--story", "--bus-port", "0"]
    if options.headless and not options.tour:
        arguments += ["--story-own-overloads", "--overload-every-s", "9", "--overload-for-s", "3"]
    if options.seconds:
        arguments += ["--seconds", str(options.seconds + 60), "--quiet-tail-s", str(60 + QUIET_TAIL_S)]
    return arguments


def _camera_arguments(options: DemoOptions, folder: Path) -> list[str]:
    arguments = ["--folder", str(folder), "--seed", str(options.seed)]
    if options.tour:
        arguments += ["--begin-s", str(BEFORE_THE_GAP_S)]
    return [*arguments, "--seconds", str(options.seconds + 60)] if options.seconds else arguments


def _cancel_on_signals() -> None:
    """Until everything is up, a signal ends what was started and nothing more."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def _open_browser(url: str) -> None:
    """On a machine with a screen the demo opens on the site's overview."""
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _say_with_time() -> Say:
    began_s = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began_s:5.1f} s] {text}", flush=True)

    return say


def _silent(_text: str) -> None:
    """Headless: nothing but the figures."""
