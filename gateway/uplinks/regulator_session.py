"""One box's conversation with one regulator: signed questions out, checked answers in.

In: a kind, a key and a body. Out: the regulator's reply, its signature checked with the remembered key, or one of two
exceptions and no other: the `ContractFault` that the regulator itself signed, or `NoAnswerError` when there is nothing
to believe (no connection, a timeout, a proxy's page, a wrong signature). The difference matters: only the regulator may
say that an alert will never be taken. Knows no outbox and no loop.
"""

import asyncio
import base64
import logging
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel

from contract.envelope import (
    ENVELOPE_HEADER,
    MAX_MESSAGE_BYTES,
    SIGNATURE_HEADER,
    Envelope,
    Reply,
    fault_from,
    open_reply,
    read_model,
    seal,
)
from contract.faults import BadSignature, BoxExists, CodeRefused, Malformed, StaleSequence, TooLarge, UnknownAlgorithm
from contract.keyfile import load, load_or_create
from contract.messages import ENROL, Enrol, Enrolled
from contract.sender import SENDER_HEADER, sender_text
from contract.signing import ED25519, SignKey, VerifyKey, verify_key
from contract.strict_json import parse_object
from gateway.model.errors import LinkError
from gateway.ports import UplinkContext
from gateway.tls.trust import trusting
from gateway.uplinks.regulator_memory import MemoryFile, RegulatorKey, SequenceFile

logger = logging.getLogger(__name__)

MAX_REPLY_BYTES = 8 * 1024 * 1024
MAX_RETRY_AFTER_S = 60.0  # from a header, which nobody signed: a proxy must not silence a box for an hour
KEEP_ALIVE_S = 60.0

ModelT = TypeVar("ModelT", bound=BaseModel)


class NoAnswerError(LinkError):
    """Nothing that can be believed came back. `reached`: something did answer, so that the line itself works."""

    def __init__(self, reason: str, retry_after_s: float = 0.0, reached: bool = True) -> None:
        self.retry_after_s = retry_after_s
        self.reached = reached
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long to wait, how many connections to hold, which keys and authorities to trust, and the algorithm of a key
    that is made here."""

    connect_timeout_s: float
    reply_timeout_s: float
    connections: int
    ca_file: Path | None = None
    pinned_key_id: str = ""
    signature: str = ED25519


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: one envelope's content. `body` is called when the sequence number is known, then sent at once."""

    kind: str
    key: str
    body: Callable[[], Mapping[str, Any]]
    late: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """How a question travels: address and method; with `content` the envelope goes into a header beside those bytes."""

    address: str = "/v1/messages"
    method: str = "POST"
    content: bytes | None = None
    wait_s: float = 0.0


MESSAGES = Way()


