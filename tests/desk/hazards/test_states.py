"""The state table is total over state x action x level x duty, guards included (no database)."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulator.base.model.actor import Duty, Level
from regulator.base.model.hazard_states import HazardAction, HazardState, Refusal
from regulator.parts.hazards.guards import CHECKS, Facts, guard
from regulator.parts.hazards.states import PERMITS, SITE, SUPERVISION, decide, is_higher

A, S, R = HazardAction, HazardState, Refusal
EVERY = list(product(HazardState, HazardAction, Level, Duty))
PERSONS = st.frozensets(st.sampled_from(["li", "wang", "zhao"]), max_size=2)


def test_every_combination_has_an_answer_and_every_state_a_way_in_and_out() -> None:
    answers = {each: decide(each[0], each[1], each[2], [each[3]]) for each in EVERY}
    assert len(answers) == len(HazardState) * len(HazardAction) * len(Level) * len(Duty)
    assert all(isinstance(answer, HazardState | Refusal) for answer in answers.values())
    moves = {(each[0], answer) for each, answer in answers.items() if isinstance(answer, HazardState)}
    moves = {(old, new) for old, new in moves if old is not new}
    assert {new for _, new in moves} == set(HazardState)
    assert {old for old, _ in moves} == set(HazardState)
    assert set(PERMITS) == set(HazardAction)


def test_who_judges_nothing_moves_nothing() -> None:
    idle = {Duty.VIEWER, Duty.AUDITOR, Duty.ADMINISTRATOR}
    for state, action, level in product(HazardState, HazardAction, Level):
        assert decide(state, action, level, idle) is R.NOT_YOUR_DUTY
    assert decide(S.PENDING, A.CONFIRM, Level.COUNTY, []) is R.NOT_YOUR_DUTY


@pytest.mark.parametrize("state", HazardState)
def test_only_a_recheck_closes_and_only_the_site_answers(state: HazardState) -> None:
    for action, level, duty in product(HazardAction, Level, Duty):
        answer = decide(state, action, level, [duty])
        if answer is S.CLOSED and state is not S.CLOSED:
            assert (state, action) == (S.AWAITING_RECHECK, A.CLOSE)
            assert level in SUPERVISION
        if answer is S.AWAITING_RECHECK and state is not S.AWAITING_RECHECK:
            assert action is A.SUBMIT
            assert (duty, level in SITE) == (Duty.RESPONDER, True)


def test_several_duties_do_what_one_of_them_does() -> None:
    for state, action, level in product(HazardState, HazardAction, Level):
        each = [decide(state, action, level, [duty]) for duty in Duty]
        moved = {answer for answer in each if isinstance(answer, HazardState)}
        together = decide(state, action, level, Duty)
        assert (together in moved) if moved else isinstance(together, Refusal)


FACTS = st.builds(
    Facts,
    persons=PERSONS,
    level=st.sampled_from(Level),
    words=st.sampled_from(["", "  ", "因为"]),
    major=st.booleans(),
    needs_sections=st.booleans(),
    new_evidence=st.booleans(),
    rule_true=st.booleans(),
    override=st.sampled_from(["", " ", "传感器已拆除"]),
    unsigned=st.sampled_from([(), ("cause",), ("cause", "people", "measures", "education")]),
    section_ready=st.booleans(),
    section_writers=PERSONS,
    repliers=PERSONS,
    confirmers=PERSONS,
    askers=PERSONS,
    asked=st.booleans(),
    deadline_level=st.sampled_from([Level.COUNTY, Level.CITY, Level.PROVINCE]),
    stopped=st.booleans(),
    handed_over=st.booleans(),
    listed=st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(FACTS)
def test_guards_answer_always_and_keep_their_promises(facts: Facts) -> None:
    answers = {action: guard(action, facts) for action in HazardAction}
    assert all(answer is None or isinstance(answer, Refusal) for answer in answers.values())
    if answers[A.CLOSE] is None:
        assert facts.new_evidence
        assert not facts.persons & facts.repliers
        assert not (facts.needs_sections and facts.unsigned)
        assert not facts.rule_true or facts.override.strip()
    if answers[A.DECIDE_EXTENSION] is None:
        assert facts.asked
        assert not facts.persons & facts.askers
        assert facts.level is Level.PROVINCE or is_higher(facts.level, facts.deadline_level)
    if answers[A.DECIDE_REGRADE] is None:
        assert facts.asked
        assert not facts.persons & facts.askers
    if answers[A.SIGN_SECTION] is None:
        assert facts.section_ready
        assert not facts.persons & facts.section_writers


@pytest.mark.parametrize(
    ("action", "facts", "refusal"),
    [
        (A.REJECT, Facts(), R.REASON_MISSING),
        (A.CLOSE, Facts(persons=frozenset({"li"}), repliers=frozenset({"li"})), R.SAME_PERSON),
        (A.CLOSE, Facts(), R.NO_NEW_EVIDENCE),
        (A.CLOSE, Facts(new_evidence=True, needs_sections=True, unsigned=("cause",)), R.SECTIONS_MISSING),
        (A.CLOSE, Facts(new_evidence=True, rule_true=True), R.ALARM_STILL_ACTIVE),
        (A.CLOSE, Facts(new_evidence=True, rule_true=True, override="已停用"), None),
        (A.SUBMIT, Facts(), R.NO_NEW_EVIDENCE),
        (A.DECIDE_EXTENSION, Facts(asked=True), R.HIGHER_LEVEL_NEEDED),
        (A.DECIDE_EXTENSION, Facts(asked=True, level=Level.CITY), None),
        (A.DECIDE_EXTENSION, Facts(level=Level.CITY), R.NOTHING_ASKED),
        (A.ASK_REGRADE, Facts(words="x"), R.MAJOR_ONLY),
        (A.ASK_REGRADE, Facts(words="x", major=True, asked=True), R.ALREADY_ASKED),
        (A.GRADE_UP, Facts(words="x", major=True), R.GENERAL_ONLY),
        (A.STOP_WORK, Facts(words="x", stopped=True), R.ALREADY_DONE),
        (A.RESUME_WORK, Facts(words="x"), R.NOT_STOPPED),
        (A.SIGN_SECTION, Facts(), R.EVIDENCE_MISSING),
    ],
)
def test_the_refusal_is_named(action: HazardAction, facts: Facts, refusal: Refusal | None) -> None:
    assert guard(action, facts) is refusal


def test_a_delegate_is_no_second_person() -> None:
    """Wang stands in for Li, who answered: both hands are Li's."""
    facts = Facts(persons=frozenset({"wang", "li"}), repliers=frozenset({"li"}), new_evidence=True)
    assert guard(A.CLOSE, facts) is R.SAME_PERSON


def test_the_checks_stand_for_actions_that_exist() -> None:
    assert set(CHECKS) <= set(HazardAction)
