"""A platform as its map describes it, checked: what every other module here works by.

In: made by `docking.loading` only. Out: read by encoding, signing and the courier. Frozen; knows no YAML.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from docking.quantities import Quantity, RecordKind

Code = str | int | float | bool


class Pattern(StrEnum):
    """How a platform knows who speaks (standards reference 6.1, patterns A, B, C and I)."""

    TOKEN_FORM = "token_form"  # noqa: S105 - the name of a pattern
    HEADER_SIGNATURE = "header_signature"
    API_KEY = "api_key"
    SORTED_PARAMETERS = "sorted_parameters"


class TimeForm(StrEnum):
    """How an instant is written. Dates and times of day are those of the platform's time zone."""

    MS = "ms"
    S = "s"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    ISO = "iso"


class Replay(StrEnum):
    """What is sent of the time in which the platform was not reached: ALL, oldest first, or the LATEST alone."""

    ALL = "all"
    LATEST = "latest"


class Algorithm(StrEnum):
    """How a signature is made of a text, and of a key where it is an HMAC."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    HMAC_MD5 = "hmac-md5"
    HMAC_SHA1 = "hmac-sha1"
    HMAC_SHA256 = "hmac-sha256"

    @property
    def keyed(self) -> bool:
        """Whether the algorithm takes a key of its own."""
        return self.value.startswith("hmac-")


@dataclass(frozen=True, slots=True)
class FieldType:
    """`C50`: a text of at most 50 characters; `N5.2`: a number of at most 5 digits, 2 of them decimals; `B`: bytes as
    base64. `size` 0: no bound is known."""

    letter: str
    size: int = 0
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class FieldMap:
    """One field of theirs. Filled from `quantity`; or `none_of`: true when all of these flags are known and false; or
    `constant`. `missing` is what stands for an unknown value; None leaves the field out. `line` is where it stands in
    the map."""

    name: str
    type: FieldType
    line: int
    quantity: Quantity | None = None
    none_of: tuple[str, ...] = ()
    constant: Code | None = None
    factor: float = 1.0
    form: TimeForm = TimeForm.MS
    values: Mapping[str, Code] = field(default_factory=dict)
    required: bool = False
    missing: Code | None = None
    cut: bool = False

    @property
    def personal(self) -> bool:
        """Whether it is filled with something of a person."""
        return self.quantity is not None and self.quantity.personal


@dataclass(frozen=True, slots=True)
class RecordMap:
    """One kind of record. `batch` records go into one request, under `wrap` when it is not empty."""

    kind: RecordKind
    path: str
    fields: tuple[FieldMap, ...]
    batch: int = 1
    wrap: str = ""
    replay: Replay = Replay.ALL
    every_s: float = 10.0
    fresh_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Signature:
    """`text` and `key` are templates (`docking.templates`); the result is hex or base64."""

    algorithm: Algorithm
    text: str
    key: str = ""
    base64: bool = False
    upper: bool = False


@dataclass(frozen=True, slots=True)
class TokenDoor:
    """Where a token is got: a form of templates to `path`; where in the reply it stands, and for how many seconds it
    holds (`expires_at` empty: `lasts_s`)."""

    path: str
    form: Mapping[str, str]
    token_at: str
    expires_at: str = ""
    lasts_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Transport:
    """How a payload becomes a request. `headers` and `parameters` are names with templates.

    `parameters` empty: the body is the payload's JSON. Else they are the body, as a form or as JSON. `time_unit_ms`:
    `{ts}` counts milliseconds, not seconds. `nonce_length`: characters of `{nonce}`, fresh for every request.
    """

    pattern: Pattern
    headers: Mapping[str, str]
    parameters: Mapping[str, str]
    as_form: bool
    time_unit_ms: bool
    nonce_length: int
    credentials: frozenset[str]
    signature: Signature | None = None
    token: TokenDoor | None = None


@dataclass(frozen=True, slots=True)
class ReplyRule:
    """What a reply means. `at` is where the code stands in its JSON; codes are compared as texts. `later`: the
    moment is to blame (a wrong clock, a full queue), asked again for ever. What is in none of the lists is asked again,
    and given up after `give_up_after` attempts (0: never)."""

    at: str
    accepted: frozenset[str]
    duplicate: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    token: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    words_at: str = ""
    http_refused: frozenset[int] = frozenset()
    give_up_after: int = 50


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform. `certainty` is a code of docs/docking.md; `time_zone` an IANA name."""

    name: str
    title_zh: str
    title_en: str
    source: str
    certainty: str
    time_zone: str
    transport: Transport
    reply: ReplyRule
    records: Mapping[RecordKind, RecordMap]
