"""Run the simulated field as its own process: `python -m drivers.sim --folder FOLDER`.

In: arguments; with `--control-stdin` also fault commands, one JSON object a line. Out: on stdout one JSON line with the
ports once everything listens, then one JSON line an order taken or refused; `overloads.jsonl` in the folder. Ends by
itself after `--seconds`, or on SIGTERM or SIGINT, with exit status 0.

    {"ready": true, "pid": 4711, "crane_ports": [15021, 15022], "pit_port": 15023, "broker_port": 15883, ...}
"""

import argparse
import asyncio
import json
import math
import os
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from drivers.modbus.lines import BAUD_RATES
from drivers.sim.afternoon import Story
from drivers.sim.faults import FaultCommand
from drivers.sim.field import SimField, SimOptions
from drivers.sim.frame_caller import CallOptions
from drivers.sim.pit import PitModel
from drivers.sim.stage import StageOptions
from drivers.sim.story import OverloadPlan
from drivers.sim.weather import Climate
from kit.clock import SystemClock


def main(arguments: list[str] | None = None) -> int:
    """Parse the arguments, run, and return the exit status."""
    parser = _parser()
    args = parser.parse_args(arguments)
    try:
        options = _options(args)
    except ValueError as error:
        parser.error(str(error))
    try:
        return asyncio.run(_run(options, args.seconds or math.inf, control=args.control_stdin))
    except OSError as error:
        print(f"drivers.sim: {error}", file=sys.stderr)
        return 1


async def _run(options: SimOptions, seconds: float, *, control: bool) -> int:
    clock = SystemClock()
    field = SimField(options, clock)
    await field.start()
    try:
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, over.set)
        if control:
            threading.Thread(target=_read_orders, args=(field, loop), daemon=True).start()
        _say(_ready(field))
        await _until(over, field, seconds)
    finally:
        await field.stop()
    return 0


async def _until(over: asyncio.Event, field: SimField, seconds: float) -> None:
    """Wait for the end of time, a signal, or the death of a twin (which is raised)."""
    waits = {asyncio.create_task(over.wait()), asyncio.create_task(field.wait())}
    timeout_s = None if math.isinf(seconds) else seconds
    done, pending = await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    for wait in pending:
        wait.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for wait in done:
        wait.result()


def _read_orders(field: SimField, loop: asyncio.AbstractEventLoop) -> None:
    """Lines from descriptor 0 (unbuffered: a thread stuck in a buffered read would break the interpreter's exit)."""
    rest = b""
    while chunk := os.read(0, 65_536):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            loop.call_soon_threadsafe(_obey, field, line)


def _obey(field: SimField, line: bytes) -> None:
    try:
        order = FaultCommand.model_validate_json(line)
        field.command(order)
    except ValueError as error:
        _say({"refused": line.decode(errors="replace"), "reason": str(error)})
    else:
        _say({"taken": order.model_dump(mode="json")})


def _ready(field: SimField) -> dict[str, object]:
    return {
        "ready": True,
        "pid": os.getpid(),
        "crane_ports": field.crane_ports,
        "pit_port": field.pit_port,
        "broker_port": field.broker_port,
        "rtu_path": field.bus.path if field.bus else "",
        "rtu_units": field.rtu_units if field.bus else {},
        "topic": field.options.topic,
        "overload_log": str(field.log_path),
        **_story_of(field),
    }


def _story_of(field: SimField) -> dict[str, object]:
    """Where the story's own twins are, and its chapters, so that a demonstration can announce them."""
    if field.stage is None:
        return {}
    chapters = [asdict(chapter) for chapter in field.stage.story.chapters]
    return {"bus_port": field.bus_port, "crane_topic": field.stage.options.crane_topic, "story": chapters}


def _say(message: dict[str, object]) -> None:
    print(json.dumps(message), flush=True)


