"""Check 15: six hours without the regulator: data is stored, sent in order, no receipt comes twice, the gap is marked.

The box runs on simulated time; the regulator is the real receiver on a loopback port, whose port is closed meanwhile.
When it is back, the answers to its first messages are lost, so that the box has to send them again.

Up to eight messages are on their way at once (`pipelining`), so they leave in order, and one may be overtaken on the
wire by those beside it: that much, and no more, the order of arrival may differ.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contract.messages import ChainState
from gateway.line.delivery import Delivery
from gateway.line.housekeeping import Housekeeping
from gateway.store.database import open_reader
from gateway.store.history_reader import HistoryReader
from gateway.uplinks.regulator import RegulatorUplink
from gateway.uplinks.regulator_settings import RegulatorSettings
from tests.fakes.loaded_site import IDLE_CRANE, LoadedSite, crane_asset, utc_ns
from tests.fakes.regulator import FakeRegulator, Fault
from tests.fakes.regulator_box import BOX, regulator_uplink, stop, until

START = "2026-03-02T08:00:00+08:00"
POLL_S, POLLS_A_MINUTE = 9.0, 7
BEFORE_MIN, AWAY_MIN = 3, 360
OVERLOADS_AT_MIN = (40, 100, 160, 220, 280, 340)
LOST_REPLIES = 3
MINUTE_NS = 60_000_000_000
OVERTAKEN_BY = RegulatorSettings.model_fields["pipelining"].default - 1
"""Messages beside one on the wire. One whose line breaks goes again, ahead of all but those."""
RULE = "crane.moment.alarm"


@dataclass(frozen=True)
class Outcome:
    """What both ends hold after the outage."""

    away_ns: tuple[int, int]
    moments: list[float]
    items: dict[str, list[dict[str, Any]]]
    outbox: list[dict[str, Any]]
    pending_at_return: dict[str, int]
    said_by_heartbeat: tuple[int, ChainState]
    chain: ChainState
    duplicates: int
    retries: int
    down_at_return: bool


def moment_pct(minute: int, poll: int) -> float:
    """What the crane says: another moment every minute, and twice in some of them too much."""
    return 103.0 if minute - BEFORE_MIN in OVERLOADS_AT_MIN and poll in (2, 3) else 20.0 + minute % 50


class Link:
    """The box with its delivery to one regulator; time passes minute by minute."""

    def __init__(self, box: LoadedSite, uplink: RegulatorUplink) -> None:
        site = box.site
        self.box = box
        reader = HistoryReader(site.history.path, site.table)
        self.delivery = Delivery(uplink, site.alerts, site.history, reader, box.clock)
        parts = (site.alerts, site.history, site.reader, site.recorder)
        self._housekeeping = Housekeeping(*parts, [uplink.name], box.clock)
        site.recorder.listeners.append(lambda _: self.delivery.wake(urgent=True))
        self._tasks = [asyncio.create_task(part()) for part in (site.recorder.run, self.delivery.run)]

    async def minutes(self, first: int, count: int) -> None:
        """Polls of whole minutes; in some of them an overload comes and goes."""
        for minute in range(first, first + count):
            for poll in range(POLLS_A_MINUTE):
                await self.box.says(
                    60.0 - 5.0 - (POLLS_A_MINUTE - 1) * POLL_S if poll == 0 else POLL_S,
                    moment_pct=moment_pct(minute, poll),
                )
            await self.box.passes(5.0, 5.0)
            await self.box.is_stored()
            await self._housekeeping.tend()
            self.delivery.wake()
        await self.is_summarised()

    async def is_summarised(self) -> None:
        """The last minute too: one whose flush and turn share a commit is summarised by the next turn."""
        history = self.box.site.history
        async with asyncio.timeout(30):
            while history.unrolled_since_ns() < self.box.clock.now_ns():
                await self.box.passes(1.0, 1.0)
                await self.box.is_stored()
                await self._housekeeping.tend()

    async def all_is_sent(self, step_s: float = 1.0) -> None:
        await self.box.site.recorder.drain()
        await until(lambda: not self.box.site.alerts.pending_counts(), self.box.clock, step_s)

    async def close(self) -> None:
        for task in self._tasks:
            await stop(task)
        self.delivery.close()


async def story(folder: Path, regulator: FakeRegulator) -> Outcome:
    async with LoadedSite(folder, [crane_asset()], START) as box:
        data = box.settings.storage.folder
        async with regulator_uplink(data, regulator, box.clock, chain=box.site.recorder) as uplink:  # type: ignore[arg-type]
            link = Link(box, uplink)
            await box.passes(5.0, 5.0)
            await box.says(0.0, **IDLE_CRANE)
            for minute in range(BEFORE_MIN):
                await link.minutes(minute, 1)
                await link.all_is_sent(0)
            regulator.stop()
            away_ns = box.clock.now_ns()
            await link.minutes(BEFORE_MIN, AWAY_MIN)
            waiting, down = box.site.alerts.pending_counts(), bool(link.delivery.down_since_ns)
            back_ns = box.clock.now_ns()
            seen = await heartbeat_alone(link, uplink, regulator)
            regulator.fail_next(Fault.LOST_REPLY, times=LOST_REPLIES)
            await link.all_is_sent()
            outcome = Outcome(
                (away_ns, back_ns),
                box.site.reader.trace("crane-1.moment_pct", away_ns + 1, back_ns, 100_000).value.tolist(),
                {
                    kind: regulator.store.items(kind)
                    for kind in ("alarm_transition", "evidence_record", "minute_summary")
                },
                rows(data / "alerts.db"),
                waiting,
                seen,
                regulator.store.chain(BOX),
                regulator.store.stats()["duplicates_refused"],
                link.delivery.retries,
                down,
            )
            await link.close()
    return outcome


async def heartbeat_alone(link: Link, uplink: RegulatorUplink, regulator: FakeRegulator) -> tuple[int, ChainState]:
    """The regulator is back, and hears the box's heart before anything else: the head it is told, and what it holds."""
    delivering = link._tasks.pop()
    await stop(delivering)
    regulator.start()
    running = asyncio.create_task(uplink.run())
    heard = uplink.health().heartbeats
    await until(lambda: uplink.health().heartbeats > heard, link.box.clock)
    await stop(running)
    seen = regulator.store.boxes()[0]["head_seq"], regulator.store.chain(BOX)
    link._tasks.append(asyncio.create_task(link.delivery.run()))
    return seen


