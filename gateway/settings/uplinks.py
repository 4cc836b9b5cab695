"""Binds the site's uplinks to what the uplink modules bring.

In: the site's raw uplinks, the kinds by name. Out: `BoundUplink`s; faults go to the site's document.
"""

from collections.abc import Collection, Mapping

from gateway.ports import UplinkKind
from gateway.settings.checking import check, check_type, choice
from gateway.settings.document import Document, KeyPath
from gateway.settings.schema import Name
from gateway.settings.settings import BoundUplink
from gateway.settings.site import Raw, SiteParts, check_unique
from gateway.settings.wording import both_words, make_fault


def bind_uplinks(document: Document, site: SiteParts, kinds: Mapping[str, UplinkKind]) -> tuple[BoundUplink, ...]:
    """The valid uplinks, in the file's order."""
    check_unique(document, site.uplinks, "name")
    _check_escalation(document, site, kinds)
    bound = (_bind(document, path, raw, kinds, site.asset_kinds) for path, raw in site.uplinks)
    return tuple(uplink for uplink in bound if uplink is not None)


def _check_escalation(document: Document, site: SiteParts, kinds: Mapping[str, UplinkKind]) -> None:
    """Every channel of escalations is an uplink of the site, and one that can tell people."""
    kind_of = {raw["name"]: raw.get("kind") for _, raw in site.uplinks if isinstance(raw.get("name"), str)}
    telling = [name for name, kind in kinds.items() if kind.takes_escalations]
    for i, name in enumerate(site.escalation.uplinks if site.escalation else ()):
        path: KeyPath = ("escalation", "uplinks", i)
        if name not in kind_of:
            choice(document, path, name, kind_of)
        elif kind_of[name] in kinds and kind_of[name] not in telling:
            document.add(path, "escalation.kind", found=name, kind=kind_of[name], kinds=", ".join(telling))


def _bind(
    document: Document, path: KeyPath, raw: Raw, kinds: Mapping[str, UplinkKind], assets: Collection[str]
) -> BoundUplink | None:
    """One uplink. `name` and `kind` are checked here; a schema that has fields for them is given them too."""
    name = _name(document, path, raw)
    kind_name = raw.get("kind")
    kind = kinds.get(kind_name) if isinstance(kind_name, str) else None
    if kind is not None:
        own = kind.settings.model_fields.keys()
        rest = {key: value for key, value in raw.items() if key in own or key not in ("name", "kind")}
        settings = check(kind.settings, document, path, rest)
        if settings is not None:
            _check_named(document, path, kind, settings, assets)
        return None if settings is None or name is None else BoundUplink(name, kind, settings)
    document.cut_short = True
    if kind_name is None:
        document.add((*path, "kind"), "key.missing")
    else:
        choice(document, (*path, "kind"), kind_name, kinds)
    return None


def _check_named(
    document: Document, path: KeyPath, kind: UplinkKind, settings: object, assets: Collection[str]
) -> None:
    """What the settings name, in files of their own too."""
    for fault in kind.check(settings, assets):
        words = {
            "found": both_words(fault.found_en, fault.found_zh),
            "expected": both_words(fault.expected_en, fault.expected_zh),
        }
        if fault.file:
            document.faults.append(make_fault(fault.file, fault.line, fault.key, "uplink.named", **words))
        else:
            place = (*path, *fault.path)
            document.add_at(document.key_line(place), place, "uplink.named", **words)


def _name(document: Document, path: KeyPath, raw: Raw) -> str | None:
    if "name" not in raw:
        document.add((*path, "name"), "key.missing")
        return None
    name: str | None = check_type(Name, document, (*path, "name"), raw["name"])
    return name
