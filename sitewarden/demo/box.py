"""The demonstration's own box: a real gateway in the demo's process, between the story's field and the desk.

In: the run's folder, where the twins and the desk are. Out: a running gateway, and at the end the figures. They are
counted, not assumed: overloads from the twins' own log, alerts from the regulator's database, latency between the two.
"""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from contract.chain import ChainHead
from drivers.sim.afternoon import PERIOD_S as STORY_S
from drivers.sim.overload_log import Overload, read_overload_log
from drivers.sim.survey import surveyors_table
from gateway.accounts.people import Actor
from gateway.accounts.person import Newcomer, Role
from gateway.evidence.evidence import RecordKind
from gateway.model.alarm import TransitionKind
from gateway.model.picture import Picture
from gateway.parts.camera.survey_desk import Drawn, plain
from gateway.parts.pit.hand_entries import Bringer, Table
from gateway.settings import load
from gateway.store.alert_store import ChainReader, open_for_reading
from gateway.store.history_reader import HistoryReader
from regulator.base.intake.holdings import Holdings
from sitewarden.composition.box import DRIVERS, UPLINKS, Gateway
from sitewarden.composition.kinds import KINDS
from sitewarden.demo.run import LIVE_BOX, SITE_PEOPLE, DemoFigures, Latency, Say
from vision.survey.parsing import read_survey

DRAIN_WITHIN_S = 15.0
UP_WITHIN_S = 60.0
TELL_EVERY_S = 10
MATCH_RULE = "crane.moment.alarm"
MATCH_SLACK_NS = 2_000_000_000
CAMERA_RULES = ("vision.bare_head", "vision.edge_open", "vision.person_at_edge")


class DemoBox:
    """`twins` and `camera`: the lines that they printed. `port`: of the site page."""

    def __init__(
        self, folder: Path, twins: Mapping[str, Any], camera: Mapping[str, Any], desk_url: str, port: int
    ) -> None:
        self._folder, self._camera = folder, camera
        self._story = twins["story"] + camera["story"]
        self._reading_since_ns = 0
        replace: dict[str, object] = {
            "storage.folder": str(folder / "box"),
            "links[0].port": twins["crane_ports"][0],
            "links[1].port": twins["crane_ports"][1],
            "links[2].port": twins["pit_port"],
            "links[3].port": twins["bus_port"],
            "links[4].port": twins["broker_port"],
            "links[5].source": camera["url"],
            "uplinks[0].url": desk_url,
            "uplinks[0].enrol_code.file": str(folder / "enrol-code"),
            "uplinks[1].port": twins["broker_port"],
            "web.port": port,
            "web.view_without_login": True,
            "web.second_factor_for": [],
        }
        self.gateway = Gateway(load("afternoon", DRIVERS, UPLINKS, KINDS, replace=replace))

    @asynccontextmanager
    async def running(self, say: Say) -> AsyncIterator["asyncio.Task[None]"]:
        """The box from its first values and its page until the outbox is empty; the task ends if the box does."""
        await _admit_people(self.gateway)
        stop, started = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(self.gateway.run(stop, started.set))
        try:
            self._reading_since_ns = await _first_values(self.gateway, running, started)
            survey = asyncio.gather(_bring_survey(self.gateway, say), _survey_camera(self.gateway, self._camera, say))
            yield running
            await _drain(self.gateway)
            await survey
        finally:
            stop.set()
            await running

    def count_from_now(self) -> None:
        """The desk is there: how late it heard of what happened before is no property of the line."""
        self._reading_since_ns = self.gateway.clock.now_ns()

    async def tell_progress(self, say: Say) -> None:
        """The story's chapters and how the box stands, every two seconds, until cancelled."""
        await _tell_progress(self.gateway, say, self._story)

    def figures(self, seconds: float) -> DemoFigures:
        """What the run measured; the box no longer runs."""
        return _figures(self.gateway, self._folder, seconds, self._reading_since_ns)


async def _admit_people(gateway: Gateway) -> None:
    """The site's administrator and safety officer, who chooses another password than the one that was given."""
    officer, boss = SITE_PEOPLE
    people, by = gateway.accounts.people, Actor(boss.name, "127.0.0.1")
    await people.add_first(Newcomer(boss.login, boss.name, Role.ADMINISTRATOR, boss.password), by.address)
    await people.add(Newcomer(officer.login, officer.name, Role.SAFETY_OFFICER, f"given-{officer.password}"), by)
    await people.change_password(officer.login, officer.password, Actor(officer.name, by.address))


async def _first_values(gateway: Gateway, running: "asyncio.Task[None]", started: asyncio.Event) -> int:
    """Since when the box has read values and its page answers, UTC ns: nothing earlier could have been told."""
    async with asyncio.timeout(UP_WITHIN_S):
        while not running.done() and not (gateway.line.intake.values and started.is_set()):
            await asyncio.sleep(0.02)
    return gateway.clock.now_ns()


async def _bring_survey(gateway: Gateway, say: Say) -> None:
    """The surveyor's table of the last weeks, as a person would upload it."""
    table = Table(surveyors_table(gateway.clock.now_ns()).encode(), "survey.csv")
    outcome = await gateway.hand_entries.take("pit-1", table, Bringer("demo", "weekly survey of the demo pit"))
    say(f"人工监测导入 survey imported  {outcome.accepted} 条 rows, {len(outcome.faults)} 条有误 faulty")


async def _survey_camera(gateway: Gateway, camera: Mapping[str, Any], say: Say) -> None:
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


async def _tell_progress(gateway: Gateway, say: Say, story: Sequence[Mapping[str, Any]]) -> None:
    """A line a chapter of the story, and every ten seconds how the box stands."""
    began = time.monotonic()
    told: set[tuple[int, str]] = set()
    for second in itertools.count(1):
        await asyncio.sleep(1)
        turn, at_s = divmod(time.monotonic() - began, STORY_S)
        for chapter in story:
            name = (int(turn), str(chapter["name"]))
            if chapter["begins_s"] <= at_s < chapter["ends_s"] and name not in told:
                told.add(name)
                say(f"—— {chapter['title_zh']}  {chapter['title_en']} ——")
        if second % TELL_EVERY_S == 0:
            pending = sum(gateway.alerts.pending_counts().values())
            active = sum(alarm.active for alarm in gateway.line.alarms.open_alarms())
            evidence = gateway.recorder.head.seq
            values = gateway.line.intake.values
            say(f"读数 readings {values}  报警中 active {active}  证据 evidence {evidence}  待发 pending {pending}")


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
        readings=gateway.line.intake.values,
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
