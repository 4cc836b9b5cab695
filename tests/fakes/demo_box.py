"""The shipped demo site on the ports of running twins: what the fault tests kill, starve and corrupt."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from contract.chain import ChainHead
from drivers.sim.overload_log import Overload
from gateway.settings import config_root
from gateway.store.alert_store import open_for_reading
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.mosquitto import free_port
from tests.fakes.sim_field import SimFieldProcess

RULE = "crane.moment.alarm"
SLACK_NS = 3_000_000_000
UNSEEN_NS = 1_000_000_000
"""Shorter looks at an overload may miss it: 0.3 s on-delay of the rule, a poll, a commit."""
UNRETURNED_NS = 2_000_000_000
"""Shorter looks between two overloads may miss that the first is over: 1 s off-delay of the rule, the same."""


class DemoBox:
    """`box.gateway` runs the demo site with its databases in `storage`, reporting to `regulator_url`. `change`: what is
    different in its site file."""

    def __init__(
        self,
        folder: Path,
        field: SimFieldProcess,
        regulator_url: str,
        code_file: Path,
        storage: Path,
        crane_poll_ms: int = 100,
        *,
        change: Callable[[dict[str, Any]], None] = lambda _site: None,
        kind: type[GatewayProcess] = GatewayProcess,
    ) -> None:
        self.storage = storage
        site = yaml.safe_load((config_root() / "sites" / "demo.yaml").read_text(encoding="utf-8"))
        web_port = free_port()
        site["storage"]["folder"] = str(storage)
        site["storage"]["reserve_mib"] = 2
        ports = [*field.ready["crane_ports"], field.ready["pit_port"], field.ready["broker_port"]]
        for link, port in zip(site["links"], ports, strict=True):
            link["port"] = port
        for device in site["devices"][:2]:
            device["poll_ms"] = crane_poll_ms
        site["uplinks"][0] |= {"url": regulator_url, "enrol_code": {"file": str(code_file)}}
        site["uplinks"][1]["port"] = field.ready["broker_port"]
        site["web"]["port"] = web_port
        change(site)
        path = folder / "demo-site.yaml"
        path.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
        self.gateway = kind(path, f"http://127.0.0.1:{web_port}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.gateway.stop()

    def records(self, kind: str) -> list[dict[str, Any]]:
        """The contents of all chain records of one kind."""
        found = [json.loads(record.body) for record in open_for_reading(self.storage).all_evidence()]
        return [record["content"] for record in found if record["kind"] == kind]

    def pending(self) -> int:
        """Outbox rows that are still to be sent."""
        db = sqlite3.connect(f"file:{self.storage / 'alerts.db'}?mode=ro", uri=True)
        try:
            return int(db.execute("SELECT count(*) FROM outbox WHERE state = 'pending'").fetchone()[0])
        finally:
            db.close()

    def assert_chain_holds(self) -> None:
        outcome = open_for_reading(self.storage).verify()
        assert isinstance(outcome, ChainHead), outcome


def alerts_per_overload(overloads: Sequence[Overload], held: Sequence[Mapping[str, Any]]) -> list[int]:
    """For each overload: how many raised alerts of the 100 % rule the regulator holds for it."""
    raised = [alert for alert in held if alert["transition"] == "raised" and alert["rule_id"] == RULE]
    return [
        sum(
            alert["asset"] == overload.asset
            and overload.started_at_ns <= alert["observed_at_ns"] <= overload.ended_at_ns + SLACK_NS
            for alert in raised
        )
        for overload in overloads
    ]


def untold(
    box: DemoBox, overloads: Sequence[Overload], held: Sequence[Mapping[str, Any]], since_ns: int
) -> list[Overload]:
    """The overloads begun after `since_ns` that the box had time to see, of which the regulator was not told: neither
    raised for them, nor raised by an earlier one and still standing. `overloads`: all, those before it too."""
    counts = zip(overloads, alerts_per_overload(overloads, held), strict=True)
    return [
        overload
        for overload, count in counts
        if not count
        and overload.started_at_ns > since_ns
        and longest_look_ns(box, overload.started_at_ns, overload.ended_at_ns) > UNSEEN_NS
        and not stands(box, overload, overloads, held)
    ]


def longest_look_ns(box: DemoBox, since: int, until: int) -> int:
    """The longest time without a moment of which the box says that it was blind. Two short looks with a start between
    them are none: each begins the rule's delay anew."""
    longest = 0
    for start, end in sorted(admitted_gaps(box)):
        if end > since:
            longest = max(longest, min(start, until) - since)
            since = end
    return max(longest, until - since)


def stands(box: DemoBox, overload: Overload, overloads: Sequence[Overload], held: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the crane's alarm stands at the regulator all through this overload, raised by an earlier one of which
    the box had no time to see the end."""
    before = max(
        (one for one in overloads if one.asset == overload.asset and one.ended_at_ns < overload.started_at_ns),
        key=lambda one: one.ended_at_ns,
        default=None,
    )
    if before is None or longest_look_ns(box, before.ended_at_ns, overload.started_at_ns) > UNRETURNED_NS:
        return False
    told = sorted(
        (alert["observed_at_ns"], alert["transition"])
        for alert in held
        if alert["rule_id"] == RULE
        and alert["asset"] == overload.asset
        and alert["transition"] in ("raised", "returned")
    )
    until_its_end = [transition for at_ns, transition in told if at_ns <= overload.ended_at_ns]
    return bool(until_its_end) and until_its_end[-1] == "raised"


def admitted_gaps(box: DemoBox) -> list[tuple[int, int]]:
    return [(gap["from_ns"], gap["to_ns"]) for gap in box.records("history_gap")]
