"""The site file's sections as models; the whole file is in `site_file`, what kinds of assets add comes in `shapes`.

In: plain data. Out: frozen models. Knows nothing of files and lines. The docstrings below are what editors show.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.model.alarm import AlarmBounds, Severity
from kit.secret import Secret

NAME_PATTERN = r"^[a-z0-9]([a-z0-9_.-]{0,62}[a-z0-9])?$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Title = Annotated[str, Field(min_length=1, max_length=100)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


class SettingsModel(BaseModel):
    """Frozen, strict about unknown keys, NaN and infinity refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class LimitSource(StrEnum):
    """Who set a limit. Designer's, maker's and site scheme's limits beat codes; codes beat product defaults."""

    DESIGN = "design"
    MAKER_MANUAL = "maker_manual"
    SITE_SCHEME = "site_scheme"
    LOCAL_CODE = "local_code"
    NATIONAL_CODE = "national_code"
    PRODUCT_DEFAULT = "product_default"


Certainty = Literal["V1", "V2", "M-H", "M-M", "M-L", "PD", "SITE"]
_SITE_SOURCES = {LimitSource.DESIGN, LimitSource.MAKER_MANUAL, LimitSource.SITE_SCHEME}


def certainty_fits(source: LimitSource, certainty: str) -> bool:
    """Whether a limit may be called this sure: a product's own choice is never called a standard, nor a site's."""
    product = (certainty == "PD") == (source is LimitSource.PRODUCT_DEFAULT)
    site = (certainty == "SITE") == (source in _SITE_SOURCES)
    return product and site


def least_certainty(source: LimitSource) -> Certainty:
    """What a limit of this source is called when nobody says how sure it is."""
    if source is LimitSource.PRODUCT_DEFAULT:
        return "PD"
    return "SITE" if source in _SITE_SOURCES else "M-L"


class BoxSettings(SettingsModel):
    """This gateway box."""

    id: Name
    """Unique among all boxes that report to one regulator; part of every evidence record."""


class SiteSettings(SettingsModel):
    """The construction site the box stands on."""

    project_code: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,50}$")]
    """The project's code on the supervision platform."""
    title_zh: Title
    """Chinese name, for screens and reports."""
    title_en: Title
    """English name, for screens and reports."""


def _own_folder(folder: Path) -> Path:
    """Not the working directory itself, which is what an empty text means."""
    if folder == Path():
        raise PydanticCustomError("folder.own", "a folder of its own")
    return folder


class HistorySettings(SettingsModel):
    """How much of the readings the box keeps. Whichever bound is met first removes the oldest raw data."""

    max_gib: Annotated[float, Field(gt=0, le=10_240)] = 4.0
    """Size of the history on disk, GiB."""
    max_days: Annotated[int, Field(ge=1, le=3650)] = 60
    """Age of raw data, days. Crane data: at least 30 working days."""
    flush_ms: Annotated[int, Field(ge=10, le=10_000)] = 200
    """How long readings may wait in memory before they are written, milliseconds: what a power cut can lose."""


class MediaSettings(SettingsModel):
    """How long pictures of camera alarms are kept. Nothing goes before the regulator's signed receipt, while the alarm
    is open, or while its case is; what no longer fits is not kept, and the chain says so."""

    max_gib: Annotated[float, Field(gt=0, le=10_240)] = 20.0
    """Size of all pictures on disk, GiB."""
    frame_days: Annotated[float, Field(ge=1, le=36_500)] = 365.0
    """Age of frames that raised an alarm, days (PD)."""
    strip_days: Annotated[float, Field(ge=1, le=36_500)] = 180.0
    """Age of the stills that led to it, days (PD)."""
    clip_days: Annotated[float, Field(ge=1, le=36_500)] = 90.0
    """Age of clips, days (PD)."""


class StorageSettings(SettingsModel):
    """Where and how the box keeps its databases."""

    folder: Annotated[Path, AfterValidator(_own_folder)]
    """Folder for databases and keys. A relative path counts from the working directory."""
    reserve_mib: Annotated[int, Field(ge=1, le=1024)] = 8
    """Space set aside so that alerts can still be kept when the disk is full, MiB."""
    history: HistorySettings = HistorySettings()
    """Bounds of the history."""
    media: MediaSettings = MediaSettings()
    """Bounds of the pictures of camera alarms."""
    cycles_kept: Annotated[int, Field(ge=16_000, le=10_000_000)] = 200_000
    """Working cycles kept per crane. At least 16,000: JGJ 332-2014 3.2.2(1), V1; the default is PD."""


class IdentitySettings(SettingsModel):
    """The encrypted identity file of the box (`identity.sealed` in the data folder)."""

    key: Secret | None = None
    """Where its key is; without it `identity.key` in the data folder."""


class OverrideSettings(SettingsModel):
    """A site's own value for a rule. A looser limit needs `limit_source`; a reason is always needed."""

    rule: Name
    """Id of the rule in a pack."""
    asset: Name | None = None
    """The asset it is for; without it, every asset that the rule applies to."""
    limit: float | None = None
    """The new limit, in the point's unit (seconds for a silence rule)."""
    deadband: Annotated[float, Field(ge=0)] | None = None
    """How far back behind the limit a value must go before the condition ends, in the point's unit."""
    on_delay_s: Seconds | None = None
    """How long the condition must hold before the alarm, seconds."""
    off_delay_s: Seconds | None = None
    """How long the condition must be gone before the alarm returns, seconds."""
    severity: Severity | None = None
    """The new severity."""
    limit_source: LimitSource | None = None
    """Who set the new limit."""
    clause: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    """The document and page of the new limit."""
    certainty: Certainty | None = None
    """How sure that clause is; without it SITE, PD or M-L, as fits `limit_source`."""
    reason: Annotated[str, Field(min_length=3, max_length=300)]
    """Why, in words for the evidence."""

    @model_validator(mode="after")
    def _certainty_fits_source(self) -> "OverrideSettings":
        source = self.limit_source or LimitSource.SITE_SCHEME
        if self.certainty is not None and not certainty_fits(source, self.certainty):
            context = {"source": source.value, "certainty": self.certainty}
            raise PydanticCustomError("rule.certainty", "certainty and limit_source disagree", context)
        return self


