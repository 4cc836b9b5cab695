"""The past of a made-up province: what its sites told and what its people did, until now.

    clock at the beginning --> boxes enrol, alarms come, people judge, hazards are put right --> clock at now

Alarms, enrolments and heartbeats go through the desk's real intake as signed messages. Verdicts and the steps of
hazards go through the offices that people use. Minutes of cameras and devices are written as the days that they add up
to: there would be a hundred million of them. The same seed gives the same past.

In: a founded desk whose clock stands at the beginning. Out: the boxes, for another process to go on as.
"""

import heapq
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import httpx
from httpx import ASGITransport

from contract import __version__
from regulator.application import desk_app
from regulator.base.days import DAY_NS, day_of, day_start_ns
from regulator.base.desk import Desk
from regulator.twins.box import BoxTwin, KeptBox, TwinAlarm
from regulator.twins.founding import Founded, codes_for
from regulator.twins.past_coverage import write_days
from regulator.twins.past_people import People
from regulator.twins.province import MadeProject, made_alarms

HOUR_NS, MINUTE_NS, SECOND_NS = 3_600_000_000_000, 60_000_000_000, 1_000_000_000
WORK_BEGINS_H, WORK_ENDS_H = 7, 18
LOOKS_H = (9, 11, 14, 16, 18)
"""When reviewers sit down, hours of the day."""
INSPECTED_EVERY_D = 2
DRAWN_D = 24
"""So many days ago the province drew."""
PLACES = 60
"""So many sites have alarms that are told of; a few of them most, as everywhere."""


class PastClock:
    """Says when it is in the past; moves on only."""

    def __init__(self, at_ns: int) -> None:
        self.at_ns = at_ns

    def __call__(self) -> int:
        """UTC ns."""
        return self.at_ns

    def move_to(self, at_ns: int) -> None:
        """On to a moment; one that has been is left alone."""
        self.at_ns = max(self.at_ns, at_ns)


@dataclass(frozen=True, slots=True)
class PastPlan:
    """How long the past is, how many alarms a day it has, and its seed."""

    days: int = 90
    alarms_a_day: float = 5.0
    seed: int = 1


@dataclass(slots=True)
class Past:
    """What came of it. `refused`: steps that an office refused, by name; there should be none."""

    boxes: dict[str, KeptBox]
    alarms: int = 0
    judged: int = 0
    hazards: int = 0
    refused: list[str] = field(default_factory=list)


Deed = Callable[[], "object"]


class _Happenings:
    """What is to happen, in the order of time."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, Deed]] = []
        self._number = itertools.count()

    def at(self, at_ns: int, deed: Deed) -> None:
        heapq.heappush(self._waiting, (at_ns, next(self._number), deed))

    def until(self, end_ns: int) -> Iterator[tuple[int, Deed]]:
        while self._waiting and self._waiting[0][0] <= end_ns:
            at_ns, _, deed = heapq.heappop(self._waiting)
            yield at_ns, deed


async def live_the_past(
    desk: Desk,
    clock: PastClock,
    projects: Sequence[MadeProject],
    founded: Founded,
    now_ns: int,
    plan: PastPlan,
    live_box: str = "",
) -> Past:
    """From the clock's time until `now_ns`; the clock says `now_ns` at the end. `live_box`: has no past, it is real."""
    app = desk_app(desk)
    async with httpx.AsyncClient(transport=ASGITransport(app=app), base_url="http://desk") as client:
        past = _Past(desk, clock, client, People(desk, clock, app.state.hazards, founded.actors, plan.seed), plan)
        await past.live([made for made in projects if made.box_id and made.box_id != live_box], now_ns)
        return past.outcome()


