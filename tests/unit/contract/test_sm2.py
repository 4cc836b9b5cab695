"""SM2 and SM3: published examples, OpenSSL as the outside party, hostile signatures, a machine without the library.

Where there are two programs both are asked: the library (`contract.sm2`) and the stand-alone verifier.
"""

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from contract import sm2
from contract.envelope import Envelope, Reply, open_envelope, open_reply, open_text, seal, sign_text
from contract.faults import BadSignature, Malformed, UnknownSender
from contract.keyfile import load, load_or_create
from contract.messages import ReceiptText
from contract.signing import generate_key, verify_key
from regulator.parts.evidence.signatures import sm2_holds, sm3, sm3_written_out
from tests.fakes.sm2_keys import WITHOUT_LIBRARY, needs_sm2, new_pem, openssl, openssl_holds, openssl_signs

# The example of GB/T 32918 on the recommended curve.
PUBLIC = bytes.fromhex(
    "04"
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
PRIVATE = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
R = bytes.fromhex("F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3")
S = bytes.fromhex("B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA")
MESSAGE = b"message digest"
# The examples of GB/T 32905.
DIGESTS = {
    b"abc": "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
    b"abcd" * 16: "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732",
}
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
BOTH = pytest.mark.parametrize("holds", [pytest.param(sm2.holds, marks=needs_sm2), sm2_holds], ids=["GmSSL", "own"])


def number(value: int) -> bytes:
    return value.to_bytes(32, "big")


@pytest.mark.parametrize(("data", "digest"), DIGESTS.items(), ids=["abc", "abcd x 16"])
def test_the_published_digests(data: bytes, digest: str) -> None:
    assert sm3_written_out(data).hex() == digest
    assert sm3(data).hex() == digest


@pytest.mark.parametrize("length", [0, 1, 54, 55, 56, 63, 64, 65, 119, 120, 1000])
def test_openssl_makes_the_same_digest_of_every_length_of_a_block(length: int) -> None:
    data = bytes(at * 7 % 256 for at in range(length))
    assert sm3_written_out(data) == openssl("dgst", "-sm3", "-binary", data=data)


@BOTH
def test_the_published_signature_holds(holds) -> None:
    assert holds(PUBLIC, R + S, MESSAGE)
    assert not holds(PUBLIC, R + S, MESSAGE + b"!")


@needs_sm2
def test_the_published_private_key_is_the_published_public_keys() -> None:
    assert sm2.belong_together(PRIVATE, PUBLIC)
    assert not sm2.belong_together(number(int.from_bytes(PRIVATE, "big") + 1), PUBLIC)


HOSTILE = {
    "r is 0": bytes(32) + S,
    "s is 0": R + bytes(32),
    "both are 0": bytes(64),
    "r is n": number(N) + S,
    "s is n": R + number(N),
    "r and s add up to n": number(N - int.from_bytes(S, "big")) + S,
    "r is above n": number(2**256 - 1) + S,
    "s is above n": R + number(2**256 - 1),
    "halves exchanged": S + R,
    "s negated": R + number(N - int.from_bytes(S, "big")),
    "too short": (R + S)[:-1],
    "too long": R + S + b"\0",
    "empty": b"",
    "an Ed25519 signature": base64.b64decode(generate_key().sign(MESSAGE)),
}


@BOTH
@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_signature_is_refused(holds, what: str) -> None:
    assert not holds(PUBLIC, HOSTILE[what], MESSAGE)


X, Y = int.from_bytes(PUBLIC[1:33], "big"), int.from_bytes(PUBLIC[33:], "big")
NO_KEYS = {
    "not on the curve": PUBLIC[:-1] + bytes([PUBLIC[-1] ^ 1]),
    "the point at infinity": b"\x04" + bytes(64),
    "x above p": b"\x04" + number(2**256 - 1) + PUBLIC[33:],
    "compressed": b"\x03" + PUBLIC[1:33],
    "another form of the same point": b"\x06" + PUBLIC[1:],
    "without its first byte": PUBLIC[1:],
    "a point of P-256": b"\x04"
    + bytes.fromhex("6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296")
    + bytes.fromhex("4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5"),
    "an Ed25519 key": base64.b64decode(generate_key().public.public_text),
    "empty": b"",
}


@pytest.mark.parametrize("what", NO_KEYS)
def test_a_public_key_that_is_no_point_of_the_curve_is_refused(what: str) -> None:
    assert not sm2.is_public(NO_KEYS[what])
    assert not sm2_holds(NO_KEYS[what], R + S, MESSAGE)


@needs_sm2
@pytest.mark.parametrize("what", NO_KEYS)
def test_no_message_brings_such_a_key(what: str) -> None:
    with pytest.raises(Malformed, match="public_key"):
        verify_key("SM2", base64.b64encode(NO_KEYS[what]).decode())


@BOTH
def test_another_identity_is_another_signature(holds, tmp_path: Path) -> None:
    """OpenSSL signs for the identity ALICE, and without any."""
    key = new_pem(tmp_path)
    pair = sm2.from_pem(key.read_bytes())
    assert pair is not None
    for identity in ("ALICE123@YAHOO.COM", ""):
        (tmp_path / "data").write_bytes(MESSAGE)
        words = ("-rawin", "-digest", "sm3", "-pkeyopt", f"distid:{identity}")
        made = openssl("pkeyutl", "-sign", "-inkey", key, "-in", tmp_path / "data", *words)
        r, s = sm2.decode_dss_signature(made)
        assert not holds(pair[1], number(r) + number(s), MESSAGE)


@BOTH
@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 40], ids=len)
def test_what_openssl_signs_holds_here(holds, data: bytes, tmp_path: Path) -> None:
    key = new_pem(tmp_path)
    pair = sm2.from_pem(key.read_bytes())
    assert pair is not None
    signature = openssl_signs(key, data)
    assert holds(pair[1], signature, data)
    assert not holds(pair[1], signature, data + b"x")
    assert not holds(PUBLIC, signature, data)


