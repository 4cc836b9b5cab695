"""Check 9: a major hazard closed without its four sections (四不放过) is refused, however it is tried."""

import pytest

from contract.signing import SignKey
from regulator.base.model.hazard import HazardKind
from regulator.base.model.hazard_states import HazardAction, HazardState
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.parts.hazards.sections import Section
from tests.fakes.desk_database import (
    DeskClock,
    clock,
    database,
    desk_key,
    desk_url,
    migrated,
    migrated_file,
    postgresql,
)
from tests.fakes.hazard_bench import CHEN, LI, SITE, WANG, HazardBench, register

__all__ = ["clock", "database", "desk_key", "desk_url", "migrated", "migrated_file", "postgresql"]
A = HazardAction


@pytest.fixture
def bench(database: DeskDatabase, desk_key: SignKey, clock: DeskClock) -> HazardBench:
    """On each database."""
    register(database)
    return HazardBench(database, desk_key, clock)


def closing(bench: HazardBench, hazard_id: str) -> str:
    """What the desk says to closing it."""
    try:
        return bench.act(hazard_id, A.CLOSE, WANG, words="合格", evidence=(bench.photo(),)).value
    except RefusedError as refused:
        return refused.code


def test_it_closes_only_with_all_four_written_with_evidence_and_signed_by_another(bench: HazardBench) -> None:
    hazard_id = bench.major()
    bench.put_right(hazard_id)
    assert closing(bench, hazard_id) == "sections_missing"
    for section in Section:
        bench.act(hazard_id, A.WRITE_SECTION, SITE, section=section, words="已查清")
        with pytest.raises(RefusedError, match="evidence_missing"):
            bench.act(hazard_id, A.SIGN_SECTION, WANG, section=section)
        bench.act(hazard_id, A.WRITE_SECTION, WANG, section=section, words="已查清", evidence=(bench.photo(),))
        with pytest.raises(RefusedError, match="same_person"):
            bench.act(hazard_id, A.SIGN_SECTION, WANG, section=section)
        assert closing(bench, hazard_id) == "sections_missing"
        bench.act(hazard_id, A.SIGN_SECTION, CHEN, section=section)
    bench.act(hazard_id, A.WRITE_SECTION, SITE, section=Section.CAUSE, words="原因更正", evidence=(bench.photo(),))
    assert closing(bench, hazard_id) == "sections_missing"
    bench.act(hazard_id, A.SIGN_SECTION, LI, section=Section.CAUSE)
    assert closing(bench, hazard_id) == HazardState.CLOSED.value


def test_a_dangerous_situation_needs_them_too_and_a_general_hazard_does_not(bench: HazardBench) -> None:
    said = {}
    for kind in (HazardKind.DANGEROUS_SITUATION, HazardKind.HAZARD):
        hazard_id = bench.open(kind=kind, event_key=f"by-hand/{kind.value}")
        bench.act(hazard_id, A.CONFIRM, LI)
        bench.act(hazard_id, A.ORDER, LI)
        bench.put_right(hazard_id)
        said[kind] = closing(bench, hazard_id)
    assert said == {HazardKind.DANGEROUS_SITUATION: "sections_missing", HazardKind.HAZARD: "closed"}
