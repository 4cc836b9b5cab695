"""Short messages through an SMS gateway that a site file describes: address, headers, body, and how it says yes.

In: outbox rows. Out: one short text to every number of a file, one request a number (or one for all, where the body
asks for `{numbers}`). Many alarms become one text with their count. A day has a cap; beyond it rows wait in the outbox.

A number that has the text is not sent it again when another number's failed. What the gateway refuses for one number is
that number's fault: it is logged by its place in the file, never by itself.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from pydantic import Field, JsonValue, ValidationInfo, field_validator, model_validator

from gateway.model.alarm import Severity
from gateway.ports import Uplink, UplinkContext, UplinkKind
from gateway.uplinks.daily_count import DailyCount
from gateway.uplinks.http_door import (
    Answer,
    HttpAnswer,
    HttpDoor,
    HttpRequest,
    NoAnswerError,
    Outcome,
    check_address,
)
from gateway.uplinks.messenger import MessengerSettings, MessengerUplink
from gateway.uplinks.notice import Notice, cut_units, short_text
from gateway.uplinks.sms_template import (
    FIELDS,
    BodyForm,
    SuccessSettings,
    body_bytes,
    filled,
    unknown_fields,
    value_at,
)
from kit.secret import Secret

log = logging.getLogger(__name__)
ONE_PART_UNITS = 70  # UCS-2 in 140 bytes (3GPP TS 23.040); a part of a longer text has 6 bytes less for its header
LONG_PART_UNITS = 67
WRONG_SETTINGS_AFTER_S = 300.0
CAP_LOOK_AGAIN_S = 3600.0
REMEMBERED = 10_000
_HTTP_BLAMES_THE_MESSAGE = frozenset({400, 413, 422})
_WRONG_SETTINGS = frozenset({401, 402, 403, 404, 405})


class SmsSettings(MessengerSettings):
    """One SMS gateway, described by its HTTP interface.

    Texts in `headers`, `query` and `body` may hold {number} or {numbers}, {text}, {key}, {timestamp_s} and the name of
    any entry of `secrets`.
    """

    kind: Literal["sms"]
    url: str
    """https://HOST[:PORT]/PATH, without credentials."""
    method: Literal["POST", "GET"] = "POST"
    """GET sends `query` only."""
    headers: Mapping[str, str] = Field(default_factory=dict)
    """More headers."""
    query: Mapping[str, str] = Field(default_factory=dict)
    """What goes behind the question mark of the address."""
    body: Mapping[str, JsonValue] = Field(default_factory=dict)
    """The body, as a mapping."""
    body_form: BodyForm = "json"
    """How the body is written: json, or form (application/x-www-form-urlencoded)."""
    secrets: Mapping[str, Secret] = Field(default_factory=dict)
    """Keys and passwords by the name they have in the texts above."""
    numbers: Secret
    """Telephone numbers, one a line; a line that begins with # is a remark."""
    number_separator: Annotated[str, Field(min_length=1, max_length=3)] = ","
    """Between the numbers of {numbers}."""
    signature: Annotated[str, Field(max_length=20)] = ""
    """The sender's name in front of the text, such as 【某项目部】, where the gateway does not add it."""
    success: SuccessSettings = SuccessSettings()
    """How the gateway says yes."""
    min_severity: Severity = Severity.P1
    """The least severity that is sent."""
    combine_from: Annotated[int, Field(ge=2, le=50)] = 3
    """So many that wait at once, or more, become one text."""
    max_parts: Annotated[int, Field(ge=1, le=4)] = 1
    """How many short messages one text may take: one has 70 characters, each of several 67."""
    messages_per_minute: Annotated[int, Field(ge=1, le=60)] = 10
    """Texts a minute, however many numbers each goes to."""
    per_day: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Requests a local day; beyond it, rows wait for the next."""

    @field_validator("url")
    @classmethod
    def _reachable_safely(cls, url: str, others: ValidationInfo) -> str:
        fault = check_address(url, bool(others.data.get("allow_plain_http")))
        if fault or "?" in url:
            raise ValueError(fault or "an address without a query (use query)")
        return url

    @model_validator(mode="after")
    def _templates_can_be_filled(self) -> "SmsSettings":
        known = {*FIELDS, *self.secrets}
        taken = sorted(set(self.secrets) & set(FIELDS))
        if taken:
            raise ValueError(f"other names in secrets: {', '.join(taken)} is a field already")
        for where, template in (("headers", self.headers), ("query", self.query), ("body", self.body)):
            unknown = unknown_fields(dict(template), known)
            if unknown:
                raise ValueError(f"known fields in {where} ({', '.join(sorted(known))}), not {', '.join(unknown)}")
        if not self._asks_for("text"):
            raise ValueError("{text} in body or query")
        if not (self._asks_for("number") or self._asks_for("numbers")):
            raise ValueError("{number} or {numbers} in body or query")
        return self

    @model_validator(mode="after")
    def _body_can_be_written(self) -> "SmsSettings":
        if self.method == "GET" and self.body:
            raise ValueError("no body with GET (use query)")
        if self.body_form == "form" and any(isinstance(value, dict | list) for value in self.body.values()):
            raise ValueError("no mappings and no lists in the body of a form")
        return self

    def _asks_for(self, field: str) -> bool:
        templates: list[JsonValue] = [dict(self.query), dict(self.body)]
        return bool(unknown_fields(templates, {*FIELDS, *self.secrets} - {field}))

    @property
    def all_at_once(self) -> bool:
        """Whether one request tells all numbers together."""
        return not self._asks_for("number")

    @property
    def text_units(self) -> int:
        """How long a text may be, in UTF-16 units."""
        return ONE_PART_UNITS if self.max_parts == 1 else LONG_PART_UNITS * self.max_parts


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read from the secret files for one message; nothing of it may be said."""

    secrets: Mapping[str, str] = field(repr=False)
    numbers: Sequence[str] = field(repr=False)


