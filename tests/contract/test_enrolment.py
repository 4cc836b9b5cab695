"""A box introduces itself once; the code is spent; nobody else gets in."""

from tests.contract.conftest import Enrolled
from tests.fakes.contract_box import ContractBox, alarm_body


def test_a_box_enrols_and_learns_the_regulators_key(enrolled: Enrolled) -> None:
    assert enrolled.answer.status == 200, enrolled.answer.reply
    assert enrolled.answer.body["alg"] == "Ed25519"
    assert enrolled.box.regulator is not None


def test_a_lost_reply_may_be_asked_for_again_with_the_same_code_and_key(enrolled: Enrolled, box: ContractBox) -> None:
    assert box.enrol(enrolled.code).body == enrolled.answer.body


def test_a_spent_code_enrols_no_other_box(enrolled: Enrolled, box: ContractBox) -> None:
    with ContractBox(enrolled.url, box.box_id + "-other") as other:
        answer = other.enrol(enrolled.code)
    assert (answer.status, answer.error["code"]) == (403, "code_refused")


def test_a_spent_code_does_not_replace_a_boxs_key(enrolled: Enrolled, box: ContractBox) -> None:
    with ContractBox(enrolled.url, box.box_id) as thief:
        answer = thief.enrol(enrolled.code)
    assert (answer.status, answer.error["code"]) == (403, "code_refused")


def test_a_code_that_was_never_issued_is_refused(enrolled: Enrolled) -> None:
    with ContractBox(enrolled.url, "contract-nobody") as other:
        answer = other.enrol("no-such-code-was-issued")
    assert (answer.status, answer.error["code"], answer.error["field"]) == (403, "code_refused", "body.code")


def test_an_enrolment_signed_by_another_key_than_it_brings_is_refused(enrolled: Enrolled) -> None:
    with ContractBox(enrolled.url, "contract-forger") as forger, ContractBox(enrolled.url, "x") as other:
        forger.sign = other.sign  # type: ignore[method-assign]
        answer = forger.enrol(enrolled.code)
    assert (answer.status, answer.error["code"]) == (401, "bad_signature")


def test_a_box_that_never_enrolled_is_not_heard(enrolled: Enrolled, fresh_key: str) -> None:
    with ContractBox(enrolled.url, "contract-stranger") as stranger:
        answer = stranger.say("alarm_transition", fresh_key, alarm_body(fresh_key))
    assert (answer.status, answer.error["code"]) == (401, "unknown_sender")


def test_an_alarm_that_names_another_project_is_refused_and_waits(box: ContractBox, fresh_key: str) -> None:
    answer = box.say("alarm_transition", fresh_key, alarm_body(fresh_key, project_code="CONTRACT-2"))
    assert (answer.status, answer.error["code"], answer.error["field"]) == (403, "other_project", "body.project_code")
    assert answer.error["expected"] == "CONTRACT-1"
    assert box.say("alarm_transition", fresh_key, alarm_body(fresh_key)).status == 200


def test_one_message_cannot_use_up_the_numbers_of_a_box(box: ContractBox, fresh_key: str) -> None:
    answer = box.say("alarm_transition", fresh_key, alarm_body(fresh_key), seq=2**63 - 1)
    assert (answer.status, answer.error["code"]) == (409, "stale_sequence")
    assert int(answer.error["expected"]) < 2**32
    assert box.say("alarm_transition", fresh_key, alarm_body(fresh_key)).status == 200
