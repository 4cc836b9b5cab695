import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.uplinks.http_door import HttpAnswer, check_address, hidden, is_loopback, secrets_in

ROBOT = "https://oapi.example/robot/send?access_token=0123456789abcdef&timestamp=1"


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=4, max_size=40),
    st.sampled_from([str, quote, quote_plus, json.dumps, lambda text: text.replace("/", "\\/")]),
)
def test_a_secret_is_hidden_however_it_is_spelt(secret, spell):
    assert hidden(f"*{spell(secret)}*", [secret]) in ("*****", '*"***"*')


def test_the_longest_is_hidden_first_so_that_no_rest_of_an_address_is_left():
    assert hidden(f"no route to {ROBOT}!", secrets_in(ROBOT)) == "no route to ***!"


def test_every_value_of_an_address_and_every_long_step_of_its_path_is_a_secret():
    assert "0123456789abcdef" in secrets_in(ROBOT)
    assert "T0123456789ABCDEF" in secrets_in("https://hook.example/services/T0123456789ABCDEF/x")
    assert "services" not in secrets_in("https://hook.example/services/T0123456789ABCDEF/x")


def test_a_secret_is_hidden_before_the_words_are_cut_so_that_no_half_of_one_is_left():
    secret = "s3cr3t-" * 10
    answer = HttpAnswer(500, (secret * 100).encode(), 0.0)
    assert "s3cr3t" not in answer.words([secret])
    assert len(answer.words([secret])) <= 300


def test_words_are_one_line():
    assert HttpAnswer(500, b"a\r\n\x1b b\t\xff", 0.0).words([]).splitlines() == ["500: a \x1b b \ufffd"]


@pytest.mark.parametrize(
    ("url", "plain", "good"),
    [
        ("https://a.example/x", False, True),
        ("http://a.example/x", False, False),
        ("http://a.example/x", True, True),
        ("http://127.0.0.1:80/x", False, True),
        ("http://[::1]/x", False, True),
        ("http://localhost/x", False, True),
        ("http://localhost.example/x", False, False),
        ("https://[::1/x", False, False),
        ("https:///x", False, False),
        ("https://a.example/x y", False, False),
        ("https://a.example/\n", False, False),
        ("https://a.example/x#y", False, False),
        ("https://a@a.example/x", False, False),
    ],
)
def test_which_addresses_are_good(url, plain, good):
    assert (check_address(url, plain) == "") is good


@pytest.mark.parametrize(("host", "here"), [("127.1.2.3", True), ("::1", True), ("10.0.0.1", False), ("box", False)])
def test_what_this_machine_is(host, here):
    assert is_loopback(host) is here
