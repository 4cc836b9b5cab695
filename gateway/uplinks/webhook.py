"""The webhook: every row as it stands in the outbox, signed, to one address.

In: outbox rows. Out: one POST a row, one after the other, and a Receipt for each. What a receiver must know (headers,
signature, which answers mean what) is in docs/uplinks.md with an example that checks the signature.

    body                       the row's bytes, unchanged
    X-Sitewarden-Kind          alarm_transition | escalation | test
    X-Sitewarden-Key           the idempotency key: the same row has the same key for ever
    X-Sitewarden-Timestamp     UTC seconds since 1970 at which it was signed
    X-Sitewarden-Signature     sha256=<hex of HMAC-SHA256(secret, timestamp + "." + body)>
"""

import asyncio
import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote

from pydantic import ValidationInfo, field_validator

from gateway.model.alarm import Severity, TransitionKind
from gateway.model.alert import OutboxItem, Receipt
from gateway.ports import ReadingBlock, Uplink, UplinkContext, UplinkKind
from gateway.uplinks.http_door import HttpAnswer, HttpDoor, HttpRequest, NoAnswerError, check_address
from gateway.uplinks.messenger import ChoosySettings, Chosen
from kit.secret import Secret

WRONG_SETTINGS_AFTER_S = 60.0
TOO_MANY_AFTER_S = 5.0
SHORTEST_SECRET = 16
_REFUSED = frozenset({400, 413, 422})
_WRONG_SETTINGS = frozenset({401, 403, 404, 405, 410})
_TOO_MANY = 429
_KEY_CHARACTERS = ":;,./-_ +=@()"


class WebhookSettings(ChoosySettings):
    """One address that takes signed rows."""

    kind: Literal["webhook"]
    url: str
    """https://HOST[:PORT]/PATH, without credentials; plain http only to this machine, or with allow_plain_http."""
    secret: Secret
    """The key of the signature, at least 16 characters; the receiver has the same."""
    token: Secret | None = None
    """Sent as `Authorization: Bearer ...`, for receivers behind a gate of their own."""
    min_severity: Severity = Severity.LOG
    """The least severity that is sent."""
    transitions: Chosen = (
        TransitionKind.RAISED,
        TransitionKind.ACKNOWLEDGED,
        TransitionKind.RETURNED,
    )
    """Which transitions are sent."""

    @field_validator("url")
    @classmethod
    def _reachable_safely(cls, url: str, others: ValidationInfo) -> str:
        fault = check_address(url, bool(others.data.get("allow_plain_http")))
        if fault or "?" in url:
            raise ValueError(fault or "an address without a query (use token for a password)")
        return url


def signature(secret: str, timestamp_s: int, body: bytes) -> str:
    """The value of the header X-Sitewarden-Signature: HMAC-SHA256 over time and body."""
    return "sha256=" + hmac.new(secret.encode(), f"{timestamp_s}.".encode() + body, hashlib.sha256).hexdigest()


class WebhookUplink:
    """Posts signed rows to one receiver that the site has named."""

    takes_alerts = True
    takes_evidence = False
    takes_readings = False
    takes_escalations = True

    def __init__(self, settings: WebhookSettings, context: UplinkContext) -> None:
        self.name = settings.name
        self.wants = settings.wants
        self._settings = settings
        self._clock = context.clock
        self._door = HttpDoor(settings.timeout_ms, settings.ca_file, context.clock)
        self._closed = False

    async def send_alerts(self, batch: Sequence[OutboxItem]) -> Sequence[Receipt]:
        """Post the rows in order. No answer, or the wish to wait, ends the batch: what is left is RETRY.

        A row that the receiver stumbles over (5xx) does not stop those behind it.
        """
        receipts: list[Receipt] = []
        try:
            secret, token = await asyncio.to_thread(self._secrets)
            for item in batch:
                receipts.append(await self._send(item, secret, token))
                if receipts[-1].retry_after_s:
                    receipts += [receipts[-1]] * (len(batch) - len(receipts))
                    break
        except (LookupError, NoAnswerError) as error:
            receipts += [Receipt.retry(str(error))] * (len(batch) - len(receipts))
        return receipts

    async def send_readings(self, blocks: Sequence[ReadingBlock]) -> Receipt:
        """Never called: this receiver takes no readings."""
        return Receipt.rejected(f"{self.name} takes no readings ({len(blocks)} blocks)")

    async def close(self) -> None:
        """Send nothing more and let go of the connection."""
        self._closed = True
        await self._door.close()

    def _secrets(self) -> tuple[str, str]:
        """Read anew for every batch, so that a new secret needs no restart. Raises LookupError."""
        secret = self._settings.secret.reveal()
        token = self._settings.token.reveal() if self._settings.token else ""
        if len(secret) < SHORTEST_SECRET:
            raise LookupError(f"the signing secret of {self.name} has fewer than {SHORTEST_SECRET} characters")
        return secret, token

    async def _send(self, item: OutboxItem, secret: str, token: str) -> Receipt:
        if self._closed:
            raise NoAnswerError("the uplink is closing")
        timestamp_s = self._clock.now_ns() // 1_000_000_000
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Sitewarden-Kind": item.kind,
            "X-Sitewarden-Key": quote(item.key, safe=_KEY_CHARACTERS),
            "X-Sitewarden-Timestamp": str(timestamp_s),
            "X-Sitewarden-Signature": signature(secret, timestamp_s, item.body),
        }
        if token:
            headers["Authorization"] = f"Bearer {token}"
        known = tuple(text for text in (secret, token) if text)
        answer = await self._door.ask(HttpRequest(self._settings.url, item.body, headers, secrets=known))
        return _receipt(answer, answer.words(known))


def _receipt(answer: HttpAnswer, words: str) -> Receipt:
    if answer.good:
        return Receipt.accepted(words)
    if answer.status in _REFUSED:
        return Receipt.rejected(words)
    if answer.status in _WRONG_SETTINGS or answer.status < 400:
        return Receipt.retry(words, max(answer.retry_after_s, WRONG_SETTINGS_AFTER_S))
    if answer.status == _TOO_MANY:
        return Receipt.retry(words, max(answer.retry_after_s, TOO_MANY_AFTER_S))
    return Receipt.retry(words, answer.retry_after_s)


def _build(settings: WebhookSettings, context: UplinkContext) -> Uplink:
    return WebhookUplink(settings, context)


KIND = UplinkKind(name="webhook", settings=WebhookSettings, build=_build, takes_escalations=True)
