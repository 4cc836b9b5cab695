"""HTTPS in the site file: a folder or two files, and the plain port beside it."""

from pathlib import Path

import pytest

from gateway.model.errors import ConfigError
from gateway.settings.schema import TlsSettings
from tests.unit.gateway.settings.kinds import load_case

FILES = {"cert_file": "a.pem", "key_file": "a.key"}


def test_without_a_section_there_is_no_tls() -> None:
    assert load_case("good-minimal").web.tls is None


@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        ({"folder": "data/tls"}, TlsSettings(folder=Path("data/tls"))),
        (FILES, TlsSettings(cert_file=Path("a.pem"), key_file=Path("a.key"))),
    ],
)
def test_a_folder_or_two_files(tls: dict[str, str], expected: TlsSettings) -> None:
    assert load_case("good-minimal", web={"tls": tls}).web.tls == expected


@pytest.mark.parametrize(
    ("web", "key"),
    [
        ({"tls": {}}, "web.tls"),
        ({"tls": {"folder": "data/tls"} | FILES}, "web.tls"),
        ({"tls": {"folder": "data/tls", "key_file": "a.key"}}, "web.tls"),
        ({"tls": {"cert_file": "a.pem"}}, "web.tls"),
        ({"tls": {"folder": ""}}, "web.tls.folder"),
        ({"tls": "on"}, "web.tls"),
        ({"tls": {"ca": "x"}}, "web.tls.ca"),
        ({"http_port": 8081}, "web"),
        ({"port": 8443, "http_port": 8443, "tls": {"folder": "data/tls"}}, "web"),
        ({"http_port": 0, "tls": {"folder": "data/tls"}}, "web.http_port"),
    ],
)
def test_what_does_not_go_together_is_refused(web: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_case("good-minimal", web=web)
    assert [fault.key for fault in caught.value.faults] == [key]


def test_a_plain_port_goes_beside_tls() -> None:
    web = load_case("good-minimal", web={"port": 8443, "http_port": 8080, "tls": {"folder": "data/tls"}}).web
    assert (web.port, web.http_port) == (8443, 8080)