class SmsSpeaker:
    """Says one text to all numbers."""

    def __init__(self, settings: SmsSettings, context: UplinkContext) -> None:
        self._settings = settings
        self._clock = context.clock
        self._count = DailyCount(context.folder / "uplinks" / settings.name / "sent_today.json")
        self._door = HttpDoor(settings.timeout_ms, settings.ca_file, context.clock)
        self._told: OrderedDict[tuple[str, str], str] = OrderedDict()  # (row, number) -> why it was refused, or ''

    async def say(self, notices: Sequence[Notice]) -> Answer:
        """TAKEN once every number was asked and one of them took it; what failed on the way is asked again."""
        try:
            known = await asyncio.to_thread(self._known)
        except LookupError as error:
            return Answer(Outcome.LATER, str(error))
        for place, number in self._receivers(known.numbers):
            waiting = [notice for notice in notices if (notice.key, number) not in self._told]
            if not waiting:
                continue
            answer = await self._tell(waiting, number, known)
            if answer.outcome in (Outcome.LATER, Outcome.UNCLEAR):
                return answer
            refusal = f"{place}: {answer.words}" if answer.outcome is Outcome.REFUSED else ""
            self._remember(waiting, number, refusal)
        return self._outcome(notices)

    def fits(self, _notices: Sequence[Notice]) -> bool:
        """Any number of alarms becomes one text."""
        return True

    async def close(self) -> None:
        """Let go of the connection; it serves nobody any more."""
        await self._door.close()

    def _outcome(self, notices: Sequence[Notice]) -> Answer:
        """REFUSED only when no number took it."""
        keys = {notice.key for notice in notices}
        answers = [refusal for (key, _), refusal in self._told.items() if key in keys]
        words = "; ".join(dict.fromkeys(refusal for refusal in answers if refusal))
        return Answer(Outcome.REFUSED if all(answers) else Outcome.TAKEN, words)

    def _remember(self, notices: Sequence[Notice], number: str, refusal: str) -> None:
        if refusal:
            log.warning("event=sms_refused uplink=%s reason=%r", self._settings.name, refusal)
        for notice in notices:
            self._told[notice.key, number] = refusal
        while len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    def _receivers(self, numbers: Sequence[str]) -> Iterator[tuple[str, str]]:
        """(how to speak of it, what stands in the request)"""
        if self._settings.all_at_once:
            yield "all numbers", self._settings.number_separator.join(numbers)
        else:
            yield from ((f"number {place}", number) for place, number in enumerate(numbers, 1))

    async def _tell(self, notices: Sequence[Notice], number: str, known: _Known) -> Answer:
        cap = await asyncio.to_thread(self._take_one_of_the_day)
        if cap is not None:
            return cap
        request = self._request(notices, number, known)
        try:
            return self._judge(await self._door.ask(request), request.secrets)
        except NoAnswerError as error:
            return Answer(Outcome.LATER, str(error))

    def _request(self, notices: Sequence[Notice], number: str, known: _Known) -> HttpRequest:
        settings = self._settings
        text = " / ".join(short_text(notices, wording) for wording in settings.wordings)
        values = {
            **known.secrets,
            "number": number,
            "numbers": number,
            "text": cut_units(settings.signature + text, settings.text_units),
            "key": notices[0].key,
            "timestamp_s": str(self._clock.now_ns() // 1_000_000_000),
        }
        url = settings.url
        if settings.query:
            url = f"{url}?{urlencode(filled(dict(settings.query), values))}"
        headers = dict(filled(dict(settings.headers), values))
        content = b""
        if settings.method == "POST":
            kind = "application/json" if settings.body_form == "json" else "application/x-www-form-urlencoded"
            headers.setdefault("Content-Type", f"{kind}; charset=utf-8")
            content = body_bytes(filled(dict(settings.body), values), settings.body_form)
        return HttpRequest(url, content, headers, settings.method, (*known.secrets.values(), number, *known.numbers))

    def _judge(self, http: HttpAnswer, secrets: Sequence[str]) -> Answer:
        words, success = http.words(secrets), self._settings.success
        if http.status in _HTTP_BLAMES_THE_MESSAGE:
            return Answer(Outcome.REFUSED, words)
        if not http.good:
            wish = max(http.retry_after_s, WRONG_SETTINGS_AFTER_S if http.status in _WRONG_SETTINGS else 0.0)
            return Answer(Outcome.LATER, words, wish)
        if not success.path:
            return Answer(Outcome.TAKEN)
        value = value_at(http.body, success.path)
        if value is None:
            return Answer(Outcome.LATER, f"an answer without {success.path}, is this the gateway? {words}")
        if value in success.accepted:
            return Answer(Outcome.TAKEN)
        return Answer(Outcome.REFUSED if value in success.refused else Outcome.UNCLEAR, words)

    def _take_one_of_the_day(self) -> Answer | None:
        """Count one request; the answer when there is none left today."""
        local = datetime.fromtimestamp(self._clock.now_ns() // 1_000_000_000, UTC)
        local += timedelta(minutes=self._settings.utc_offset_min)
        day = local.date().isoformat()
        if self._count.of(day) >= self._settings.per_day:
            midnight = datetime(local.year, local.month, local.day, tzinfo=UTC) + timedelta(days=1)
            wait_s = min((midnight - local).total_seconds(), CAP_LOOK_AGAIN_S)
            return Answer(Outcome.LATER, f"all {self._settings.per_day} messages of {day} are sent", wait_s)
        self._count.add(day)
        return None

    def _known(self) -> _Known:
        """Read anew for every message, so that a new key needs no restart. Raises LookupError."""
        secrets = {name: secret.reveal() for name, secret in self._settings.secrets.items()}
        return _Known(secrets, self._numbers())

    def _numbers(self) -> list[str]:
        lines = [line.strip() for line in self._settings.numbers.reveal().splitlines()]
        numbers = list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
        strange = [place for place, number in enumerate(numbers, 1) if not number.lstrip("+").isdigit()]
        if strange or not numbers:
            what = f"number {strange[0]} is none" if strange else "no number is in it"
            raise LookupError(f"the numbers of {self._settings.name}: {what}; expected digits, one number a line")
        return numbers


def _build(settings: SmsSettings, context: UplinkContext) -> Uplink:
    return MessengerUplink(settings, context, SmsSpeaker(settings, context), settings.messages_per_minute)


KIND = UplinkKind(name="sms", settings=SmsSettings, build=_build, takes_escalations=True)