def rows(path: Path) -> list[dict[str, Any]]:
    reader = open_reader(path)
    found = [dict(row) for row in reader.execute("SELECT key, kind, state, attempts, receipt FROM outbox")]
    reader.close()
    return found


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("outage")
    with FakeRegulator(folder / "regulator") as regulator:
        return asyncio.run(story(folder / "box", regulator))


def sent(outcome: Outcome, kind: str) -> list[dict[str, Any]]:
    """Items of one kind as they arrived."""
    return sorted(outcome.items[kind], key=lambda item: item["seq"])


def in_order(arrived: Sequence[int]) -> bool:
    """Whether nobody was overtaken by more than may be beside it, each time that its line may have broken."""
    overtakers = [sum(earlier > here for earlier in arrived[:i]) for i, here in enumerate(arrived)]
    return max(overtakers) <= OVERTAKEN_BY * (1 + LOST_REPLIES)


def test_the_order_of_arrival_is_told_from_disorder() -> None:
    minutes = [n // 2 for n in range(100)]
    assert in_order(minutes)
    assert in_order([*minutes[8:12], *minutes[:8], *minutes[12:]])
    assert not in_order([*minutes[50:], *minutes[:50]])
    assert not in_order(minutes[::-1])


def test_the_line_was_really_down(outcome: Outcome) -> None:
    assert outcome.down_at_return
    assert outcome.retries > AWAY_MIN / 2, "it was tried all the time"
    assert outcome.pending_at_return["regulator"] >= AWAY_MIN + 4 * len(OVERLOADS_AT_MIN)


def test_every_poll_of_the_six_hours_is_stored(outcome: Outcome) -> None:
    expected = [
        moment_pct(minute, poll)
        for minute in range(BEFORE_MIN, BEFORE_MIN + AWAY_MIN)
        for poll in range(POLLS_A_MINUTE)
    ]
    assert outcome.moments == expected


def test_every_alarm_arrives_in_order(outcome: Outcome) -> None:
    bodies = [json.loads(item["body"]) for item in sent(outcome, "alarm_transition")]
    assert in_order([body["observed_at_ns"] for body in bodies])
    moment = sorted((body for body in bodies if body["rule_id"] == RULE), key=lambda body: body["observed_at_ns"])
    assert [body["transition"] for body in moment] == ["raised", "returned"] * len(OVERLOADS_AT_MIN)
    raised_min = [(body["raised_at_ns"] - utc_ns(START)) // MINUTE_NS - BEFORE_MIN for body in moment[::2]]
    assert raised_min == list(OVERLOADS_AT_MIN)


def test_the_chain_arrives_in_order_and_holds(outcome: Outcome) -> None:
    records = [json.loads(json.loads(item["body"])["record"])["seq"] for item in sent(outcome, "evidence_record")]
    assert in_order(records)
    assert sorted(records) == list(range(1, len(records) + 1))
    assert (outcome.chain.state, outcome.chain.verified_seq) == ("ok", len(records))


def test_every_minute_arrives_in_order(outcome: Outcome) -> None:
    bodies = [json.loads(item["body"]) for item in sent(outcome, "minute_summary")]
    start_ns = utc_ns(START)
    every_minute = [start_ns + i * MINUTE_NS for i in range(BEFORE_MIN + AWAY_MIN)]
    assert {body["asset"] for body in bodies} == {"crane-1", "site"}
    assert in_order([body["minute_at_ns"] for body in bodies])
    for asset in ("crane-1", "site"):  # the instruments', and what is known of permits and weather warnings
        assert sorted(body["minute_at_ns"] for body in bodies if body["asset"] == asset) == every_minute


def test_alarms_overtake_the_backlog(outcome: Outcome) -> None:
    last_alarm = max(item["seq"] for item in outcome.items["alarm_transition"])
    backlog = [item["seq"] for item in outcome.items["minute_summary"] if item["late"]]
    assert last_alarm < min(backlog)


def test_no_receipt_is_given_twice(outcome: Outcome) -> None:
    """Three answers were lost: the receiver refused three repetitions, and gave the receipt that it had given."""
    items = [item for items in outcome.items.values() for item in items]
    receipts = {item["key"]: json.loads(json.loads(item["receipt"])["text"])["receipt_id"] for item in items}
    assert outcome.duplicates == LOST_REPLIES
    assert len(receipts) == len(items) == len(set(receipts.values()))
    kept = {row["key"]: row["receipt"] for row in outcome.outbox}
    assert {row["state"] for row in outcome.outbox} == {"accepted"}
    assert all(receipts[key] == receipt for key, receipt in kept.items())


def test_the_gap_is_marked_on_all_that_waited_and_on_nothing_else(outcome: Outcome) -> None:
    away_ns, back_ns = (at_ns // MINUTE_NS * MINUTE_NS for at_ns in outcome.away_ns)
    for kind, at in (("alarm_transition", "observed_at_ns"), ("minute_summary", "minute_at_ns")):
        for item in outcome.items[kind]:
            at_ns = json.loads(item["body"])[at]
            if at_ns < back_ns - 2 * MINUTE_NS:
                assert bool(item["late"]) == (at_ns >= away_ns), item["key"]
    marked = [item for items in outcome.items.values() for item in items if item["late"]]
    assert len(marked) >= AWAY_MIN


def test_the_regulator_knows_at_once_how_much_is_missing(outcome: Outcome) -> None:
    """The first heartbeat names the chain's head, which is further than what the regulator holds."""
    head_seq, held = outcome.said_by_heartbeat
    assert head_seq > held.highest_seq
    assert head_seq - held.highest_seq >= 2 * len(OVERLOADS_AT_MIN)
