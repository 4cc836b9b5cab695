"""What a site file says of an MQTT broker, whichever way the messages go. A pure schema: opens nothing."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kit.secret import Secret


class TlsFiles(BaseModel):
    """PEM files. Without `ca_file` the system's authorities count; with `cert_file` the box shows a certificate."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _pair(self) -> "TlsFiles":
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file come together")
        return self


class BrokerSettings(BaseModel):
    """Where a broker is, and as whom to connect."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65_535)] = 1883
    protocol: Literal["5", "3.1.1"] = "5"
    client_id: Annotated[str, Field(max_length=200)] = ""
    username: str = ""
    password: Secret | None = None
    tls: TlsFiles | None = None
    keepalive_s: Annotated[int, Field(ge=5, le=65_535)] = 30
    connect_timeout_s: Annotated[float, Field(gt=0, le=120)] = 5.0

    @model_validator(mode="after")
    def _named(self) -> "BrokerSettings":
        if self.password is not None and not self.username:
            raise ValueError("a password needs a username")
        return self
