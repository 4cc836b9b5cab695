"""History blocks and an uplink context built in a line, for tests of uplinks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from contract.chain import ChainHead
from gateway.model.quantity import Point
from gateway.ports import AssetTag, ReadingBlock, UplinkContext
from kit.clock import SimulatedClock

NOW_NS = 1_700_000_000_000_000_000
ASSETS = {
    "crane-1": AssetTag("tower-crane", "SIM-TC-1"),
    "pit-1": AssetTag("deep-pit", "SIM-PIT-1"),
    "mast-1": AssetTag("weather-mast", "SIM-WM-1"),
    "hoist-1": AssetTag("hoist", "SIM-H-1"),
}


def point(point_id: str) -> Point:
    asset, _, quantity = point_id.partition(".")
    return Point(point_id, asset, quantity, "", f"{asset}-host", quantity, quantity)


def block(
    point_ids: Sequence[str],
    values: Sequence[Sequence[float]],
    quality: Sequence[Sequence[int]] | None = None,
    times_ns: Sequence[int] | None = None,
) -> ReadingBlock:
    """One row of `values` per poll, 100 ms apart unless `times_ns` says otherwise; GOOD unless `quality` does."""
    value = np.array(values, dtype=np.float64).reshape(len(values), len(point_ids))
    times = NOW_NS + np.arange(len(values), dtype=np.int64) * 100_000_000
    return ReadingBlock(
        cursor=0,
        device="device-1",
        points=tuple(point(point_id) for point_id in point_ids),
        observed_at_ns=times if times_ns is None else np.array(times_ns, dtype=np.int64),
        value=value,
        quality=np.zeros(value.shape, np.uint8)
        if quality is None
        else np.array(quality, np.uint8).reshape(value.shape),
    )


def context(folder: Path) -> UplinkContext:
    return UplinkContext("box-1", "DEMO-0001", folder, SimulatedClock(NOW_NS), ChainHead, ASSETS)
