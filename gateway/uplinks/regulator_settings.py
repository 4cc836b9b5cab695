"""What the site file says of a regulator: where it is, how this box introduces itself, what it may see."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kit.secret import Secret

Seconds = Annotated[float, Field(gt=0, le=3600)]


class RegulatorSettings(BaseModel):
    """Where the regulator is and how to introduce this box.

    `regulator_key_id` pins the regulator's key by its fingerprint (asked for by telephone); without it the first key
    seen is remembered. Plain HTTP is for loopback unless `allow_plain_http` says otherwise. `rule_packs`: whether a
    pack that this regulator offers is taken once it has passed the check, or a person at the site is asked first.
    `stills`: whether it gets a small picture of each camera once a minute, faces blurred; `live_video`: whether it may
    ask for that. `signature`: the algorithm of the key that is made for this uplink; a key that is there stays.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9_.-]{0,62}[a-z0-9])?$")]
    kind: Literal["regulator"]
    url: str
    enrol_code: Secret
    regulator_key_id: Annotated[str, Field(pattern=r"^([a-z0-9]{1,16}:[0-9a-f]{32})?$")] = ""
    ca_file: Path | None = None
    connect_timeout_s: Seconds = 3.0
    reply_timeout_s: Seconds = 10.0
    heartbeat_s: Seconds = 30.0
    mailbox_wait_s: Annotated[int, Field(ge=0, le=60)] = 25
    pipelining: Annotated[int, Field(ge=1, le=64)] = 8
    late_after_s: Seconds = 60.0
    allow_plain_http: bool = False
    stills: bool = True
    live_video: bool = True
    rule_packs: Literal["activate", "ask"] = "activate"
    signature: Literal["Ed25519", "SM2"] = "Ed25519"

    @model_validator(mode="after")
    def _reachable_safely(self) -> "RegulatorSettings":
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("url: expected https://HOST[:PORT][/PATH]")
        if parts.username or parts.password:
            raise ValueError("url: expected no user or password in it; the box signs with its own key")
        if parts.scheme == "http" and not self.allow_plain_http and not _is_loopback(parts.hostname):
            raise ValueError("url: expected https; plain http leaves this machine only with allow_plain_http: true")
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
