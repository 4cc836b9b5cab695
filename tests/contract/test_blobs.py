"""Files by their digest: in parts, resumed, checked."""

from tests.fakes.contract_box import ContractBox, sha256


def test_a_file_in_parts_is_resumed_and_checked(box: ContractBox, fresh_key: str) -> None:
    content = fresh_key.encode() * 50
    digest, half = sha256(content), len(content) // 2
    assert box.ask_blob(digest).body == {"sha256": digest, "received_bytes": 0, "complete": False}
    assert box.put_blob(content, content[:half]).body["received_bytes"] == half
    assert box.ask_blob(digest).body == {"sha256": digest, "received_bytes": half, "complete": False}
    whole = {"sha256": digest, "received_bytes": len(content), "complete": True}
    assert box.put_blob(content, content[half:], offset=half).body == whole
    assert box.put_blob(content, content[half:], offset=half).body == whole


def test_a_part_sent_twice_changes_nothing(box: ContractBox, fresh_key: str) -> None:
    content = fresh_key.encode() * 50
    for _ in range(2):
        assert box.put_blob(content, content[:100]).body["received_bytes"] == 100


def test_a_part_that_leaves_a_hole_is_refused_and_the_place_named(box: ContractBox, fresh_key: str) -> None:
    content = fresh_key.encode() * 50
    box.put_blob(content, content[:100])
    answer = box.put_blob(content, content[200:], offset=200)
    assert (answer.status, answer.error["code"], answer.error["expected"]) == (409, "blob_offset", "100")


def test_bytes_that_are_not_those_of_the_part_are_refused(box: ContractBox, fresh_key: str) -> None:
    content = fresh_key.encode() * 50
    answer = box.put_blob(content, content, part_sha256=sha256(b"other"))
    assert (answer.status, answer.error["code"], answer.error["field"]) == (422, "digest_mismatch", "body.part_sha256")


def test_a_file_that_is_not_its_digest_is_refused_and_may_be_sent_anew(box: ContractBox, fresh_key: str) -> None:
    content = fresh_key.encode() * 50
    other = content[:-1] + b"!"
    answer = box.put_blob(content, other)
    assert (answer.status, answer.error["code"]) == (422, "digest_mismatch")
    assert box.put_blob(content, content).body["complete"] is True


def test_an_oversized_file_is_refused_at_its_first_part(box: ContractBox, fresh_key: str) -> None:
    content = fresh_key.encode()
    answer = box.put_blob(content, content, size_bytes=2**40)
    assert (answer.status, answer.error["code"]) == (413, "too_large")


def test_an_oversized_part_is_refused(box: ContractBox) -> None:
    content = b"x" * (9 * 1024 * 1024)
    answer = box.put_blob(content, content)
    assert (answer.status, answer.error["code"]) == (413, "too_large")
