"""A gateway whose wall clock can be put forward: `python -m tests.fakes.shifted_gateway SITE`.

In: on standard input, one number of seconds a line; out: one line for each, when the clock has it. Everything else is
the gateway as it ships. Durations do not notice, as when a person sets the clock of the box.
"""

import sys
import threading
from pathlib import Path

from gateway.logs import start_logging
from gateway.settings import load
from kit.clock import SystemClock
from sitewarden.composition.box import DRIVERS, UPLINKS, Gateway, run_until_signal
from sitewarden.composition.kinds import KINDS


class ShiftedClock(SystemClock):
    """The machine's clock and a shift."""

    def __init__(self) -> None:
        self.shift_ns = 0

    def now_ns(self) -> int:
        return super().now_ns() + self.shift_ns


def obey(clock: ShiftedClock) -> None:
    for line in sys.stdin:
        clock.shift_ns += round(float(line) * 1e9)
        print(clock.shift_ns, flush=True)


def main() -> None:
    start_logging("INFO", None)
    clock = ShiftedClock()
    gateway = Gateway(load(Path(sys.argv[1]), DRIVERS, UPLINKS, KINDS), clock)
    threading.Thread(target=obey, args=(clock,), daemon=True).start()
    run_until_signal(gateway)


if __name__ == "__main__":
    main()
