"""What the desk needs to know to start. In: command line arguments or a YAML file. Out: frozen settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from contract.signing import require_algorithm
from regulator.base.model.actor import Duty

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
        """The folder in which files lie by their digest."""
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


class DockingSettings(_Section):
    """One platform above the desk. `platform`: a shipped map's name, or the path of a map, ending in .yaml.

    `ids` and `secret_files` are its credentials by the map's names. `projects` and `devices` (`box/asset`) are what it
    calls ours; a project that is not named keeps its code, a device that is not named has none.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    platform: str
    url: str
    ids: dict[str, str] = Field(default_factory=dict)
    secret_files: dict[str, Path] = Field(default_factory=dict)
    projects: dict[str, str] = Field(default_factory=dict)
    devices: dict[str, str] = Field(default_factory=dict)
    severities: tuple[str, ...] = ("P1", "P2")
    transitions: tuple[str, ...] = ("raised", "returned")
    hazard_grades: tuple[Literal["major", "general"], ...] = ("major",)
    """Hazards of which grades are told, where the map has the record; none when empty."""
    timeout_s: float = Field(default=10.0, gt=0, le=15)
    ca_file: Path | None = None
    allow_plain_http: bool = False

    def beside(self, folder: Path) -> "DockingSettings":
        """The same with every relative path taken from `folder`."""
        own_map = self.platform.endswith(".yaml")
        changed: dict[str, object] = {
            "secret_files": {name: folder / path for name, path in self.secret_files.items()},
            "platform": str(folder / self.platform) if own_map else self.platform,
            "ca_file": None if self.ca_file is None else folder / self.ca_file,
        }
        return self.model_copy(update=changed)


class WitnessSettings(_Section):
    """Who stamps the ledger's head of each day: a time-stamp authority (RFC 3161). `ca_file`: PEM, the certificates
    that its own is traced to. Its answers are signed, so `http` will do."""

    url: str = Field(pattern=r"^https?://[^/?#@]+")
    ca_file: Path
    timeout_s: float = Field(default=10.0, gt=0, le=60)


class DeskSettings(_Section):
    """One desk. `database`: a SQLAlchemy URL; `blobs`: a folder, or `s3://bucket` with `s3` beside it."""

    name_zh: str = "监管审查台"
    name_en: str = "Review desk"
    province_code: str = ""
    database: str
    database_password_file: Path | None = None
    """The password for `database`, on the file's first line: a URL stands in settings and process lists."""
    blobs: str
    key_file: Path
    enrol_code_file: None = None
    """There is none any more: a code is for one box of one project, and lives a day."""
    signature: Literal["Ed25519", "SM2"] = "Ed25519"
    """The algorithm of a key that is made: at the very first start, and when a next key is announced."""
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    public_url: str = ""
    """Where people elsewhere reach the desk, such as `https://desk.example`: printed on documents."""
    max_blob_bytes: int = Field(default=256 * 1024 * 1024, ge=1)
    s3_endpoint: str = ""
    s3_secret_file: Path | None = None
    project_set: SetSettings = SetSettings()
    oidc: OidcSettings | None = None
    second_factor_for: tuple[Duty, ...] = (Duty.ADMINISTRATOR, Duty.APPROVER)
    """Whoever holds one of these duties logs in with a code of an authenticator app, too; others may. Of whoever signs
    on with the office's account, that account's provider asks for it."""
    packs: tuple[str, ...] = ("national",)
    processes: int = Field(default=2, ge=1, le=2)
    """2: boxes are heard by one process, pages and jobs are another's, each on a core. On SQLite it is always 1."""
    silent_box_s: int = Field(default=1800, ge=1)
    alarms_to_review: tuple[str, ...] = ("P1", "P2")
    docking: tuple[DockingSettings, ...] = ()
    witness: WitnessSettings | None = None

    @field_validator("signature")
    @classmethod
    def _can_be_made(cls, value: str) -> str:
        require_algorithm(value)
        return value

    @field_validator("enrol_code_file", mode="before")
    @classmethod
    def _no_code_file(cls, value: object) -> None:
        if value is not None:
            raise ValueError("remove this line; codes are issued by: sitewarden desk FILE issue-code PROJECT BOX")

    def beside(self, folder: Path) -> "DeskSettings":
        """The same with every relative path taken from `folder`: where the desk file lies."""
        changed: dict[str, object] = {"key_file": folder / self.key_file}
        for name in ("s3_secret_file", "database_password_file"):
            path = getattr(self, name)
            changed[name] = None if path is None else folder / path
        if not self.blobs.startswith("s3://"):
            changed["blobs"] = str(folder / self.blobs)
        if self.database.startswith(SQLITE):
            changed["database"] = SQLITE + str(folder / self.database.removeprefix(SQLITE))
        changed["docking"] = tuple(each.beside(folder) for each in self.docking)
        if self.witness is not None:
            changed["witness"] = self.witness.model_copy(update={"ca_file": folder / self.witness.ca_file})
        if self.oidc is not None:
            changed["oidc"] = self.oidc.model_copy(update={"secret_file": folder / self.oidc.secret_file})
        return self.model_copy(update=changed)
