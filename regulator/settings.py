"""What the desk needs to know to start. In: command line arguments or a YAML file. Out: frozen settings."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """`port` 0 takes a free one. The signing key and the blobs lie beside the database."""

    database: Path
    port: int
    enrol_code_file: Path
    host: str = "127.0.0.1"
    max_blob_bytes: int = 256 * 1024 * 1024

    @property
    def key_file(self) -> Path:
        """The private signing key, mode 0600."""
        return self.database.with_suffix(".key.pem")

    @property
    def blob_folder(self) -> Path:
        """Files by their digest."""
        return self.database.with_suffix(".blobs")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SetSettings(_Section):
    """The province's set of video-monitored projects (notice A26): its size and, optionally, quotas by city code."""

    size: int = Field(default=500, ge=1)
    quotas: dict[str, int] = Field(default_factory=dict)
    no_picture_days: int = Field(default=30, ge=1)


class OidcSettings(_Section):
    """Sign-on by OpenID Connect. `secret_file` holds the client secret; `claim` names the claim that is the login."""

    issuer: str
    client_id: str
    secret_file: Path
    claim: str = "preferred_username"


class DeskSettings(_Section):
    """One desk. `database`: a SQLAlchemy URL; `blobs`: a folder, or `s3://bucket` with `s3` beside it."""

    name_zh: str = "监管审查台"
    name_en: str = "Review desk"
    province_code: str = ""
    database: str
    blobs: str
    key_file: Path
    enrol_code_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    public_url: str = ""
    """Where people elsewhere reach the desk, such as `https://desk.example`: printed on documents."""
    max_blob_bytes: int = Field(default=256 * 1024 * 1024, ge=1)
    s3_endpoint: str = ""
    s3_secret_file: Path | None = None
    project_set: SetSettings = SetSettings()
    oidc: OidcSettings | None = None
    packs: tuple[str, ...] = ("national",)
    silent_box_s: int = Field(default=1800, ge=1)
    alarms_to_review: tuple[str, ...] = ("P1", "P2")

    def beside(self, folder: Path) -> "DeskSettings":
        """The same with every relative path taken from `folder`: where the desk file lies."""
        changed: dict[str, object] = {"key_file": folder / self.key_file}
        for name in ("enrol_code_file", "s3_secret_file"):
            path = getattr(self, name)
            changed[name] = None if path is None else folder / path
        if not self.blobs.startswith("s3://"):
            changed["blobs"] = str(folder / self.blobs)
        if self.database.startswith(SQLITE):
            changed["database"] = SQLITE + str(folder / self.database.removeprefix(SQLITE))
        if self.oidc is not None:
            changed["oidc"] = self.oidc.model_copy(update={"secret_file": folder / self.oidc.secret_file})
        return self.model_copy(update=changed)
