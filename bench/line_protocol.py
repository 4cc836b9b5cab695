"""How fast history blocks become InfluxDB lines, on one core. Prints figures; nothing passes or fails here."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gateway.model.quantity import Point
from gateway.model.reading import Quality
from gateway.ports import AssetTag, ReadingBlock
from gateway.uplinks.line_protocol import LineEncoder

NOW_NS = 1_700_000_000_000_000_000
ROUNDS = 5


def block_of(asset: str, polls: int, fields: int, bad_share: float) -> ReadingBlock:
    rng = np.random.default_rng(7)
    points = tuple(Point(f"{asset}.field_{i}", asset, f"field_{i}", "", "d", "", "") for i in range(fields))
    value = rng.normal(50, 20, size=(polls, fields)).astype(np.float32).astype(np.float64)
    quality = np.where(rng.random(value.shape) < bad_share, Quality.BAD, Quality.GOOD).astype(np.uint8)
    times = NOW_NS + np.arange(polls, dtype=np.int64) * 100_000_000
    return ReadingBlock(0, "d", points, times, value, quality)


def best_seconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def report(title: str, asset: str, polls: int, fields: int, bad_share: float = 0.0, blocks: int = 1) -> None:
    encoder = LineEncoder("BENCH-1", {"crane": AssetTag("tower-crane", "SN-1"), "pit": AssetTag("deep-pit", "P-1")})
    block = block_of(asset, polls, fields, bad_share)
    seconds = best_seconds(lambda: [encoder.lines(block, NOW_NS) for _ in range(blocks)])
    lines = len(encoder.lines(block, NOW_NS)) * blocks
    values = polls * fields * blocks
    print(f"{title:44} {lines / seconds / 1e3:9,.0f} k lines/s {values / seconds / 1e6:7.2f} M fields/s")


def main() -> None:
    print(f"line protocol, float32 readings, one core, best of {ROUNDS}")
    report("crane, 1 field a line", "crane", 200_000, 1)
    report("pit, 1 line a point", "pit", 4_000, 50)
    report("crane, 50 fields a line", "crane", 4_000, 50)
    report("crane, 50 fields, 1 % bad", "crane", 4_000, 50, bad_share=0.01)
    report("crane, 50 fields, blocks of one poll", "crane", 1, 50, blocks=4_000)


if __name__ == "__main__":
    main()
