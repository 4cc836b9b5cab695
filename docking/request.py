"""Payloads as one signed HTTP request, after the platform's pattern. Pure: time and nonce are arguments.

    A  token_form          headers with {token}; form field params = {body}
    B  header_signature    headers with {ts}, {nonce}, {signature}; the body is the JSON
    C  api_key             headers with {api_key}; the body is the JSON
    I  sorted_parameters   parameters with {ts}, {nonce}; {sorted} is k=v joined with & in the order of the names,
                           without the parameter that holds {signature}

Which headers, parameters and formulas these are is the map's to say.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from docking.encoding import Payload
from docking.platform import Algorithm, Pattern, RecordMap, Signature, TokenDoor, Transport
from docking.templates import filled, names_in

_JSON = "application/json; charset=utf-8"
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One POST. `path` is below the platform's address; `secrets` may stand in it and never in what is said of it."""

    path: str
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is fresh in every request: UTC ns, and a word that was never used before."""

    now_ns: int
    nonce: str


def record_call(
    transport: Transport,
    map_: RecordMap,
    payloads: Sequence[Payload],
    credentials: Mapping[str, str],
    stamp: Stamp,
    token: str = "",
) -> HttpCall:
    """The request that carries the payloads. Raises LookupError when a credential is missing."""
    known = _known(transport, credentials, stamp) | {"token": token, "body": _body(map_, payloads)}
    parameters = transport.parameters
    if transport.signature is not None:
        if transport.pattern is Pattern.SORTED_PARAMETERS:
            known["sorted"] = sorted_text(_unsigned(parameters, known))
        known["signature"] = signature(transport.signature, known)
    headers = {name: filled(template, known) for name, template in transport.headers.items()}
    if parameters:
        content, media_type = _form_or_json({n: filled(t, known) for n, t in parameters.items()}, transport.as_form)
    else:
        content, media_type = known["body"].encode(), _JSON
    return HttpCall(map_.path, {"Content-Type": media_type, **headers}, content, _secrets(credentials, token))


def token_call(transport: Transport, door: TokenDoor, credentials: Mapping[str, str], stamp: Stamp) -> HttpCall:
    """The request for a token: a form. Raises LookupError when a credential is missing."""
    known = _known(transport, credentials, stamp) | {"body": ""}
    content, media_type = _form_or_json({name: filled(text, known) for name, text in door.form.items()}, True)
    return HttpCall(door.path, {"Content-Type": media_type}, content, _secrets(credentials, ""))


def signature(rule: Signature, known: Mapping[str, str]) -> str:
    """The signature of what the rule's text becomes."""
    text = filled(rule.text, known).encode()
    algorithm = rule.algorithm
    if algorithm.keyed:
        key = filled(rule.key, known).encode()
        digest = hmac.new(key, text, algorithm.value.removeprefix("hmac-")).digest()
    else:
        digest = hashlib.new(algorithm.value, text, usedforsecurity=algorithm is not Algorithm.MD5).digest()
    written = base64.b64encode(digest).decode() if rule.base64 else digest.hex()
    return written.upper() if rule.upper and not rule.base64 else written


def sorted_text(parameters: Mapping[str, str]) -> str:
    """`a=1&b=2` by the names' order, without empty values."""
    return "&".join(f"{name}={parameters[name]}" for name in sorted(parameters) if parameters[name] != "")


def _unsigned(parameters: Mapping[str, str], known: Mapping[str, str]) -> Mapping[str, str]:
    unsigned = {name: text for name, text in parameters.items() if "signature" not in names_in(text)}
    return {name: filled(text, known) for name, text in unsigned.items()}


def _known(transport: Transport, credentials: Mapping[str, str], stamp: Stamp) -> dict[str, str]:
    missing = sorted(transport.credentials - credentials.keys())
    if missing:
        raise LookupError(f"credentials not given: {', '.join(missing)}")
    ts = stamp.now_ns // (1_000_000 if transport.time_unit_ms else 1_000_000_000)
    return {**credentials, "ts": str(ts), "nonce": stamp.nonce[: transport.nonce_length]}


def _body(map_: RecordMap, payloads: Sequence[Payload]) -> str:
    bodies = [dict(payload.fields) for payload in payloads]
    whole: object = bodies if map_.batch > 1 else bodies[0]
    return json.dumps({map_.wrap: whole} if map_.wrap else whole, ensure_ascii=False, separators=(",", ":"))


def _form_or_json(parameters: Mapping[str, str], as_form: bool) -> tuple[bytes, str]:
    if as_form:
        return urlencode(parameters).encode(), _FORM
    return json.dumps(dict(parameters), ensure_ascii=False, separators=(",", ":")).encode(), _JSON


def _secrets(credentials: Mapping[str, str], token: str) -> tuple[str, ...]:
    return tuple(text for text in (*credentials.values(), token) if text)
