"""What the records of the asset models cost: writing working cycles of a crane, asking for them, and room on the disk.

`python -m bench.asset_store FOLDER`, FOLDER on the disk that is meant (a tmpfs would flatter the fsync).
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gateway.store.asset_reader import AssetReader
from gateway.store.asset_records import LEAST_CYCLES_KEPT
from gateway.store.asset_store import AssetBounds, AssetStore
from tests.fakes.asset_writer import CRANE, DEVICE, cycle

SINGLE = 500


def measure(folder: Path) -> dict[str, object]:
    """Fill a crane's 16,000 cycles at once, then add some one by one with a state, at the bound."""
    store = AssetStore(folder, AssetBounds(cycles_kept=LEAST_CYCLES_KEPT))
    store.note(0, [cycle(number + 1) for number in range(LEAST_CYCLES_KEPT)])
    bulk_s = _seconds(lambda: store.flush().result())
    single_s = _seconds(lambda: _one_by_one(store))
    reader = AssetReader(store.path)
    counts_s = _seconds(lambda: reader.cycle_counts(CRANE, 0, 2**62))
    last_s = _seconds(lambda: reader.last_cycles(CRANE, 50))
    reader.close()
    store.close()
    return {
        "cycles": LEAST_CYCLES_KEPT,
        "cycles_per_s_in_one_flush": round(LEAST_CYCLES_KEPT / bulk_s),
        "ms_a_flush_of_one_cycle_and_state": round(single_s / SINGLE * 1e3, 2),
        "ms_counts_by_shift_and_driver": round(counts_s * 1e3, 1),
        "ms_last_50": round(last_s * 1e3, 2),
        "bytes_a_cycle_on_disk": round(store.path.stat().st_size / LEAST_CYCLES_KEPT),
        "ms_open": round(_seconds(lambda: AssetStore(folder).close()) * 1e3, 1),
    }


def _one_by_one(store: AssetStore) -> None:
    for number in range(SINGLE):
        store.note(0, [cycle(LEAST_CYCLES_KEPT + 1 + number)], {DEVICE: {"cycle_count": number}})
        store.flush().result()


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("/var/tmp"))
    with tempfile.TemporaryDirectory(dir=parser.parse_args().folder) as name:
        for figure, value in measure(Path(name)).items():
            print(f"{figure:<36} {value}")


if __name__ == "__main__":
    main()
