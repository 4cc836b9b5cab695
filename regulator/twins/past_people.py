"""People of a made-up past: reviewers who judge what waits, sites that put hazards right, others who look again.

In: a desk with its clock, its hazards' office, who acts. Out: verdicts, orders, answers, rechecks, through the offices.
What an office refuses is kept by name; a past in which that happens was badly made up.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from sqlalchemy import select, update

from regulator.base.act import Act
from regulator.base.days import DAY_NS
from regulator.base.desk import Desk, Job
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.hazard import Channel, Grade, HazardKind, NewHazard
from regulator.base.model.hazard_states import HazardAction, HazardState
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.review import review_items
from regulator.parts.hazards.evidence import NewEvidence, put_photo
from regulator.parts.hazards.office import HazardOffice
from regulator.parts.hazards.opening import open_hazard
from regulator.parts.hazards.sections import Section
from regulator.parts.hazards.step import Ask
from regulator.parts.hazards.watch import HazardWatch
from regulator.parts.review.judgement import ItemState, read_judgement
from regulator.parts.review.leases import take_lease
from regulator.parts.review.verdicts import Verdicts
from regulator.parts.supervision.draw_file import load_draw
from regulator.parts.supervision.draw_office import NewDraw, PublicValue, draw, freeze
from regulator.twins.picture import drawn_picture

A, S = HazardAction, HazardState
HOUR_NS, SECOND_NS = 3_600_000_000_000, 1_000_000_000
FALSE_SHARE = {"vision.bare_head": 0.14, "vision.edge_open": 0.18, "crane.moment.alarm": 0.03, "pit.rate.warn": 0.08}
FALSE_REASON = {"vision.bare_head": "5", "vision.edge_open": "6", "crane.moment.alarm": "8", "pit.rate.warn": "7"}
AGREE = 0.96
SECOND_LOOKS = {False: 0.15, True: 0.6}
"""By whether the alarm was false. More than the desk's own one in twenty: the agreement of two reviewers can only be
told where both kinds of verdict were looked at twice, and a made-up month has few."""
FOUND = (
    ("脚手架连墙件缺失", "Scaffold tie missing"),
    ("配电箱未接地", "Distribution box without earth"),
    ("基坑坑边堆载", "Load at the edge of the pit"),
    ("电梯井口无防护", "Lift shaft without a guard"),
)


class Clock(Protocol):
    """A past's clock."""

    def __call__(self) -> int:
        """UTC ns."""
        ...

    def move_to(self, at_ns: int) -> None:
        """On to a moment."""
        ...


@dataclass(slots=True)
class _Course:
    """How a hazard goes on: what comes next, when, and how the site is."""

    project_code: str
    box_id: str
    next_ns: int
    slow: bool
    refuses: bool
    sent_back: bool
    major: bool