class TlsSettings(SettingsModel):
    """HTTPS: the folder that `sitewarden tls init` made, or certificate and key of somebody else's authority."""

    folder: Annotated[Path, AfterValidator(_own_folder)] | None = None
    """The box's own authority and certificate. A relative path counts from the working directory."""
    cert_file: Path | None = None
    """Certificate chain (PEM), the box's own first."""
    key_file: Path | None = None
    """Its private key (PEM), without a password."""

    @model_validator(mode="after")
    def _one_source(self) -> "TlsSettings":
        files = (self.cert_file is not None) + (self.key_file is not None)
        if files != (0 if self.folder is not None else 2):
            raise PydanticCustomError("web.tls", "give folder, or cert_file and key_file")
        return self


class WebSettings(SettingsModel):
    """The box's own web page and API."""

    host: Annotated[str, Field(min_length=1, max_length=253)] = "127.0.0.1"
    """Address to listen on. From other machines people log in, and command over TLS alone unless the site says else."""
    port: Port = 8080
    """TCP port."""
    token: Secret | None = None
    """Of releases before 1.3: one token for all programs. It still reads and commands nothing; leave it out, and make
    each program a token of its own on the page Tokens of programs."""
    view_without_login: bool = False
    """Whether anybody who reaches the box may look at its pages without a login; commands always need one."""
    second_factor_for: list[Literal["viewer", "supervisor", "safety_officer", "administrator"]] = ["administrator"]
    """Whose login needs a code of an authenticator app (TOTP), too; others may have one. Empty: nobody's."""
    session_idle_h: Annotated[float, Field(gt=0, le=24)] = 8.0
    """A login ends after so long without use, hours."""
    session_max_h: Annotated[float, Field(gt=0, le=72)] = 12.0
    """A login ends after so long however much it is used, hours."""
    commands_over_plain_http: bool = False
    """Whether people may log in and command from other machines without TLS. Anybody on the same network can then read
    their names, passwords and sessions, act in their name, and change what their pages show."""
    tls: TlsSettings | None = None
    """HTTPS instead of HTTP."""
    http_port: Port | None = None
    """With `tls`: a second port without it, which hands out the authority's certificate and sends browsers over."""

    @model_validator(mode="after")
    def _plain_beside_tls(self) -> "WebSettings":
        if self.http_port is not None and (self.tls is None or self.http_port == self.port):
            raise PydanticCustomError("web.http_port", "another port, and only beside tls", {"found": self.http_port})
        return self


Hours = Annotated[float, Field(gt=0, le=720)]


class AlarmSettings(SettingsModel):
    """How alarms are grouped, put aside and counted. Nothing here changes what raises or clears one."""

    first_out_window_s: Annotated[float, Field(ge=0, le=600)] = 10.0
    """Alarms of one asset within this time of the first one point to it, seconds."""
    shelve_max_h: Annotated[float, Field(gt=0, le=8)] = 8.0
    """How long an alarm may be shelved at most, hours. P1 never may."""
    out_of_service_max_h: Hours = 24.0
    """How long a device or point may be out of service without renewal, hours."""
    standing_after_h: Hours = 24.0
    """An alarm that is active for longer is listed as standing, hours."""
    chatter_raises: Annotated[int, Field(ge=2, le=1000)] = 3
    """So many raises of one alarm within the window are called chatter."""
    chatter_window_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """The window for chatter, seconds."""
    flood_alarms: Annotated[int, Field(ge=1, le=1000)] = 10
    """More new alarms than this within the window are called a flood."""
    flood_window_s: Annotated[float, Field(gt=0, le=3600)] = 600.0
    """The window for a flood, seconds."""
    operator_positions: Annotated[int, Field(ge=1, le=50)] = 1
    """How many people answer alarms side by side; the figures are per position."""

    @property
    def bounds(self) -> AlarmBounds:
        """As the alarm table takes them."""
        return AlarmBounds(
            first_out_window_s=self.first_out_window_s,
            shelve_max_s=self.shelve_max_h * 3600,
            out_of_service_max_s=self.out_of_service_max_h * 3600,
            standing_after_s=self.standing_after_h * 3600,
            chatter_raises=self.chatter_raises,
            chatter_window_s=self.chatter_window_s,
            flood_alarms=self.flood_alarms,
            flood_window_s=self.flood_window_s,
        )


class EscalationSettings(SettingsModel):
    """Who is told when nobody answers. Without uplinks an escalation is only recorded and shown."""

    uplinks: list[Name] = []
    """Names of uplinks that tell people; each gets every escalation."""
    p1_after_s: Annotated[int, Field(ge=1, le=3600)] = 120
    """How long a P1 may stay unacknowledged, seconds."""
    no_screen_after_s: Annotated[int, Field(ge=1, le=3600)] = 120
    """How long a P1 or P2 may be active while no live page is open, seconds."""
