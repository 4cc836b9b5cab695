"""A crane's records over HTTP: working cycles, the ledger of who did how many, and the order to learn its tilt anew.

    GET  /api/cranes/{asset}/cycles?limit=&before=    newest first; `before` is the last page's lowest number
    GET  /api/cranes/{asset}/ledger?days=             cycles by driver and shift
    POST /api/cranes/{asset}/tilt_baseline            after erection, or when the base was corrected

Out: our fields with their units in their names, and the docking practice's (standards reference 6.3, V1) beside them.
A driver is a random id or the number on the device: no name and no ID-card number is in any record.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response

from gateway.line.zero_orders import NoSuchModelError, ZeroOrders
from gateway.parts.crane.kind import TOWER_CRANE
from gateway.parts.crane.model.cycle_record import DOCKING_NAMES
from gateway.parts.crane.tilt_orders import order_tilt_baseline
from gateway.ports import Clock
from gateway.settings import Settings
from gateway.store.asset_reader import AssetReader
from gateway.store.asset_records import Cycle
from gateway.web.answer_fields import AssetId
from gateway.web.api import KEPT_WITHIN_S, LAST_NS, NOT_KEPT, AcknowledgeCommand
from gateway.web.office_answers import CyclesAnswer, LedgerAnswer, TiltBaselineAnswer
from gateway.web.visitor import user_of
from screens.answers import error_answer, json_answer
from screens.formats import SITE_ZONE
from screens.published import operation

MOST_CYCLES = 1000
NO_CRANE = {404: "No tower crane has this id"}
DAY_NS = 86_400_000_000_000


def crane_routes(
    app: FastAPI, settings: Callable[[], Settings], records: AssetReader, orders: ZeroOrders, clock: Clock
) -> None:
    """Add the routes to the web face."""
    _record_routes(app, settings, records, clock)

    @app.post(
        "/api/cranes/{asset}/tilt_baseline",
        **operation("cranes", "Learn the tilt anew", TiltBaselineAnswer, NO_CRANE | NOT_KEPT),
    )
    async def tilt_baseline(request: Request, asset: AssetId, command: AcknowledgeCommand) -> Response:
        try:
            async with asyncio.timeout(KEPT_WITHIN_S):
                order = order_tilt_baseline(orders, asset, user_of(request, command.user), command.reason)
                seq = await asyncio.shield(order)
        except NoSuchModelError:
            return _no_crane(asset)
        except TimeoutError:
            return error_answer(
                503, "not_kept_yet", "操作尚未写入，请勿关闭设备", "carried out, not on the disk yet", ""
            )
        return json_answer({"asset": asset, "evidence_seq": seq})


def _record_routes(app: FastAPI, settings: Callable[[], Settings], records: AssetReader, clock: Clock) -> None:
    def known(asset: str) -> bool:
        return any(each.id == asset and each.kind == TOWER_CRANE.id for each in settings().assets)

    @app.get(
        "/api/cranes/{asset}/cycles", **operation("cranes", "Working cycles, newest first", CyclesAnswer, NO_CRANE)
    )
    def cycles(
        asset: AssetId,
        limit: Annotated[int, Query(ge=1, le=MOST_CYCLES)] = 100,
        before: Annotated[int, Query(ge=1, le=LAST_NS)] = LAST_NS,
    ) -> Response:
        if not known(asset):
            return _no_crane(asset)
        found = records.last_cycles(asset, limit, before)
        body = {"asset": asset, "kept": records.cycles_kept(asset), "cycles": [_cycle_row(each) for each in found]}
        return json_answer(body)

    @app.get("/api/cranes/{asset}/ledger", **operation("cranes", "Cycles by driver and shift", LedgerAnswer, NO_CRANE))
    def ledger(asset: AssetId, days: Annotated[int, Query(ge=1, le=366)] = 31) -> Response:
        if not known(asset):
            return _no_crane(asset)
        now_ns = clock.now_ns()
        counts = records.cycle_counts(asset, now_ns - days * DAY_NS, LAST_NS)
        rows = [
            {"day": each.day.isoformat(), "shift": each.shift + 1, "driver": each.driver, "cycles": each.cycles}
            for each in counts
        ]
        return json_answer({"asset": asset, "days": days, "kept": records.cycles_kept(asset), "ledger": rows})


def _cycle_row(cycle: Cycle) -> dict[str, Any]:
    return {
        "number": cycle.number,
        "at_ns": cycle.at_ns,
        "driver": cycle.driver,
        "fields": dict(cycle.content),
        "docking": docking_fields(cycle.content),
    }


def docking_fields(content: Mapping[str, Any]) -> dict[str, Any]:
    """A cycle's content under the docking practice's names: one time becomes a date and a time (UTC+8), and what was
    not known stays null."""
    fields: dict[str, Any] = {}
    for ours, theirs in DOCKING_NAMES:
        names, value = theirs.split(", "), content.get(ours)
        if len(names) == 1:
            fields[theirs] = value
            continue
        moment = None if value is None else datetime.fromtimestamp(value / 1e9, UTC).astimezone(SITE_ZONE)
        fields[names[0]] = None if moment is None else moment.strftime("%Y-%m-%d")
        fields[names[1]] = None if moment is None else moment.strftime("%H:%M:%S")
    return fields


def _no_crane(asset: str) -> Response:
    return error_answer(404, "no_such_crane", "没有这台塔机", f"no tower crane has the id {asset}", "asset")
