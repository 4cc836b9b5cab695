"""The four sections without which a major hazard does not close (四不放过): words, evidence, another's signature."""

import json
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from regulator.base.model.actor import Actor
from regulator.base.records.tables.hazards import hazard_sections


class Section(Enum):
    """The four sections of a major hazard's record: 原因, 责任人, 措施, 教育."""

    CAUSE = "cause"
    PEOPLE = "people"
    MEASURES = "measures"
    EDUCATION = "education"


@dataclass(frozen=True, slots=True)
class WrittenSection:
    """One section as it stands. `writers`: the persons who wrote it last. Signed when `signed_at_ns` is not 0."""

    section: Section
    words: str = ""
    evidence_sha256: str = ""
    written_by: str = ""
    writers: frozenset[str] = frozenset()
    written_at_ns: int = 0
    signed_by: str = ""
    signed_at_ns: int = 0

    @property
    def is_ready(self) -> bool:
        """Whether the section may be signed as it stands."""
        return bool(self.words.strip() and self.evidence_sha256)

    @property
    def is_signed(self) -> bool:
        """Whether the section was signed, so that it counts."""
        return self.signed_at_ns > 0


def sections_of(db: Connection, hazard_id: str) -> tuple[WrittenSection, ...]:
    """All four, also those that nobody wrote yet."""
    rows = db.execute(select(hazard_sections).where(hazard_sections.c.hazard_id == hazard_id))
    found = {row.section: row for row in rows}
    return tuple(_section(each, found.get(each.value)) for each in Section)


def unsigned(sections: tuple[WrittenSection, ...]) -> tuple[str, ...]:
    """The names of those that still lack something."""
    return tuple(each.section.value for each in sections if not each.is_signed)


def write_section(
    db: Connection, keys: tuple[str, str], section: Section, text: tuple[str, str], actor: Actor, now_ns: int
) -> None:
    """`keys`: hazard id and project code; `text`: words and the evidence's digest. Whatever was signed is unsigned."""
    values = {
        "words": text[0],
        "evidence_sha256": text[1],
        "written_by": actor.user_id,
        "written_persons": json.dumps(sorted(actor.persons)),
        "written_at_ns": now_ns,
        "signed_by": "",
        "signed_at_ns": 0,
    }
    _put(db, keys, section, values)


def sign_section(db: Connection, keys: tuple[str, str], section: Section, actor: Actor, now_ns: int) -> None:
    """The office has asked the guards before."""
    _put(db, keys, section, {"signed_by": actor.user_id, "signed_at_ns": now_ns})


def _put(db: Connection, keys: tuple[str, str], section: Section, values: dict[str, object]) -> None:
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    added = dialect.insert(hazard_sections).values(
        hazard_id=keys[0], section=section.value, project_code=keys[1], **values
    )
    db.execute(added.on_conflict_do_update(index_elements=["hazard_id", "section"], set_=values))


def _section(section: Section, row: object) -> WrittenSection:
    if row is None:
        return WrittenSection(section)
    names = ("words", "evidence_sha256", "written_by", "written_at_ns", "signed_by", "signed_at_ns")
    values = {name: getattr(row, name) for name in names}
    return WrittenSection(section, writers=frozenset(json.loads(getattr(row, "written_persons", "[]"))), **values)
