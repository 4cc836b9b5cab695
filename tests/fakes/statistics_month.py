"""March 2026 of two projects, small enough to be worked out by hand, as it lies in the desk's tables.

month = StatisticsMonth(database)
month.fill()                     # everything below
month.figures()["site_peak"]     # rolled up and gathered for the month

p1 is a government building in county 440105 with box b1, p3 urban rail in county 440303 with box b3. The comments in
`tests/desk/reports/test_month_by_hand.py` work the figures out.
"""

import json
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert

from contract.messages import EvidenceRecord
from regulator.base.model.actor import Level, Scope
from regulator.base.model.heard import Heard
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.coverage import asset_days
from regulator.base.records.tables.hazards import hazard_deadlines, hazard_holders, hazards
from regulator.base.records.tables.intake import alarms, alerts, boxes, findings
from regulator.base.records.tables.registry import devices, projects, regions
from regulator.base.records.tables.review import review_items, review_verdicts
from regulator.parts.reports.statistics.figure import Figure
from regulator.parts.reports.statistics.gathering import Statistics, statistics_of
from regulator.parts.reports.statistics.making import span_of
from regulator.parts.reports.statistics.roll_up import run_roll_up
from regulator.parts.reports.statistics.selection import Selection
from regulator.parts.reports.statistics.silencing import hear_silencing
from screens.formats import SITE_ZONE

SECOND_NS = 1_000_000_000
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
PROVINCE = Scope(Level.PROVINCE, "44")
REGIONS = (
    ("44", "测试省", "province", ""),
    ("4401", "甲市", "city", "44"),
    ("4403", "乙市", "city", "44"),
    ("440105", "甲东县", "county", "4401"),
    ("440303", "乙南县", "county", "4403"),
)


def at(month: int, day: int, hour: int = 0, minute: int = 0, second: float = 0) -> int:
    """A moment of 2026 in Shanghai, UTC ns."""
    whole = int(datetime(2026, month, day, hour, minute, tzinfo=SITE_ZONE).timestamp())
    return whole * SECOND_NS + int(second * SECOND_NS)