def _options(args: argparse.Namespace) -> SimOptions:
    plan = OverloadPlan(
        first_after_s=args.overload_first_s,
        every_s=args.overload_every_s,
        jitter_s=args.overload_jitter_s,
        duration_s=args.overload_for_s,
        until_s=args.seconds - args.quiet_tail_s if args.seconds else math.inf,
    )
    if args.no_broker and not args.broker_port:
        raise ValueError("--no-broker: found no --broker-port, expected the port of a running broker")
    return SimOptions(
        folder=args.folder,
        crane_ports=args.crane_ports,
        pit_port=args.pit_port,
        broker_port=args.broker_port,
        own_broker=not args.no_broker,
        with_mast=not args.no_mast,
        topic=args.topic,
        rtu=args.rtu,
        rtu_baud=args.rtu_baud,
        call=CallOptions(args.call_port, args.call_table, args.call_identity) if args.call_port else None,
        seed=args.seed,
        step_s=args.step_ms / 1000,
        plan=plan,
        climate=Climate(wind_mean_m_s=args.wind_mean_m_s),
        pit=PitModel(accelerate=args.pit_accelerate, wall_top_mm=args.pit_wall_top_mm),
        story=Story(overloads=not args.story_own_overloads) if args.story else None,
        stage=StageOptions(args.bus_port, args.crane_topic),
    )


def _ports(text: str) -> tuple[int, ...]:
    return tuple(int(port) for port in text.split(","))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m drivers.sim", description="Simulated cranes, pit and weather mast."
    )
    add = parser.add_argument
    add("--folder", type=Path, required=True, help="where overloads.jsonl is kept")
    add("--crane-ports", type=_ports, default=(15021, 15022), help="comma-separated, one a crane; 0 picks a free one")
    add("--pit-port", type=int, default=15023, help="0 picks a free one")
    add("--broker-port", type=int, default=15883, help="0 picks a free one")
    add("--no-broker", action="store_true", help="publish to a broker that runs on --broker-port already")
    add("--no-mast", action="store_true", help="cranes and pit only: no mast and no broker")
    add("--rtu", nargs="?", const="", help="an RTU bus too: a new pseudo-terminal, under this name, or a serial port")
    add("--rtu-baud", type=int, choices=sorted(BAUD_RATES), default=9600, help="of a real serial port; 8N1")
    add("--call-port", type=int, default=0, help="crane-4 calls a box on this port and pushes frames; 0: no such crane")
    add("--call-table", default="crane-host-binary-frames", help="by which shipped table")
    add("--call-identity", default="SIM-0004", help="as whom")
    add("--topic", default="site/DEMO-0001/mast-1/realtime", help="the mast's topic")
    add("--seconds", type=float, default=0, help="end by itself after so long; 0 runs until SIGTERM")
    add("--seed", type=int, default=1, help="same seed, same story")
    add("--step-ms", type=float, default=50, help="physics step")
    add("--overload-first-s", type=float, default=3, help="first overload of each crane, about")
    add("--overload-every-s", type=float, default=12, help="0: none")
    add("--overload-jitter-s", type=float, default=1, help="each overload is early or late by up to so much")
    add("--overload-for-s", type=float, default=6, help="time at or above 100 %%")
    add("--quiet-tail-s", type=float, default=5, help="every overload is over so long before --seconds")
    add("--wind-mean-m-s", type=float, default=4.5, help="mean wind at the mast")
    add("--pit-accelerate", type=float, default=1, help="pit time over clock time (8640: a day in ten seconds)")
    add("--pit-wall-top-mm", type=float, default=18, help="wall top displacement at the start")
    add("--story", action="store_true", help="a windy afternoon in 90 s: overload, wind, climbing, closing jibs")
    add("--story-own-overloads", action="store_true", help="keep the overload plan of the other options in a story")
    add("--bus-port", type=int, default=15024, help="the story's bus of instruments; 0 picks a free one")
    add("--crane-topic", default="site/DEMO-0001/crane-3/realtime", help="the story's third crane")
    add("--control-stdin", action="store_true", help="take fault commands from stdin, one JSON object a line")
    return parser


if __name__ == "__main__":
    sys.exit(main())
