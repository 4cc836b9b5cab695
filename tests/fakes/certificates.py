"""A throw-away certificate authority for tests: server, client and stranger, all for 127.0.0.1."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """PEM files of one certificate and its private key."""

    cert_file: Path
    key_file: Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """`stranger` is signed by another authority that nobody trusts."""

    ca_file: Path
    server: KeyPair
    client: KeyPair
    stranger: KeyPair


@dataclass(frozen=True, slots=True)
class _Authority:
    key: ec.EllipticCurvePrivateKey
    cert: x509.Certificate


def make_certificates(folder: Path, client_name: str = "box-1") -> Certificates:
    """Write a CA, a server, a client and a stranger pair into `folder`."""
    ours, theirs = _authority("Test CA"), _authority("Other CA")
    ca_file = folder / "ca.pem"
    ca_file.write_bytes(ours.cert.public_bytes(serialization.Encoding.PEM))
    return Certificates(
        ca_file,
        _pair(folder, "server", "127.0.0.1", ours),
        _pair(folder, "client", client_name, ours),
        _pair(folder, "stranger", client_name, theirs),
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
    )


def _authority(name: str) -> _Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, _name(name), key).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    return _Authority(key, builder.sign(key, hashes.SHA256()))


def _pair(folder: Path, stem: str, common_name: str, authority: _Authority) -> KeyPair:
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")), x509.DNSName("localhost")])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    cert = (
        _builder(common_name, authority.cert.subject, key)
        .add_extension(names, False)
        .add_extension(usage, False)
        .sign(authority.key, hashes.SHA256())
    )
    pair = KeyPair(folder / f"{stem}.pem", folder / f"{stem}.key")
    pair.cert_file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    pair.key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pair
