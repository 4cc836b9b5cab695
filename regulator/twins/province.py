"""A province made up for demonstrations: 3 cities, 9 counties, 500 projects, and what happens on them.

Names are built from parts and mean no real place, firm or project. In: a seed. Out: the same province every time.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from regulator.twins.box import TwinAlarm

PROVINCE_CODE, PROVINCE_NAME = "99", "示范省"
CITIES = (("9901", "东江市"), ("9902", "西岭市"), ("9903", "南湾市"))
COUNTIES = ("城东区", "城西区", "临港县")
KINDS = (
    ("gov_building", "安置房", 0.6),
    ("urban_rail", "轨道交通", 0.25),
    ("municipal_tunnel", "市政隧道", 0.15),
)
STAGES = ("基础施工", "主体结构", "装饰装修")
CAMERAS = ("camera-1", "camera-2")
"""Every site has these two, as assets of its box."""
TROUBLES = (("offline", 0.08), ("covered", 0.10), ("unconnected", 0.13))
"""What is wrong with a site, up to which luck; below 0.02 there is no box, below 0.05 it is silent."""
WORKS = {STAGES[0]: ("deep_pit",), STAGES[1]: ("tower_crane", "high_formwork"), STAGES[2]: ("gondola",)}


@dataclass(frozen=True, slots=True)
class MadeProject:
    """One project; `box_id` empty: no box was installed. `silent`: the box enrolled and says nothing more.

    `joined_share`: when its box came, as a share of the time that the province is told of. `trouble`: what is wrong
    with it today ("offline", "covered": its first camera; "unconnected": its first device; empty: nothing).
    """

    project_code: str
    name: str
    city_code: str
    county_code: str
    category: str
    stage: str
    dangerous_works: tuple[str, ...]
    contractor: str
    box_id: str
    silent: bool
    joined_share: float = 0.0
    trouble: str = ""

    @property
    def devices(self) -> tuple[str, ...]:
        """The measuring devices that its box delivers, as assets: one a dangerous work."""
        return tuple(f"device-{number}" for number, _ in enumerate(self.dangerous_works, 1))


def made_projects(count: int, seed: int = 1, live: tuple[str, str] | None = None) -> list[MadeProject]:
    """`count` projects in fixed order. `live` = (project code, box id) takes the first place: a real gateway's."""
    chance = random.Random(seed)  # noqa: S311 - a made-up province needs no cryptography
    projects = [_project(number, chance) for number in range(1, count + 1)]
    if live and projects:
        first = projects[0]
        projects[0] = MadeProject(
            live[0],
            "示范工地一号",
            first.city_code,
            first.county_code,
            "gov_building",
            STAGES[1],
            ("tower_crane", "deep_pit"),
            first.contractor,
            live[1],
            silent=False,
        )
    return projects


def _project(number: int, chance: random.Random) -> MadeProject:
    city_code, city = CITIES[chance.randrange(len(CITIES))]
    county = chance.randrange(len(COUNTIES))
    category, words, _share = chance.choices(KINDS, [kind[2] for kind in KINDS])[0]
    stage = chance.choice(STAGES)
    luck = chance.random()
    return MadeProject(
        project_code=f"{city_code}{county + 1:02d}-2026-{number:04d}",
        name=f"{city[:2]}{COUNTIES[county][:2]}{words}{number}标",
        city_code=city_code,
        county_code=f"{city_code}{county + 1:02d}",
        category=category,
        stage=stage,
        dangerous_works=WORKS[stage],
        contractor=f"firm-{chance.randrange(40):02d}",
        box_id="" if luck < 0.02 else f"twin-{number:04d}",
        silent=0.02 <= luck < 0.05,
        joined_share=max(0.0, (luck - 0.55) * 1.5) if luck >= 0.13 else 0.0,
        trouble=next((name for name, upto in TROUBLES if 0.05 <= luck < upto), ""),
    )


ALARMS = (
    (
        TwinAlarm(
            "vision.bare_head", "P2", "camera-1", "camera", "camera-1.bare_head_1",
            "未佩戴安全帽", "Bare head on the site", "", "", "", "JGJ 59-2011", "camera-1",
        ),
        5,
    ),
    (
        TwinAlarm(
            "vision.edge_open", "P2", "camera-2", "camera", "camera-2.edge_1",
            "临边防护缺失", "Edge protection missing", "", "", "", "JGJ 80-2016", "camera-2",
        ),
        3,
    ),
    (
        TwinAlarm(
            "crane.moment.alarm", "P1", "crane-1", "tower-crane", "crane-1.moment_pct",
            "塔机力矩超载", "Tower crane moment overload", "103.0", "100.0", "%", "GB 5144-2006 6.2.1",
        ),
        1,
    ),
    (
        TwinAlarm(
            "pit.rate.warn", "P3", "pit-1", "pit", "pit-1.s3_rate",
            "基坑位移速率偏大", "Pit movement rate high", "2.4", "2.0", "mm/d", "GB 50497-2019 8.0.4",
        ),
        2,
    ),
)  # fmt: skip


def made_alarms(seed: int) -> Iterator[TwinAlarm]:
    """Alarms without end, in the mix of `ALARMS`."""
    chance = random.Random(seed)  # noqa: S311
    while True:
        yield chance.choices([alarm for alarm, _ in ALARMS], [weight for _, weight in ALARMS])[0]
