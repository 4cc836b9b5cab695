import pytest
from pydantic import ValidationError

from gateway.uplinks.influx import KIND, InfluxSettings

V2 = {"name": "site-influx", "kind": "influx", "url": "https://influx.example:8086/", "org": "o", "bucket": "b"}
V1 = {"name": "site-influx", "kind": "influx", "url": "http://10.0.0.9:8086", "api": "v1", "database": "d"}


def faults_of(values):
    with pytest.raises(ValidationError) as caught:
        InfluxSettings.model_validate(values)
    return " | ".join(error["msg"] for error in caught.value.errors())


def test_the_kind_names_its_schema():
    assert KIND.name == "influx"
    assert KIND.settings.model_validate(V2).url == "https://influx.example:8086"


def test_v1_needs_no_credentials():
    assert KIND.settings.model_validate(V1).password is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bucket": ""}, "bucket for api v2"),
        ({"org": "", "bucket": ""}, "org and bucket for api v2"),
        ({"database": "d"}, "no database with api v2"),
        ({"org": "", "database": "d"}, "org for api v2; no database with api v2"),
        ({"url": "influx:8086"}, "expected http://HOST:PORT"),
        ({"url": "http://user:secret@influx:8086"}, "without credentials"),
        ({"url": "http://influx:8086/?db=x"}, "without credentials, query or fragment"),
        ({"tokenn": {"env": "T"}}, "Extra inputs"),
        ({"token": "plain text"}, "valid dictionary or instance of Secret"),
        ({"timeout_ms": 5}, "greater than or equal to 100"),
        ({"measurements": {"tower-crane": "a b"}}, "match pattern"),
    ],
)
def test_wrong_v2_settings_say_what_was_expected(change, words):
    assert words in faults_of(V2 | change)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"database": ""}, "database for api v1"),
        ({"token": {"env": "T"}}, "no token with api v1"),
        ({"username": "u"}, "both username and password, or neither"),
        ({"password": {"env": "P"}}, "both username and password, or neither"),
    ],
)
def test_wrong_v1_settings_say_what_was_expected(change, words):
    assert words in faults_of(V1 | change)


def test_a_password_in_the_address_is_not_repeated():
    with pytest.raises(ValidationError) as caught:
        InfluxSettings.model_validate(V2 | {"url": "http://user:hunter2@influx:8086"})
    assert "hunter2" not in " ".join(error["msg"] for error in caught.value.errors())
