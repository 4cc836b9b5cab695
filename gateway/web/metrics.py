"""Prometheus metrics, read from the running parts at each scrape. Nothing is counted twice."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.line.delivery import SEND_SECONDS
from gateway.line.recorder import COMMIT_SECONDS
from gateway.model.verdict import Truth
from gateway.ports import LinkState
from gateway.web.feed_counts import GapReason
from gateway.web.process_metrics import BuildCollector, ProcessFigures
from gateway.web.read_model import BoxView
from kit.poll_seconds import POLL_SECONDS

LABEL_DEVICE = ["device"]
LABEL_UPLINK = ["uplink"]


class BoxCollector(Collector):
    """Turns the view into metric families."""

    def __init__(self, view: BoxView) -> None:
        self._view = view

    def collect(self) -> Iterator[Metric]:
        """All families, freshly read."""
        parts = self._view.parts
        yield CounterMetricFamily("sitewarden_polls", "Polls and messages received", value=parts.intake.received)
        yield CounterMetricFamily("sitewarden_readings", "Values received", value=parts.intake.values)
        yield GaugeMetricFamily("sitewarden_intake_queue", "Polls waiting for the pipeline", value=len(parts.intake))
        yield CounterMetricFamily(
            "sitewarden_late_polls", "Samples that came too late to judge", parts.pipeline.late_polls
        )
        yield CounterMetricFamily(
            "sitewarden_history_lost_polls", "Polls that the history could not keep", parts.pipeline.history_lost_polls
        )
        yield GaugeMetricFamily("sitewarden_chain_seq", "Newest record of the evidence chain", parts.recorder.head.seq)
        yield GaugeMetricFamily(
            "sitewarden_evidence_store_failing",
            "1 while evidence cannot be kept",
            float(bool(parts.recorder.failing_since_ns)),
        )
        yield from self._alarms()
        yield from self._links()
        yield from self._uplinks()
        yield from self._feed()

    def _feed(self) -> Iterator[Metric]:
        counts = self._view.feed_counts
        yield GaugeMetricFamily("sitewarden_feed_clients", "Browsers that listen to the live feed", counts.clients)
        yield CounterMetricFamily("sitewarden_feed_alarms", "Alarm events written to browsers", counts.delivered)
        yield CounterMetricFamily(
            "sitewarden_feed_dropped", "Browsers that did not read and were dropped", counts.dropped
        )
        gaps = CounterMetricFamily(
            "sitewarden_feed_gaps", "Times that a browser could not have everything", labels=["reason"]
        )
        for reason in GapReason:
            gaps.add_metric([reason], counts.gaps[reason])
        yield gaps

    def _alarms(self) -> Iterator[Metric]:
        open_alarms = GaugeMetricFamily("sitewarden_open_alarms", "Open alarms", labels=["severity", "active"])
        counts: dict[tuple[str, str], int] = {}
        for alarm in self._view.parts.alarms.open_alarms():
            if alarm.suppressed:
                continue
            key = (str(alarm.rule.severity), str(alarm.active).lower())
            counts[key] = counts.get(key, 0) + 1
        for key, count in counts.items():
            open_alarms.add_metric(key, count)
        yield open_alarms
        unknown = int((self._view.parts.alarms.truth == Truth.UNKNOWN).sum())
        yield GaugeMetricFamily("sitewarden_unknown_verdicts", "Rules that cannot be judged now", unknown)
        yield from self._performance()

    def _performance(self) -> Iterator[Metric]:
        table = self._view.parts.alarms
        report = table.performance(self._view.parts.clock.now_ns())
        shelved = sum(alarm.shelved for alarm in table.open_alarms())
        suppressed = sum(alarm.suppressed for alarm in table.open_alarms()) + len(table.withheld_alarms())
        for name, words, value in (
            ("shelved_alarms", "Alarms on the shelf", shelved),
            ("suppressed_alarms", "Alarms suppressed by design", suppressed),
            ("out_of_service", "Devices and points out of service", len(table.services())),
            ("alarms_in_flood_window", "New alarms within the flood window", report.raised_in_flood_window),
            ("alarm_flood", "1 while more alarms come than one person can answer", int(report.flood)),
            ("chattering_alarms", "Alarms raised too often within the chatter window", len(report.chattering)),
            ("standing_alarms", "Alarms active for too long", len(report.standing)),
            ("stale_alarms", "Alarms long over and still on the list", len(report.stale)),
        ):
            yield GaugeMetricFamily(f"sitewarden_{name}", words, value)

    def _links(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("sitewarden_link_up", "1 while the device answers", labels=LABEL_DEVICE)
        failures = CounterMetricFamily("sitewarden_link_failures", "Failed polls", labels=LABEL_DEVICE)
        skipped = CounterMetricFamily(
            "sitewarden_skipped_polls", "Polls skipped; messages passed over", labels=LABEL_DEVICE
        )
        aside = CounterMetricFamily("sitewarden_set_aside", "Messages set aside", labels=LABEL_DEVICE)
        for driver in self._view.parts.drivers:
            for link in driver.health():
                up.add_metric([link.device], float(link.state is LinkState.UP))
                failures.add_metric([link.device], link.failures)
                skipped.add_metric([link.device], link.skipped)
        for device, count in self._view.parts.intake.set_aside_count.items():
            aside.add_metric([device], count)
        yield from (up, failures, skipped, aside)

    def _uplinks(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("sitewarden_uplink_up", "1 while the receiver answers", labels=LABEL_UPLINK)
        accepted = CounterMetricFamily("sitewarden_messages_accepted", "Messages accepted", labels=LABEL_UPLINK)
        rejected = CounterMetricFamily("sitewarden_messages_rejected", "Messages rejected", labels=LABEL_UPLINK)
        polls = CounterMetricFamily("sitewarden_polls_sent", "Polls delivered", labels=LABEL_UPLINK)
        pending = GaugeMetricFamily("sitewarden_messages_pending", "Outbox rows to be sent", labels=LABEL_UPLINK)
        fault = GaugeMetricFamily(
            "sitewarden_uplink_fault", "1 while a person must mend the uplink's settings or files", labels=LABEL_UPLINK
        )
        waiting = self._view.parts.alerts.pending_counts()
        for delivery in self._view.parts.deliveries:
            up.add_metric([delivery.name], float(not delivery.down_since_ns))
            accepted.add_metric([delivery.name], delivery.alerts_accepted)
            rejected.add_metric([delivery.name], delivery.alerts_rejected)
            polls.add_metric([delivery.name], delivery.polls_sent)
            pending.add_metric([delivery.name], waiting.get(delivery.name, 0))
            fault.add_metric([delivery.name], float(bool(delivery.fault[1])))
        yield from (up, accepted, rejected, polls, pending, fault)


def metrics_text(view: BoxView, further: Iterable[Collector] = ()) -> bytes:
    """The exposition text of one scrape."""
    registry = CollectorRegistry()
    histograms = (POLL_SECONDS, COMMIT_SECONDS, SEND_SECONDS)
    for collector in (BoxCollector(view), ProcessFigures(registry=None), BuildCollector(), *histograms, *further):
        registry.register(collector)
    return generate_latest(registry)
