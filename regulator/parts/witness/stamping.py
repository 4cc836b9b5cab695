"""Time stamps (RFC 3161): somebody else signs that a digest was there at a time, and never signs for the past.

    desk   -- TimeStampReq: SHA-256 of the head, a nonce -->  time-stamp authority
    desk   <-- TimeStampResp: token, signed with the authority's certificate

In: the bytes to be stamped, the authority's address and the certificates that are trusted. Out: the response as it
came (DER), checked by `rfc3161-client`; `openssl ts -verify` reads the same files. Knows no database.
"""

import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimeStampRequest,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

QUERY_TYPE: Final = "application/timestamp-query"
REPLY_TYPE: Final = "application/timestamp-reply"
MAX_BYTES: Final = 65_536


class StampError(Exception):
    """No stamp, or one that does not hold; why."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A response that holds. `stamped_at_ns`: the time that the authority signed, UTC, to the second."""

    token: bytes
    stamped_at_ns: int


class TimeStamper:
    """One authority. `ca_file`: PEM, the certificates that its own is traced to, those between with them.

    Raises OSError or ValueError for a file that holds none.
    """

    def __init__(self, url: str, ca_file: Path, timeout_s: float) -> None:
        self.url = url
        self._timeout_s = timeout_s
        self._trusted = _certificates(ca_file)

    def stamp(self, content: bytes) -> Stamp:
        """Ask for one and check it. Raises StampError."""
        builder = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256)
        request = builder.cert_request(cert_request=True).nonce(nonce=True).build()
        return self._checked(self._asked(request.as_bytes()), content, request)

    def check(self, token: bytes, content: bytes) -> Stamp:
        """Look at one once more; its certificate needs to have been valid at its time only. Raises StampError."""
        return self._checked(token, content, None)

    def _asked(self, query: bytes) -> bytes:
        ends_s = time.monotonic() + self._timeout_s
        headers = {"Content-Type": QUERY_TYPE, "Accept": REPLY_TYPE, "Accept-Encoding": "identity"}
        timeout = httpx.Timeout(self._timeout_s, connect=self._timeout_s / 3)
        try:
            with (
                httpx.Client(verify=ssl.create_default_context(), trust_env=False, timeout=timeout) as client,
                client.stream("POST", self.url, content=query, headers=headers) as answer,
            ):
                body = b""
                for piece in answer.iter_raw():
                    body += piece
                    if len(body) > MAX_BYTES or time.monotonic() > ends_s:
                        raise StampError(f"no whole answer of at most {MAX_BYTES} bytes in {self._timeout_s:g} s")
                kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
                if answer.status_code != httpx.codes.OK or kind != REPLY_TYPE:
                    raise StampError(f"HTTP {answer.status_code} {kind[:60]}, expected 200 {REPLY_TYPE}")
                return body
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise StampError(f"no answer: {type(error).__name__}: {error}"[:300]) from None

    def _checked(self, token: bytes, content: bytes, request: TimeStampRequest | None) -> Stamp:
        try:
            response = decode_timestamp_response(token)
            builder = VerifierBuilder() if request is None else VerifierBuilder.from_request(request)
            for certificate in self._trusted:
                builder = builder.add_root_certificate(certificate)
            builder.build().verify_message(response, content)
            stamped_at = response.tst_info.gen_time
        except (ValueError, VerificationError) as error:
            raise StampError(f"a time stamp that does not hold: {error}"[:300]) from None
        return Stamp(token, int(stamped_at.timestamp()) * 1_000_000_000)


def _certificates(ca_file: Path) -> Sequence[x509.Certificate]:
    try:
        return list(dict.fromkeys(x509.load_pem_x509_certificates(ca_file.read_bytes())))
    except ValueError as error:
        raise ValueError(f"{ca_file}: expected certificates in PEM: {error}") from None
