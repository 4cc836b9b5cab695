"""What stands on an issued document, as texts: one layout for HTML and PDF. Pure.

    content (canonical JSON) --> Paper(title, number, facts, paragraphs, check address)

The words are Chinese: the paper goes to a Chinese site office. Every text is what was kept when it was issued.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from contract.canonical import Canonical
from screens.formats import local_day, local_day_time


class DocumentKind(Enum):
    """What a paper is: 整改通知单, 停工通知, 督办通知 or 销号单."""

    RECTIFICATION = "rectification"
    STOP_WORK = "stop_work"
    SUPERVISION = "supervision"
    CLOSURE = "closure"


TITLES: Final[Mapping[DocumentKind, str]] = {
    DocumentKind.RECTIFICATION: "安全隐患整改通知单",
    DocumentKind.STOP_WORK: "停工通知",
    DocumentKind.SUPERVISION: "重大隐患督办通知",
    DocumentKind.CLOSURE: "安全隐患销号单",
}
PREFIXES: Final[Mapping[DocumentKind, str]] = {
    DocumentKind.RECTIFICATION: "ZG",
    DocumentKind.STOP_WORK: "TG",
    DocumentKind.SUPERVISION: "DB",
    DocumentKind.CLOSURE: "XH",
}


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    """What a document is to say. `key` names the cause: the same key again returns the first document.

    `region_code` is the issuing region's: it numbers. `legal_basis`: clauses as the rule packs cite them, with their
    certainty. `deadline_rule`: the text of the rule that gave the deadline; `deadline_at_ns` UTC ns, 0: none.
    """

    key: str
    kind: DocumentKind
    region_code: str
    project_code: str
    project_name: str
    subject: str
    addressee: str
    title: str
    paragraphs: tuple[str, ...]
    legal_basis: tuple[str, ...] = ()
    deadline_at_ns: int = 0
    deadline_rule: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paper:
    """Texts in the order in which they stand. `facts`: label and value."""

    heading: str
    number: str
    issuer: str
    addressee: str
    title: str
    facts: tuple[tuple[str, str], ...]
    paragraphs: tuple[str, ...]
    basis: tuple[str, ...]
    digest: str
    check_address: str


def content_of(
    request: DocumentRequest, number: str, issuer: str, person: str, issued_at_ns: int
) -> dict[str, Canonical]:
    """What is kept of a document, and hashed."""
    return {
        "number": number,
        "kind": request.kind.value,
        "region_code": request.region_code,
        "project_code": request.project_code,
        "project_name": request.project_name,
        "subject": request.subject,
        "addressee": request.addressee,
        "title": request.title,
        "paragraphs": list(request.paragraphs),
        "legal_basis": list(request.legal_basis),
        "deadline_at_ns": request.deadline_at_ns,
        "deadline_rule": request.deadline_rule,
        "evidence": list(request.evidence),
        "issuer": issuer,
        "issued_by": person,
        "issued_at_ns": issued_at_ns,
    }


def paper_of(request: DocumentRequest, content: Mapping[str, Canonical], digest: str, check_address: str) -> Paper:
    """The texts. `digest`: SHA-256 of the content, hex."""
    deadline_ns, issued_ns = request.deadline_at_ns, content["issued_at_ns"]
    assert isinstance(issued_ns, int)
    facts = [("项目", f"{request.project_name}（{request.project_code}）"), ("事项编号", request.subject)]
    if deadline_ns:
        facts.append(("期限", f"{local_day_time(deadline_ns)}（北京时间）"))
    if request.deadline_rule:
        facts.append(("期限依据", request.deadline_rule))
    facts += [("签发人", str(content["issued_by"])), ("签发日期", local_day(issued_ns))]
    facts += [(f"证据 {number}", sha256) for number, sha256 in enumerate(request.evidence, 1)]
    return Paper(
        heading=TITLES[request.kind],
        number=str(content["number"]),
        issuer=str(content["issuer"]),
        addressee=request.addressee,
        title=request.title,
        facts=tuple(facts),
        paragraphs=request.paragraphs,
        basis=request.legal_basis,
        digest=digest,
        check_address=check_address,
    )