class StatisticsMonth:
    """`now_ns` is the third of April, so that what came after the month is known too."""

    def __init__(self, database: DeskDatabase) -> None:
        self.database = database
        self.now_ns = at(4, 3)
        self._count = 0
        self._rows: list[tuple[Any, dict[str, Any]]] = []

    def fill(self) -> None:
        """All of it."""
        self.places()
        self.march_alarms()
        self.minutes()
        self.march_hazards()
        self.march_reviews()
        self.silenced()
        self.gaps()
        self.flush()

    def roll_up(self) -> int:
        """Until nothing is left to do."""
        self.flush()
        return run_roll_up(self.database, self.now_ns)

    def statistics(self, selection: Selection | None = None) -> Statistics:
        """Of March, of all projects unless `selection` says otherwise."""
        self.roll_up()
        wanted = selection or Selection(PROVINCE)
        with self.database.reading() as db:
            return statistics_of(db, wanted, span_of(db, wanted, FIRST, LAST))

    def figures(self, selection: Selection | None = None) -> dict[str, Figure]:
        """The same by key."""
        return {figure.definition.key: figure for figure in self.statistics(selection).figures}

    def add(self, table: Any, **values: Any) -> None:
        """One row; kept with the others by `flush`."""
        self._rows.append((table, values))

    def flush(self) -> None:
        """Keep what was added."""
        with self.database.transaction() as db:
            for table, values in self._rows:
                db.execute(insert(table).values(**values))
        self._rows.clear()

    def places(self) -> None:
        """Regions, projects, boxes."""
        for code, name, level, parent in REGIONS:
            self.add(regions, code=code, name=name, level=level, parent=parent)
        for code, city, county, category in (
            ("p1", "4401", "440105", "gov_building"),
            ("p3", "4403", "440303", "urban_rail"),
        ):
            place = {"province_code": "44", "city_code": city, "county_code": county, "category": category}
            self.add(projects, project_code=code, name=f"工程 {code}", registered_at_ns=at(2, 1), **place)
        for box, project, seq in (("b1", "p1", 10), ("b3", "p3", 0)):
            self.add(
                boxes, box_id=box, project_code=project, verified_seq=seq, verified_sha256="", enrolled_at_ns=at(2, 1)
            )

    def alarm(
        self, box: str, tag: str, severity: str, raised_ns: int, *,
        acknowledged_s: float | None = None, returned_s: float | None = None, arrived_s: float = 0.1,
        late: bool = False,
    ) -> None:  # fmt: skip
        """An alarm and the arrival of its raise. Seconds after it was raised; None: not yet."""
        self._count += 1
        rule, _, subject = tag.partition("@")
        accepted_ns = raised_ns + int(arrived_s * SECOND_NS)
        same = {"box_id": box, "alarm_id": f"a{self._count}", "project_code": "p1" if box == "b1" else "p3"}
        same |= {"rule_id": rule, "subject": subject, "severity": severity, "accepted_at_ns": accepted_ns}
        moments = {
            "raised_at_ns": raised_ns,
            "acknowledged_at_ns": 0 if acknowledged_s is None else raised_ns + int(acknowledged_s * SECOND_NS),
            "returned_at_ns": 0 if returned_s is None else raised_ns + int(returned_s * SECOND_NS),
            "active": int(returned_s is None),
            "late": int(late),
        }
        self.add(alarms, **same, **moments, raised_event=f"a{self._count}:raised")
        self.add(alerts, **same, key=f"a{self._count}:raised", transition="raised", observed_at_ns=raised_ns)

    def march_alarms(self) -> None:
        """29 alarms of 12 tags, and one that is only recorded."""
        self.alarm("b1", "r.a@s1", "P1", at(3, 2, 10), acknowledged_s=60, returned_s=300, arrived_s=0.5)
        self.alarm("b1", "r.a@s1", "P1", at(3, 2, 11), acknowledged_s=300, returned_s=600, arrived_s=0.5)
        self.alarm("b1", "r.a@s1", "P1", at(3, 2, 12), arrived_s=2)
        for second in (0, 20, 40, 50):
            self.alarm("b1", "r.b@s2", "P2", at(3, 3, 9, 0, second), returned_s=5)
        for number in range(12):
            raised = at(3, 4, 9) + number * 50 * SECOND_NS
            self.alarm("b1", "r.c@s3", "P3", raised, acknowledged_s=30, returned_s=120, arrived_s=7200, late=True)
        self.alarm("b3", "r.d@s4", "P3", at(3, 4, 23, 55), returned_s=90, arrived_s=3)
        self.alarm("b3", "r.d@s4", "P3", at(3, 5, 0, 2), returned_s=2_455_080, arrived_s=1)
        self.alarm("b3", "r.log@s4", "log", at(3, 5, 0, 3))
        for number in range(8):
            self.alarm("b1", f"r.e@s{number}", "P3", at(3, 6, 8) + number * 1200 * SECOND_NS, returned_s=3600)

    def minutes(self) -> None:
        """Five days of b1 with a camera, two days of b3; one camera that never told anything."""
        for day in range(2, 7):
            of_day = {"project_code": "p1", "day": f"2026-03-{day:02}", "box_id": "b1"}
            self.add(asset_days, **of_day, asset="crane-1", minutes=1440, good_minutes=1440)
            self.add(
                asset_days, **of_day, asset="cam-1", minutes=1400, camera=1, usable_minutes=1300, judged_minutes=1100
            )
        for day in (4, 5):
            of_day = {"project_code": "p3", "day": f"2026-03-{day:02}", "box_id": "b3"}
            self.add(asset_days, **of_day, asset="pit", minutes=600, good_minutes=600)
        for code, since in (("cam-1", at(3, 1)), ("cam-2", at(3, 31))):
            self.add(
                devices, project_code="p1", device_code=code, kind="camera", name=code, asset=code,
                registered_at_ns=since,
            )  # fmt: skip

    def hazard(self, name: str, channel: str, **values: Any) -> None:
        """One hazard, held by its county."""
        row = {"project_code": "p1", "kind": "hazard", "grade": "general", "state": "confirmed", "rule_id": "r.h"}
        row |= {"title_zh": name, "place_id": name, "event_key": name, "round": 1, "opened_at_ns": at(3, 1)} | values
        row.setdefault("observed_at_ns", row.get("confirmed_at_ns") or row["opened_at_ns"])
        self.add(hazards, hazard_id=name, channel=channel, **row)
        holder = {"hazard_id": name, "project_code": row["project_code"], "level": "county"}
        self.add(hazard_holders, **holder, number=1, since_ns=row["opened_at_ns"])

    def deadline(self, hazard: str, due_ns: int, ended_ns: int = 0, outcome: str = "", what: str = "rectify") -> None:
        """One deadline of it."""
        self._count += 1
        project = "p3" if hazard == "h4" else "p1"
        said = {"rule_id": "r", "pack": "national", "rule_zh": "七日", "rule_en": "seven days"}
        self.add(
            hazard_deadlines, deadline_id=f"{hazard}/{self._count}", hazard_id=hazard, project_code=project, what=what,
            started_at_ns=at(3, 1), due_at_ns=due_ns, ended_at_ns=ended_ns, outcome=outcome, **said,
        )  # fmt: skip

    def march_hazards(self) -> None:
        """Seven, of which five were confirmed in March and three closed."""
        self.hazard("h1", "device", confirmed_at_ns=at(3, 3), closed_at_ns=at(3, 5), place_id="x", state="closed")
        self.deadline("h1", at(3, 10), at(3, 5), "met")
        self.hazard("h2", "device", confirmed_at_ns=at(3, 1), closed_at_ns=at(3, 11), round=2, state="closed")
        self.deadline("h2", at(3, 8), at(3, 11), "met")
        self.hazard("h3", "inspection", confirmed_at_ns=at(3, 10))
        self.deadline("h3", at(3, 20))
        self.add(hazard_holders, hazard_id="h3", number=2, project_code="p1", level="city", since_ns=at(3, 25))
        self.hazard("h4", "self", confirmed_at_ns=at(3, 12), project_code="p3")
        self.deadline("h4", at(3, 15), at(3, 14), "extended")
        self.deadline("h4", at(4, 10))
        self.hazard("h5", "device", confirmed_at_ns=at(3, 20), place_id="x")
        self.deadline("h5", at(3, 31), what="listing")
        self.deadline("h5", at(3, 25), at(3, 22), "void")
        self.hazard("h6", "device", state="rejected")
        self.hazard(
            "h7", "device", confirmed_at_ns=at(2, 10), closed_at_ns=at(3, 21), opened_at_ns=at(2, 9), state="closed"
        )
        self.deadline("h7", at(3, 31), at(3, 21), "met")

    def item(self, number: int, queued_ns: int, verdict: str, judged_ns: int, user: str, **values: Any) -> None:
        """One item that was judged for good."""
        row = {"project_code": "p1", "box_id": "b1", "alarm_id": f"i{number}", "round": 1, "rule_id": "r.a"}
        row |= {"source_id": "cam-1", "severity": "P1", "stage": "priority", "group_key": "g"} | values
        key = f"{row['alarm_id']}/{row['round']}"
        self.add(
            review_items, item_id=key, **row, queued_at_ns=queued_ns, state="final", verdict=verdict, judged_by=user,
            judged_at_ns=judged_ns,
        )  # fmt: skip
        self.add(review_verdicts, item_id=key, number=1, kind="judged", verdict=verdict, user_id=user, at_ns=judged_ns)

    def march_reviews(self) -> None:
        """25 of p1, 3 of p3, and 10 second looks; 22 came within seven minutes, with two people at work."""
        queued = [at(3, 9, 10) + number * 20 * SECOND_NS for number in range(22)]
        queued += [at(3, 10, hour) for hour in range(16)]
        for number in range(28):
            early = number < 22
            judged = at(3, 9, 10, 20) if early else at(3, 10, 15, 30)
            user = "u-ling" if number % 2 or not early else "u-zhao"
            place = {} if number < 25 else {"project_code": "p3", "box_id": "b3", "source_id": "cam-9"}
            false = number in (0, 1, 10, 11, 12, 27)
            self.item(number, queued[number], "false" if false else "true", judged, user, **place)
        for number in range(10):
            verdict = "false" if number in (0, 1, 2) else "true"
            self.item(number, queued[28 + number], verdict, at(3, 10, 15, 40), "u-ling", round=2)

    def sealed(self, seq: int, kind: str, at_ns: int, content: dict[str, Any]) -> None:
        """A record of b1's chain, heard as the intake hears it."""
        record = {
            "version": 1,
            "seq": seq,
            "prev": "",
            "box_id": "b1",
            "kind": kind,
            "at_ns": at_ns,
            "content": content,
        }
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        heard = Heard("b1", "p1", EvidenceRecord(record=text, sha256="0" * 64), f"b1:evidence:{seq}")
        with self.database.transaction() as db:
            hear_silencing(db, heard, self.now_ns)

    def shelf(self, seq: int, alarm: str, kind: str, at_ns: int, until_ns: int = 0, reason: str = "") -> None:
        """Shelved or unshelved."""
        content = {"transition": kind, "reason": reason, "alarm": {"alarm_id": alarm, "shelved_until_ns": until_ns}}
        self.sealed(seq, "alarm_transition", at_ns, content)

    def silenced(self) -> None:
        """Three stand at the end of March, two of them without a reason."""
        self.flush()
        self.shelf(3, "x", "shelved", at(3, 31, 20), at(4, 5), "等待维修")
        self.shelf(4, "y", "shelved", at(3, 31, 21), at(4, 3))
        self.shelf(5, "z", "shelved", at(3, 31, 21), at(4, 3))
        self.shelf(6, "z", "unshelved", at(3, 31, 22))
        self.shelf(7, "w", "shelved", at(3, 20), at(3, 20, 8))
        service = {"transition": "out_of_service", "target": "crane-2", "since_ns": at(3, 30), "until_ns": at(4, 9)}
        self.sealed(8, "service_change", at(3, 30), service | {"taken_out_because": "", "reason": "", "user": "u"})

    def gaps(self) -> None:
        """Two in March, one of another kind, one in April."""
        for number, (kind, project, at_ns) in enumerate(
            (
                ("silent_box", "p1", at(3, 4)),
                ("chain_gap", "p3", at(3, 6)),
                ("bad_signature", "p1", at(3, 7)),
                ("silent_box", "p1", at(4, 1)),
            )
        ):
            said = {"words_zh": kind, "words_en": kind, "opened_at_ns": at_ns, "closed_at_ns": at_ns + 1}
            self.add(findings, finding_id=f"f{number}", kind=kind, project_code=project, subject=project, **said)
