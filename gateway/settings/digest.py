"""One hash over everything that is in force, so that evidence can say by which settings it was judged.

In: the merged settings. Out: SHA-256 over their canonical form. Secrets are references in the settings, never values,
so none is in it; where a limit is written (`origin`) is left out, because moving a comment changes no judgement.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel

from contract.canonical import Canonical, canonical_bytes, decimal_text
from gateway.model.rule import ResolvedRule
from gateway.ports import BoundLink
from gateway.settings.settings import BoundUplink


def digest_of(
    sections: Mapping[str, BaseModel | Sequence[BaseModel]],
    links: Sequence[BoundLink],
    rules: Sequence[ResolvedRule],
    uplinks: Sequence[BoundUplink],
) -> str:
    """SHA-256 in hex."""
    merged = {
        **{name: _plain(section) for name, section in sections.items()},
        "links": [_link(link) for link in links],
        "rules": [_rule(rule) for rule in rules],
        "uplinks": [_plain(uplink.settings) for uplink in uplinks],
    }
    return hashlib.sha256(canonical_bytes(merged)).hexdigest()


def _link(link: BoundLink) -> Canonical:
    devices = [{"settings": _plain(each.settings), "table": _plain(each.table)} for each in link.devices]
    return {"settings": _plain(link.settings), "devices": devices}


def _rule(rule: ResolvedRule) -> Canonical:
    fields = asdict(rule)
    del fields["origin"]
    return _plain(fields)


def _plain(value: Any) -> Canonical:
    """The canonical form of a settings value; a float becomes its decimal text."""
    if isinstance(value, BaseModel):
        return _plain(value.model_dump(mode="json"))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return decimal_text(value)
    return value if value is None or isinstance(value, bool | int) else str(value)
