"""The shape of a map's YAML, before its meaning is checked. One model a section; nothing is converted."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from docking.platform import Algorithm, Code, Replay, TimeForm
from docking.wording import CREDENTIAL_PATTERN, FIELD_PATTERN, NAME_PATTERN, PATH_PATTERN

_Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
_Path = Annotated[str, StringConstraints(pattern=PATH_PATTERN)]
_Credential = Annotated[str, StringConstraints(pattern=CREDENTIAL_PATTERN)]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
_Certainty = Literal["V1", "V2", "M-H", "M-M", "PD"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FieldSection(_Section):
    """What a map says of one field of theirs."""

    name: Annotated[str, StringConstraints(pattern=FIELD_PATTERN)]
    of: str = ""
    none_of: tuple[str, ...] = ()
    constant: Code | None = None
    type: str = ""
    unit: str | None = None
    format: TimeForm | None = None
    values: dict[str, Code] = Field(default_factory=dict)
    required: bool = False
    missing: Code | None = None
    cut: bool = False
    remark: str = ""


class RecordSection(_Section):
    """What a map says of one kind of record."""

    path: _Path
    batch: Annotated[int, Field(ge=1, le=500)] = 1
    wrap: Annotated[str, StringConstraints(max_length=64)] = ""
    replay: Replay = Replay.ALL
    every_s: Annotated[float, Field(gt=0, le=3600)] = 10.0
    fresh_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    source: str = ""
    certainty: _Certainty = "PD"
    fields: Annotated[tuple[FieldSection, ...], Field(min_length=1, max_length=400)]


class SignatureSection(_Section):
    """How the signature is made; `certainty` of its formula."""

    algorithm: Algorithm
    text: _Text
    key: str = ""
    encoding: Literal["hex", "base64"] = "hex"
    case: Literal["lower", "upper"] = "lower"
    certainty: _Certainty = "PD"


class TokenSection(_Section):
    """Where a token is got (pattern A)."""

    path: _Path
    form: dict[str, str]
    token_at: _Text
    expires_at: str = ""
    lasts_s: Annotated[float, Field(gt=0, le=86_400)] = 3600.0


class TransportSection(_Section):
    """What a map says of how requests are made."""

    pattern: Literal["token_form", "header_signature", "api_key", "sorted_parameters"]
    credentials: Annotated[tuple[_Credential, ...], Field(min_length=1, max_length=8)]
    headers: dict[str, str] = Field(default_factory=dict)
    parameters: dict[str, str] = Field(default_factory=dict)
    body: Literal["json", "form"] = "json"
    timestamp: Literal["ms", "s"] = "ms"
    nonce_length: Annotated[int, Field(ge=8, le=64)] = 16
    signature: SignatureSection | None = None
    token: TokenSection | None = None


class ReplySection(_Section):
    """What a map says of how a reply is read."""

    at: _Text
    accepted: Annotated[tuple[Code, ...], Field(min_length=1)]
    duplicate: tuple[Code, ...] = ()
    refused: tuple[Code, ...] = ()
    token: tuple[Code, ...] = ()
    later: tuple[Code, ...] = ()
    words_at: str = ""
    http_refused: tuple[Annotated[int, Field(ge=400, le=599)], ...] = ()
    give_up_after: Annotated[int, Field(ge=0, le=10_000)] = 50


class PlatformSection(_Section):
    """The whole file, but for its records: they are checked one by one."""

    version: Literal[1]
    platform: _Name
    title_zh: _Text
    title_en: _Text
    source: _Text
    certainty: _Certainty
    time_zone: str = "Asia/Shanghai"
    transport: TransportSection
    reply: ReplySection
