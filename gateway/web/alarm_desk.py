"""Data of the alarm pages: the lists, one alarm with its details, and the permitted actions.

In: the view over the box, the commands, the settings as they are now, the alarms of the past. Out: rows for templates.
Knows no HTTP; questions to the past run in a thread, everything else reads what the box holds anyway.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

import orjson

from gateway.line.commands import AlarmCommands
from gateway.line.desk_verdicts import JudgedAlarm, filed, verdict_of
from gateway.line.escalation import EscalationOutlook
from gateway.model.alarm import Severity
from gateway.model.hazard import HazardCatalogue, day_of
from gateway.model.reading import Quality
from gateway.model.rule import RuleFamily
from gateway.model.rule_card import RuleCard
from gateway.store.alarm_history import AlarmHistory, Report
from gateway.store.alert_store import KeptRecord
from gateway.web.alarm_view import AlarmPage, Tab, by_tab, page_of, waiting, with_words
from gateway.web.curve_panel import CurvePanel, panel_of_alarm
from gateway.web.read_model import BoxView, Row, alarm_row

EPISODES_SHOWN: Final = 20
GROUP_SHOWN: Final = 50
DAY_NS: Final = 86_400_000_000_000
SPANS_DAYS: Final = (1, 7, 30)


@dataclass(frozen=True, slots=True)
class AlarmGuide:
    """What the settings say beside an alarm. `cards` are by rule id; times are the longest that are allowed."""

    cards: Mapping[str, RuleCard] = field(default_factory=lambda: MappingProxyType({}))
    hazards: HazardCatalogue | None = None
    shelve_max_s: float = 8 * 3600.0
    out_of_service_max_s: float = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Present:
    """What a point measures now; `value` counts only when `known`. `age_s` is NaN when nothing was ever heard."""

    value: float
    unit: str
    known: bool
    age_s: float


@dataclass(frozen=True, slots=True)
class TabCount:
    """A list's name, how many stand on it, and how many of those nobody has acknowledged."""

    tab: Tab
    total: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What S2 shows of the open alarms."""

    tab: Tab
    tabs: tuple[TabCount, ...]
    page: AlarmPage
    services: tuple[Row, ...]
    unknown: tuple[Row, ...]
    store_failing: bool


Pictures = Callable[[str, int], Awaitable[Any]]


async def _no_pictures(_alarm_id: str, _raised_at_ns: int) -> None:
    """No camera, no pictures."""


def _no_outlook() -> Sequence[EscalationOutlook]:
    return ()


class AlarmDesk:
    """Answers the alarm pages' questions. `guide` gives the settings as they are now."""

    def __init__(
        self,
        view: BoxView,
        commands: AlarmCommands,
        guide: Callable[[], AlarmGuide],
        outlook: Callable[[], Sequence[EscalationOutlook]] = _no_outlook,
    ) -> None:
        self.view = view
        self.commands = commands
        self.guide = guide
        self._outlook = outlook
        self.pictures: Pictures = _no_pictures
        """What a camera saw, for an alarm and when it rose; set by who keeps pictures."""
        self.history = AlarmHistory(view.parts.alerts.path)

    def listing(self, tab: Tab, page: int) -> Listing:
        """The open alarms of one list, and how many stand on each."""
        found = self.view.alarms()
        lists = by_tab([*found["alarms"], *found["suppressed"]], self._families())
        counts = tuple(
            TabCount(each, len(lists[each]), waiting(lists[each]))
            for each in Tab
            if each not in (Tab.HISTORY, Tab.SUPPRESSED)
        )
        unknown = [self._named(row) for row in found["unknown"]]
        held = TabCount(Tab.SUPPRESSED, len(lists[Tab.SUPPRESSED]) + len(unknown), 0)
        services = [self._service(row) for row in found["out_of_service"]]
        return Listing(
            tab=tab,
            tabs=(*counts, held),
            page=self._worded_page(page_of(lists[tab], page)),
            services=tuple(services),
            unknown=tuple(unknown),
            store_failing=bool(found["store_failing"]),
        )

    def row(self, alarm_id: str) -> Row | None:
        """One alarm, open or past; `open` says which."""
        listed = next((row for row in self._listed() if row["alarm_id"] == alarm_id), None)
        if listed is not None:
            return self.worded(listed) | {"open": True}
        past = self.view.parts.alerts.alarm(alarm_id)
        return None if past is None else self.worded(alarm_row(past)) | {"open": False}

    def worded(self, row: Row) -> Row:
        """A row with names and judgements."""
        return with_words(row, self.asset_titles(), self.commands.judgement)

    def asset_titles(self) -> dict[str, tuple[str, str]]:
        """Asset id -> its names in Chinese and English."""
        return {asset.asset: (asset.title_zh, asset.title_en) for asset in self.view.parts.assets}

    def card(self, row: Row) -> RuleCard | None:
        """What to do about it."""
        return self.guide().cards.get(row["rule_id"])

    def hazard(self, row: Row) -> Row | None:
        """The major hazard that it makes suspected, under the edition of its day; None when there is none."""
        hazards, code = self.guide().hazards, row["hazard"]
        if hazards is None or not code or hazards.find(code) is None:
            return None
        reference = hazards.reference(code, day_of(row["raised_at_ns"]))
        shown = hazards.find(reference.code) or hazards.find(code)
        edition = next(each for each in hazards.editions if each.edition == reference.edition)
        return {"reference": reference, "item": shown, "edition": edition}

    def escalation(self, alarm_id: str) -> EscalationOutlook | None:
        """When a P1 that still calls is told to somebody else."""
        return next((each for each in self._outlook() if each.alarm_id == alarm_id), None)

    def point_of(self, row: Row) -> str:
        """The point whose curve belongs to the alarm; empty when there is none, such as for a silent device."""
        parts = self.view.parts
        if row["subject"] in parts.points.index_of:
            return str(row["subject"])
        for rule in parts.rules.rules:
            if (rule.info.rule_id, rule.subject) == (row["rule_id"], row["subject"]) and rule.point_index >= 0:
                return parts.points[rule.point_index].point_id
        return ""

    def present(self, point_id: str) -> Present | None:
        """What the point measures now; None for no point."""
        parts = self.view.parts
        index = parts.points.index_of.get(point_id)
        if index is None:
            return None
        mono_ns, window = parts.clock.monotonic_ns(), parts.window
        known = not window.stale(mono_ns)[index] and window.quality[index] != Quality.BAD
        age_s = float(window.age_s(mono_ns)[index])
        return Present(float(window.value[index]), parts.points[index].unit, bool(known), age_s)

    def curve(self, row: Row) -> CurvePanel | None:
        """The curve of the alarm's value with the limit as it was sealed; None for what is about no point."""
        alarm = self.commands.alarm(row["alarm_id"])
        return None if alarm is None else panel_of_alarm(self.view.parts, alarm)

    def subject_words(self, row: Row) -> tuple[str, str]:
        """The name of the point it is about; the bare id of a device."""
        parts = self.view.parts
        index = parts.points.index_of.get(row["subject"])
        if index is None:
            return row["subject"], row["subject"]
        point = parts.points[index]
        return point.title_zh, point.title_en

    async def group(self, alarm_id: str) -> list[Row]:
        """The alarms that began together with this one, as they are now."""
        alarm = self.commands.alarm(alarm_id)
        if alarm is None:
            return []
        group = (await asyncio.to_thread(self.history.group_of, alarm))[:GROUP_SHOWN]
        listed = {row["alarm_id"]: row for row in self._listed()}
        return [self.worded(listed.get(each.alarm_id) or alarm_row(each)) for each in group]

    async def episodes(self, row: Row, now_ns: int) -> Row:
        """The last episodes of this rule about this subject, and how many there were in a day, a week, a month."""
        rule_id, subject = row["rule_id"], row["subject"]
        found = await asyncio.to_thread(self.history.episodes_of, rule_id, subject, EPISODES_SHOWN)
        since = now_ns - max(SPANS_DAYS) * DAY_NS
        raises = await asyncio.to_thread(self.history.raises_since, rule_id, subject, since)
        counts = {days: sum(at_ns >= now_ns - days * DAY_NS for at_ns in raises) for days in SPANS_DAYS}
        return {"rows": [self.worded(alarm_row(alarm)) for alarm in found], "counts": counts}

    async def reports(self, alarm_id: str) -> list[Report]:
        """What the regulator was told of an alarm, and whether it is held there."""
        regulators = self.view.parts.recorder.regulators
        return await asyncio.to_thread(self.history.reports, alarm_id, regulators) if regulators else []

    def desk_verdict(self, alarm_id: str) -> JudgedAlarm | None:
        """What a reviewer at the desk said of it; None where nobody has, or took it back."""
        return verdict_of(self.view.parts.alerts.evidence_of(filed(alarm_id)))

    def records(self, alarm_id: str) -> list[Row]:
        """The sealed records about an alarm, oldest first."""
        return [record_row(record) for record in self.view.parts.alerts.evidence_of(alarm_id)]

    def may(self, row: Row) -> frozenset[str]:
        """What can be done with the alarm as it stands, whoever asks; names are those of the forms' paths."""
        judgement = row["judgement"]
        held = row["suppressed"] or row["withheld"]
        asks = row["open"] and not held
        checks = {
            "acknowledge": asks and not row["acknowledged"],
            "reset": asks and row["latched"] and row["acknowledged"],
            "shelve": asks and row["severity"] != Severity.P1 and not row["shelved"] and not row["out_of_service"],
            "unshelve": row["open"] and row["shelved"],
            "note": True,
            "false_alarm": judgement.false_alarm is None,
            "withdraw_judgement": judgement.false_alarm is not None,
            "hand_over": not judgement.handed_over_at_ns and self.commands.reaches_regulator,
        }
        return frozenset(name for name, possible in checks.items() if possible)

    def subjects(self) -> list[Row]:
        """What can be taken out of service, asset by asset: its devices, then its points."""
        titles = self.asset_titles()
        found: dict[str, Row] = {}
        for point in self.view.parts.points.points:
            zh, en = titles.get(point.asset, (point.asset, point.asset))
            group = found.setdefault(point.asset, {"title_zh": zh, "title_en": en, "devices": [], "points": []})
            if ":" not in point.device and point.device not in group["devices"]:
                group["devices"].append(point.device)
            group["points"].append({"id": point.point_id, "title_zh": point.title_zh, "title_en": point.title_en})
        return list(found.values())

    def _worded_page(self, page: AlarmPage) -> AlarmPage:
        """Only what is shown is put into words: a flood may hold thousands."""
        groups = [
            replace(group, row=self.worded(group.row), followers=tuple(map(self.worded, group.followers)))
            for group in page.groups
        ]
        return replace(page, groups=tuple(groups))

    def _listed(self) -> list[Row]:
        found = self.view.alarms()
        return [*found["alarms"], *found["suppressed"]]

    def _families(self) -> dict[str, RuleFamily]:
        return {rule.info.rule_id: rule.family for rule in self.view.parts.rules.rules}

    def _named(self, row: Row) -> Row:
        zh, en = self.asset_titles().get(row["asset"], (row["asset"], row["asset"]))
        return {**row, "asset_zh": zh or row["subject"], "asset_en": en or row["subject"]}

    def _service(self, row: Row) -> Row:
        zh, en = self.subject_words(row)
        return {**row, "title_zh": zh, "title_en": en}


def record_row(record: KeptRecord) -> Row:
    """A sealed record for a timeline: what happened, who, why, and the digest by which it is known."""
    content = orjson.loads(record.body)["content"]
    measured = content.get("measured")
    return {
        "seq": record.seq,
        "at_ns": record.at_ns,
        "kind": record.kind,
        "transition": content.get("transition", record.kind),
        "user": content.get("user", ""),
        "reason": content.get("reason", ""),
        "cause": content.get("cause", ""),
        "measured": float(measured) if measured is not None else None,
        "sha256": record.sha256,
    }
