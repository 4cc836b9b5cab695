"""A time-stamp authority whose every answer is OpenSSL's own (`openssl ts -reply`), over HTTP on a port of its own.

with OpensslTsa(folder) as authority:
    authority.url, authority.ca_file
    authority.mood = "refuses"               # a signed refusal; "down": 503; "page": a portal's page
    authority.verify(head, token)            # what `openssl ts -verify` says: '' when it holds
"""

import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

_CONFIG = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = Test authority
[tsa_cert]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
[tsa]
default_tsa = tsa_default
[tsa_default]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = {digests}
accuracy = secs:1
ess_cert_id_alg = sha256
"""
_REPLY = "application/timestamp-reply"


class OpensslTsa:
    """`queries` counts what was asked."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.mood = ""
        self.queries = 0
        self.ca_file = folder / "ca.pem"
        (folder / "serial").write_text("01\n")
        self._config("sha256")
        self._certificates()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/tsr"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, query: bytes) -> tuple[int, str, bytes]:
        """Status, type and body of the reply."""
        self.queries += 1
        if self.mood == "down":
            return 503, "text/plain", b"not today"
        if self.mood == "page":
            return 200, "text/html", b"<p>Log in to the network"
        if self.mood == "garbage":
            return 200, _REPLY, b"no DER at all"
        self._config("sha512" if self.mood == "refuses" else "sha256")
        (self.folder / "query.tsq").write_bytes(query)
        self._openssl("ts", "-reply", "-queryfile", "query.tsq", "-config", "tsa.cnf", "-out", "reply.tsr")
        return 200, _REPLY, (self.folder / "reply.tsr").read_bytes()

    def verify(self, content: bytes, token: bytes) -> str:
        """Empty when OpenSSL says that a response holds over these bytes."""
        (self.folder / "content").write_bytes(content)
        (self.folder / "token.tsr").write_bytes(token)
        told = ["ts", "-verify", "-data", "content", "-in", "token.tsr", "-CAfile", "ca.pem"]
        done = subprocess.run(["openssl", *told], cwd=self.folder, capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def _config(self, digests: str) -> None:
        (self.folder / "tsa.cnf").write_text(_CONFIG.format(folder=self.folder, digests=digests))

    def _certificates(self) -> None:
        ca = ["-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Test root", "-days", "3650"]
        self._openssl("req", *ca, "-keyout", "ca.key", "-out", "ca.pem")
        request = ["-newkey", "rsa:2048", "-nodes", "-config", "tsa.cnf", "-keyout", "tsa.key", "-out", "tsa.csr"]
        self._openssl("req", *request)
        signed = ["-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3650"]
        self._openssl("x509", *signed, "-extfile", "tsa.cnf", "-extensions", "tsa_cert", "-out", "tsa.pem")

    def _openssl(self, *told: str) -> None:
        subprocess.run(["openssl", *told], cwd=self.folder, capture_output=True, check=True)


def _handler(authority: OpensslTsa) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["content-type"] == "application/timestamp-query"
            query = self.rfile.read(int(self.headers["content-length"]))
            status, kind, body = authority.answer(query)
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
