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
    """How requests are made, every template of it checked."""
    pattern, path = Pattern(section.pattern), ("transport",)
    for name in _NEEDS[pattern]:
        if not getattr(section, name):
            found = Words(f"no {name} for pattern {pattern}", f"模式 {pattern} 没有 {name}")
            document.add((*path, name), found, Words(f"{name}: ...", f"{name}：……"))
    for name in _OPTIONAL:
        if getattr(section, name) and name not in _NEEDS[pattern]:
            found = Words(f"{name} with pattern {pattern}", f"模式 {pattern} 带有 {name}")
            document.add((*path, name), found, Words(f"no {name}", f"不写 {name}"))
    before = len(document.faults)
    _check_templates(document, pattern, section)
    if len(document.faults) == before:  # else a misspelt name is told once
        _check_credentials(document, section)
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
            _add_key_fault(document, section.signature)
    extra = ["token"] if section.token else ["signature"] if section.signature else []
    for part in ("headers", "parameters"):
        for name, template in getattr(section, part).items():
            _check(document, ("transport", part, name), template, [*known, *extra])
    if section.token is not None:
        for name, template in section.token.form.items():
            _check(document, ("transport", "token", "form", name), template, known)


def _add_key_fault(document: MapDocument, section: SignatureSection) -> None:
    name = section.algorithm
    if name.keyed:
        expected = Words('key: "{a_credential}"', 'key: "{凭据名}"')
        document.add(("transport", "signature", "key"), Words(f"{name} without a key", f"{name} 没有 key"), expected)
    else:
        found = Words(f"a key with {name}", f"{name} 带有 key")
        expected = Words(f"no key, or algorithm hmac-{name}", f"不写 key，或用算法 hmac-{name}")
        document.add(("transport", "signature", "key"), found, expected)


def _check_credentials(document: MapDocument, section: TransportSection) -> None:
    """Each is used: one that no template names was left out, or was written in clear where its name belongs."""
    templates = [*section.headers.values(), *section.parameters.values()]
    templates += [section.signature.text, section.signature.key] if section.signature else []
    templates += section.token.form.values() if section.token else []
    for i, name in enumerate(section.credentials):
        if not any(f"{{{name}}}" in template for template in templates):
            found = Words(f"{name}, which no template uses", f"{name}，没有模板使用它")
            expected = Words(
                f"{{{name}}} in a header, a parameter, the signature or the token's form; never its value itself",
                f"在 headers、parameters、signature 或 token.form 中写 {{{name}}}，切勿直接写其内容",
            )
            document.add(("transport", "credentials", i), found, expected)


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
