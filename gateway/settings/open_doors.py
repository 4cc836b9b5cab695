"""Warns of what others on the same network could read or enter: settings that are allowed, and seldom wanted.

    web        a page for other machines without TLS: names, passwords and sessions can be read
    brokers    MQTT to another machine without TLS: the password, or the readings, can be read and changed
    InfluxDB   a token or a password in plain HTTP to another machine
    web.token  one token for all programs, without an end

In: the settings that hold an address. Out: warnings; a start goes on. Whatever signs or encrypts by itself (the
regulator, docking, messages to people) is refused without TLS where it is read. Asks no name server: a name is another
machine unless it is `localhost`.
"""

import ipaddress
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from gateway.settings.binding import Field
from gateway.settings.document import Document
from gateway.settings.schema import WebSettings
from gateway.settings.secrets import holders_of
from gateway.settings.settings import BoundUplink
from gateway.settings.site import SiteParts


def warn_of_open_doors(document: Document, site: SiteParts, field: Field, uplinks: Sequence[BoundUplink]) -> None:
    """Warn of every address outside this machine that is spoken to, or listened on, in plain text."""
    for path, holder in holders_of(site, field, uplinks):
        if holder is None:  # it has faults of its own
            continue
        if isinstance(holder, WebSettings):
            if holder.tls is None and not is_this_machine(holder.host):
                document.warn((*path, "host"), "warn.web_plain", host=holder.host)
            if holder.token is not None:
                document.warn((*path, "token"), "warn.web_token")
        elif getattr(holder, "tls", False) is None and not is_this_machine(holder.host):
            code = "warn.broker_plain" if holder.password is None else "warn.password_plain"
            document.warn((*path, "host"), code, host=holder.host)
        elif _token_over_plain_http(holder):
            document.warn((*path, "url"), "warn.token_plain", host=urlsplit(holder.url).hostname or "")


def is_this_machine(host: str) -> bool:
    """Whether only this machine's own programs speak through this address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _token_over_plain_http(holder: Any) -> bool:
    url = getattr(holder, "url", None)
    if not isinstance(url, str) or all(getattr(holder, name, None) is None for name in ("token", "password")):
        return False
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_this_machine(parts.hostname or "")
