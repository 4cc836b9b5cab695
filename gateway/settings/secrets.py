"""Finds every reference to a secret and warns of those that are not there yet.

In: the settings that hold them. Out: warnings that name the file or the variable, never what is in it. The start of the
gateway fails without them; a check of the settings, on another machine perhaps, does not.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from gateway.secret import Secret
from gateway.settings.binding import Field
from gateway.settings.document import Document, KeyPath
from gateway.settings.settings import BoundUplink
from gateway.settings.site import SiteParts


def warn_of_missing_secrets(document: Document, site: SiteParts, field: Field, uplinks: Sequence[BoundUplink]) -> None:
    """Warn of every secret that cannot be read now."""
    link_paths = {str(raw.get("id")): path for path, raw in site.links}
    uplink_paths = {str(raw.get("name")): path for path, raw in site.uplinks}
    holders: list[tuple[KeyPath, Any]] = [(("web",), site.web), (("identity",), site.identity)]
    holders += [(link_paths[link.settings.id], link.settings) for link in field.links]
    holders += [(device.path, device.settings) for device in field.devices]
    holders += [(uplink_paths[uplink.name], uplink.settings) for uplink in uplinks]
    for path, holder in holders:
        for secret_path, secret in _secrets_in(holder, path):
            missing = _missing(secret)
            if missing is not None:
                document.warn(secret_path, "warn.secret_missing", source=missing)


def _secrets_in(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Secret]]:
    if isinstance(value, Secret):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets_in(getattr(value, name), (*path, name))
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _secrets_in(item, (*path, name))


def _missing(secret: Secret) -> str | None:
    """What cannot be read and why; None when it can."""
    try:
        secret.reveal()
    except LookupError as error:
        return str(error)
    except ValueError:
        return f"secret file {secret.file} is not UTF-8 text"
    return None
