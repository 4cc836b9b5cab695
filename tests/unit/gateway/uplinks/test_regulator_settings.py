"""Settings of the regulator uplink: safe by default, faults named, no secret shown."""

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.uplinks.regulator import KIND
from gateway.uplinks.regulator_settings import RegulatorSettings

BASE = {"name": "regulator", "kind": "regulator", "enrol_code": {"file": "/run/secrets/code"}}


def settings(**changes: Any) -> RegulatorSettings:
    return RegulatorSettings.model_validate(BASE | changes)


@pytest.mark.parametrize(
    "url",
    ["https://desk.example/base", "http://127.0.0.1:1", "http://127.8.8.8", "http://[::1]:80", "http://localhost:1"],
)
def test_https_anywhere_and_http_to_this_machine(url: str) -> None:
    assert settings(url=url).url == url


def test_plain_http_elsewhere_must_be_asked_for() -> None:
    with pytest.raises(ValidationError, match="allow_plain_http"):
        settings(url="http://10.0.0.5:80")
    assert settings(url="http://10.0.0.5:80", allow_plain_http=True).allow_plain_http


@pytest.mark.parametrize("url", ["", "desk.example", "ftp://x", "https://", "https://x/?q=1", "https://x/#f"])
def test_an_address_that_is_none_is_named(url: str) -> None:
    with pytest.raises(ValidationError, match="url"):
        settings(url=url)


def test_a_password_in_the_address_is_refused() -> None:
    with pytest.raises(ValidationError, match="user or password"):
        settings(url="https://user:word@desk.example")


@pytest.mark.parametrize(
    "changes",
    [{"heartbeat_s": 0}, {"mailbox_wait_s": 61}, {"pipelining": 0}, {"regulator_key_id": "x"}, {"surprise": 1}],
)
def test_values_out_of_range_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(url="https://desk.example", **changes)


def test_the_kind_is_registered_under_its_name() -> None:
    assert (KIND.name, KIND.settings) == ("regulator", RegulatorSettings)
