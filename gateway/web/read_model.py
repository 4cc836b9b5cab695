"""The read model of the web face: one view over the running parts, as plain JSON-ready rows.

In: references to the parts (read only). Out: dictionaries for the API, the live feed and the metrics. Alarms shown are
those that have been committed (only whether they can be judged, and their worst value, are as of now); only while the
evidence store fails are newer ones shown too, and marked so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.alarms import AlarmTable
from gateway.line.arming import Arming
from gateway.line.delivery import Delivery
from gateway.line.intake import Intake
from gateway.line.pipeline import Pipeline
from gateway.line.recorder import Recorder
from gateway.line.supervisor import PartHealth
from gateway.model.alarm import Alarm, OutOfService
from gateway.model.quantity import PointTable
from gateway.model.reading import Quality
from gateway.model.verdict import Truth
from gateway.ports import Clock, Driver
from gateway.rules.table import RuleTable
from gateway.rules.window import Window
from gateway.store.alert_store import AlertStore
from gateway.store.history_reader import HistoryReader
from gateway.tls.watch import CertificateWatch
from gateway.web.feed_counts import FeedCounts
from gateway.web.reloading import ConfigState
from gateway.web.site_plan import Drawing

Row = dict[str, Any]
STUCK_AFTER_NS = 5_000_000_000


@dataclass(frozen=True, slots=True)
class AssetView:
    """An asset as screens name it."""

    asset: str
    kind: str
    title_zh: str
    title_en: str


@dataclass(frozen=True, slots=True)
class BoxParts:
    """Everything the view looks at."""

    box_id: str
    site_zh: str
    site_en: str
    assets: Sequence[AssetView]
    points: PointTable
    window: Window
    rules: RuleTable
    alarms: AlarmTable
    recorder: Recorder
    intake: Intake
    pipeline: Pipeline
    alerts: AlertStore
    history: HistoryReader
    deliveries: Sequence[Delivery]
    drivers: Sequence[Driver]
    parts: dict[str, PartHealth]
    clock: Clock
    arming: Arming = field(default_factory=lambda: Arming({}, {}))
    config: ConfigState = field(default_factory=lambda: ConfigState("", "", 0))
    certificate: CertificateWatch | None = None
    drawing: Drawing = field(default_factory=Drawing)
    in_memory: bool = False
    store_lost: bool = False


class BoxView:
    """Answers the web face's questions. `refresh_alarms` is called after every commit."""

    def __init__(self, parts: BoxParts) -> None:
        self.parts = parts
        self.feed_counts = FeedCounts()
        self._committed: list[Alarm] | None = None

    def refresh_alarms(self) -> None:
        """There was a commit: what it kept may be shown."""
        self._committed = None

    def alarms(self, *, with_suppressed: bool = False) -> Row:
        """Every open alarm, never filtered by time, what is suppressed by design, and what cannot be judged now.

        `with_suppressed`: what is suppressed stands among the alarms too, not only in its own list.
        """
        alarms = self.shown_alarms()
        listed = alarms if with_suppressed else [alarm for alarm in alarms if not held_back(alarm)]
        return {
            "at_ns": self.parts.clock.now_ns(),
            "store_failing": bool(self.parts.recorder.failing_since_ns),
            "alarms": alarm_rows(listed),
            "suppressed": alarm_rows([alarm for alarm in alarms if held_back(alarm)]),
            "unknown": self.unknown_rules(),
            "out_of_service": [service_row(service) for service in self.parts.alarms.services()],
            "performance": self.performance(),
        }

    def shown_alarms(self) -> list[Alarm]:
        """Every open alarm that screens may show, what is suppressed by design among them, gravest and newest first."""
        alarms = [*self.parts.alarms.open_alarms(), *self.parts.alarms.withheld_alarms()]
        if self.parts.recorder.failing_since_ns:
            return alarms
        return self._committed_as_judged({alarm.alarm_id: alarm for alarm in alarms})

    def performance(self) -> Row:
        """Chatter, flood, standing and stale alarms."""
        report = self.parts.alarms.performance(self.parts.clock.now_ns())
        return {
            "flood": report.flood,
            "raised_in_flood_window": report.raised_in_flood_window,
            "chattering": [
                {"rule_id": each.rule_id, "subject": each.subject, "raises": each.raises} for each in report.chattering
            ],
            "standing": report.standing,
            "stale": report.stale,
        }

    def _committed_as_judged(self, now: Mapping[str, Alarm]) -> list[Alarm]:
        """What the database holds as open, with what is known of it now."""
        if self._committed is None:
            found = self.parts.alerts.open_alarms()
            self._committed = sorted(found, key=lambda alarm: (alarm.rule.severity, -alarm.raised_at_ns))
        return [_as_judged(alarm, now.get(alarm.alarm_id, alarm)) for alarm in self._committed]

    def unknown_rules(self) -> list[Row]:
        """Rules that have no verdict now: unknown is never normal, so it is listed."""
        rules, truth = self.parts.rules.rules, self.parts.alarms.truth
        return [
            {
                "rule_id": rule.info.rule_id,
                "subject": rule.subject,
                "asset": rule.asset,
                "title_zh": rule.info.title_zh,
                "title_en": rule.info.title_en,
                **self._reason(rule.point_index),
            }
            for row, rule in enumerate(rules)
            if truth[row] == Truth.UNKNOWN
        ]

    def _reason(self, point_index: int) -> Row:
        """Why a point's rules cannot be judged, where the box knows more than that data is missing."""
        point = self.parts.points[point_index] if point_index >= 0 else None
        why = self.parts.arming.reason_of(point) if point else None
        return {"reason_zh": why.reason_zh if why else "", "reason_en": why.reason_en if why else ""}

    def commissioning(self) -> list[Row]:
        """Every crane: whether its load alarms are armed, and by which sheet; one never commissioned says so."""
        arming = self.parts.arming
        rows = []
        for asset in self.parts.assets:
            if asset.kind != "tower-crane":
                continue
            entry, why = arming.assets.get(asset.asset), arming.unproven.get(asset.asset)
            rows.append(
                {
                    "asset": asset.asset,
                    "commissioned": entry is not None,
                    "load_alarms_armed": why is None,
                    "reason_zh": why.reason_zh if why else "",
                    "reason_en": why.reason_en if why else "",
                    "at_ns": entry.at_ns if entry else 0,
                    "sheet_sha256": entry.sheet_sha256 if entry else "",
                }
            )
        return rows

    def alarm(self, alarm_id: str) -> Row | None:
        """One alarm, open or past, with its sealed records."""
        alarm = self.parts.alerts.alarm(alarm_id)
        if alarm is None:
            return None
        records = self.parts.alerts.evidence_of(alarm_id)
        return alarm_row(alarm) | {
            "evidence": [{"seq": r.seq, "sha256": r.sha256, "record": r.body.decode()} for r in records]
        }

    def points(self) -> list[Row]:
        """Every point with value, unit, quality and age. A stale or bad value is shown as unknown, not as a number."""
        parts = self.parts
        mono_ns = parts.clock.monotonic_ns()
        stale, age_s = parts.window.stale(mono_ns), parts.window.age_s(mono_ns)
        return [
            {
                "point_id": point.point_id,
                "asset": point.asset,
                "title_zh": point.title_zh,
                "title_en": point.title_en,
                "derived": ":" in point.device,
                "unit": point.unit,
                "value": None if unknown else float(parts.window.value[i]),
                "quality": "UNKNOWN" if unknown else Quality(int(parts.window.quality[i])).name,
                "age_s": round(float(age_s[i]), 2),
                "observed_at_ns": int(parts.window.observed_at_ns[i]),
            }
            for i, point in enumerate(parts.points.points)
            for unknown in (bool(stale[i]) or parts.window.quality[i] == Quality.BAD,)
        ]

    def health(self) -> Row:
        """How every part is doing."""
        parts = self.parts
        return {
            "box_id": parts.box_id,
            "chain_seq": parts.recorder.head.seq,
            "chain_sha256": parts.recorder.head.sha256,
            "store_failing": bool(parts.recorder.failing_since_ns),
            "disk_reserve_released": parts.alerts.reserve.released,
            "history_lost_polls": parts.pipeline.history_lost_polls,
            "intake_queue": len(parts.intake),
            "links": [
                {
                    "device": link.device,
                    "state": str(link.state),
                    "polls": link.polls,
                    "failures": link.failures,
                    "skipped": link.skipped,
                    "last_error": link.last_error,
                    "address": link.address,
                    "on_standby": link.on_standby,
                    "labels": dict(link.labels),
                }
                for driver in parts.drivers
                for link in driver.health()
            ],
            "uplinks": [
                {
                    "name": delivery.name,
                    "down": bool(delivery.down_since_ns),
                    "accepted": delivery.alerts_accepted,
                    "rejected": delivery.alerts_rejected,
                    "retries": delivery.retries,
                    "last_error": delivery.last_error,
                    "fault_zh": delivery.fault[0],
                    "fault_en": delivery.fault[1],
                }
                for delivery in parts.deliveries
            ],
            "parts": [
                {"name": part.name, "running": part.running, "restarts": part.restarts, "last_error": part.last_error}
                for part in parts.parts.values()
            ],
            "feed": {
                "clients": self.feed_counts.clients,
                "delivered": self.feed_counts.delivered,
                "dropped": self.feed_counts.dropped,
                "gaps": dict(self.feed_counts.gaps),
            },
            "commissioning": self.commissioning(),
            "config": self.parts.config.row(),
            "certificate": parts.certificate.row() if parts.certificate is not None else None,
        }

    def alive(self) -> bool:
        """The pipeline has ticked lately and both stores take writes; when not, only a restart of the box helps."""
        parts = self.parts
        ticking = parts.clock.monotonic_ns() - parts.pipeline.ticked_mono_ns < STUCK_AFTER_NS
        return ticking and parts.alerts.alive and parts.pipeline.history_alive

    def ready(self) -> list[str]:
        """Why the box is not fully working; empty when it is."""
        reasons = [f"part {part.name} is not running" for part in self.parts.parts.values() if not part.running]
        if self.parts.recorder.failing_since_ns:
            reasons.append("the evidence store cannot be written")
        if not self.alive():
            reasons.append("the pipeline is stuck or a store has stopped")
        return reasons


