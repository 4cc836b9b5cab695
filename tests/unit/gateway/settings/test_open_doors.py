"""Plain text to and from other machines is warned of; on this machine, and with TLS, it is not."""

from pathlib import Path

import pytest

from gateway.ports import UplinkKind
from gateway.settings import load
from gateway.settings.open_doors import is_this_machine
from gateway.uplinks.influx import InfluxSettings
from sitewarden.composition.kinds import KINDS as ASSET_KINDS
from tests.unit.gateway.settings.kinds import CASES, CONFIG, DRIVERS, ROOT, UPLINKS

BROKER = {"name": "up", "kind": "mqtt", "topic_prefix": "site/box"}
LOGIN = {"username": "box", "password": {"env": "BROKER_PASSWORD"}}
INFLUX = {"name": "series", "kind": "influx", "token": {"env": "TOKEN"}, "org": "o", "bucket": "b"}


KINDS = UPLINKS | {"influx": UplinkKind("influx", InfluxSettings, UPLINKS["mqtt"].build)}
CODES = {"warn.web_plain", "warn.broker_plain", "warn.password_plain", "warn.token_plain"}


def doors(file: Path = CASES / "good-minimal.yaml", **replace: object) -> list[tuple[str, str]]:
    """Key and code of each warning about an open door."""
    warnings = load(file, DRIVERS, KINDS, ASSET_KINDS, config_root=CONFIG, replace=replace).warnings
    return [(warning.key, warning.code) for warning in warnings if warning.code in CODES]


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.1.2.3", False),
        ("broker.local", False),
        ("localhost.evil.example", False),
    ],
)
def test_only_loopback_is_this_machine(host: str, here: bool) -> None:
    assert is_this_machine(host) is here


def test_a_page_for_other_machines_without_tls_is_warned_of() -> None:
    assert doors(**{"web.host": "0.0.0.0"}) == [("web.host", "warn.web_plain")]
    assert doors(web={"host": "0.0.0.0", "tls": {"folder": "data/tls"}}) == []
    assert doors(**{"web.host": "127.0.0.1"}) == []


def test_a_broker_on_another_machine_without_tls_is_warned_of() -> None:
    far = BROKER | {"host": "10.0.0.9"}
    assert doors(uplinks=[far]) == [("uplinks[0].host", "warn.broker_plain")]
    assert doors(uplinks=[far | LOGIN]) == [("uplinks[0].host", "warn.password_plain")]
    assert doors(uplinks=[far | LOGIN | {"tls": {}}]) == []
    assert doors(uplinks=[BROKER | LOGIN | {"host": "localhost"}]) == []


def test_a_broker_of_the_field_is_warned_of_too() -> None:
    mast = ROOT / "examples" / "mqtt-mast.yaml"
    plain = {"links[0].tls": None, "links[0].username": "", "links[0].password": None}
    assert ("links[0].host", "warn.broker_plain") in doors(mast, **plain | {"links[0].host": "10.0.0.9"})
    login = {"links[0].username": "box", "links[0].password": {"env": "BROKER_PASSWORD"}}
    assert ("links[0].host", "warn.password_plain") in doors(mast, **plain | {"links[0].host": "10.0.0.9"} | login)
    assert doors(mast, **{"links[0].host": "10.0.0.9", "links[0].tls": {}} | login) == []


def test_a_token_in_plain_http_to_another_machine_is_warned_of() -> None:
    assert doors(uplinks=[INFLUX | {"url": "http://10.0.0.9:8086"}]) == [("uplinks[0].url", "warn.token_plain")]
    assert doors(uplinks=[INFLUX | {"url": "https://10.0.0.9:8086"}]) == []
    assert doors(uplinks=[INFLUX | {"url": "http://127.0.0.1:8086"}]) == []
