"""A province in full for the wall's tests: so many projects in a set over several cities, straight into the tables."""

from datetime import date

from sqlalchemy import insert, update

from regulator.base.kinds import Category
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.intake import alarms, alerts, boxes
from regulator.base.records.tables.project_set import set_memberships
from regulator.base.records.tables.registry import projects, regions

SET = "province"
CATEGORIES = (Category.GOV_BUILDING, Category.URBAN_RAIL, Category.MUNICIPAL_TUNNEL)
CITIES = tuple(f"44{number:02d}" for number in range(1, 22))


def code_of(number: int) -> str:
    """The project's code."""
    return f"GD-{CITIES[number % len(CITIES)]}-{number:03d}"


def fixed_order(count: int) -> list[str]:
    """As the wall must show them: by city, then by code."""
    return sorted((code_of(number) for number in range(count)), key=lambda code: (code[3:7], code))


def plant_set(database: DeskDatabase, count: int, today: date, now_ns: int) -> None:
    """Projects with a box each that was heard of just now, all members since yesterday's year."""
    made, stays, heard = [], [], []
    for number in range(count):
        code, city = code_of(number), CITIES[number % len(CITIES)]
        stage = ("基础", "主体", "装修")[number % 3]
        made.append(
            {"project_code": code, "name": f"{number} 号工地", "city_code": city, "county_code": city + "01",
             "stage": stage, "status": "running", "dangerous_works": '["pit"]' if number % 4 == 0 else "[]"}
        )  # fmt: skip
        stays.append(
            {"membership_id": f"m-{code}", "set_code": SET, "project_code": code, "city_code": city,
             "category": CATEGORIES[number % 3].value, "from_day": f"{today.year - 1}-01-01", "added_by": "t"}
        )  # fmt: skip
        heard.append(
            {"box_id": f"box-{number}", "project_code": code, "last_seen_ns": now_ns, "verified_sha256": "0" * 64}
        )
    with database.transaction() as db:
        db.execute(insert(regions), [{"code": c, "name": f"城市{c}", "level": "city", "parent": "44"} for c in CITIES])
        db.execute(insert(projects), made)
        db.execute(insert(set_memberships), stays)
        db.execute(insert(boxes), heard)


def raise_alarm(database: DeskDatabase, number: int, name: str, now_ns: int, severity: str = "P1") -> str:
    """An alarm as the intake leaves it: its row and the transition's; the project's code."""
    code, box = code_of(number), f"box-{number}"
    with database.transaction() as db:
        same = {"box_id": box, "alarm_id": name, "project_code": code, "rule_id": "r", "severity": severity}
        db.execute(insert(alarms).values(**same, raised_at_ns=now_ns, active=1, accepted_at_ns=now_ns))
        said = {"key": f"{name}:raised", "transition": "raised", "accepted_at_ns": now_ns}
        db.execute(insert(alerts).values(**same, **said))
    return code


def end_alarm(database: DeskDatabase, number: int, name: str, now_ns: int) -> None:
    """It returned to normal."""
    code, box = code_of(number), f"box-{number}"
    with database.transaction() as db:
        mine = (alarms.c.box_id == box) & (alarms.c.alarm_id == name)
        db.execute(update(alarms).where(mine).values(active=0, returned_at_ns=now_ns))
        same = {"box_id": box, "alarm_id": name, "project_code": code, "rule_id": "r", "severity": "P1"}
        said = {"key": f"{name}:returned", "transition": "returned", "accepted_at_ns": now_ns}
        db.execute(insert(alerts).values(**same, **said))
