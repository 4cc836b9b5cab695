"""How a site docks with a platform: which map, where, as whom, and what the platform calls our machines.

In: the site file's entry. Out: checked settings; and, once the map is read, every fault of the map and of what the
entry says about it. Knows no network.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from docking.fault import MapError
from docking.loading import load_platform
from docking.platform import Platform
from docking.quantities import RecordKind
from docking.secret_names import secret_names
from docking.shelf import map_path, shipped_names
from gateway.model.alarm import Severity, TransitionKind
from gateway.ports import UplinkFault
from gateway.uplinks.http_door import check_address
from gateway.uplinks.messenger import ChoosySettings, Chosen
from kit.secret import Secret

_Sn = Annotated[str, Field(min_length=1, max_length=200)]
_Code = Annotated[str, Field(max_length=200)]


class DockedDevice(BaseModel):
    """What the platform calls one of our assets."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    sn: _Sn
    """The serial number, or device code, under which the platform knows it."""
    maker: _Code = ""
    """Its maker, where the platform asks."""
    record_no: _Code = ""
    """Its filing number (备案号)."""


class DockingSettings(ChoosySettings):
    """What the site file says of one platform."""

    kind: Literal["docking"]
    platform: Annotated[str, Field(min_length=1)]
    """A shipped map's name, or the path of your own, ending in .yaml."""
    url: str
    """https://HOST[:PORT][/PATH], before the map's paths; plain http only to this machine, or with allow_plain_http."""
    ids: Mapping[str, Annotated[str, Field(min_length=1, max_length=200)]] = Field(default_factory=dict)
    """Credentials that are no secrets: who supplies, for which project."""
    secrets: Mapping[str, Secret] = Field(default_factory=dict)
    """Credentials that are: {file: PATH} or {env: NAME}, read anew for every batch."""
    project_code: _Code = ""
    """The platform's code for the project; the site's own when empty."""
    devices: Annotated[Mapping[str, DockedDevice], Field(min_length=1)]
    """By our asset id. What is not named here is not sent."""
    records: tuple[RecordKind, ...] = ()
    """Which of the map's records are sent; all when empty."""
    min_severity: Severity = Severity.P2
    """The least severity of an `alarm` record."""
    transitions: Chosen = (TransitionKind.RAISED, TransitionKind.RETURNED)
    """Which transitions are sent as an `alarm` record. An AI alarm is sent when it is raised."""
    identities: Literal["leave_out", "send"] = "leave_out"
    """Whether fields of persons are sent where the map has them, out of the box's identity file; each is audited."""
    photos: Literal["blurred", "none"] = "blurred"
    """Whether the AI alarm's picture goes with it. Faces are blurred, always."""

    @field_validator("url")
    @classmethod
    def _reachable_safely(cls, url: str, others: ValidationInfo) -> str:
        fault = check_address(url, bool(others.data.get("allow_plain_http")))
        if fault or "?" in url:
            raise ValueError(fault or "an address without a query")
        return url.rstrip("/")

    @property
    def map_file(self) -> Path:
        """The file in which the platform's map lies."""
        return map_path(self.platform)

    def chosen(self, platform: Platform) -> frozenset[RecordKind]:
        """The records that are sent. Hazards are kept at a regulator's desk, which tells of them."""
        return frozenset(self.records or platform.records) & frozenset(platform.records) - {RecordKind.HAZARD}


def docking_faults(settings: DockingSettings, assets: Collection[str]) -> Sequence[UplinkFault]:
    """What is wrong with the map, and with what the entry says about it."""
    if not settings.platform.endswith(".yaml") and settings.platform not in shipped_names():
        known = ", ".join(shipped_names())
        return [_fault(("platform",), settings.platform, f"one of {known}, or a path ending in .yaml")]
    if not settings.map_file.is_file():
        expected = f"a map at {settings.map_file.absolute()}"
        return [_fault(("platform",), f"{settings.platform}, where no file is", expected)]
    try:
        platform = load_platform(settings.map_file)
    except MapError as error:
        return [
            UplinkFault((), f.found.en, f.expected.en, f.found.zh, f.expected.zh, f.file, f.line, f.key)
            for f in error.faults
        ]
    return [*_credential_faults(settings, platform), *_reference_faults(settings, platform, assets)]


def _credential_faults(settings: DockingSettings, platform: Platform) -> list[UplinkFault]:
    needed, given = platform.transport.credentials, {*settings.ids, *settings.secrets}
    expected = ", ".join(sorted(needed))
    faults = [
        _fault(("secrets",), f"no {name}", f"under secrets or ids: {expected}") for name in sorted(needed - given)
    ]
    for part in ("ids", "secrets"):
        unknown = sorted(set(getattr(settings, part)) - needed)
        faults += [_fault((part, name), f"the credential {name}", f"one of: {expected}") for name in unknown]
    clear = secret_names(set(settings.ids) & needed)
    faults += [
        _fault(
            ("ids", name), "something that is a secret by its name (not shown)", f"secrets: {{{name}: {{file: PATH}}}}"
        )
        for name in clear
    ]
    both = sorted({*settings.ids} & {*settings.secrets})
    return faults + [_fault(("ids", name), f"{name}, also under secrets", "each credential once") for name in both]


def _reference_faults(settings: DockingSettings, platform: Platform, assets: Collection[str]) -> list[UplinkFault]:
    faults = [
        _fault(("devices", name), f"the asset {name}", f"one of: {', '.join(sorted(assets))}")
        for name in settings.devices
        if name not in assets
    ]
    known = frozenset(platform.records) - {RecordKind.HAZARD}
    offered = ", ".join(kind.value for kind in platform.records if kind in known)
    faults += [
        _fault(("records", i), f"the record {kind}", f"one that the map has: {offered}")
        for i, kind in enumerate(settings.records)
        if kind not in known
    ]
    return faults


def _fault(path: tuple[str | int, ...], found: str, expected: str) -> UplinkFault:
    return UplinkFault(path, found, expected, found, expected)
