"""A log whose size is bounded: a line that comes again and again is written so many times a minute, then counted.

    logger -> LogLimit -> the handler that writes
                 |
                 '- beyond the limit: counted, and told at the end of the minute
                    "event=said_again times=4711 said 4711 times more in the last minute: <the line>"

In: log records of every library. Out: the same records, fewer. Two lines are of one **kind** when logger, level,
message before its arguments are put in (numbers left out), and type and place of the exception are the same. The first
of a kind is always written, with its whole traceback; those after it say the exception and its place in one line.

A library that puts a caller's words into the message makes a kind a call, which would be no bound. So a place in the
code has a bounded number of kinds in a minute; what it says beyond them is one more kind. A kind that was not heard for
a whole minute is forgotten, and after an hour each is: then the next one is a first again.
"""

import contextlib
import copy
import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

A_MINUTE_S: Final = 60.0
LINES_A_MINUTE: Final = 60
KINDS_A_PLACE: Final = 20
_FORGET_AFTER: Final = 60
"""Minutes after which a kind that goes on is told in full again: a log file may have been turned meanwhile."""
_KEPT_CHARACTERS: Final = 300
_NUMBER: Final = re.compile(r"0x[0-9a-fA-F]+|\d+")
PASSED: Final = "limited_before"
"""An attribute of records that another process has limited already."""

Place = tuple[str, int, str, int, str]
"""Logger, level, file and line of the call, type and place of the exception."""


@dataclass(slots=True)
class _Kind:
    """`said` in this minute, `held` back in this minute, `age` in minutes; `first` without arguments and traceback."""

    first: logging.LogRecord
    said: int = 0
    held: int = 0
    age: int = 0


class LogLimit(logging.Handler):
    """Stands before `target` and hands it at most `lines_a_minute` records of a kind."""

    def __init__(
        self,
        target: logging.Handler,
        lines_a_minute: int = LINES_A_MINUTE,
        minute_s: float = A_MINUTE_S,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`minute_s` and `monotonic_s`: another minute and another clock, for a test."""
        super().__init__()
        self._target = target
        self._most = lines_a_minute
        self._minute_s = minute_s
        self._monotonic_s = monotonic_s
        self._kinds: dict[tuple[Place, str], _Kind] = {}
        self._kinds_of: dict[Place, int] = {}
        self._ends_s = monotonic_s() + minute_s
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write it, or count it. Called under the handler's lock."""
        self._turn()
        if getattr(record, PASSED, False):
            self._target.handle(record)
            return
        kind, is_first = self._kind(record)
        if kind.said >= self._most:
            kind.held += 1
            self._wake_at_the_end()
            return
        kind.said += 1
        self._target.handle(record if is_first else _shortened(record))

    def flush(self) -> None:
        """What was written is on its way."""
        self._target.flush()

    def close(self) -> None:
        """Tell what is counted and close the target."""
        with self._locked():
            if self._timer is not None:
                self._timer.cancel()
            self._tell()
        self._target.close()
        super().close()

    def _kind(self, record: logging.LogRecord) -> tuple[_Kind, bool]:
        """The record's kind, and whether it is the first of it."""
        place: Place = (record.name, record.levelno, record.pathname, record.lineno, _exception_place(record))
        key = (place, _words(record))
        known = self._kinds.get(key)
        if known is None and self._kinds_of.get(place, 0) >= KINDS_A_PLACE:
            key = (place, "")
            known = self._kinds.get(key)
        if known is not None:
            return known, False
        self._kinds[key] = _Kind(_bare(record))
        self._kinds_of[place] = self._kinds_of.get(place, 0) + 1
        return self._kinds[key], True

    def _turn(self) -> None:
        """At the end of a minute: tell what was counted, forget what was not heard."""
        now_s = self._monotonic_s()
        if now_s < self._ends_s:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._tell()
        silent = now_s - self._ends_s >= self._minute_s
        self._ends_s = now_s + self._minute_s
        goes_on = {} if silent else self._kinds
        kept = {key: kind for key, kind in goes_on.items() if kind.said and kind.age + 1 < _FORGET_AFTER}
        self._kinds_of = {}
        for (place, _), kind in kept.items():
            kind.said, kind.age = 0, kind.age + 1
            self._kinds_of[place] = self._kinds_of.get(place, 0) + 1
        self._kinds = kept

    def _tell(self) -> None:
        for kind in self._kinds.values():
            if kind.held:
                self._target.handle(_told(kind))
                kind.held = 0

    def _wake_at_the_end(self) -> None:
        """The count is told also when nobody says anything more."""
        if self._timer is not None:
            return
        timer = threading.Timer(max(0.0, self._ends_s - self._monotonic_s()), self._at_the_end)
        timer.daemon = True
        with contextlib.suppress(RuntimeError):  # no thread is to be had: the next line or the end tells it
            timer.start()
            self._timer = timer

    def _at_the_end(self) -> None:
        with self._locked():
            self._timer = None
            self._tell()

    def _locked(self) -> threading.RLock:
        assert self.lock is not None  # `logging.Handler` makes one
        return self.lock


def _words(record: logging.LogRecord) -> str:
    """The first line of the message without its arguments and without numbers."""
    return _NUMBER.sub("#", str(record.msg).partition("\n")[0][:_KEPT_CHARACTERS])


def _exception_place(record: logging.LogRecord) -> str:
    """`ValueError gateway/web/api.py:12`; nothing without an exception."""
    if not record.exc_info or record.exc_info[0] is None:
        return ""
    kind, _, trace = record.exc_info
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{kind.__name__} {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else kind.__name__


def _shortened(record: logging.LogRecord) -> logging.LogRecord:
    """The same with one line instead of a traceback."""
    if not record.exc_info:
        return record
    short = copy.copy(record)
    said = str(record.exc_info[1]).partition("\n")[0][:_KEPT_CHARACTERS]
    short.exc_info, short.exc_text, short.stack_info = None, f"  {_exception_place(record)}: {said}", None
    return short


def _bare(record: logging.LogRecord) -> logging.LogRecord:
    """What is kept of a kind: nothing that holds a frame or an object alive."""
    bare = copy.copy(record)
    bare.msg, bare.args = str(record.msg).partition("\n")[0][:_KEPT_CHARACTERS], ()
    bare.exc_info, bare.exc_text, bare.stack_info = None, None, None
    return bare


def _told(kind: _Kind) -> logging.LogRecord:
    """The line that says how often this kind was held back."""
    told = copy.copy(kind.first)
    told.msg = "event=said_again times=%d said %d times more in the last minute: %s"
    told.args = (kind.held, kind.held, kind.first.msg)
    told.created = time.time()
    told.msecs = (told.created % 1) * 1000
    return told
