"""How the cost grows with points, devices and rules: CPU per million readings at one poll every 100 ms."""

import argparse
import json

from bench import throughput
from bench.throughput import Size

SIZES = (
    Size(5, 50, 1),
    Size(20, 50, 1),
    Size(40, 50, 1),
    Size(20, 10, 1),
    Size(20, 60, 1),
    Size(20, 50, 2),
    Size(20, 50, 8),
)


def measure(seconds: float) -> list[dict[str, object]]:
    """One run a size."""
    return [throughput.measure(seconds, 100, size) for size in SIZES]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    for run in measure(options.seconds):
        print(json.dumps(run))
