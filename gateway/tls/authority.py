"""Makes certificates: a box's own authority, and the server certificates that it signs. Pure: bytes in, bytes out.

    authority  EC P-256, ten years, may sign servers only and only names of private networks (name constraints)
    server     EC P-256, 397 days, its names as subject alternative names, for TLS servers only

397 days: what browsers ask of any authority's certificates at most is longer for an authority that the owner of a phone
has installed (Apple: 825 days, M-H), and public ones may not be longer than 398 (M-H); a short life is renewed anyway.
Times are aware UTC. Knows no files and no clock.
"""

import ipaddress
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.tls.faults import TlsError
from gateway.tls.names import Address, ServerNames

AUTHORITY_LASTS: Final = timedelta(days=3652)
SERVER_LASTS: Final = timedelta(days=396)
BACKDATED: Final = timedelta(days=1)
"""A phone whose clock is a little behind must not find a certificate of tomorrow. Part of the 397 days."""

PRIVATE_DOMAINS: Final = ("localhost", "local", "lan", "internal", "home.arpa")
PRIVATE_NETWORKS: Final[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]] = (
    *(ipaddress.IPv4Network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")),
    *(ipaddress.IPv4Network(net) for net in ("169.254.0.0/16", "127.0.0.0/8")),
    *(ipaddress.IPv6Network(net) for net in ("::1/128", "fc00::/7", "fe80::/10")),
)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: its certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def key_pem(self) -> bytes:
        """The private key, PKCS 8, not encrypted: the file's rights protect it, as every key of the box."""
        return _key_pem(self.key)


def make_authority(box_id: str, names: ServerNames, now: datetime) -> Authority:
    """A new authority for private names and for these."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sitewarden"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Sitewarden {box_id[:40]} {uuid.uuid4().hex[:6]}"),
        ]
    )
    public = key.public_key()
    certificate = (
        _builder(name, name, public, now)
        .not_valid_after(now + AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(_constraints(names), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def read_authority(certificate_pem: bytes, key_pem: bytes) -> Authority:
    """An authority that was kept. Raises TlsError when the two do not belong together or cannot be read."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = serialization.load_pem_private_key(key_pem, None)
    except (ValueError, TypeError) as error:
        raise TlsError(f"the authority cannot be read: {error}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise TlsError("ca.key is not the key of ca.crt")
    return Authority(certificate, key)


def sign_server(authority: Authority, names: ServerNames, now: datetime) -> bytes:
    """A new server key and its certificate, in one PEM text. Raises TlsError for a name that the authority may not
    sign, and when the authority itself has ended."""
    barred = [name for name in names.shown if not permits(authority.certificate, name)]
    if barred:
        raise TlsError(f"this authority may not sign {', '.join(barred)}; make a new one with these names")
    ends = min(now + SERVER_LASTS, authority.certificate.not_valid_after_utc)
    if ends <= now:
        raise TlsError("the authority has ended; make a new one and install it on phones and computers")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names.shown[0][:64])])
    public, issuer = key.public_key(), authority.certificate
    certificate = (
        _builder(subject, issuer.subject, public, now)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName(_general_names(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_issued_by(issuer), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return _key_pem(key) + certificate.public_bytes(serialization.Encoding.PEM)


def names_in(certificate: x509.Certificate) -> ServerNames:
    """The names that a certificate is for."""
    try:
        said = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ServerNames((), ())
    addresses: list[Address] = [each for each in said.get_values_for_type(x509.IPAddress) if isinstance(each, Address)]
    return ServerNames(tuple(said.get_values_for_type(x509.DNSName)), tuple(addresses))


def permits(authority: x509.Certificate, name: str) -> bool:
    """Whether an authority's name constraints let it sign a host name or an address."""
    try:
        allowed = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or ()
    except x509.ExtensionNotFound:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        domains = [each.value for each in allowed if isinstance(each, x509.DNSName)]
        return any(name == domain or name.endswith(f".{domain}") for domain in domains)
    networks = [each.value for each in allowed if isinstance(each, x509.IPAddress)]
    return any(address in network for network in networks if isinstance(network, _NETWORKS))


_NETWORKS: Final = (ipaddress.IPv4Network, ipaddress.IPv6Network)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _constraints(names: ServerNames) -> x509.NameConstraints:
    public = [ipaddress.ip_network(address) for address in names.addresses if not _is_private(address)]
    domains = [*PRIVATE_DOMAINS, *(host for host in names.hosts if host.split(".")[-1] not in PRIVATE_DOMAINS)]
    permitted: list[x509.GeneralName] = [x509.DNSName(domain) for domain in dict.fromkeys(domains)]
    permitted += [x509.IPAddress(network) for network in (*PRIVATE_NETWORKS, *public)]
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)


def _is_private(address: Address) -> bool:
    return any(address in known for known in PRIVATE_NETWORKS)


def _general_names(names: ServerNames) -> list[x509.GeneralName]:
    return [*map(x509.DNSName, names.hosts), *map(x509.IPAddress, names.addresses)]


def _issued_by(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
