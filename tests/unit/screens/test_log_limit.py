"""A line that comes again and again is counted; the first of a kind is never left out."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from screens.log_limit import A_MINUTE_S, KINDS_A_PLACE, LINES_A_MINUTE, PASSED, LogLimit
from tests.fakes.waiting import wait_until


class Minutes:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Written:
    """A logger behind a limit, and the lines that came through."""

    def __init__(self, minute_s: float = A_MINUTE_S) -> None:
        self.clock = Minutes()
        self._stream = io.StringIO()
        target = logging.StreamHandler(self._stream)
        target.setFormatter(logging.Formatter("level=%(levelname)s logger=%(name)s %(message)s"))
        clock = {"monotonic_s": self.clock} if minute_s == A_MINUTE_S else {}
        self.limit = LogLimit(target, minute_s=minute_s, **clock)
        self.log = logging.Logger("gateway.line")
        self.log.addHandler(self.limit)

    @property
    def lines(self) -> list[str]:
        return self._stream.getvalue().splitlines()


@contextmanager
def written(minute_s: float = A_MINUTE_S) -> Iterator[Written]:
    there = Written(minute_s)
    yield there
    there.limit.close()


def fail(log: logging.Logger, number: int) -> None:
    try:
        raise ValueError(f"number {number}")
    except ValueError:
        log.exception("event=failed number=%d", number)


def fail_elsewhere(log: logging.Logger) -> None:
    try:
        int("x")
    except ValueError:
        log.exception("event=failed number=%d", 0)


def test_at_the_limit_every_line_is_written_and_one_more_is_counted() -> None:
    with written() as there:
        for number in range(LINES_A_MINUTE):
            there.log.warning("event=down device=%d", number)
        there.clock.now_s = A_MINUTE_S
        there.log.warning("event=other")
        assert len(there.lines) == LINES_A_MINUTE + 1
        assert not any("said_again" in line for line in there.lines)
        for number in range(LINES_A_MINUTE + 1):
            there.log.warning("event=down device=%d", number)
        assert there.lines[-1].endswith(f"device={LINES_A_MINUTE - 1}")
        there.clock.now_s = 2 * A_MINUTE_S
        there.log.warning("event=other")
        assert there.lines[-2:] == [
            "level=WARNING logger=gateway.line event=said_again times=1 "
            "said 1 times more in the last minute: event=down device=%d",
            "level=WARNING logger=gateway.line event=other",
        ]


def test_another_message_level_or_place_of_an_exception_is_another_kind_and_is_written() -> None:
    with written() as there:
        for number in range(1000):
            fail(there.log, number)
        before = len(there.lines)
        there.log.warning("event=first_of_its_kind")
        there.log.error("event=first_of_its_kind")
        fail_elsewhere(there.log)
        after = there.lines[before:]
        assert after[:2] == [
            "level=WARNING logger=gateway.line event=first_of_its_kind",
            "level=ERROR logger=gateway.line event=first_of_its_kind",
        ]
        assert "Traceback (most recent call last):" in after
        assert after[-1].startswith("ValueError: invalid literal")


def test_the_first_traceback_is_whole_and_those_after_it_are_one_line() -> None:
    with written() as there:
        for number in range(3):
            fail(there.log, number)
        assert there.lines.count("Traceback (most recent call last):") == 1
        second, its_place = there.lines[-4:-2]
        assert second == "level=ERROR logger=gateway.line event=failed number=1"
        assert its_place.startswith("  ValueError ")
        assert its_place.endswith(": number 1")
        assert "test_log_limit.py:" in its_place


def test_a_kind_that_was_silent_for_a_minute_is_a_first_again_and_one_that_goes_on_after_an_hour() -> None:
    with written() as there:
        fail(there.log, 1)
        there.clock.now_s = 2 * A_MINUTE_S
        fail(there.log, 2)
        assert there.lines.count("Traceback (most recent call last):") == 2
        for minute in range(3, 62):
            there.clock.now_s = minute * A_MINUTE_S
            fail(there.log, minute)
        assert there.lines.count("Traceback (most recent call last):") == 2
        there.clock.now_s = 62 * A_MINUTE_S
        fail(there.log, 62)
        assert there.lines.count("Traceback (most recent call last):") == 3


def test_words_of_callers_in_the_message_do_not_make_lines_without_end() -> None:
    with written() as there:
        for number in range(5000):
            callers = "".join(chr(ord("a") + int(digit)) for digit in str(number))
            there.log.warning(" ".join(("refused", callers)))
        assert len(there.lines) == KINDS_A_PLACE + LINES_A_MINUTE
        for number in range(1000):
            there.log.warning(" ".join(("handle", str(number), "at", hex(number))))
        assert sum("handle" in line for line in there.lines) == LINES_A_MINUTE


def test_what_another_process_has_limited_is_passed_on() -> None:
    with written() as there:
        for number in range(2 * LINES_A_MINUTE):
            there.log.warning("%s", f"line {number}", extra={PASSED: True})
        assert len(there.lines) == 2 * LINES_A_MINUTE


def test_the_count_is_told_though_nobody_says_anything_more_and_at_the_end() -> None:
    with written(minute_s=0.2) as there:
        for number in range(2 * LINES_A_MINUTE):
            there.log.warning("event=down device=%d", number)
        wait_until(lambda: any("said_again" in line for line in there.lines), "the count", 10)
    with written() as there:
        for number in range(LINES_A_MINUTE + 7):
            there.log.warning("event=down device=%d", number)
        there.limit.close()
        assert there.lines[-1].endswith("said 7 times more in the last minute: event=down device=%d")
