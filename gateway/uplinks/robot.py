"""A group chat's robot: one POST of JSON, one `errcode` back. What WeCom's and DingTalk's robots share.

In: notices. Out: a text or a small markdown message. A robot's address is its password: it is read from its file at
every message (so a new one needs no restart) and never said.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from gateway.ports import UplinkContext
from gateway.uplinks.http_door import (
    Answer,
    HttpAnswer,
    HttpDoor,
    HttpRequest,
    NoAnswerError,
    Outcome,
    check_address,
    secrets_in,
)
from gateway.uplinks.messenger import MessageForm, MessengerSettings
from gateway.uplinks.notice import Notice, cut_bytes, full_text
from kit.secret import Secret

WRONG_SETTINGS_AFTER_S = 300.0
_HTTP_BLAMES_THE_MESSAGE = frozenset({400, 413, 422})
_CALLS = str.maketrans({"<": "＜", "@": "＠"})  # `<@name>` calls a member of the group
_MARKS = _CALLS | str.maketrans({"*": "＊", "_": "＿", "`": "｀", "#": "＃", "[": "［", "]": "］", ">": "＞"})


class RobotSettings(MessengerSettings):
    """What the site file says of one robot of one group."""

    url: Secret
    """The robot's whole address as it was copied from the group; it is a password."""
    form: MessageForm = "markdown"
    """How the message looks. Members who read along in personal WeChat see only text."""
    heading: Annotated[str, Field(max_length=40)] = ""
    """First words of every message: where the group's robot asks for a keyword, put it here."""
    messages_per_minute: Annotated[int, Field(ge=1, le=20)] = 20
    """The robot takes 20 a minute; fewer when others send through it too."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One platform's robot: message lengths in bytes, the message itself, the meaning of its codes."""

    text_bytes: int
    markdown_bytes: int
    markdown_break: str
    message: Callable[[MessageForm, str, str], Mapping[str, Any]]
    refused: frozenset[int]
    too_fast: Mapping[int, float]
    busy: frozenset[int]
    wrong_settings: frozenset[int]

    def judge(self, code: int, words: str) -> Answer:
        """What an errcode means. Codes that blame the robot's address or rules wait for a person to put them right."""
        if code == 0:
            return Answer(Outcome.TAKEN)
        if code in self.refused:
            return Answer(Outcome.REFUSED, words)
        if code in self.too_fast:
            return Answer(Outcome.LATER, words, self.too_fast[code])
        if code in self.busy:
            return Answer(Outcome.LATER, words)
        if code in self.wrong_settings:
            return Answer(Outcome.LATER, words, WRONG_SETTINGS_AFTER_S)
        return Answer(Outcome.UNCLEAR, words)


class Robot:
    """The speaker of one robot. `sign` gives what is added to the address, and the secrets that it was made with."""

    def __init__(
        self,
        settings: RobotSettings,
        context: UplinkContext,
        dialect: Dialect,
        sign: Callable[[], tuple[str, tuple[str, ...]]] = lambda: ("", ()),
    ) -> None:
        self._settings = settings
        self._dialect = dialect
        self._sign = sign
        self._door = HttpDoor(settings.timeout_ms, settings.ca_file, context.clock)
        self._limit_bytes = dialect.markdown_bytes if settings.form == "markdown" else dialect.text_bytes

    async def say(self, notices: Sequence[Notice]) -> Answer:
        """Say these notices as one message; what the robot answered."""
        try:
            request = await asyncio.to_thread(self._request, notices)
            http = await self._door.ask(request)
        except (LookupError, NoAnswerError) as error:
            return Answer(Outcome.LATER, str(error))
        return self._judge(http, request.secrets)

    def fits(self, notices: Sequence[Notice]) -> bool:
        """Whether the message is within the platform's length."""
        return len(self._text(notices).encode()) <= self._limit_bytes

    async def close(self) -> None:
        """Let go of the connection; it serves nobody any more."""
        await self._door.close()

    def _request(self, notices: Sequence[Notice]) -> HttpRequest:
        url = self._settings.url.reveal()
        fault = check_address(url, self._settings.allow_plain_http)
        if fault:
            raise LookupError(
                f"secret {self._settings.url.file or self._settings.url.env} holds no address, expected {fault}"
            )
        added, secrets = self._sign()
        first = notices[0].title(self._settings.languages[0])
        title = cut_bytes(" ".join(part for part in (self._settings.heading, first) if part), 100)
        text = cut_bytes(self._text(notices), self._limit_bytes)
        content = json.dumps(self._dialect.message(self._settings.form, title, text), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8"}
        url_signed = f"{url}{'&' if '?' in url else '?'}{added}" if added else url
        return HttpRequest(url_signed, content, headers, secrets=(*secrets_in(url), *secrets))

    def _text(self, notices: Sequence[Notice]) -> str:
        lines = full_text(notices, self._settings.wordings)
        lines[0] = f"{self._settings.heading} {lines[0]}".strip()
        if self._settings.form == "text":
            return "\n".join(line.translate(_CALLS) for line in lines)
        first, *others = (line.translate(_MARKS) for line in lines)
        return self._dialect.markdown_break.join([f"**{first}**", *(f"> {line}" for line in others)])

    def _judge(self, http: HttpAnswer, secrets: Sequence[str]) -> Answer:
        words = http.words(secrets)
        if not http.good:
            blamed = http.status in _HTTP_BLAMES_THE_MESSAGE
            return Answer(Outcome.UNCLEAR if blamed else Outcome.LATER, words, http.retry_after_s)
        try:
            told = json.loads(http.body)
        except (ValueError, RecursionError):
            told = None
        code = told.get("errcode") if isinstance(told, dict) else None
        if not isinstance(code, int) or isinstance(code, bool):
            return Answer(Outcome.LATER, f"an answer without errcode, is this a robot's address? {words}")
        return self._dialect.judge(code, words)