class _Past:
    def __init__(self, desk: Desk, clock: PastClock, client: httpx.AsyncClient, people: People, plan: PastPlan) -> None:
        self._desk, self._clock, self._client, self._people, self._plan = desk, clock, client, people, plan
        self._chance = random.Random(plan.seed)  # noqa: S311 - a made-up past needs no cryptography
        self._kinds = made_alarms(plan.seed)
        self._boxes: dict[str, BoxTwin] = {}
        self._alarms = 0
        self._jobs = {job.name: job for job in desk.jobs}

    async def live(self, projects: Sequence[MadeProject], now_ns: int) -> None:
        begin_ns = self._clock()
        joins = {made.box_id: _joins_ns(made, begin_ns, now_ns) for made in projects}
        write_days(
            self._desk.database, projects, {made.box_id: day_of(joins[made.box_id]) for made in projects}, now_ns
        )
        waiting = sorted(projects, key=lambda made: (joins[made.box_id], made.box_id))
        for day_ns in range(day_start_ns(day_of(begin_ns)), now_ns, DAY_NS):
            end_ns = min(day_ns + DAY_NS, now_ns)
            while waiting and joins[waiting[0].box_id] < end_ns:
                made = waiting.pop(0)
                self._clock.move_to(joins[made.box_id])
                await self._enrol(made)
            if (now_ns - day_ns) // DAY_NS == DRAWN_D:
                self._draw(day_ns)
            await self._day(projects, day_ns, end_ns)
        await self._now(projects, now_ns)

    def _draw(self, day_ns: int) -> None:
        """The bureau's inspectors are sent to sites that chance names, a month before now."""
        day = day_of(day_ns)
        self._clock.move_to(day_ns + 8 * HOUR_NS)
        self._people.draw(f"{day.year}年{day.month}月双随机抽查", day + timedelta(days=3))

    def outcome(self) -> Past:
        kept = {box_id: box.keep() for box_id, box in self._boxes.items()}
        return Past(kept, self._alarms, self._people.judged, self._people.hazards, self._people.refused)

    async def _enrol(self, made: MadeProject) -> None:
        code = codes_for(self._desk, [made])[made.box_id]
        box = BoxTwin(made.box_id, made.project_code, self._client, self._clock, lambda: self._clock() / 1e9)
        await box.enrol(code)
        await box.tell_state(__version__, self._clock())
        self._boxes[made.box_id] = box

    async def _day(self, projects: Sequence[MadeProject], day_ns: int, end_ns: int) -> None:
        """Alarms of the day as they come, reviewers at their hours, what is due of hazards at the end."""
        happen = _Happenings()
        for made in self._told(projects, day_ns):
            begins_ns = day_ns + int(self._chance.uniform(WORK_BEGINS_H, WORK_ENDS_H - 1) * HOUR_NS)
            self._plan_alarm(happen, self._boxes[made.box_id], next(self._kinds), begins_ns)
        for hour in LOOKS_H:
            happen.at(day_ns + hour * HOUR_NS, self._look)
        if projects and day_of(day_ns).toordinal() % INSPECTED_EVERY_D == 0:
            code = self._chance.choice(projects).project_code
            happen.at(day_ns + 10 * HOUR_NS, lambda: self._people.find_by_hand(code))
        for at_ns, deed in happen.until(end_ns - MINUTE_NS):
            self._clock.move_to(at_ns)
            deed()
            await self._deliver()
        if day_ns + DAY_NS <= end_ns:
            self._clock.move_to(end_ns - HOUR_NS)
            self._people.look_after_hazards()

    def _told(self, projects: Sequence[MadeProject], day_ns: int) -> list[MadeProject]:
        """Whose alarms are told of on this day: few sites have many."""
        here = [made for made in projects if made.box_id in self._boxes and not made.silent][:PLACES]
        if not here:
            return []
        weekend = date.fromordinal(day_of(day_ns).toordinal()).weekday() >= 5
        count = int(self._chance.gauss(self._plan.alarms_a_day * (0.6 if weekend else 1.1), 1.5))
        return self._chance.choices(here, [1 / (number + 4) for number in range(len(here))], k=max(0, count))

    def _plan_alarm(self, happen: _Happenings, box: BoxTwin, alarm: TwinAlarm, begins_ns: int) -> None:
        ids: list[str] = []
        chance = self._chance

        def raise_it() -> None:
            self._alarms += 1
            ids.append(box.alarm(alarm, chance.randrange(10_000)))

        happen.at(begins_ns, raise_it)
        lasts_ns = int(chance.lognormvariate(2.2, 0.9) * MINUTE_NS) + 90 * SECOND_NS
        if chance.random() < 0.6:
            seen_ns = begins_ns + int(chance.lognormvariate(3.9, 0.7) * SECOND_NS)
            happen.at(seen_ns, lambda: box.acknowledged(alarm, ids[0]))
            lasts_ns = max(lasts_ns, seen_ns - begins_ns + SECOND_NS)
        happen.at(begins_ns + lasts_ns, lambda: box.returned(alarm, ids[0]))

    async def _deliver(self) -> None:
        """A message is some tenths of a second on its way."""
        for box in [box for box in self._boxes.values() if box.outbox]:
            self._clock.move_to(self._clock() + int(self._chance.lognormvariate(-1.0, 0.4) * SECOND_NS))
            if not await box.deliver():
                raise RuntimeError(f"{box.box_id}: the desk did not take {box.outbox[0].kind}")

    def _look(self) -> None:
        """Reviewers at their desks: what waits is judged, what is final has its hazard."""
        self._jobs["review-sweep"].run(self._clock())
        self._people.judge_what_waits(self._jobs["review-finalise"])
        self._people.work_on_hazards()

    async def _now(self, projects: Sequence[MadeProject], now_ns: int) -> None:
        """Everybody but the silent is alive now; what is counted by day is counted."""
        self._clock.move_to(now_ns)
        for made in projects:
            box = self._boxes.get(made.box_id)
            if box is not None and not made.silent:
                await box.heartbeat()
        for name in ("hazard-watch", "draws-reveal", "statistics-roll-up", "risk-day"):
            self._jobs[name].run(self._clock())


def _joins_ns(made: MadeProject, begin_ns: int, now_ns: int) -> int:
    """When a site's box came: in the morning of its day, at the latest two days ago."""
    latest_ns = max(begin_ns, now_ns - 2 * DAY_NS)
    wanted = day_of(begin_ns + int(made.joined_share * (now_ns - begin_ns)))
    return min(max(begin_ns + SECOND_NS, day_start_ns(wanted) + 6 * HOUR_NS), latest_ns)


def began_ns(now_ns: int, days: int) -> int:
    """Five in the morning so many days ago."""
    return day_start_ns(day_of(now_ns) - timedelta(days=days)) + 5 * HOUR_NS
