"""The box's own authority: what it signs, what it must not, and what a certificate says."""

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.tls.authority import Authority, make_authority, names_in, permits, read_authority, sign_server
from gateway.tls.faults import TlsError
from gateway.tls.names import ServerNames, found_names, parse_names

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
NAMES = parse_names(["Box.local", "sitebox"], ["192.168.1.10"])


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority("box-1", NAMES, NOW)


def _certificate(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def test_a_server_certificate_is_short_lived_and_for_servers_only(authority: Authority) -> None:
    signed = _certificate(sign_server(authority, NAMES, NOW))
    assert signed.not_valid_after_utc - signed.not_valid_before_utc == timedelta(days=397)
    assert signed.not_valid_before_utc < NOW
    assert [each.dotted_string for each in signed.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value] == [
        x509.oid.ExtendedKeyUsageOID.SERVER_AUTH.dotted_string
    ]
    assert signed.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert names_in(signed) == ServerNames(("box.local", "sitebox"), (ipaddress.IPv4Address("192.168.1.10"),))
    signed.verify_directly_issued_by(authority.certificate)


def test_the_authority_signs_no_further_authority_and_lasts_ten_years(authority: Authority) -> None:
    said = authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (said.critical, said.value.ca, said.value.path_length) == (True, True, 0)
    lasts = authority.certificate.not_valid_after_utc - NOW
    assert timedelta(days=3650) <= lasts <= timedelta(days=3653)
    assert isinstance(authority.certificate.public_key(), ec.EllipticCurvePublicKey)


@pytest.mark.parametrize("name", ["box.local", "a.b.local", "localhost", "sitebox", "x.lan", "192.168.9.9", "10.1.2.3"])
def test_names_of_private_networks_may_be_signed(authority: Authority, name: str) -> None:
    assert permits(authority.certificate, name)


@pytest.mark.parametrize(
    "name", ["example.com", "notlocal", "xlocal", "local.example.com", "8.8.8.8", "2001:db8::1", "192.169.0.1"]
)
def test_no_name_of_the_wide_world_may_be_signed(authority: Authority, name: str) -> None:
    assert not permits(authority.certificate, name)
    host = [] if name[0].isdigit() else [name]
    address = [name] if name[0].isdigit() else []
    with pytest.raises(TlsError, match=name):
        sign_server(authority, parse_names(host, address), NOW)


def test_a_public_address_that_the_site_named_may_be_signed_and_its_neighbour_not() -> None:
    own = make_authority("box-1", parse_names(["gate.example.com"], ["203.0.113.5"]), NOW)
    assert permits(own.certificate, "203.0.113.5")
    assert permits(own.certificate, "gate.example.com")
    assert not permits(own.certificate, "203.0.113.6")
    assert not permits(own.certificate, "example.com")


def test_a_certificate_never_outlives_its_authority(authority: Authority) -> None:
    late = authority.certificate.not_valid_after_utc - timedelta(days=40)
    signed = _certificate(sign_server(authority, NAMES, late))
    assert signed.not_valid_after_utc == authority.certificate.not_valid_after_utc
    with pytest.raises(TlsError, match="has ended"):
        sign_server(authority, NAMES, authority.certificate.not_valid_after_utc)


def test_a_kept_authority_signs_again_and_a_strange_key_does_not(authority: Authority) -> None:
    pem = authority.certificate.public_bytes(serialization.Encoding.PEM)
    again = read_authority(pem, authority.key_pem())
    _certificate(sign_server(again, NAMES, NOW)).verify_directly_issued_by(authority.certificate)
    with pytest.raises(TlsError, match="is not the key"):
        read_authority(pem, make_authority("box-2", NAMES, NOW).key_pem())
    with pytest.raises(TlsError, match="cannot be read"):
        read_authority(pem, b"no key")


@pytest.mark.parametrize("written", ["", "a b", "box_1", "-a.local", "192.168.1.10", "x" * 64, "塔机.local", "*.local"])
def test_what_is_no_host_name_is_refused(written: str) -> None:
    with pytest.raises(TlsError, match="no host name"):
        parse_names([written], [])


@pytest.mark.parametrize("written", ["", "192.168.1", "192.168.1.300", "box.local", "10.0.0.0/8"])
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(TlsError, match="no IP address"):
        parse_names([], [written])


def test_this_machine_is_reached_by_what_it_calls_itself() -> None:
    found = found_names()
    assert not any(address.is_loopback for address in found.addresses)
    complete = found.with_loopback()
    assert complete.hosts[-1] == "localhost"
    assert complete.with_loopback() == complete
