"""The InfluxDB uplink: history blocks as line protocol, written synchronously, refused lines put aside.

In: `ReadingBlock`s from the delivery loop. Out: `POST /api/v2/write` (InfluxDB 2 and 3, VictoriaMetrics) or
`POST /write` (InfluxDB 1), and one `Receipt` for the whole call. Takes no alerts: those belong in a relational store.

Theory of operation
    encode -> chunks of lines -> one request each, one after the other, in this uplink's own thread

    204              written. Anything else that looks like success (a captive portal's 200) is not trusted: later
    400, 413, 422    some line is refused: halve the chunk until the bad lines stand alone, write all the others
    everything else  later (401, 403, 404, 429, 5xx, timeouts, no connection): RETRY, with the server's Retry-After

- A server that refuses *every* write (a wrong database name, no gzip) also says 400. So before the first halving, one
  known good line (`gw_health`, field `uplink_probe`, the server's own time) is written: when that is refused too, the
  answer is RETRY and no line is blamed.
- Writing the same line twice changes nothing in InfluxDB, so a call that stops half-way is simply repeated whole.
  Refused lines reach the aside file only when the call is about to be ACCEPTED: repeats do not repeat them.
- The requests go through influxdb-client's generated API and not through its `WriteApi`: the lines are finished bytes,
  compressed here at level 1 (the client uses level 9), and the v1 path needs other query parameters. Its batching mode
  can lose points without an exception, and `health()` does not work on 1.x servers: neither is used.
- After 401 and 403 the client is built anew, so a token file that was replaced is read without a restart.
"""

import asyncio
import email.utils
import gzip
import json
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from gateway.model.alert import OutboxItem, Receipt
from gateway.ports import Clock, ReadingBlock, Uplink, UplinkContext, UplinkKind
from gateway.uplinks.aside import AsideFile
from gateway.uplinks.line_protocol import LineEncoder, series_head
from kit.secret import Secret

if TYPE_CHECKING:
    from influxdb_client.client.influxdb_client import InfluxDBClient
    from influxdb_client.rest import ApiException

logger = logging.getLogger(__name__)

CHUNK_LINES = 5_000
CHUNK_CHARACTERS = 4_000_000
MAX_RETRY_AFTER_S = 3600.0
WORDS_LENGTH = 500

_WRITTEN = 204
_LINE_REFUSED = frozenset({400, 413, 422})
_NOT_ALLOWED = frozenset({401, 403})
_CLOSING = "the uplink is closing"

Measurement = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,127}$")]


