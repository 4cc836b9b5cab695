"""The calendar's file: entries with their sources, and on which days each is due. In: YAML. Out: frozen, validated."""

import calendar
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from kit.words import Words as Notice
from regulator.base.days import month_end
from regulator.base.model.actor import Level
from regulator.parts.supervision.files import Part, Words, load

FILE = "calendar.yaml"
MonthDay = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Row = Annotated[str, Field(pattern=r"^[A-E][0-9]{1,2}$")]
Every = Literal["week", "month", "quarter", "half_year", "year"]
ShownBy = Literal["mark", "rounds", "draws", "theme", "key_risk"]


NOTICES: Mapping[str, Notice] = MappingProxyType(
    {
        "A": Notice("广东省治理行动巩固提升方案（2023）", "Guangdong, consolidation plan of 2023"),
        "B": Notice("交住建字〔2024〕80号 治本攻坚三年行动方案", "交住建字〔2024〕80号, three-year plan of a county"),
        "C": Notice("湖北省房屋建筑领域指导意见", "Hubei, guidance for housing construction"),
        "D": Notice("晋建综〔2024〕103号 治本攻坚三年行动方案", "晋建综〔2024〕103号, three-year plan of a city"),
        "E": Notice("浙江某市岁末年初专项行动通知（2021）", "year-end campaign of a city in Zhejiang, 2021"),
    }
)
"""By the letter with which `Entry.source` begins."""
_MONTHS: dict[str, int] = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}


class When(Part):
    """One of the three: days of every year, single days, or the last day of every period."""

    dates: tuple[MonthDay, ...] = ()
    once: tuple[date, ...] = ()
    every: Every | None = None

    @field_validator("dates")
    @classmethod
    def _real(cls, dates: tuple[str, ...]) -> tuple[str, ...]:
        for each in dates:
            if int(each[3:]) > calendar.monthrange(2025, int(each[:2]))[1]:
                raise ValueError(f"expected a day that every year has, not {each}")
        return dates

    @model_validator(mode="after")
    def _one(self) -> "When":
        if [bool(self.dates), bool(self.once), self.every is not None].count(True) != 1:
            raise ValueError("expected one of dates, once, every")
        return self

    def due_days(self, year: int) -> list[date]:
        """The days of a year on which it is due, in order."""
        if self.every == "week":
            first = date(year, 1, 1)
            sunday = first + timedelta(days=6 - first.weekday())
            return [day for week in range(53) if (day := sunday + timedelta(weeks=week)).year == year]
        if self.every is not None:
            step = _MONTHS[self.every]
            return [month_end(date(year, month, 1)) for month in range(step, 13, step)]
        fixed = [date(year, int(each[:2]), int(each[3:])) for each in self.dates]
        return sorted([*fixed, *(day for day in self.once if day.year == year)])


class Entry(Part):
    """One row. `source`: rows of the notices. `link`: the page where it is done."""

    id: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
    source: tuple[Row, ...] = Field(min_length=1)
    certainty: Literal["V1", "V2", "M-H", "M-M", "PD"]
    zh: Words
    en: Words
    levels: tuple[Literal["province", "city", "county", "firm", "project"], ...] = Field(min_length=1)
    when: When
    shown_by: ShownBy
    link: Annotated[str, Field(pattern=r"^(/[a-z/-]+)?$")] = ""

    @property
    def notices(self) -> tuple[Notice, ...]:
        """The notices that ask for it, each once."""
        return tuple(NOTICES[letter] for letter in dict.fromkeys(row[0] for row in self.source))

    def concerns(self, level: Level) -> bool:
        """Whether it is a duty of this level."""
        return level.value in self.levels


class CalendarFile(Part):
    """`warn_days`: how long before its day something is due soon."""

    version: Literal[1]
    warn_days: Annotated[int, Field(ge=0, le=60)]
    entries: tuple[Entry, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> "CalendarFile":
        ids = [entry.id for entry in self.entries]
        if twice := sorted({each for each in ids if ids.count(each) > 1}):
            raise ValueError(f"expected every id once, twice are {', '.join(twice)}")
        return self

    def entry(self, entry_id: str) -> Entry | None:
        """The entry with this id."""
        return next((entry for entry in self.entries if entry.id == entry_id), None)


def load_calendar(path: Path | None = None) -> CalendarFile:
    """The product's file, or the one at `path`. Raises PackError naming every fault."""
    return load(CalendarFile, FILE, path)
