"""What both faces have in common: requests, refusals, server-sent events.

In: method and path as the schema names them. Out: decoded JSON, events, or why not. Knows no operation by itself.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

SILENT_S: Final = 15.0
"""A feed that says nothing for so long is gone: a face gives a sign of life every second."""
MOST_SHOWN: Final = 200


class RefusedError(Exception):
    """A face refused. `status` is HTTP's; `code` is for programs; `field` names a part of the request, or is empty."""

    def __init__(self, status: int, code: str, message_zh: str, message_en: str, field: str) -> None:
        self.status, self.code, self.field = status, code, field
        self.message_zh, self.message_en = message_zh, message_en
        super().__init__(f"{status} {code}: {message_en}" + (f" ({field})" if field else ""))


class UnreadableError(Exception):
    """An answer that is none of a box or a desk."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a feed. `number`: send it as `last` after a break; None: of what needs no replay."""

    name: str
    data: Any
    number: int | None


class FaceClient:
    """A connection to one face. `trust`: a file with the authority that the face's certificate comes from."""

    def __init__(self, url: str, headers: dict[str, str], trust: str | Path | None, timeout_s: float) -> None:
        verify = httpx.create_ssl_context(verify=str(trust)) if trust else url.startswith("https:")
        self._http = httpx.Client(base_url=url, headers=headers, verify=verify, timeout=timeout_s, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def cookies(self) -> dict[str, str]:
        """The login as a browser keeps it, by name."""
        return dict(self._http.cookies)

    def close(self) -> None:
        """Let go of the connection; it serves nobody any more."""
        self._http.close()

    def ask(self, method: str, path: str, body: object = None, **query: str | int) -> Any:
        """One operation; its JSON. A command's `body` goes as JSON. Raises RefusedError, UnreadableError, and what
        httpx raises where nobody answers."""
        given = {name: value for name, value in query.items() if value != ""}
        reply = self._http.request(method, path, params=given, json=body)
        return _decoded(reply.status_code, reply.content, f"{method} {path}")

    def feed(self, path: str, last: int | None) -> Iterator[Event]:
        """Events of a feed, until the face or the caller ends it. `last`: the number of the last event that came.
        Raises httpx.ReadTimeout when the face falls silent."""
        headers = {"accept": "text/event-stream"} | ({} if last is None else {"last-event-id": str(last)})
        with self._http.stream("GET", path, headers=headers, timeout=SILENT_S) as reply:
            if reply.status_code != httpx.codes.OK:
                _decoded(reply.status_code, reply.read(), f"GET {path}")
            yield from events_of(reply.iter_lines())


def events_of(lines: Iterable[str]) -> Iterator[Event]:
    """Events of the lines of a feed; comments and what names no event are left out. Raises UnreadableError."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        else:
            if "event" in fields:
                yield _event(fields)
            fields = {}


def _event(fields: dict[str, str]) -> Event:
    name, number = fields["event"], fields.get("id", "")
    try:
        return Event(name, json.loads(fields.get("data", "null")), int(number) if number else None)
    except ValueError as error:
        raise UnreadableError(f"event {name}: expected JSON and a number, found {fields}") from error


def _decoded(status: int, content: bytes, asked: str) -> Any:
    try:
        said = json.loads(content)
        if status < httpx.codes.BAD_REQUEST:
            return said
        error = said["error"]
        told = [str(error[name]) for name in ("code", "message_zh", "message_en", "field")]
    except (ValueError, KeyError, TypeError):
        shown = content[:MOST_SHOWN].decode(errors="replace")
        raise UnreadableError(f"{asked}: expected JSON of a box or a desk, found {status} {shown!r}") from None
    raise RefusedError(status, *told)
