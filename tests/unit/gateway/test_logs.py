import logging
import logging.handlers
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.logs import LogFile, start_logging

LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} level=\w+ logger=\S+ event=\w+( \w+=\S+)*$")


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    root.handlers = []
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers, root.level = handlers, level


def test_a_log_file_is_turned_at_its_size_and_only_so_many_are_kept(tmp_path: Path) -> None:
    start_logging("INFO", LogFile(tmp_path / "logs" / "box.log", max_mib=0.001, keep=2))
    for number in range(100):
        logging.getLogger(f"gateway.test{number % 2}").info("event=counted number=%d", number)

    files = sorted((tmp_path / "logs").iterdir())
    assert [file.name for file in files] == ["box.log", "box.log.1", "box.log.2"]
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert all(LINE.match(line) for line in lines), lines
    assert all(file.stat().st_size <= 0.001 * 2**20 for file in files)
    assert "number=99" in files[0].read_text()


def test_a_daily_log_file_is_turned_at_midnight_utc(tmp_path: Path) -> None:
    handler = LogFile(tmp_path / "box.log", keep=3, daily=True).handler()
    assert isinstance(handler, logging.handlers.TimedRotatingFileHandler)
    assert (handler.when, handler.utc, handler.backupCount) == ("MIDNIGHT", True, 3)
    assert handler.rolloverAt % 86_400 == 0
    handler.close()


def test_a_log_file_that_cannot_be_opened_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        start_logging("INFO", LogFile(tmp_path / "file" / "box.log"))