class InfluxSettings(BaseModel):
    """Where and how to write. `api: v2` needs `org` and `bucket`, `api: v1` needs `database`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9_.-]{0,62}[a-z0-9])?$")]
    """Unique among the uplinks; also the name of the file of refused lines, `aside/<name>.jsonl`."""
    kind: Literal["influx"]
    url: str
    """`http://HOST:PORT` or `https://HOST:PORT`, without credentials."""
    api: Literal["v1", "v2"] = "v2"
    """v2: InfluxDB 2 and 3, VictoriaMetrics. v1: InfluxDB 1."""
    org: str = ""
    """v2: the organization."""
    bucket: str = ""
    """v2: the bucket."""
    token: Secret | None = None
    """v2: a token that may write to the bucket."""
    database: str = ""
    """v1: the database; it must exist."""
    retention_policy: str = ""
    """v1: the retention policy; the database's default when empty."""
    username: str = ""
    """v1: the user, when the server asks for one."""
    password: Secret | None = None
    """v1: the user's password."""
    ca_file: Path | None = None
    """The authority that signed the server's certificate (PEM), when the system does not know it."""
    gzip: bool = True
    """Compress what is sent: less than half the bytes, about twice the processor time."""
    timeout_ms: Annotated[int, Field(ge=100, le=120_000)] = 10_000
    """How long one request may take, milliseconds."""
    measurements: Mapping[str, Measurement] = Field(default_factory=dict)
    """Other measurement names, by asset kind."""

    @field_validator("url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("expected http://HOST:PORT or https://HOST:PORT")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("expected an address without credentials, query or fragment (use token or password)")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = {"v2": ("org", "bucket"), "v1": ("database",)}[self.api]
        useless = {"v2": ("database", "retention_policy", "username", "password"), "v1": ("org", "bucket", "token")}
        missing = [key for key in needed if not getattr(self, key)]
        unused = [key for key in useless[self.api] if getattr(self, key)]
        faults = [f"{' and '.join(missing)} for api {self.api}"] if missing else []
        faults += [f"no {' and no '.join(unused)} with api {self.api}"] if unused else []
        if bool(self.username) != (self.password is not None):
            faults.append("both username and password, or neither")
        if faults:
            raise ValueError("; ".join(faults))
        return self


class Outcome(Enum):
    """What became of one request. REFUSED blames a line; LATER blames the moment, the way or the settings."""

    WRITTEN = auto()
    REFUSED = auto()
    LATER = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said to one request. `words` are its own, or what went wrong on the way."""

    outcome: Outcome
    words: str = ""
    after_s: float = 0.0


_DONE = Answer(Outcome.WRITTEN)


class InfluxWriter:
    """One synchronous write of finished lines. Used from one thread; the connection is kept between writes."""

    def __init__(self, settings: InfluxSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._client: InfluxDBClient | None = None
        self.requests = 0
        self.bytes_sent = 0

    def write(self, lines: Sequence[str]) -> Answer:
        """Send the lines in one request and say what became of them. Raises nothing for any answer or network fault."""
        from influxdb_client.rest import ApiException  # noqa: PLC0415 - a box without this uplink starts without it
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        body = "\n".join(lines).encode()
        if self._settings.gzip:
            body = gzip.compress(body, compresslevel=1, mtime=0)
        try:
            status = self._post(body)
        except ApiException as error:
            return self._judge_error(error)
        except LookupError as error:
            return Answer(Outcome.LATER, str(error))
        except (HTTPError, OSError, UnicodeDecodeError) as error:
            return Answer(Outcome.LATER, f"{type(error).__name__}: {error}"[:WORDS_LENGTH])
        if status != _WRITTEN:
            return Answer(Outcome.LATER, f"answered {status}, expected {_WRITTEN}: is this InfluxDB?")
        return _DONE

    def close(self) -> None:
        """Let go of the connection; it serves nobody any more."""
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]
            self._client = None

    def _post(self, body: bytes) -> int:
        client = self._client = self._client or self._connect()
        headers = {"Content-Type": "text/plain; charset=utf-8", "Accept": "application/json"}
        if self._settings.gzip:
            headers["Content-Encoding"] = "gzip"
        path, query = self._endpoint()
        self.requests += 1
        self.bytes_sent += len(body)
        _, status, _ = client.api_client.call_api(  # type: ignore[no-untyped-call]
            path, "POST", query_params=query, header_params=headers, body=body, response_type=None
        )
        return int(status)

    def _endpoint(self) -> tuple[str, list[tuple[str, str]]]:
        settings = self._settings
        if settings.api == "v2":
            return "/api/v2/write", [("org", settings.org), ("bucket", settings.bucket), ("precision", "ns")]
        query = [("db", settings.database), ("precision", "ns")]
        return "/write", query + ([("rp", settings.retention_policy)] if settings.retention_policy else [])

    def _connect(self) -> "InfluxDBClient":
        """Build the client, which opens nothing yet. Raises LookupError when a secret is not there."""
        from influxdb_client.client.influxdb_client import InfluxDBClient  # noqa: PLC0415

        settings = self._settings
        token = settings.token.reveal() if settings.token else ""
        if settings.password:
            token = f"{settings.username}:{settings.password.reveal()}"
        elif not (token.isascii() and token.isprintable()):
            raise LookupError("the token holds characters that no HTTP header can carry")
        return InfluxDBClient(
            url=settings.url,
            token=token,
            auth_basic=settings.password is not None,
            timeout=settings.timeout_ms,
            ssl_ca_cert=str(settings.ca_file) if settings.ca_file else None,
            connection_pool_maxsize=1,
        )

    def _judge_error(self, error: "ApiException") -> Answer:
        status = int(error.status or 0)
        words = f"{status}: {_words_of(error)}"
        if status in _LINE_REFUSED:
            return Answer(Outcome.REFUSED, words)
        if status in _NOT_ALLOWED:
            self.close()
        wish = str(error.headers.get("Retry-After", "")) if error.headers else ""
        return Answer(Outcome.LATER, words, _seconds_until(wish, self._clock.now_ns()))


class InfluxUplink:
    """Writes history to one InfluxDB. All work is done in one thread of its own, one call after the other."""

    takes_alerts = False
    takes_evidence = False
    takes_readings = True

    def __init__(self, settings: InfluxSettings, context: UplinkContext) -> None:
        self.name = settings.name
        self.aside = AsideFile(context.folder / "aside" / f"{settings.name}.jsonl")
        self.lines_written = 0
        self.writer = InfluxWriter(settings, context.clock)
        self._clock = context.clock
        self._encoder = LineEncoder(context.project_code, context.assets, settings.measurements)
        self._probe_head = series_head("gw_health", {"gateway": context.box_id})
        self._closing = threading.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"uplink-{settings.name}")

    async def send_alerts(self, batch: Sequence[OutboxItem]) -> Sequence[Receipt]:
        """Not for this receiver: every item is rejected."""
        return [Receipt.rejected("an InfluxDB takes no alerts")] * len(batch)

    async def send_readings(self, blocks: Sequence[ReadingBlock]) -> Receipt:
        """ACCEPTED when every line is written or, refused by the server, put aside; else RETRY for the whole call."""
        if self._closing.is_set():
            return Receipt.retry(_CLOSING)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._send, blocks)

    async def close(self) -> None:
        """Stop after the request under way, at most the configured timeout, and let go of the connection."""
        if self._closing.is_set():
            return
        self._closing.set()
        await asyncio.get_running_loop().run_in_executor(self._thread, self.writer.close)
        self._thread.shutdown(wait=False)

    def _send(self, blocks: Sequence[ReadingBlock]) -> Receipt:
        refused: list[tuple[str, str]] = []
        written = 0
        for lines in self._chunks(blocks):
            known_refused = len(refused)
            answer = self._write_but_the_refused(lines, refused)
            if answer.outcome is Outcome.LATER:
                return Receipt.retry(answer.words, answer.after_s)
            written += len(lines) - (len(refused) - known_refused)
        try:
            self._put_aside(refused)
        except OSError as error:
            return Receipt.retry(f"refused lines cannot be kept in {self.aside.path}: {error.strerror}")
        self.lines_written += written
        return Receipt.accepted()

    def _chunks(self, blocks: Sequence[ReadingBlock]) -> Iterator[list[str]]:
        chunk: list[str] = []
        characters = 0
        for block in blocks:
            for line in self._encoder.lines(block, self._clock.now_ns()):
                chunk.append(line)
                characters += len(line)
                if len(chunk) >= CHUNK_LINES or characters >= CHUNK_CHARACTERS:
                    yield chunk
                    chunk, characters = [], 0
        if chunk:
            yield chunk

    def _write_but_the_refused(self, lines: list[str], refused: list[tuple[str, str]]) -> Answer:
        """Write the lines, halving what is refused. Adds (line, the server's words) to `refused`."""
        probed = bool(refused)
        parts = [lines]
        while parts:
            part = parts.pop()
            answer = self._write(part)
            if answer.outcome is Outcome.REFUSED and not probed:
                answer, probed = self._blame(answer), True
            if answer.outcome is Outcome.LATER:
                return answer
            if answer.outcome is Outcome.REFUSED and len(part) == 1:
                refused.append((part[0], answer.words))
            elif answer.outcome is Outcome.REFUSED:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
        return _DONE

    def _blame(self, refusal: Answer) -> Answer:
        """The refusal, when the server takes a known good line; LATER when it takes nothing, so no line is to blame."""
        probe = self._write([f"{self._probe_head} uplink_probe=1i"])
        if probe.outcome is Outcome.WRITTEN:
            return refusal
        if probe.outcome is Outcome.LATER:
            return probe
        return Answer(Outcome.LATER, f"every write is refused: {probe.words}")

    def _write(self, lines: list[str]) -> Answer:
        if self._closing.is_set():
            return Answer(Outcome.LATER, _CLOSING)
        return self.writer.write(lines)

    def _put_aside(self, refused: Sequence[tuple[str, str]]) -> None:
        if not refused:
            return
        now_ns = self._clock.now_ns()
        records: list[dict[str, str | int]] = [
            {"at_ns": now_ns, "uplink": self.name, "line": line, "reason": words} for line, words in refused
        ]
        self.aside.keep(records)
        logger.warning(
            "lines_refused uplink=%s lines=%d aside=%s reason=%r",
            self.name,
            len(refused),
            self.aside.path,
            refused[0][1],
        )


def _words_of(error: "ApiException") -> str:
    """The server's message: `error` of 1.x, `message` of 2.x, else the body as it is."""
    body = str(error.body or error.reason or "")
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    if isinstance(told, dict):
        body = str(told.get("error") or told.get("message") or body)
    return body.strip()[:WORDS_LENGTH]


def _seconds_until(wish: str, now_ns: int) -> float:
    """A Retry-After value, seconds or an HTTP date, as seconds from now; 0 when there is none or it makes no sense."""
    try:
        seconds = (
            float(wish)
            if wish.strip().isdigit()
            else email.utils.parsedate_to_datetime(wish).timestamp() - now_ns / 1e9
        )
    except ValueError:
        return 0.0
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def _build(settings: InfluxSettings, context: UplinkContext) -> Uplink:
    return InfluxUplink(settings, context)


KIND = UplinkKind(name="influx", settings=InfluxSettings, build=_build)