@needs_sm2
def test_what_is_signed_here_holds_for_openssl_and_a_key_file_is_one_that_it_reads(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    key = load_or_create(path, "SM2")
    for data in (b"", b"x", bytes(5000)):
        signature = base64.b64decode(key.sign(data))
        assert openssl_holds(path, signature, data)
        assert not openssl_holds(path, signature, data + b"x")
        assert sm2_holds(base64.b64decode(key.public.public_text), signature, data)
    assert openssl("pkey", "-in", path, "-noout", "-check").strip() == b"Key is valid"
    assert openssl("pkey", "-in", path) == path.read_bytes()


@needs_sm2
def test_a_key_file_that_openssl_made_is_a_key(tmp_path: Path) -> None:
    key = load(new_pem(tmp_path))
    assert key.public.alg == "SM2"
    assert key.public.key_id.startswith("sm2:")
    assert load_or_create(tmp_path / "openssl.pem").public.key_id == key.public.key_id


@needs_sm2
@pytest.mark.parametrize("at", [40, 130], ids=["the private half", "the public half"])
def test_a_key_file_whose_halves_do_not_fit_is_no_key(at: int, tmp_path: Path) -> None:
    raw = bytearray(base64.b64decode(b"".join(generate_key("SM2").pem().splitlines()[1:-1])))
    raw[at] ^= 1
    path = tmp_path / "key.pem"
    text = base64.b64encode(raw).decode()
    path.write_text(f"-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
    with pytest.raises(ValueError, match=r"key\.pem") as caught:
        load(path)
    assert text[:40] not in str(caught.value)


@needs_sm2
def test_a_private_key_does_not_print() -> None:
    key = generate_key("SM2")
    assert key.pem().decode().splitlines()[1] not in f"{key!r} {key} {key.public!r}"


# No message chooses how its signature is checked.

KEYS = {alg: generate_key(alg) for alg in ("Ed25519", "SM2") if alg == "Ed25519" or sm2.AVAILABLE}
MIXED = pytest.mark.parametrize(("enrolled", "claimed"), [("Ed25519", "SM2"), ("SM2", "Ed25519")])


@needs_sm2
@MIXED
def test_an_envelope_that_claims_another_algorithm_than_its_keys_is_refused(enrolled: str, claimed: str) -> None:
    key, other = KEYS[enrolled], KEYS[claimed]
    fields = {"box_id": "box-1", "seq": 1, "key": "k", "kind": "heartbeat", "sent_at_ns": 1, "body": {}}
    claim = Envelope.model_validate(fields | {"alg": claimed, "key_id": key.public.key_id})
    for signer in (key, other):
        sealed = seal(claim, signer)
        with pytest.raises(UnknownSender):
            open_envelope(sealed.raw, sealed.signature, lambda _box, _key: key.public)
    honest = seal(claim.model_copy(update={"alg": enrolled}), other)
    with pytest.raises(BadSignature):
        open_envelope(honest.raw, honest.signature, lambda _box, _key: key.public)


@needs_sm2
@MIXED
def test_a_reply_or_a_receipt_that_claims_another_algorithm_is_refused(enrolled: str, claimed: str) -> None:
    key = KEYS[enrolled]
    said = {"key_id": key.public.key_id, "box_id": "box-1", "reply_to": 7, "kind": "done", "sent_at_ns": 1}
    sealed = seal(Reply.model_validate(said | {"alg": claimed}), key)
    with pytest.raises(BadSignature, match="alg"):
        open_reply(sealed.raw, sealed.signature, key.public, "box-1", 7)
    text = ReceiptText(receipt_id="r", box_id="box-1", key="k", kind="x", body_sha256="0" * 64, accepted_at_ns=1)
    signed = sign_text(text, key)
    assert open_text(signed, ReceiptText, key.public) == text
    with pytest.raises(BadSignature, match="alg"):
        open_text(signed.model_copy(update={"alg": claimed}), ReceiptText, key.public)


@needs_sm2
def test_the_same_bytes_are_another_key_in_another_algorithm() -> None:
    """An id holds the algorithm: nobody enrols a key as one of the other kind."""
    for alg, other in (("Ed25519", "SM2"), ("SM2", "Ed25519")):
        with pytest.raises(Malformed):
            verify_key(other, KEYS[alg].public.public_text)


# A machine without the library.


def run_without_library(program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_LIBRARY + program]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@needs_sm2
@pytest.mark.parametrize("existing", [False, True], ids=["a new key", "a key file"])
def test_a_machine_without_the_library_names_the_extra(existing: bool, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    if existing:
        load_or_create(path, "SM2")
    done = run_without_library(
        f"from pathlib import Path\nfrom contract.keyfile import load_or_create\n"
        f"try:\n    load_or_create(Path({str(path)!r}), 'SM2')\nexcept ValueError as error:\n    print(error)"
    )
    assert done.stderr == ""
    assert "SM2: the Python package 'gmssl_pyx' is not installed." in done.stdout
    assert "pip install 'sitewarden[sm]'" in done.stdout
    assert ("key.pem" in done.stdout) == existing


def test_a_machine_without_the_library_says_which_algorithms_it_knows() -> None:
    done = run_without_library(
        "from contract.signing import verify_key\nfrom contract.faults import UnknownAlgorithm\n"
        f"try:\n    verify_key('SM2', {base64.b64encode(PUBLIC).decode()!r})\n"
        "except UnknownAlgorithm as fault:\n    print(fault.expected)"
    )
    assert (done.stdout.strip(), done.stderr) == ("Ed25519", "")
