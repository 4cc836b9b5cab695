"""Signatures against values computed by hand, what replies mean, and the token's life in a conversation."""

import hashlib
import hmac
import json
from urllib.parse import parse_qs

import pytest

from docking.acknowledgement import Ack, HttpReply, Outcome, judged
from docking.courier import Courier
from docking.encoding import Payload
from docking.loading import load_platform
from docking.platform import Algorithm, ReplyRule, Signature
from docking.quantities import RecordKind
from docking.request import Stamp, record_call, signature, sorted_text
from docking.shelf import map_path
from docking.templates import filled, names_in

STAMP = Stamp(1_700_000_000_123_000_000, "abcdefghijklmnopqrstuvwxyz")
PAYLOAD = Payload("r-1", 1, {"b": 1, "a": "值"})
RULE = ReplyRule(
    "data.code",
    frozenset({"0", "true"}),
    frozenset({"9"}),
    frozenset({"4"}),
    frozenset({"7"}),
    frozenset({"8"}),
    "msg",
    frozenset({422}),
)


def call(name, credentials, token=""):
    platform = load_platform(map_path(name))
    map_ = platform.records[RecordKind.ALARM]
    return record_call(platform.transport, map_, [PAYLOAD], credentials, STAMP, token)


def test_pattern_a_is_a_form_with_one_field():
    made = call("pattern-a-token-form", {"app_key": "k", "app_secret": "s"}, "tok")
    assert made.headers["Authorization"] == "Bearer tok"
    assert parse_qs(made.content.decode()) == {"params": ['{"b":1,"a":"值"}']}
    assert {"k", "s", "tok"} == set(made.secrets)


def test_pattern_b_signs_in_its_headers():
    secrets = {"supplier": "sup", "project": "P", "supplier_secret": "ss", "project_secret": "ps"}
    made = call("pattern-b-header-signature", secrets)
    expected = hashlib.sha256(b"abcdefghijklmno" + b"1700000000123" + b"ss" + b"ps").hexdigest()
    assert made.headers["signature"] == expected
    assert (made.headers["keyId"], made.headers["rCode"]) == ("sup_P", "abcdefghijklmno")
    assert json.loads(made.content) == {"b": 1, "a": "值"}


def test_pattern_i_signs_its_sorted_parameters():
    made = json.loads(call("pattern-i-sorted-parameters", {"app_key": "k", "app_secret": "s"}).content)
    text = f"appKey=k&data={made['data']}&nonce={STAMP.nonce}&timestamp=1700000000123"
    assert made["sign"] == hmac.new(b"s", text.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Signature(Algorithm.MD5, "{ts}&key={k}", upper=True), hashlib.md5(b"1&key=s").hexdigest().upper()),
        (Signature(Algorithm.SHA1, "{ts}"), hashlib.sha1(b"1").hexdigest()),
        (Signature(Algorithm.HMAC_SHA256, "abc", "key", base64=True), "nBluMtwBdfhvSxy5kkbYvUPN6FuNpgAlYIY0uI9dx6I="),
    ],
)
def test_other_formulas(rule, expected):
    if rule.base64:
        import base64

        expected = base64.b64encode(hmac.new(b"key", b"abc", hashlib.sha256).digest()).decode()
    assert signature(rule, {"ts": "1", "k": "s"}) == expected


def test_sorted_parameters_leave_empty_ones_out():
    assert sorted_text({"b": "2", "a": "", "A": "1"}) == "A=1&b=2"


def test_templates_know_braces_and_names_only():
    assert filled("{{{a}}}", {"a": "1"}) == "{1}"
    assert names_in("{a}{b}") == ("a", "b")
    with pytest.raises(ValueError, match="single"):
        names_in("{0.__class__}")
    with pytest.raises(LookupError):
        filled("{c}", {})