class People:
    """`judged`, `hazards`: how many; `refused`: steps that an office refused, by name."""

    def __init__(self, desk: Desk, clock: Clock, office: HazardOffice, actors: Mapping[str, Actor], seed: int) -> None:
        self._desk, self._clock, self._office = desk, clock, office
        self._first, self._second = actors["shengting"], actors["shengpi"]
        self._other = _with(self._second, Duty.REVIEWER)
        self._verdicts = Verdicts(desk.ledger, open_hazard)
        self._watch = HazardWatch(desk.database, office)
        self._chance = random.Random(seed + 7)  # noqa: S311 - a made-up past needs no cryptography
        self._courses: dict[str, _Course] = {}
        self.judged = 0
        self.hazards = 0
        self.refused: list[str] = []

    def judge_what_waits(self, finalise: Job) -> None:
        """Each item: looked at, judged after some seconds, final ten seconds later."""
        at = review_items.c
        with self._desk.database.reading() as db:
            waiting = select(at.item_id, at.rule_id, at.round, at.barred_user, at.box_id, at.alarm_id)
            rows = db.execute(waiting.where(at.state == ItemState.OPEN.value).order_by(at.queued_at_ns)).all()
        for row in rows:
            actor = self._other if row.barred_user == self._first.user_id else self._first
            false = random.Random(row.alarm_id).random() < FALSE_SHARE.get(row.rule_id, 0.1)  # noqa: S311
            if row.round > 1 and self._chance.random() > AGREE:
                false = not false
            self._judge(actor, row, false)
            if row.round == 1 and self._chance.random() < SECOND_LOOKS[false]:
                self._draw_again(row.item_id)
        self._clock.move_to(self._clock() + 12 * SECOND_NS)
        while rows:
            finalise.run(self._clock())
            rows = rows[200:]
        self._begin_courses()

    def _draw_again(self, item_id: str) -> None:
        """Another reviewer will look at it too."""
        with self._desk.database.transaction() as db:
            db.execute(update(review_items).where(review_items.c.item_id == item_id).values(sampled=1))

    def draw(self, name: str, on_day: date) -> None:
        """A random draw of the province, with the index of a made-up exchange as the public value."""
        with self._desk.database.transaction() as db:
            act = Act(db, self._desk.ledger, self._second, self._clock(), "示范抽查 demonstration")
            draw_id = freeze(act, load_draw(), NewDraw(name, on_day))
        self._clock.move_to(self._clock() + HOUR_NS)
        value = PublicValue("3187.42", "示范指数收盘 index at its close, made up", self._clock() - HOUR_NS // 2)
        with self._desk.database.transaction() as db:
            draw(Act(db, self._desk.ledger, self._second, self._clock(), "示范抽查 demonstration"), draw_id, value)

    def _judge(self, actor: Actor, row: Any, false: bool) -> None:
        said = read_judgement("false" if false else "true", FALSE_REASON.get(row.rule_id, "9") if false else "", "")
        item_id = row.item_id
        try:
            with self._desk.database.transaction() as db:
                take_lease(db, self._desk.ledger, actor, item_id, self._clock())
            self._clock.move_to(self._clock() + int(self._chance.uniform(3, 25) * SECOND_NS))
            with self._desk.database.transaction() as db:
                self._verdicts.judge(db, actor, item_id, said, self._clock())
            self.judged += 1
        except RefusedError as refused:
            self.refused.append(f"judge: {refused.code}")

    def _begin_courses(self) -> None:
        """Hazards that are new get their course."""
        at = hazards.c
        with self._desk.database.reading() as db:
            rows = db.execute(
                select(at.hazard_id, at.project_code, at.box_id, at.rule_id).order_by(at.opened_at_ns)
            ).all()
        for row in rows:
            if row.hazard_id in self._courses:
                continue
            self.hazards += 1
            luck = self._chance.random()
            self._courses[row.hazard_id] = _Course(
                row.project_code, row.box_id, self._later(0.05, 0.5), luck < 0.15, 0.15 <= luck < 0.2, luck > 0.88,
                row.rule_id == "crane.moment.alarm" and self._chance.random() < 0.15,
            )  # fmt: skip

    def find_by_hand(self, project_code: str) -> None:
        """An inspector on a site finds what no device sees."""
        zh, en = self._chance.choice(FOUND)
        now_ns = self._clock()
        new = NewHazard(
            project_code=project_code, channel=Channel.INSPECTION, kind=HazardKind.HAZARD, grade=Grade.GENERAL,
            title_zh=zh, title_en=en, place_id=f"floor-{self._chance.randrange(1, 20)}",
            observed_at_ns=now_ns - HOUR_NS, event_key=f"inspection/{project_code}/{now_ns}",
        )  # fmt: skip
        with self._desk.database.transaction() as db:
            self._office.open(db, new, self._first, now_ns)
        self._begin_courses()

    def work_on_hazards(self) -> None:
        """Whatever is due of each hazard's course is done now."""
        due = [(hazard_id, course) for hazard_id, course in self._courses.items() if course.next_ns <= self._clock()]
        states = self._states([hazard_id for hazard_id, _ in due])
        for hazard_id, course in due:
            self._step(hazard_id, course, states[hazard_id])

    def look_after_hazards(self) -> None:
        """What the desk does by itself once a day: warnings, what is overdue goes up."""
        self._watch.run(self._clock())

    def _states(self, which: list[str]) -> dict[str, HazardState]:
        at = hazards.c
        with self._desk.database.reading() as db:
            rows = db.execute(select(at.hazard_id, at.state).where(at.hazard_id.in_(which))).all()
        return {row.hazard_id: HazardState(row.state) for row in rows}

    def _step(self, hazard_id: str, course: _Course, state: HazardState) -> None:
        site = _site(course)
        match state:
            case S.PENDING:
                luck = self._chance.random()
                action = A.CONFIRM if luck < 0.7 else A.DOUBT if luck < 0.9 else A.REJECT
                self._act(hazard_id, Ask(action, words="现场核对" if action is not A.CONFIRM else ""), self._other)
                course.next_ns = self._later(1, 5)
            case S.SITE_CHECK:
                self._act(hazard_id, Ask(A.CONFIRM, words="现场核查属实", evidence=self._photo()), self._other)
                course.next_ns = self._later(0.1, 1)
            case S.CONFIRMED:
                if course.major:
                    self._act(hazard_id, Ask(A.GRADE_UP, words="安全装置失效，按重大事故隐患处理"), self._first)
                self._act(hazard_id, Ask(A.ORDER), self._first)
                course.next_ns = self._later(0.05, 0.8)
            case S.ORDERED:
                self._act(hazard_id, Ask(A.ACCEPT), site)
                course.next_ns = self._later(35, 80) if course.slow else self._later(0.5, 5)
            case S.RECTIFYING if course.refuses:
                self._act(hazard_id, Ask(A.RECORD_REFUSAL, words="拒不整改", evidence=self._photo()), self._first)
                course.refuses, course.next_ns = False, self._later(8, 20)
            case S.RECTIFYING:
                self._act(hazard_id, Ask(A.SUBMIT, words="已按要求整改", evidence=self._photo()), site)
                course.next_ns = self._later(0.2, 2)
            case S.AWAITING_RECHECK if course.sent_back:
                self._act(
                    hazard_id, Ask(A.SEND_BACK, words="防护不到位，重新整改", evidence=self._photo()), self._other
                )
                course.sent_back, course.next_ns = False, self._later(0.5, 3)
            case S.AWAITING_RECHECK:
                if course.major:
                    self._sections(hazard_id, site)
                self._act(hazard_id, Ask(A.CLOSE, words="复查合格", evidence=self._photo()), self._other)
                course.next_ns = self._later(30, 60)
            case S.REFUSED_BY_SITE:
                self._act(hazard_id, Ask(A.RESUME_RECTIFICATION, words="约谈后恢复整改"), self._first)
                course.next_ns = self._later(1, 3)
            case _:
                course.next_ns = self._later(1000, 1001)

    def _sections(self, hazard_id: str, site: Actor) -> None:
        for section in Section:
            write = Ask(A.WRITE_SECTION, words="见附件", section=section, evidence=self._photo())
            self._act(hazard_id, write, site)
            self._act(hazard_id, Ask(A.SIGN_SECTION, section=section), self._other)

    def _act(self, hazard_id: str, ask: Ask, actor: Actor) -> None:
        try:
            with self._desk.database.transaction() as db:
                self._office.act(db, hazard_id, ask, actor, self._clock())
        except RefusedError as refused:
            self.refused.append(f"{ask.action.value}: {refused.code}")

    def _photo(self) -> tuple[NewEvidence]:
        return (put_photo(self._desk.shelf, drawn_picture(self._chance.randrange(1 << 30)), "photo.jpg"),)

    def _later(self, least_d: float, most_d: float) -> int:
        return self._clock() + int(self._chance.uniform(least_d, most_d) * DAY_NS)


def _site(course: _Course) -> Actor:
    """Who answers for a site, as the box names them."""
    who = f"box:{course.box_id or course.project_code}/现场安全员"
    return Actor(who, "现场安全员", Scope(Level.PROJECT, course.project_code), frozenset({Duty.RESPONDER}))


def _with(actor: Actor, duty: Duty) -> Actor:
    return Actor(actor.user_id, actor.name, actor.scope, actor.duties | {duty})
