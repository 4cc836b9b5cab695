"""Keeps the web server's certificate: renews it in time, takes up one that was replaced, and says how long it holds.

In: the files that the site names, and the time. Out: the `SSLContext` that the web server listens with, and a row for
the health page. A certificate that has ended is served all the same: a browser's warning is better than no screen. A
new one counts for new connections without a restart.
"""

import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from gateway.ports import Clock
from gateway.settings.schema import TlsSettings
from gateway.tls.faults import TlsError
from gateway.tls.folder import RENEW_BEFORE, CertificateFacts, TlsFolder, read_facts

log = logging.getLogger(__name__)
LOOK_EVERY_S: Final = 3600.0
CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; those of TLS 1.3 are all modern. Each with forward secrecy and authenticated encryption."""


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where key and certificate lie: in a folder of the box's own authority, or in two files of somebody else's."""

    certificate: Path
    key: Path | None = None
    folder: TlsFolder | None = None

    @property
    def private(self) -> tuple[Path, ...]:
        """What only the box may read."""
        if self.folder is not None:
            return self.folder.ca_key, self.certificate
        return (self.key or self.certificate,)

    @property
    def certificates(self) -> tuple[Path, ...]:
        """The certificates that will end some day, own and trusted."""
        return (self.certificate, self.ca_file) if self.ca_file is not None else (self.certificate,)

    @property
    def ca_file(self) -> Path | None:
        """What phones and computers are given; None when another authority vouches for the box."""
        return self.folder.ca_file if self.folder is not None else None


def files_of(tls: TlsSettings) -> CertificateFiles:
    """What a site file names; one of its two forms, as the settings have checked."""
    if tls.folder is not None:
        folder = TlsFolder(tls.folder)
        return CertificateFiles(folder.server_file, folder=folder)
    return CertificateFiles(tls.cert_file or Path(), tls.key_file)


class CertificateWatch:
    """One server certificate. Raises TlsError when there is none that can be served."""

    def __init__(self, files: CertificateFiles, clock: Clock) -> None:
        self.files = files
        self._clock = clock
        self._failure = ""
        if files.folder is not None and not files.certificate.is_file():
            raise TlsError(f"{files.certificate} is not there; make it with: sitewarden tls init --site SITE")
        self._renew_if_due()
        self.context = server_context(files)
        self.facts = read_facts(files.certificate)
        self._warn()

    async def run(self) -> None:
        """Look once an hour for as long as it is let run."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """Renew when it is due, and serve by what lies there now; what cannot be read leaves all as it was."""
        self._renew_if_due()
        try:
            found = read_facts(self.files.certificate)
            if found.fingerprint != self.facts.fingerprint:
                _load(self.context, self.files)
                self.facts = found
                log.info("event=certificate_taken_up ends=%s", found.ends.isoformat())
        except TlsError as error:
            self._failure = str(error)
        self._warn()

    def row(self) -> Mapping[str, object]:
        """For the health page: whole days left, when it ends (UTC ns), whether the box renews it, and what is wrong."""
        problem_zh, problem_en = self._problem()
        return {
            "days_left": self.facts.days_left(self._now()),
            "ends_at_ns": round(self.facts.ends.timestamp()) * 10**9,
            "names": list(self.facts.names.shown),
            "renews_itself": self._renews,
            "problem_zh": problem_zh,
            "problem_en": problem_en,
        }

    def served_names(self) -> tuple[str, ...]:
        """Hosts, then addresses, of the certificate that is served now."""
        return self.facts.names.shown

    @property
    def _renews(self) -> bool:
        return self.files.folder is not None and self.files.folder.can_renew

    def _problem(self) -> tuple[str, str]:
        failure = f": {self._failure}" if self._failure else ""
        if not is_due(self.facts, self._now()):
            return (f"网页证书文件无法使用{failure}", f"the page's certificate files{failure}") if failure else ("", "")
        days = self.facts.days_left(self._now())
        zh = f"网页证书还有 {days} 天到期" if days >= 0 else "网页证书已过期"
        en = f"the page's certificate ends in {days} days" if days >= 0 else "the page's certificate has ended"
        advice_zh, advice_en = _ADVICE[self._renews]
        return f"{zh}；{advice_zh}{failure}", f"{en}; {advice_en}{failure}"

    def _renew_if_due(self) -> None:
        self._failure = ""
        folder = self.files.folder
        if folder is None or not folder.can_renew:
            return
        try:
            if is_due(folder.server(), self._now()):
                folder.renew(self._now())
                log.info("event=certificate_renewed ends=%s", folder.server().ends.isoformat())
        except (TlsError, OSError) as error:
            self._failure = str(error)
            log.error("event=certificate_not_renewed reason=%r", str(error))

    def _warn(self) -> None:
        _, problem = self._problem()
        if problem:
            log.warning("event=certificate_ends problem=%r", problem)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_ns() / 1e9, UTC)


_ADVICE: Final = {
    True: ("自动更新未成功，请执行 sitewarden tls renew", "it was not renewed; run: sitewarden tls renew"),
    False: ("本机没有 CA 私钥，请人工更新证书", "the authority's key is not here: put a new certificate in place"),
}


def is_due(facts: CertificateFacts, now: datetime) -> bool:
    """Whether less than 30 days are left."""
    return facts.ends - now < RENEW_BEFORE


def server_context(files: CertificateFiles) -> ssl.SSLContext:
    """TLS 1.2 and newer with forward secrecy, for a web server. Raises TlsError."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    _load(context, files)
    return context


def _load(context: ssl.SSLContext, files: CertificateFiles) -> None:
    try:
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
    except OSError as error:  # ssl.SSLError is one
        raise TlsError(f"{files.certificate}: {error.strerror or error}") from None


def _no_password() -> bytes:
    """A key with a password would make the box ask at its console, where nobody stands."""
    raise TlsError("the key asks for a password; expected one without")