def service_row(service: OutOfService) -> Row:
    """A device or point that is out of service, for JSON."""
    return {
        "subject": service.target,
        "since_ns": service.since_ns,
        "until_ns": service.until_ns,
        "user": service.user,
        "reason": service.reason,
    }


def _as_judged(alarm: Alarm, live: Alarm) -> Alarm:
    """The alarm as it is kept, with what is known of it now."""
    known = alarm.active and live.unknown, live.worst, live.out_of_service
    if known == (alarm.unknown, alarm.worst, alarm.out_of_service):
        return alarm
    return replace(alarm, unknown=known[0], worst=known[1], out_of_service=known[2])


def held_back(alarm: Alarm) -> bool:
    """Suppressed by design; a withheld one until it is raised or its condition is gone."""
    return alarm.suppressed or alarm.withheld


def alarm_rows(alarms: Sequence[Alarm]) -> list[Row]:
    """The list for JSON. `first_out` marks an alarm that others on the list followed."""
    followed = {alarm.first_out_id for alarm in alarms}
    return [alarm_row(alarm) | {"first_out": alarm.alarm_id in followed} for alarm in alarms]


def alarm_row(alarm: Alarm) -> Row:
    """An alarm for JSON; NaN becomes null in the encoder."""
    info = alarm.rule
    return {
        "alarm_id": alarm.alarm_id,
        "rule_id": info.rule_id,
        "severity": str(info.severity),
        "title_zh": info.title_zh,
        "title_en": info.title_en,
        "subject": alarm.subject,
        "asset": alarm.asset,
        "asset_kind": alarm.asset_kind,
        "measured": alarm.measured,
        "worst": alarm.worst,
        "limit": alarm.limit,
        "unit": info.unit,
        "limit_source": info.limit_source,
        "clause": info.clause,
        "certainty": info.certainty,
        "suspected": alarm.suspected,
        "hazard": info.hazard,
        "active": alarm.active,
        "acknowledged": alarm.acknowledged,
        "unknown": alarm.unknown,
        "raised_at_ns": alarm.raised_at_ns,
        "returned_at_ns": alarm.returned_at_ns,
        "acknowledged_at_ns": alarm.acknowledged_at_ns,
        "acknowledged_by": alarm.acknowledged_by,
        "acknowledge_reason": alarm.acknowledge_reason,
        "latched": alarm.latched,
        "shelved": alarm.shelved,
        "shelved_until_ns": alarm.shelved_until_ns,
        "shelved_by": alarm.shelved_by,
        "shelve_reason": alarm.shelve_reason,
        "out_of_service": alarm.out_of_service,
        "suppressed": alarm.suppressed,
        "suppressed_by": alarm.suppressed_by,
        "suppressed_at_ns": alarm.suppressed_at_ns,
        "withheld": alarm.withheld,
        "first_out_id": alarm.first_out_id,
        "escalated": list(alarm.escalated),
    }