class RegulatorSession:
    """Opens nothing before the first question. `key` is the box's private key once `enrol` or `open` has run."""

    def __init__(self, name: str, url: str, context: UplinkContext, limits: SessionLimits) -> None:
        self._url = url.rstrip("/")
        self._context = context
        self._limits = limits
        self._key_file = context.folder / "keys" / f"{name}.pem"
        self._next_key_file = context.folder / "keys" / f"{name}.next.pem"
        self._key: SignKey | None = None
        self._sequence = SequenceFile(context.folder / "uplinks" / name / "sequence")
        self.memory = MemoryFile(context.folder / "uplinks" / name / "regulator.json", context.box_id)
        self._client = _client(self._url, limits)

    @property
    def key(self) -> SignKey:
        """The private key with which the box signs."""
        assert self._key is not None, "open the session first"
        return self._key

    async def open(self) -> bool:
        """Load or make the box's key, load what is remembered; whether a regulator knows this box for this project."""
        if self._key is None:
            self._key = await asyncio.to_thread(load_or_create, self._key_file, self._limits.signature)
            if self._key.public.alg != self._limits.signature:
                kept = self._key.public.alg
                logger.warning("key kept: file=%s alg=%s set=%s", self._key_file, kept, self._limits.signature)
            await self.memory.load()
        known = self.memory.now
        return bool(known.regulator_keys) and known.project_code in ("", self._context.project_code)

    async def close(self) -> None:
        """Let go of every connection that is kept open."""
        await self._client.aclose()

    async def enrol(self, code: str, software: str) -> None:
        """Introduce this box and remember the regulator's key. Raises ContractFault or NoAnswerError."""
        await self.open()
        told = {
            "code": code,
            "public_key": self.key.public.public_text,
            "project_code": self._context.project_code,
            "software": software,
        }
        body = read_model(Enrol, told, Malformed)
        question = Question(ENROL, f"enrol:{self.key.public.key_id}", body.model_dump)
        enrolled = await self.ask(question, Enrolled, Way("/v1/enrol"))
        keys = {key.key_id: key for key in self.memory.now.regulator_keys}
        keys[enrolled.key_id] = RegulatorKey(alg=enrolled.alg, key_id=enrolled.key_id, public_key=enrolled.public_key)
        await self.memory.remember(regulator_keys=tuple(keys.values()), project_code=self._context.project_code)

    async def ask(self, question: Question, model: type[ModelT], way: Way = MESSAGES) -> ModelT:
        """The reply's body. A number that the regulator calls used is replaced, once.

        Raises ContractFault or NoAnswerError.
        """
        try:
            reply = await self._ask(question, way)
        except StaleSequence as fault:
            if not fault.expected.isdigit() or len(fault.expected) > 18:
                raise
            await self._sequence.jump(int(fault.expected))
            reply = await self._ask(question, way)
        try:
            return read_model(model, reply.body or {}, Malformed)
        except Malformed as fault:
            raise NoAnswerError(f"the reply to {question.kind} lacks {fault.field}") from None

    async def _ask(self, question: Question, way: Way) -> Reply:
        seq = await self._sequence.take()
        envelope = Envelope(
            alg=self.key.public.alg,
            key_id=self.key.public.key_id,
            box_id=self._context.box_id,
            seq=seq,
            key=question.key,
            kind=question.kind,
            sent_at_ns=self._context.clock.now_ns(),
            late=question.late,
            body=dict(question.body()),
        )
        sealed = seal(envelope, self.key)
        if len(sealed.raw) > MAX_MESSAGE_BYTES:
            raise TooLarge("body", str(MAX_MESSAGE_BYTES))
        headers = {SIGNATURE_HEADER: sealed.signature, "Content-Type": "application/json"}
        content = sealed.raw
        if way.content is None and question.kind != ENROL:
            headers[SENDER_HEADER] = sender_text(envelope, self.key)
        if way.content is not None:
            content = way.content
            headers |= {
                ENVELOPE_HEADER: base64.b64encode(sealed.raw).decode(),
                "Content-Type": "application/octet-stream",
            }
        status, answer_headers, raw = await self._exchange(way, content, headers)
        reply = self._checked(status, answer_headers, raw, seq, enrolling=question.kind == ENROL)
        if reply.error is not None:
            raise fault_from(reply.error)
        return reply

    async def _exchange(self, way: Way, content: bytes, headers: dict[str, str]) -> tuple[int, httpx.Headers, bytes]:
        timeout = httpx.Timeout(
            self._limits.reply_timeout_s + way.wait_s,
            connect=self._limits.connect_timeout_s,
            pool=None,
        )
        try:
            async with self._client.stream(
                way.method, self._url + way.address, content=content, headers=headers, timeout=timeout
            ) as answer:
                return answer.status_code, answer.headers, await _limited(answer)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            reached = isinstance(error, httpx.RemoteProtocolError | httpx.DecodingError)
            raise NoAnswerError(f"{type(error).__name__}: {error}"[:300], reached=reached) from None

    def _checked(self, status: int, headers: httpx.Headers, raw: bytes, seq: int, *, enrolling: bool) -> Reply:
        retry_after_s = _seconds(headers.get("Retry-After", ""))
        try:
            if enrolling and not self.memory.now.regulator_keys:
                _raise_first_refusal(raw)
            key = self._regulator_key(raw, enrolling=enrolling)
            reply = open_reply(raw, headers.get(SIGNATURE_HEADER, ""), key, self._context.box_id, seq)
        except (Malformed, BadSignature, UnknownAlgorithm) as fault:
            raise NoAnswerError(f"HTTP {status}, not believed: {fault}", retry_after_s) from None
        if reply.error is None and status != httpx.codes.OK:
            raise NoAnswerError(f"HTTP {status} with a reply that is no error", retry_after_s)
        return reply

    def _regulator_key(self, raw: bytes, *, enrolling: bool) -> VerifyKey:
        fields = parse_object(raw)
        key_id, body = str(fields.get("key_id")), fields.get("body")
        known = self.memory.now.find_key(key_id)
        if known is not None:
            return known
        if not enrolling or self.memory.now.regulator_keys or self._limits.pinned_key_id not in ("", key_id):
            expected = self._limits.pinned_key_id or f"a key remembered in {self.memory.path}"
            raise Malformed("key_id", f"{expected}, not {key_id[:60]}")
        brought = read_model(Enrolled, body if isinstance(body, dict) else {}, Malformed)
        key = verify_key(brought.alg, brought.public_key)
        if key.key_id != key_id:
            raise Malformed("key_id", f"the fingerprint of the key in the body, {key.key_id}")
        return key

    async def make_next_key(self) -> SignKey:
        """The key this box will change to, of the present one's algorithm; made once, kept beside it until
        `use_next_key`."""
        return await asyncio.to_thread(load_or_create, self._next_key_file, self.key.public.alg)

    async def use_next_key(self) -> None:
        """Sign with the next key from now on. Nothing happens when there is none (it is in use already)."""
        if await asyncio.to_thread(self._next_key_file.exists):
            await asyncio.to_thread(self._next_key_file.replace, self._key_file)
            self._key = await asyncio.to_thread(load, self._key_file)


def _raise_first_refusal(raw: bytes) -> None:
    """A refusal before any key is known cannot be checked. It is shown to people and costs nothing but a later try."""
    reply = read_model(Reply, parse_object(raw), Malformed)
    if reply.error is not None:
        fault = fault_from(reply.error)
        raise fault if isinstance(fault, CodeRefused | BoxExists) else Malformed("error", fault.code)


def _client(url: str, limits: SessionLimits) -> httpx.AsyncClient:
    verify: ssl.SSLContext | bool = False
    if url.startswith("https:"):
        verify = trusting(limits.ca_file)
    return httpx.AsyncClient(
        verify=verify,
        trust_env=False,
        follow_redirects=False,
        headers={"Accept-Encoding": "identity"},
        limits=httpx.Limits(
            max_connections=limits.connections,
            max_keepalive_connections=limits.connections,
            keepalive_expiry=KEEP_ALIVE_S,
        ),
    )


async def _limited(answer: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in answer.aiter_raw():
        content += chunk
        if len(content) > MAX_REPLY_BYTES:
            raise NoAnswerError(f"an answer of more than {MAX_REPLY_BYTES} bytes")
    return bytes(content)


def _seconds(text: str) -> float:
    return min(float(text), MAX_RETRY_AFTER_S) if text.isdigit() and len(text) < 10 else 0.0
