"""`sitewarden demo`: the whole line on one machine, with nothing but what is embedded.

    twins (own process: three cranes, a pit, a bus of instruments, a weather mast, a broker)
          --Modbus TCP, MQTT-->  gateway (this process)  --contract over HTTP-->  review desk (own process, database)
    drawn camera (own process)  --RTSP-->  capture and eye (own processes)  --^
    surveyor's table of the last weeks  --import-->  gateway
    499 simulated sites (own process)  --contract over HTTP-->  review desk

The twins tell a windy afternoon (`drivers.sim.afternoon`); headless, the cranes overload every few seconds instead of
once in the story, as the figures need it. The camera's scene is drawn (`drivers.sim.camera_scene`), and judged by the
detector that is shipped; its edge is surveyed at the start as a person would draw it.

The figures at the end are counted, not assumed: overloads from the twins' own log, alerts from the regulator's own
database, latency between the two. Processes are ended by the ids that were started here.
"""

import asyncio
import contextlib
import errno
import json
import os
import signal
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from contract.chain import ChainHead
from drivers.sim.afternoon import PERIOD_S as STORY_S
from drivers.sim.overload_log import Overload, read_overload_log
from drivers.sim.survey import surveyors_table
from gateway.app import DRIVERS, UPLINKS, Gateway
from gateway.camera_office.survey_desk import Drawn, plain
from gateway.demo_desk import LIVE_BOX, found_desk, people_text
from gateway.evidence import RecordKind
from gateway.model.alarm import TransitionKind
from gateway.model.picture import Picture
from gateway.pit_office.hand_entries import Bringer, Table
from gateway.settings import load
from gateway.store.alert_store import ChainReader, open_for_reading
from gateway.store.history_reader import HistoryReader
from regulator.intake.holdings import Holdings
from vision.survey_parsing import read_survey

READY_WITHIN_S = 120.0
DRAIN_WITHIN_S = 15.0
QUIET_TAIL_S = 4.0
MATCH_RULE = "crane.moment.alarm"
MATCH_SLACK_NS = 2_000_000_000
CAMERA_RULES = ("vision.bare_head", "vision.edge_open", "vision.person_at_edge")
WEB_PORT, DESK_PORT = 15000, 15001


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`seconds` 0 runs until interrupted. Every run makes a folder of its own below `folder`. `sites` at the desk."""

    seconds: float
    headless: bool
    as_json: bool
    folder: Path
    seed: int
    sites: int


@dataclass(frozen=True, slots=True)
class Latency:
    """From the register that first said 100 % until the regulator had accepted the alert, milliseconds."""

    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class DemoFigures:
    """What one run measured. `overloads_injected` began while the box was reading. `alerts_held` are the live box's
    transitions in the desk's database. `camera_alarms` counts the raises of what the camera saw, by rule, on the box,
    `camera_alarms_held` those at the desk, and `camera_pictures_held` the bodies of evidence there."""

    seconds: float
    readings: int
    history_rows: int
    overloads_injected: int
    alarms_raised: int
    alerts_sent: int
    alerts_held: int
    alerts_accepted: int
    alerts_lost: int
    alerts_duplicated: int
    change_to_alert_ms: Latency
    on_delay_ms: float
    chain_records: int
    chain_holds: bool
    camera_alarms: dict[str, int]
    camera_alarms_held: int
    camera_pictures_held: int
    folder: str


def run_demo(options: DemoOptions) -> int:
    """Run, print, and say with the exit status whether every injected overload arrived exactly once."""
    figures = asyncio.run(_demo(options))
    if options.as_json:
        print(json.dumps(asdict(figures)), flush=True)
    else:
        _print_summary(figures)
    return 0 if figures.alerts_lost == 0 and figures.alerts_duplicated == 0 and figures.chain_holds else 1


async def _demo(options: DemoOptions) -> DemoFigures:
    folder = options.folder / time.strftime("run-%Y%m%d-%H%M%S")
    while folder.exists():
        folder = folder.with_name(folder.name + "x")
    folder.mkdir(parents=True)
    say = _silent if options.headless else _say
    say(f"建立示范省 founding a province of {options.sites} projects ...")
    desk = await asyncio.to_thread(found_desk, folder, _free_port(0 if options.headless else DESK_PORT), options.sites)
    async with contextlib.AsyncExitStack() as stack:
        regulator = await stack.enter_async_context(_process("gateway", ["desk", str(desk.file)], folder))
        if desk.plan is not None:
            boxes = ["--url", regulator["url"], "--plan", str(desk.plan)]
            await stack.enter_async_context(_process("regulator.twins", boxes, folder))
        camera = await stack.enter_async_context(
            _process("drivers.sim.camera", _camera_arguments(options, folder), folder)
        )
        twins = await stack.enter_async_context(_process("drivers.sim", _sim_arguments(options, folder), folder))
        gateway = _build_gateway(options, folder, twins | {"camera_url": camera["url"]}, regulator)
        say(f"现场页 site page       {gateway.url}/")
        say(f"审查台 review desk     {regulator['url']}/")
        say(f"登录 log in as (login, password, who)\n{people_text(desk.people)}")
        say(f"数据 data              {folder}")
        if not options.headless:
            _open_browser(f"{gateway.url}/")
        started = time.monotonic()
        reading_since_ns = await _run_gateway(gateway, options, say, twins["story"] + camera["story"], camera)
        seconds = time.monotonic() - started
    return _figures(gateway, folder, seconds, reading_since_ns)


async def _run_gateway(
    gateway: Gateway, options: DemoOptions, say: Any, story: list[dict[str, Any]], camera: dict[str, Any]
) -> int:
    """Run for the time asked for; since when the box had read its first values, UTC ns."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    running = asyncio.create_task(gateway.run(stop))
    reading_since_ns = await _first_values(gateway, running)
    survey = asyncio.gather(_bring_survey(gateway, say), _survey_camera(gateway, camera, say))
    progress = asyncio.create_task(_tell_progress(gateway, say, story))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({running, stopped}, timeout=options.seconds or None, return_when=asyncio.FIRST_COMPLETED)
    await _drain(gateway)
    await survey
    stop.set()
    progress.cancel()
    await asyncio.gather(running, stopped)
    return reading_since_ns


