"""The first print stays: the same bytes for good, damage said aloud, nothing printed anew over it."""

import hashlib
import subprocess
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.parts.pit.report.report_store import (
    INDEX,
    ReportDamagedError,
    ReportKind,
    kept_report,
    report_bytes,
    store_report,
)
from tests.fakes.pit_report import HEADING, full_report

DAY = HEADING.day
REPORT = replace(full_report(), tables=full_report().tables[:2])
OTHER = replace(REPORT, remarks="更正")


def index(folder: Path) -> Path:
    return folder / "reports" / "pit-1" / INDEX


def test_the_first_print_is_kept_with_its_digests(tmp_path: Path) -> None:
    stored = store_report(tmp_path, REPORT)
    assert stored.first
    assert [path.suffix for path in stored.paths] == [".html", ".pdf"]
    assert tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in stored.paths) == stored.sha256s
    assert not list(tmp_path.rglob("*.part"))


def test_the_index_is_one_that_coreutils_check(tmp_path: Path) -> None:
    store_report(tmp_path, REPORT)
    store_report(tmp_path, replace(REPORT, heading=replace(HEADING, day=DAY + timedelta(days=1))))
    shelf = index(tmp_path).parent
    checked = subprocess.run(["sha256sum", "-c", INDEX], cwd=shelf, capture_output=True, text=True, check=False)
    assert checked.returncode == 0
    assert checked.stdout.count("OK") == 4


def test_a_second_print_is_the_first_whatever_is_known_by_then(tmp_path: Path) -> None:
    first = store_report(tmp_path, REPORT)
    before = [path.read_bytes() for path in first.paths]
    again = store_report(tmp_path, OTHER)
    assert not again.first
    assert (again.paths, again.sha256s) == (first.paths, first.sha256s)
    assert [path.read_bytes() for path in again.paths] == before


def test_reprinting_gives_the_kept_bytes(tmp_path: Path) -> None:
    stored = store_report(tmp_path, REPORT)
    assert kept_report(tmp_path, "pit-1", DAY).sha256s == stored.sha256s
    for kind, path in zip(ReportKind, stored.paths, strict=True):
        assert report_bytes(tmp_path, "pit-1", DAY, kind) == path.read_bytes()


@pytest.mark.parametrize("position", [0, 1])
def test_an_altered_file_is_an_error_and_stays_as_it_is(tmp_path: Path, position: int) -> None:
    path = store_report(tmp_path, REPORT).paths[position]
    altered = path.read_bytes().replace(b"1", b"2", 1)
    path.write_bytes(altered)
    with pytest.raises(ReportDamagedError, match="SHA-256"):
        store_report(tmp_path, REPORT)
    with pytest.raises(ReportDamagedError, match="SHA-256"):
        report_bytes(tmp_path, "pit-1", DAY, list(ReportKind)[position])
    assert path.read_bytes() == altered


def test_a_missing_file_is_not_replaced_by_another_print(tmp_path: Path) -> None:
    stored = store_report(tmp_path, REPORT)
    stored.paths[1].unlink()
    with pytest.raises(ReportDamagedError, match="missing"):
        kept_report(tmp_path, "pit-1", DAY)
    with pytest.raises(ReportDamagedError, match="cannot be made again"):
        store_report(tmp_path, OTHER)
    assert not stored.paths[1].exists()


def test_a_print_that_stopped_half_way_is_finished_with_the_promised_bytes(tmp_path: Path) -> None:
    first = store_report(tmp_path, REPORT)
    before = [path.read_bytes() for path in first.paths]
    first.paths[1].unlink()
    finished = store_report(tmp_path, REPORT)
    assert finished.sha256s == first.sha256s
    assert [path.read_bytes() for path in finished.paths] == before


def test_finishing_does_not_mend_an_altered_sibling(tmp_path: Path) -> None:
    first = store_report(tmp_path, REPORT)
    first.paths[1].unlink()
    first.paths[0].write_bytes(b"altered")
    with pytest.raises(ReportDamagedError, match="SHA-256"):
        store_report(tmp_path, REPORT)
    assert first.paths[0].read_bytes() == b"altered"


def test_a_lost_index_is_an_error_not_a_first_print(tmp_path: Path) -> None:
    store_report(tmp_path, REPORT)
    index(tmp_path).unlink()
    with pytest.raises(ReportDamagedError, match="no whole entry"):
        store_report(tmp_path, REPORT)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"not a digest\n", b"0" * 64 + b"  ../evil.html\n"])
def test_a_damaged_index_is_an_error(tmp_path: Path, content: bytes) -> None:
    store_report(tmp_path, REPORT)
    index(tmp_path).write_bytes(content)
    with pytest.raises(ReportDamagedError, match="digest"):
        kept_report(tmp_path, "pit-1", DAY)


def test_half_an_index_is_an_error(tmp_path: Path) -> None:
    store_report(tmp_path, REPORT)
    index(tmp_path).write_text(index(tmp_path).read_text().splitlines(keepends=True)[0])
    with pytest.raises(ReportDamagedError, match="half"):
        store_report(tmp_path, REPORT)


def test_an_index_that_names_a_file_twice_is_an_error(tmp_path: Path) -> None:
    store_report(tmp_path, REPORT)
    index(tmp_path).write_text(index(tmp_path).read_text() * 2)
    with pytest.raises(ReportDamagedError, match="twice"):
        kept_report(tmp_path, "pit-1", DAY)


def test_what_was_never_printed_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        kept_report(tmp_path, "pit-1", DAY)
    with pytest.raises(FileNotFoundError):
        report_bytes(tmp_path, "pit-1", date(2026, 1, 1), ReportKind.PDF)


@pytest.mark.parametrize("pit", ["", "..", "../x", "a/b", ".hidden", "x" * 65, "坑"])
def test_a_pit_whose_name_is_no_folder_is_refused(tmp_path: Path, pit: str) -> None:
    with pytest.raises(ValueError, match="no name for a folder"):
        store_report(tmp_path, replace(REPORT, heading=replace(HEADING, pit=pit)))
    assert not list(tmp_path.iterdir())


def test_a_print_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file in the way")
    with pytest.raises(OSError, match="reports"):
        store_report(tmp_path, REPORT)
