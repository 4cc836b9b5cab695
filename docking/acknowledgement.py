"""Meaning of a platform's reply. Pure.

code in accepted, duplicate  TAKEN: it holds the record, once
code in refused              REFUSED: it never will; its words are kept
code in token, HTTP 401      TOKEN: the token is not good (pattern A asks for a new one, others wait)
429                          LATER, as long as it asks
any other code               UNCLEAR: asked again, not for ever
no JSON, no code, other HTTP LATER: a captive portal's page is no yes
"""

import json
from dataclasses import dataclass
from enum import Enum, auto

from docking.platform import ReplyRule

WORDS_LENGTH = 300
TOO_MANY_AFTER_S = 5.0
WRONG_SETTINGS_AFTER_S = 60.0


class Outcome(Enum):
    """What a platform's answer means: the table above."""

    TAKEN = auto()
    REFUSED = auto()
    UNCLEAR = auto()
    TOKEN = auto()
    LATER = auto()


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What came back. `retry_after_s` 0 when nothing was wished."""

    status: int
    body: bytes
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Ack:
    """What became of a request. `words` are the platform's, or what went wrong on the way."""

    outcome: Outcome
    words: str = ""
    after_s: float = 0.0


def judged(rule: ReplyRule, reply: HttpReply) -> Ack:
    """The meaning of a reply to a record."""
    words = _words(reply)
    if reply.status in (401, 403):
        return Ack(Outcome.TOKEN, words, max(reply.retry_after_s, WRONG_SETTINGS_AFTER_S))
    if reply.status in rule.http_refused:
        return Ack(Outcome.REFUSED, words)
    if not 200 <= reply.status < 300:
        least_s = TOO_MANY_AFTER_S if reply.status == 429 else WRONG_SETTINGS_AFTER_S if reply.status == 404 else 0.0
        return Ack(Outcome.LATER, words, max(reply.retry_after_s, least_s))
    told = read_json(reply.body)
    code = found_at(told, rule.at)
    if code is None or isinstance(code, dict | list):
        return Ack(Outcome.LATER, f"a reply without {rule.at}: {words}"[:WORDS_LENGTH])
    text = str(code).lower() if isinstance(code, bool) else str(code)
    said = found_at(told, rule.words_at) if rule.words_at else None
    return Ack(_outcome(rule, text), f"{text}: {said}"[:WORDS_LENGTH] if said else words, reply.retry_after_s)


def _outcome(rule: ReplyRule, code: str) -> Outcome:
    if code in rule.accepted or code in rule.duplicate:
        return Outcome.TAKEN
    if code in rule.refused:
        return Outcome.REFUSED
    if code in rule.token:
        return Outcome.TOKEN
    return Outcome.LATER if code in rule.later else Outcome.UNCLEAR


def read_json(body: bytes) -> object:
    """The body's JSON; None when it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def found_at(told: object, path: str) -> object:
    """The value at `data.code`; None when there is none."""
    for step in path.split("."):
        told = told.get(step) if isinstance(told, dict) else None
    return told


def _words(reply: HttpReply) -> str:
    text = " ".join(reply.body.decode(errors="replace").split())
    return f"{reply.status}: {text}"[:WORDS_LENGTH]