async def _first_values(gateway: Gateway, running: "asyncio.Task[None]") -> int:
    """What the twins did before the box looked is nothing that it could have told."""
    while not gateway.intake.values and not running.done():
        await asyncio.sleep(0.02)
    return gateway.clock.now_ns()


async def _bring_survey(gateway: Gateway, say: Any) -> None:
    """The surveyor's table of the last weeks, as a person would upload it."""
    table = Table(surveyors_table(gateway.clock.now_ns()).encode(), "survey.csv")
    outcome = await gateway.hand_entries.take("pit-1", table, Bringer("demo", "weekly survey of the demo pit"))
    say(f"人工监测导入 survey imported  {outcome.accepted} 条 rows, {len(outcome.faults)} 条有误 faulty")


async def _survey_camera(gateway: Gateway, camera: dict[str, Any], say: Any) -> None:
    """The edge and the floor of the drawn scene, as a person would draw them on its reference picture."""
    drawn = read_survey(json.loads(await asyncio.to_thread(Path(camera["survey"]).read_bytes)))
    body = await asyncio.to_thread(Path(camera["reference"]).read_bytes)
    picture = Picture(drawn.camera, drawn.made_at_ns, 0, 0, 0, "image/jpeg", body, drawn.reference_sha256)
    digest = await gateway.surveys.hold(picture)
    zones, edges = plain(drawn)
    kept = await gateway.surveys.save(Drawn(drawn.camera, zones, edges, digest, "demo", 0), gateway.eyes())
    say(f"摄像机标绘 camera surveyed  {drawn.camera} 版本 version {kept.version}: {kept.edges[0].title}")


async def _drain(gateway: Gateway) -> None:
    """Wait until the outbox is empty, within bounds: what is still there then counts as lost."""
    deadline = time.monotonic() + DRAIN_WITHIN_S
    while gateway.alerts.pending_counts() and time.monotonic() < deadline:
        await asyncio.sleep(0.05)


async def _tell_progress(gateway: Gateway, say: Any, story: list[dict[str, Any]]) -> None:
    began = time.monotonic()
    told: set[tuple[int, str]] = set()
    while True:
        await asyncio.sleep(2)
        turn, at_s = divmod(time.monotonic() - began, STORY_S)
        for chapter in story:
            name = (int(turn), str(chapter["name"]))
            if chapter["begins_s"] <= at_s < chapter["ends_s"] and name not in told:
                told.add(name)
                say(f"—— {chapter['title_zh']}  {chapter['title_en']} ——")
        pending = sum(gateway.alerts.pending_counts().values())
        alarms = [alarm for alarm in gateway.alarms.open_alarms() if alarm.active]
        say(
            f"读数 readings {gateway.intake.values:>8}  报警中 active {len(alarms):>2}"
            f"  证据 evidence {gateway.recorder.head.seq:>5}  待发 pending {pending:>3}"
        )
        for alarm in alarms[:3]:
            rule = alarm.rule
            say(f"    {rule.severity} {alarm.subject} {rule.title_zh} {alarm.measured:.1f} {rule.unit}")


def _build_gateway(options: DemoOptions, folder: Path, twins: dict[str, Any], regulator: dict[str, Any]) -> Gateway:
    replace: dict[str, object] = {
        "storage.folder": str(folder / "box"),
        "links[0].port": twins["crane_ports"][0],
        "links[1].port": twins["crane_ports"][1],
        "links[2].port": twins["pit_port"],
        "links[3].port": twins["bus_port"],
        "links[4].port": twins["broker_port"],
        "links[5].source": twins["camera_url"],
        "uplinks[0].url": regulator["url"],
        "uplinks[0].enrol_code.file": str(folder / "enrol-code"),
        "uplinks[1].port": twins["broker_port"],
        "web.port": _free_port(0 if options.headless else WEB_PORT),
    }
    return Gateway(load("afternoon", DRIVERS, UPLINKS, replace=replace))


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
    if options.headless:
        arguments += ["--story-own-overloads", "--overload-every-s", "9", "--overload-for-s", "3"]
    if options.seconds:
        arguments += ["--seconds", str(options.seconds + 60), "--quiet-tail-s", str(60 + QUIET_TAIL_S)]
    return arguments


