import json

import pytest

from gateway.uplinks.aside import AsideFile


def records(first, count):
    return [{"line": f"line-{first + i:04d}", "reason": "no"} for i in range(count)]


def kept_in(path):
    return [json.loads(line)["line"] for line in path.read_text().splitlines()]


def test_records_are_appended_in_order(tmp_path):
    aside = AsideFile(tmp_path / "aside" / "influx.jsonl")
    aside.keep(records(0, 2))
    aside.keep(records(2, 1))
    assert kept_in(aside.path) == ["line-0000", "line-0001", "line-0002"]
    assert (aside.kept, aside.dropped) == (3, 0)


def test_nothing_to_keep_makes_no_file(tmp_path):
    aside = AsideFile(tmp_path / "influx.jsonl")
    aside.keep([])
    assert not aside.path.exists()


def test_a_full_file_turns_over_and_what_is_lost_is_counted(tmp_path):
    aside = AsideFile(tmp_path / "influx.jsonl", max_bytes=400)
    for i in range(30):
        aside.keep(records(i, 1))
    remaining = kept_in(aside.older) + kept_in(aside.path)
    assert remaining == [f"line-{i:04d}" for i in range(30 - len(remaining), 30)]
    assert aside.kept == 30
    assert aside.dropped == 30 - len(remaining) > 0
    assert aside.path.stat().st_size <= 400
    assert aside.older.stat().st_size <= 400


def test_more_at_once_than_the_file_holds_keeps_the_newest(tmp_path):
    aside = AsideFile(tmp_path / "influx.jsonl", max_bytes=400)
    aside.keep(records(0, 100))
    kept = kept_in(aside.path)
    assert kept == [f"line-{i:04d}" for i in range(100 - len(kept), 100)]
    assert (aside.kept, aside.dropped) == (len(kept), 100 - len(kept))


def test_a_disk_that_refuses_is_an_error_and_counts_nothing(tmp_path):
    (tmp_path / "aside").write_text("a file where the folder should be")
    aside = AsideFile(tmp_path / "aside" / "influx.jsonl")
    with pytest.raises(OSError, match="aside"):
        aside.keep(records(0, 1))
    assert aside.kept == 0
