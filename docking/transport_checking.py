"""Checks how a map says its requests are made: what each pattern needs, and that every template can be filled.

In: the transport's section. Out: a `Transport`; faults go to the document.
"""

from collections.abc import Iterable

from docking.document import KeyPath, MapDocument
from docking.fault import Words
from docking.platform import Pattern, Signature, TokenDoor, Transport
from docking.schema import SignatureSection, TokenSection, TransportSection
from docking.templates import names_in

_NEEDS = {
    Pattern.TOKEN_FORM: ("token", "parameters"),
    Pattern.HEADER_SIGNATURE: ("signature", "headers"),
    Pattern.API_KEY: ("headers",),
    Pattern.SORTED_PARAMETERS: ("signature", "parameters"),
}
_OPTIONAL = ("token", "parameters", "signature")
_MOMENT = ("ts", "nonce", "body")


def checked_transport(document: MapDocument, section: TransportSection) -> Transport:
    """The transport with its templates."""
    pattern, path = Pattern(section.pattern), ("transport",)
    for name in _NEEDS[pattern]:
        if not getattr(section, name):
            found = Words(f"no {name} for pattern {pattern}", f"模式 {pattern} 没有 {name}")
            document.add((*path, name), found, Words(f"{name}: ...", f"{name}：……"))
    for name in _OPTIONAL:
        if getattr(section, name) and name not in _NEEDS[pattern]:
            found = Words(f"{name} with pattern {pattern}", f"模式 {pattern} 带有 {name}")
            document.add((*path, name), found, Words(f"no {name}", f"不写 {name}"))
    _check_templates(document, pattern, section)
    return Transport(
        pattern=pattern,
        headers=dict(section.headers),
        parameters=dict(section.parameters),
        as_form=section.body == "form",
        time_unit_ms=section.timestamp == "ms",
        nonce_length=section.nonce_length,
        credentials=frozenset(section.credentials),
        signature=_signature(section.signature),
        token=_token(section.token),
    )


def _check_templates(document: MapDocument, pattern: Pattern, section: TransportSection) -> None:
    known = [*section.credentials, *_MOMENT]
    if section.signature is not None:
        signing = [*known, "sorted"] if pattern is Pattern.SORTED_PARAMETERS else known
        for name in ("text", "key"):
            _check(document, ("transport", "signature", name), getattr(section.signature, name), signing)
        if section.signature.algorithm.keyed != bool(section.signature.key):
            found = Words(f"{section.signature.algorithm} and key {bool(section.signature.key)}", "算法与 key 不符")
            document.add(("transport", "signature"), found, Words("a key with hmac-*, else none", "hmac-* 才写 key"))
    extra = ["token"] if section.token else ["signature"] if section.signature else []
    for part in ("headers", "parameters"):
        for name, template in getattr(section, part).items():
            _check(document, ("transport", part, name), template, [*known, *extra])
    if section.token is not None:
        for name, template in section.token.form.items():
            _check(document, ("transport", "token", "form", name), template, known)


def _check(document: MapDocument, path: KeyPath, template: str, known: Iterable[str]) -> None:
    names = sorted(set(known))
    try:
        unknown = [name for name in names_in(template) if name not in names]
    except ValueError as error:
        document.add(path, Words(str(error), str(error)), Words("{name}, or {{ for a brace", "{name}，花括号写 {{"))
        return
    for name in unknown:
        one_of = ", ".join(f"{{{each}}}" for each in names)
        document.add(path, Words(f"{{{name}}}", f"{{{name}}}"), Words(f"one of: {one_of}", f"以下之一：{one_of}"))


def _signature(section: SignatureSection | None) -> Signature | None:
    if section is None:
        return None
    upper, base64 = section.case == "upper", section.encoding == "base64"
    return Signature(section.algorithm, section.text, section.key, base64, upper)


def _token(section: TokenSection | None) -> TokenDoor | None:
    if section is None:
        return None
    return TokenDoor(section.path, dict(section.form), section.token_at, section.expires_at, section.lasts_s)