def _camera_arguments(options: DemoOptions, folder: Path) -> list[str]:
    arguments = ["--folder", str(folder), "--seed", str(options.seed)]
    return [*arguments, "--seconds", str(options.seconds + 60)] if options.seconds else arguments


@contextlib.asynccontextmanager
async def _process(module: str, arguments: Sequence[str], folder: Path) -> AsyncIterator[dict[str, Any]]:
    """A module as its own process; yields the JSON line that it prints when it is ready, ends it by its id.

    What it says on standard error lies in `<module>.log`. Raises OSError when it ends before it is ready.
    """
    path = folder / f"{module}.log"
    with path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE, stderr=log
        )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), READY_WITHIN_S)
        if not line:
            raise OSError(errno.ECHILD, "ended before it was ready", str(path))
        yield json.loads(line)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _figures(gateway: Gateway, folder: Path, seconds: float, reading_since_ns: int) -> DemoFigures:
    logged = read_overload_log(folder / "overloads.jsonl")
    overloads = [overload for overload in logged if overload.started_at_ns >= reading_since_ns]
    store = Holdings.at(folder / "desk.db")
    held = [alert for alert in store.alerts() if alert["box_id"] == LIVE_BOX]
    pictures = store.stats()["blobs_held"]
    store.close()
    raised = [alert for alert in held if alert["transition"] == TransitionKind.RAISED]
    per_overload = [_alerts_of(overload, raised) for overload in overloads]
    latency_ms = [
        (alerts[0]["accepted_at_ns"] - overload.started_at_ns) / 1e6
        for overload, alerts in zip(overloads, per_overload, strict=True)
        if alerts
    ]
    delivery = next(d for d in gateway.deliveries if d.name == "regulator")
    box = open_for_reading(gateway.settings.storage.folder)
    history = HistoryReader(gateway.history.path, gateway.settings.points)
    outcome = box.verify()
    camera_alarms = _camera_alarms(box)
    return DemoFigures(
        seconds=round(seconds, 1),
        readings=gateway.intake.values,
        history_rows=history.rows()[1],
        overloads_injected=len(overloads),
        alarms_raised=box.episodes(),
        alerts_sent=box.outbox_count("regulator", "alarm_transition"),
        alerts_held=len(held),
        alerts_accepted=delivery.accepted_kinds["alarm_transition"],
        alerts_lost=sum(not alerts for alerts in per_overload),
        alerts_duplicated=len(held) - len({alert["key"] for alert in held}) + sum(len(a) > 1 for a in per_overload),
        change_to_alert_ms=_latency(latency_ms),
        on_delay_ms=_on_delay_ms(gateway),
        chain_records=outcome.seq,
        chain_holds=isinstance(outcome, ChainHead),
        camera_alarms=camera_alarms,
        camera_alarms_held=sum(alert["rule_id"] in CAMERA_RULES for alert in raised),
        camera_pictures_held=pictures,
        folder=str(folder),
    )


def _alerts_of(overload: Overload, raised: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The alerts that speak of this overload: its crane, the 100 % rule, observed while it lasted."""
    end_ns = overload.ended_at_ns or time.time_ns()
    return [
        alert
        for alert in raised
        if alert["asset"] == overload.asset
        and alert["rule_id"] == MATCH_RULE
        and overload.started_at_ns <= alert["observed_at_ns"] <= end_ns + MATCH_SLACK_NS
    ]


def _camera_alarms(box: ChainReader) -> dict[str, int]:
    """Raises of what the camera saw, by rule, counted from the chain."""
    counts = dict.fromkeys(CAMERA_RULES, 0)
    for record in box.all_evidence():
        if record.kind == RecordKind.TRANSITION:
            content = json.loads(record.body)["content"]
            rule_id = content["alarm"]["rule_id"]
            if rule_id in counts and content["transition"] == TransitionKind.RAISED:
                counts[rule_id] += 1
    return counts


def _latency(latency_ms: Sequence[float]) -> Latency:
    if not latency_ms:
        return Latency(None, None)
    return Latency(*(round(float(np.percentile(latency_ms, q)), 1) for q in (50, 99)))


def _on_delay_ms(gateway: Gateway) -> float:
    return max(rule.on_delay_s * 1000 for rule in gateway.settings.rules if rule.info.rule_id == MATCH_RULE)


def _print_summary(figures: DemoFigures) -> None:
    for name, value in asdict(figures).items():
        print(f"{name:>20}  {value}")


def _open_browser(url: str) -> None:
    """On a machine with a screen the demo opens on the site's overview."""
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _say(text: str) -> None:
    print(text, flush=True)


def _silent(_text: str) -> None:
    """Headless: nothing but the figures."""
