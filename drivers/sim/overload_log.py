"""The twins' own log of the overloads they served: the witness against which delivered alerts are counted.

In: after each change of the registers, the moment that became readable and when. Out: a file of JSON lines, one event
each, written before any client can read the value and then fsynced in a thread, so that neither a kill of the gateway
nor one of the twin loses an overload. Knows nothing of physics, registers or sockets.

    {"event": "started",  "overload_id": ..., "asset": ..., "started_at_ns": ..., "moment_pct": ...}   first >= 100 %
    {"event": "violated", "overload_id": ..., "asset": ..., "violated_at_ns": ..., "moment_pct": ...}  first >= 110 %
    {"event": "ended",    "overload_id": ..., "asset": ..., "started_at_ns": ..., "ended_at_ns": ..., "peak_pct": ...}

Times are UTC nanoseconds at which the register value became readable. A line is one `write`, so a killed twin leaves
whole lines; a torn last line (power loss) is left out by the reader and fenced off by the next writer.
"""

import asyncio
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from drivers.sim.overload import LIMIT_PCT, VIOLATION_PCT


@dataclass(frozen=True, slots=True)
class Overload:
    """One overload as served. Times in UTC ns, 0 = not (yet) seen. `peak_pct` is final once `ended_at_ns` is set."""

    overload_id: str
    asset: str
    started_at_ns: int
    peak_pct: float
    violated_at_ns: int = 0
    ended_at_ns: int = 0


class OverloadLog:
    """Appends to `path`. Call `served` after each change of a crane's registers, `close` at the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")
        self._open: dict[str, Overload] = {}
        self._syncs: set[asyncio.Task[None]] = set()
        self.count = 0

    def served(self, asset: str, moment_pct: float, readable_at_ns: int) -> None:
        """Note what a client can read of `asset` from now on. NaN (a corrupt register) says nothing either way."""
        if math.isnan(moment_pct):
            return
        current = self._open.get(asset)
        if current is None and moment_pct >= LIMIT_PCT:
            current = self._start(asset, moment_pct, readable_at_ns)
        if current is None:
            return
        current = self._open[asset] = replace(current, peak_pct=max(current.peak_pct, moment_pct))
        if moment_pct >= VIOLATION_PCT and current.violated_at_ns == 0:
            self._violate(current, moment_pct, readable_at_ns)
        if moment_pct < LIMIT_PCT:
            self._end(self._open.pop(asset), readable_at_ns)

    async def close(self) -> None:
        """Wait for the fsyncs under way and let go of the file. An overload under way stays without an end."""
        await asyncio.gather(*self._syncs)
        os.close(self._file)

    def _start(self, asset: str, moment_pct: float, at_ns: int) -> Overload:
        overload = Overload(f"{asset}-{at_ns}", asset, at_ns, moment_pct)
        self._open[asset] = overload
        self.count += 1
        self._append(
            event="started",
            overload_id=overload.overload_id,
            asset=asset,
            started_at_ns=at_ns,
            moment_pct=moment_pct,
        )
        return overload

    def _violate(self, overload: Overload, moment_pct: float, at_ns: int) -> None:
        self._open[overload.asset] = replace(overload, violated_at_ns=at_ns)
        self._append(
            event="violated",
            overload_id=overload.overload_id,
            asset=overload.asset,
            violated_at_ns=at_ns,
            moment_pct=moment_pct,
        )

    def _end(self, overload: Overload, at_ns: int) -> None:
        self._append(
            event="ended",
            overload_id=overload.overload_id,
            asset=overload.asset,
            started_at_ns=overload.started_at_ns,
            ended_at_ns=at_ns,
            peak_pct=overload.peak_pct,
        )

    def _append(self, **event: str | int | float) -> None:
        """One write, before the event loop can answer a client; the fsync follows off the loop."""
        os.write(self._file, json.dumps(event).encode() + b"\n")
        sync = asyncio.get_running_loop().create_task(asyncio.to_thread(os.fsync, self._file))
        self._syncs.add(sync)
        sync.add_done_callback(self._syncs.discard)


def read_overload_log(path: Path) -> list[Overload]:
    """The overloads of a log in the order in which they started; [] when there is no file. Torn lines are left out."""
    overloads: dict[str, Overload] = {}
    lines = path.read_bytes().splitlines() if path.exists() else []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        _take(overloads, event)
    return list(overloads.values())


def _take(overloads: dict[str, Overload], event: Mapping[str, str | int | float]) -> None:
    """Fold one event into what is known of its overload."""
    overload_id, asset = str(event["overload_id"]), str(event["asset"])
    known = overloads.get(overload_id)
    if event["event"] == "started":
        started_at_ns = int(event["started_at_ns"])
        overloads[overload_id] = Overload(overload_id, asset, started_at_ns, float(event["moment_pct"]))
    elif known is not None and event["event"] == "violated":
        peak_pct = max(known.peak_pct, float(event["moment_pct"]))
        overloads[overload_id] = replace(known, violated_at_ns=int(event["violated_at_ns"]), peak_pct=peak_pct)
    elif known is not None and event["event"] == "ended":
        peak_pct = float(event["peak_pct"])
        overloads[overload_id] = replace(known, ended_at_ns=int(event["ended_at_ns"]), peak_pct=peak_pct)
