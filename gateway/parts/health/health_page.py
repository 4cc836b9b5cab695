"""S6, the health page: what needs somebody first, everything else folded.

    GET /health?asset=            the page
    GET /parts/health?asset=      its content, asked again every 30 s
    GET /api/health/report        the same as JSON, for programs

In: the health view. Out: pages.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.requests import Request

from gateway.parts.camera.camera_desk import CameraDesk
from gateway.parts.health.health_view import HealthReport, HealthView, QualityLine
from gateway.web.health_answers import HealthReportAnswer
from gateway.web.pages import Pages
from gateway.web.visitor import Role, require
from screens.answers import json_answer
from screens.published import operation

MOST_POINTS = 400
"""Lines of the quality table; of the rest it says how many."""


def health_routes(app: FastAPI, pages: Pages, health: HealthView) -> None:
    """Add the page and its parts to the application."""

    async def shown(request: Request, template: str) -> Response:
        """The health of the box through this template."""
        require(request, Role.VIEWER)
        report = await health.report()
        asset = request.query_params.get("asset", "")
        lines = [line for line in report.asked.quality if asset in ("", line.point.asset)]
        return pages.render(
            request,
            template,
            report=report,
            asset=asset,
            assets=pages.view.parts.assets,
            quality=lines[:MOST_POINTS],
            left_out=max(0, len(lines) - MOST_POINTS),
            problems=problems(report),
        )

    @app.get("/health")
    async def health_page(request: Request) -> Response:
        """The page that says how the box is."""
        return await shown(request, "health.html")

    @app.get("/parts/health")
    async def health_part(request: Request) -> Response:
        """The part of the page that is renewed while somebody looks."""
        return await shown(request, "health_part.html")

    @app.get("/api/health/report", **operation("box", "How the box is doing, in full", HealthReportAnswer))
    async def health_report(request: Request) -> Response:
        require(request, Role.VIEWER)
        return json_answer(report_row(await health.report()) | {"model_version": _model_version(pages)})


def _model_version(pages: Pages) -> str | None:
    """What judges the pictures of the cameras; None where nothing does."""
    desk = pages.environment.globals.get("camera_desk")
    if not isinstance(desk, CameraDesk):
        return None
    versions = sorted({each.state.model_version for each in desk.cameras() if each.state.model_version})
    return ", ".join(versions) or None


def problems(report: HealthReport) -> int:
    """How many lines stand on top."""
    flags = (
        bool(report.store_failing_since_ns),
        report.health["disk_reserve_released"],
        report.disk_low,
        report.asked.disk is None,
        report.asked.clock.sync.value != "kept",
        bool(report.asked.clock_jumps_a_day),
        report.health["config"]["differs_from_file"],
        (report.health["certificate"] or {}).get("problem_en"),
        bool(report.poor),
    )
    uplinks = sum(
        sum(map(bool, (line.row["down"], line.row["rejected"], line.row["fault_en"]))) for line in report.uplinks
    )
    links = len(report.links_down) + len(report.ports_telling)
    return sum(map(bool, flags)) + links + uplinks + len(report.parts_down) + len(report.unarmed)


def report_row(report: HealthReport) -> dict[str, Any]:
    """One row of the health report as plain data for JSON."""
    asked, disk = report.asked, report.asked.disk
    return report.health | {
        "at_ns": report.at_ns,
        "started_at_ns": report.started_at_ns,
        "not_ready": list(report.reasons),
        "clock": {
            "sync": asked.clock.sync.value,
            "offset_s": asked.clock.offset_s,
            "max_error_s": asked.clock.max_error_s,
            "source": asked.clock.source,
            "jumps_24_h": asked.clock_jumps_a_day,
        },
        "disk": None
        if disk is None
        else {
            "free_bytes": disk.facts.free,
            "history_bytes": disk.facts.history,
            "history_bound_bytes": disk.facts.history_bound,
            "history_bytes_a_day": disk.history_a_day,
            "alarms_bytes": disk.facts.alarms,
            "days_to_bound": disk.days_to_bound,
            "days_left": disk.days_left,
        },
        "waiting": {
            name: {"messages": messages, "oldest_ns": oldest} for name, (messages, oldest) in asked.waiting.items()
        },
        "quality": [_quality_row(line) for line in asked.quality],
    }


def _quality_row(line: QualityLine) -> dict[str, Any]:
    return {
        "point_id": line.point.point_id,
        "asset": line.point.asset,
        "hour": _minutes(line, "hour"),
        "day": _minutes(line, "day"),
    }


def _minutes(line: QualityLine, window: str) -> dict[str, int]:
    shares = getattr(line, window)
    return {name: getattr(shares, name) for name in ("good", "doubtful", "bad", "missing")}