def test_a_missing_credential_is_named_and_no_other_is():
    with pytest.raises(LookupError, match="app_secret"):
        call("pattern-i-sorted-parameters", {"app_key": "k"})


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (HttpReply(200, b'{"data":{"code":0}}'), Outcome.TAKEN),
        (HttpReply(200, b'{"data":{"code":true}}'), Outcome.TAKEN),
        (HttpReply(200, b'{"data":{"code":"9"}}'), Outcome.TAKEN),
        (HttpReply(200, b'{"data":{"code":4},"msg":"bad field"}'), Outcome.REFUSED),
        (HttpReply(200, b'{"data":{"code":7}}'), Outcome.TOKEN),
        (HttpReply(200, b'{"data":{"code":8}}'), Outcome.LATER),
        (HttpReply(200, b'{"data":{"code":12}}'), Outcome.UNCLEAR),
        (HttpReply(200, b"<html>welcome</html>"), Outcome.LATER),
        (HttpReply(200, b'{"data":[1]}'), Outcome.LATER),
        (HttpReply(200, b""), Outcome.LATER),
        (HttpReply(302, b'{"data":{"code":0}}'), Outcome.LATER),
        (HttpReply(401, b""), Outcome.TOKEN),
        (HttpReply(422, b"no"), Outcome.REFUSED),
        (HttpReply(500, b'{"data":{"code":0}}'), Outcome.LATER),
        (HttpReply(429, b"", 7.0), Outcome.LATER),
    ],
)
def test_what_a_reply_means(reply, outcome):
    ack = judged(RULE, reply)
    assert ack.outcome is outcome
    assert ack.after_s >= reply.retry_after_s


def test_the_platforms_words_are_kept():
    assert judged(RULE, HttpReply(200, b'{"data":{"code":4},"msg":"bad field"}')).words == "4: bad field"


class Server:
    """Answers a conversation: tokens count up, a record is taken with the newest token only."""

    def __init__(self, tokens=({"access_token": "t1", "expires_in": 600},), bad=()):
        self.tokens, self.bad, self.paths = list(tokens), set(bad), []

    def answer(self, made):
        self.paths.append(made.path)
        if made.path == "/oauth/token":
            return HttpReply(200, json.dumps({"code": 200, "data": self.tokens.pop(0)}).encode())
        given = made.headers["Authorization"].removeprefix("Bearer ")
        return HttpReply(401, b"expired") if given in self.bad else HttpReply(200, b'{"code":200}')


def talk(courier, server):
    platform = courier.platform
    secrets = {"app_key": "k", "app_secret": "s"}
    talking = courier.deliver(platform.records[RecordKind.ALARM], [PAYLOAD], secrets)
    made = next(talking)
    while True:
        try:
            made = talking.send(server.answer(made))
        except StopIteration as end:
            ack: Ack = end.value
            return ack


def courier_at(now):
    return Courier(load_platform(map_path("pattern-a-token-form")), lambda: now[0], lambda: "n" * 64)


def test_one_token_serves_many_records_until_it_is_about_to_end():
    now, server = [0], Server([{"access_token": "t1", "expires_in": 600}, {"access_token": "t2", "expires_in": 600}])
    courier = courier_at(now)
    assert talk(courier, server).outcome is Outcome.TAKEN
    now[0] = int(560e9)
    assert talk(courier, server).outcome is Outcome.TAKEN
    assert courier.tokens_asked == 1
    now[0] = int(580e9)
    assert talk(courier, server).outcome is Outcome.TAKEN
    assert courier.tokens_asked == 2


def test_a_token_that_is_no_longer_good_is_replaced_within_the_same_record():
    server = Server([{"access_token": "t1"}, {"access_token": "t2"}])
    courier = courier_at([0])
    talk(courier, server)
    server.bad.add("t1")
    assert talk(courier, server).outcome is Outcome.TAKEN
    assert server.paths[-3:] == ["/alarm", "/oauth/token", "/alarm"]


def test_a_fresh_token_that_is_refused_is_not_asked_for_ever():
    server = Server([{"access_token": "t1"}, {"access_token": "t2"}], bad=("t1", "t2"))
    ack = talk(courier_at([0]), server)
    assert (ack.outcome, ack.after_s) == (Outcome.LATER, 60.0)
    assert len(server.paths) == 2


@pytest.mark.parametrize("told", [{}, {"access_token": ""}, {"access_token": 5}, {"access_token": "a\nb"}])
def test_no_token_is_later_and_never_refused(told):
    ack = talk(courier_at([0]), Server([told]))
    assert ack.outcome is Outcome.LATER
    assert "no token" in ack.words
