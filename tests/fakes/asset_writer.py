"""A process that keeps working cycles and the state that counts them, and says what it has been told is kept.

    python -m tests.fakes.asset_writer FOLDER CYCLES_A_FLUSH

It goes on from the state it finds, prints the number of kept cycles after every flush, and ends only by being killed.
"""

import sys
from pathlib import Path

from gateway.model.derivation import AssetEvent
from gateway.store.asset_store import AssetStore

CRANE = "crane-1"
DEVICE = f"{CRANE}:derived"
CYCLE_NS = 180 * 10**9


def cycle(number: int) -> AssetEvent:
    """The cycle of that number, about as large as a real record (standards 6.3)."""
    content = {f"field_{i:02d}": number + i / 10 for i in range(28)}
    return AssetEvent(CRANE, "crane_cycle", number * CYCLE_NS, {"number": number, "driver_no": 7.0, **content})


def run(folder: Path, cycles_a_flush: int) -> None:
    """Write until killed."""
    store = AssetStore(folder)
    found = store.states_at_open().get(DEVICE)
    count = int(found.state["cycle_count"]) if found else 0  # type: ignore[call-overload,index,arg-type]
    while True:
        cycles = [cycle(count + i + 1) for i in range(cycles_a_flush)]
        count += cycles_a_flush
        store.note(count * CYCLE_NS, cycles, {DEVICE: {"cycle_count": count}})
        store.flush().result()
        print(count, flush=True)


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
