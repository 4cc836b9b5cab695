"""Finds every reference to a secret, a certificate or a key file and warns of those that are not there yet, and of a
signature algorithm whose library is not installed.

In: the settings that hold them. Out: warnings that name the file or the variable, never what is in it. The start of the
gateway fails without them; a check of the settings, on another machine perhaps, does not.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from contract.signing import MissingAlgorithmError, require_algorithm
from gateway.settings.binding import Field
from gateway.settings.document import Document, KeyPath
from gateway.settings.settings import BoundUplink
from gateway.settings.site import SiteParts
from kit.secret import Secret

PEM_FILES: Final = frozenset({"ca_file", "cert_file", "key_file"})


def warn_of_missing_files(document: Document, site: SiteParts, field: Field, uplinks: Sequence[BoundUplink]) -> None:
    """Warn of every secret, certificate and key file that cannot be read now."""
    for path, holder in holders_of(site, field, uplinks):
        for secret_path, secret in _secrets_in(holder, path):
            missing = _missing(secret)
            if missing is not None:
                document.warn(secret_path, "warn.secret_missing", source=missing)
        for file_path, file in _pem_files_in(holder, path):
            problem = _unreadable(file)
            if problem is not None:
                document.warn(file_path, "warn.file_missing", file=file, problem=problem)
        _warn_of_missing_algorithm(document, holder, path)


def _warn_of_missing_algorithm(document: Document, holder: Any, path: KeyPath) -> None:
    """Of an uplink whose key nothing on this machine can make or use."""
    try:
        require_algorithm(getattr(holder, "signature", ""))
    except MissingAlgorithmError as error:
        document.warn((*path, "signature"), "warn.algorithm_missing", problem=error)


def holders_of(site: SiteParts, field: Field, uplinks: Sequence[BoundUplink]) -> list[tuple[KeyPath, Any]]:
    """The settings that hold addresses and secrets, and where they stand in the site file."""
    link_paths = {str(raw.get("id")): path for path, raw in site.links}
    uplink_paths = {str(raw.get("name")): path for path, raw in site.uplinks}
    holders: list[tuple[KeyPath, Any]] = [(("web",), site.web), (("identity",), site.identity)]
    holders += [(link_paths[link.settings.id], link.settings) for link in field.links]
    holders += [(device.path, device.settings) for device in field.devices]
    holders += [(uplink_paths[uplink.name], uplink.settings) for uplink in uplinks]
    return holders


def _secrets_in(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Secret]]:
    if isinstance(value, Secret):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets_in(getattr(value, name), (*path, name))
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _secrets_in(item, (*path, name))


def _pem_files_in(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Path]]:
    if not isinstance(value, BaseModel):
        return
    for name in type(value).model_fields:
        item = getattr(value, name)
        if name in PEM_FILES and isinstance(item, Path):
            yield (*path, name), item
        else:
            yield from _pem_files_in(item, (*path, name))


def _unreadable(file: Path) -> str | None:
    """Why it cannot be read; None when it can."""
    try:
        with file.open("rb"):
            return None
    except OSError as error:
        return error.strerror or type(error).__name__


def _missing(secret: Secret) -> str | None:
    """What cannot be read and why; None when it can."""
    try:
        secret.reveal()
    except LookupError as error:
        return str(error)
    except ValueError:
        return f"secret file {secret.file} is not UTF-8 text"
    return None
