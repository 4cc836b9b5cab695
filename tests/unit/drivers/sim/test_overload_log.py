import json
import math
from pathlib import Path

import pytest

from drivers.sim.overload_log import OverloadLog, read_overload_log


async def serve(log: OverloadLog, asset: str, *moments: float, start_ns: int = 1000) -> None:
    for i, moment_pct in enumerate(moments):
        log.served(asset, moment_pct, start_ns + i)


async def test_start_violation_peak_and_end_are_the_first_values_served(tmp_path: Path) -> None:
    log = OverloadLog(tmp_path / "log.jsonl")
    await serve(log, "crane-1", 50.0, 99.99, 100.0, 108.0, 112.5, 115.0, 113.0, 100.0, 99.99, 70.0)
    await log.close()
    (overload,) = read_overload_log(log.path)
    assert (overload.asset, overload.started_at_ns, overload.violated_at_ns) == ("crane-1", 1002, 1004)
    assert (overload.ended_at_ns, overload.peak_pct) == (1008, 115.0)


async def test_cranes_are_logged_independently(tmp_path: Path) -> None:
    log = OverloadLog(tmp_path / "log.jsonl")
    for at_ns, one, two in [(1, 101.0, 50.0), (2, 102.0, 105.0), (3, 70.0, 116.0), (4, 70.0, 60.0)]:
        log.served("crane-1", one, at_ns)
        log.served("crane-2", two, at_ns)
    await log.close()
    found = {o.asset: (o.started_at_ns, o.violated_at_ns, o.ended_at_ns) for o in read_overload_log(log.path)}
    assert found == {"crane-1": (1, 0, 3), "crane-2": (2, 3, 4)}
    assert log.count == 2


async def test_a_start_is_in_the_file_at_once_so_that_a_kill_cannot_lose_it(tmp_path: Path) -> None:
    log = OverloadLog(tmp_path / "log.jsonl")
    log.served("crane-1", 104.0, 5)
    (overload,) = read_overload_log(log.path)
    assert (overload.started_at_ns, overload.ended_at_ns) == (5, 0)
    await log.close()


async def test_a_corrupt_register_neither_starts_nor_ends_an_overload(tmp_path: Path) -> None:
    log = OverloadLog(tmp_path / "log.jsonl")
    await serve(log, "crane-1", math.nan, 105.0, math.nan, 104.0, 60.0)
    await log.close()
    (overload,) = read_overload_log(log.path)
    assert (overload.started_at_ns, overload.ended_at_ns) == (1001, 1004)


async def test_a_torn_line_is_fenced_off_and_later_overloads_are_read(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    first = OverloadLog(path)
    await serve(first, "crane-1", 105.0, 60.0)
    await first.close()
    with path.open("ab") as file:
        file.write(b'{"event": "started", "overload_id": "cra')
    second = OverloadLog(path)
    await serve(second, "crane-1", 106.0, 60.0, start_ns=2000)
    await second.close()
    assert [overload.started_at_ns for overload in read_overload_log(path)] == [1000, 2000]


async def test_ids_stay_unique_over_a_restart_and_lines_are_plain_json(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "log.jsonl"
    for start_ns in (1000, 2000):
        log = OverloadLog(path)
        await serve(log, "crane-1", 105.0, 60.0, start_ns=start_ns)
        await log.close()
    assert len({overload.overload_id for overload in read_overload_log(path)}) == 2
    assert {json.loads(line)["event"] for line in path.read_text().splitlines()} == {"started", "ended"}


def test_no_file_means_no_overloads(tmp_path: Path) -> None:
    assert read_overload_log(tmp_path / "absent.jsonl") == []


async def test_a_folder_that_cannot_be_written_is_an_error_at_once(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(OSError, match="file"):
        OverloadLog(blocked / "log.jsonl")
