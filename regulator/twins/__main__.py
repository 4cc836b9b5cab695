"""`python -m regulator.twins --url U --plan F`: the boxes of a plan as one process, until SIGTERM.

The plan is JSON, an object a box (`regulator.twins.plan`). Prints one JSON line when every box has enrolled.
"""

import argparse
import asyncio
import contextlib
import json
import random
import signal
import sys
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from contract import __version__
from regulator.twins.box import BoxTwin
from regulator.twins.plan import Planned, read_plan
from regulator.twins.province import CAMERAS, made_alarms

CONNECTIONS = 32
SUMMARY_S = 60.0
MINUTE_NS = 60_000_000_000
POINTS_A_DEVICE = 4
FIRST_ROUND_S = 45.0
"""How long it takes until every box has spoken once: all at once would be a storm."""
SECOND_CAMERA_EVERY_MIN = 5
"""How often the second camera's picture comes, minutes; the first one's comes every minute."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How busy the province is: seconds between heartbeats of a box, alarms a minute of all boxes together."""

    heartbeat_s: float
    alarms_per_minute: float


def main(arguments: list[str] | None = None) -> int:
    """Run until it is told to stop; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m regulator.twins", description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--plan", type=Path, required=True)
    parser.add_argument("--heartbeat-s", type=float, default=30)
    parser.add_argument("--alarms-per-minute", type=float, default=6)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    plan = read_plan(given.plan)
    asyncio.run(_run(given.url, plan, Pace(given.heartbeat_s, given.alarms_per_minute), given.seed))
    return 0


async def _run(url: str, plan: Sequence[Planned], pace: Pace, seed: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=30, trust_env=False) as client:
        boxes = [_box(planned, client) for planned in plan]
        await asyncio.gather(*(_enrol(box, planned) for box, planned in zip(boxes, plan, strict=True)))
        print(json.dumps({"ready": True, "boxes": len(boxes)}), flush=True)
        talking = [(box, planned) for box, planned in zip(boxes, plan, strict=True) if not planned.silent]
        living = [
            asyncio.create_task(_live(box, planned, pace, index / len(talking)))
            for index, (box, planned) in enumerate(talking)
        ]
        living.append(asyncio.create_task(_happen([box for box, _ in talking], pace, seed)))
        await stop.wait()
        for task in living:
            task.cancel()
        await asyncio.gather(*living, return_exceptions=True)


def _box(planned: Planned, client: httpx.AsyncClient) -> BoxTwin:
    return BoxTwin(planned.box_id, planned.project_code, client, time.time_ns, time.monotonic, planned.kept)


async def _enrol(box: BoxTwin, planned: Planned) -> None:
    """One that enrolled in the province's past only says that it is there again."""
    if planned.kept is None:
        await box.enrol(planned.code)
        await box.heartbeat()
    if not planned.silent:
        await box.tell_state(__version__, time.time_ns())


async def _live(box: BoxTwin, planned: Planned, pace: Pace, phase: float) -> None:
    """Heartbeats, and the minutes and pictures of a minute, spread over the province by `phase` (0 to 1)."""
    await asyncio.sleep(phase * FIRST_ROUND_S)
    spoken_s = -SUMMARY_S
    while True:
        if time.monotonic() - spoken_s >= SUMMARY_S:
            spoken_s = time.monotonic()
            _tell_minute(box, planned, time.time_ns() // MINUTE_NS * MINUTE_NS)
        await box.heartbeat()
        await box.deliver()
        await asyncio.sleep(pace.heartbeat_s)


def _tell_minute(box: BoxTwin, planned: Planned, minute_at_ns: int) -> None:
    for number, camera in enumerate(CAMERAS):
        ailment = planned.ailment if number == 0 else ""
        box.camera_minute(camera, ailment, minute_at_ns)
        if ailment != "offline" and (number == 0 or minute_at_ns // MINUTE_NS % SECOND_CAMERA_EVERY_MIN == 0):
            box.picture(camera, zlib.crc32(f"{box.box_id} {camera} {minute_at_ns}".encode()))
    for asset in planned.devices:
        box.minute(asset, POINTS_A_DEVICE, minute_at_ns)


async def _happen(boxes: Sequence[BoxTwin], pace: Pace, seed: int) -> None:
    chance, alarms = random.Random(seed), made_alarms(seed)  # noqa: S311 - made-up events need no cryptography
    while pace.alarms_per_minute > 0:
        await asyncio.sleep(60 / pace.alarms_per_minute)
        box = chance.choice(boxes)
        box.alarm(next(alarms), time.time_ns())
        with contextlib.suppress(httpx.HTTPError):
            await box.deliver()


if __name__ == "__main__":
    sys.exit(main())
