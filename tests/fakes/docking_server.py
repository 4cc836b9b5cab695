"""A platform on a real socket, as a town might run one: who speaks, in which order, seen before, and when.

    with TokenFormServer(now_ns) as platform:        (tests/fakes/docking_patterns.py has the four of them)
        ... platform.url ...
        platform.kept         what it holds, each thing once, in the order of arrival
        platform.refusals     why it said no

It knows nothing of the sender's code: signatures are computed here anew. `troubles` is a list of what goes wrong with
the next requests, one a request: `500`, `slow`, `garbage`, `lost` (kept, and the reply is lost), `down`.
"""

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

MOST_SKEW_S = 300


@dataclass(frozen=True)
class Asked:
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Said:
    """How a pattern answers: HTTP status and what stands in its JSON."""

    code: int
    words: str = ""
    status: int = 200
    extra: Mapping[str, Any] = field(default_factory=dict)


class RefusalError(Exception):
    def __init__(self, said: Said) -> None:
        super().__init__(said.words)
        self.said = said


class PlatformServer(ABC):
    """What all patterns share. `now_ns`: the platform's own clock."""

    code_at, words_at = "code", "message"
    taken, duplicate, refused, busy = 0, 1001, 1002, 2001

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self.now_ns = now_ns
        self.kept: list[tuple[str, dict[str, Any]]] = []
        self.refusals: list[str] = []
        self.requests: list[Asked] = []
        self.duplicates = 0
        self.disorder = 0
        self.troubles: list[str] = []
        self.down = False
        self.refuse_fields: set[str] = set()
        self.echo = False
        self.unknown_code: int | None = None
        self._seen: set[tuple[str, ...]] = set()
        self._nonces: set[str] = set()
        self._newest: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def of(self, path: str) -> list[dict[str, Any]]:
        """What it holds of one kind."""
        return [record for where, record in self.kept if where == path]

    # what a pattern brings

    def door(self, _asked: Asked) -> Said | None:
        """An answer to something that is no record, such as a token; None for records."""
        return None

    @abstractmethod
    def admitted(self, asked: Asked) -> Any:
        """The record, or records, in the request. Raises RefusalError for whoever may not speak."""

    # what it does with them

    def check_moment(self, ts_ms: int, nonce: str) -> None:
        """A request from another time, or one that was seen before, is nobody's."""
        if abs(self.now_ns() // 1_000_000 - ts_ms) > MOST_SKEW_S * 1000:
            raise RefusalError(Said(self.busy, "timestamp out of range"))
        with self._lock:
            if nonce in self._nonces:
                raise RefusalError(Said(self.busy, "nonce was used before"))
            self._nonces.add(nonce)

    def judge(self, asked: Asked) -> Said:
        answer = self.door(asked)
        if answer is not None:
            return answer
        if self.unknown_code is not None:
            return Said(self.unknown_code, "computer says no")
        told = self.admitted(asked)
        records = told if isinstance(told, list) else [told]
        with self._lock:
            return self._keep(asked.path, records)

    def _keep(self, path: str, records: list[dict[str, Any]]) -> Said:
        for record in records:
            bad = sorted(self.refuse_fields & record.keys())
            if bad or not record:
                shown = json.dumps(record, ensure_ascii=False)[-120:] if self.echo else ", ".join(bad)
                return Said(self.refused, f"field not allowed: {shown}")
        seen = [key for key in map(identity, records) if (path, *key) in self._seen]
        for record in records:
            key = (path, *identity(record))
            if key not in self._seen:
                self._seen.add(key)
                self.kept.append((path, record))
                self._note_order(path, record)
        self.duplicates += len(seen)
        return Said(self.duplicate, "already here") if len(seen) == len(records) else Said(self.taken, "ok")

    def _note_order(self, path: str, record: dict[str, Any]) -> None:
        stamp, device = record.get("DataTimeStamp"), str(record.get("DeviceSN", ""))
        if stamp is None:
            return
        self.disorder += int(stamp) < self._newest.get((path, device), 0)
        self._newest[path, device] = int(stamp)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                asked = Asked(self.path, {name.lower(): text for name, text in self.headers.items()}, body)
                platform.requests.append(asked)
                trouble = platform.troubles.pop(0) if platform.troubles else "down" if platform.down else ""
                if trouble == "slow":
                    platform._released.wait(30)
                if trouble in ("slow", "down"):
                    self.close_connection = True
                elif trouble in ("500", "garbage"):
                    self._reply(500 if trouble == "500" else 200, b"<html>busy</html>")
                else:
                    self._answer(self._judged(asked), trouble == "lost")

            def _answer(self, said: Said, lost: bool) -> None:
                if lost:
                    self.close_connection = True
                    return
                told = {platform.code_at: said.code, platform.words_at: said.words, **said.extra}
                self._reply(said.status, json.dumps(told).encode())

            def _judged(self, asked: Asked) -> Said:
                try:
                    return platform.judge(asked)
                except RefusalError as refusal:
                    platform.refusals.append(refusal.said.words)
                    return refusal.said

            def _reply(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def identity(record: dict[str, Any]) -> tuple[str, ...]:
    """What makes two records the same thing to the platform."""
    names = (
        "alarmId",
        "AlarmId",
        "event_id",
        "EventId",
        "DeviceSN",
        "DataTimeStamp",
        "deviceCode",
        "DeviceCode",
        "recordTime",
        "RecordTime",
    )
    return tuple(str(record[name]) for name in (*names, "zoneId", "ZoneId") if name in record)
