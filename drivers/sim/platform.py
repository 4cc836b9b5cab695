"""A platform above the desk as its own process: `python -m drivers.sim.platform`. For the demonstration's docking.

It speaks the shipped map `pattern-i-sorted-parameters`: appKey, timestamp, nonce, data and sign, an HMAC-SHA256 of the
sorted parameters. It knows nothing of the sender's code and computes the signature anew. It keeps no record: it counts
them by path, and remembers the digests of the last ones, so that a repetition is answered as such.

Out: on stdout one JSON line once it listens; `GET /` answers the counts. Ends on SIGTERM or SIGINT with exit status 0.

    {"ready": true, "pid": 4711, "url": "http://127.0.0.1:40123", "app_key": "...", "app_secret": "..."}
"""

import argparse
import hashlib
import hmac
import json
import os
import secrets
import signal
import sys
import threading
import time
from collections import Counter, OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TAKEN, DUPLICATE, REFUSED, WHO = 0, 1001, 1002, 2002
MOST_SKEW_S = 300
MOST_BODY_BYTES = 4 * 1024 * 1024
REMEMBERED = 10_000


class ReceivingPlatform:
    """What it takes, and how it answers. Safe between threads."""

    def __init__(self, app_key: str, app_secret: str) -> None:
        self._app_key, self._app_secret = app_key, app_secret
        self._taken: Counter[str] = Counter()
        self._duplicates = self._refusals = 0
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def counts(self) -> dict[str, object]:
        """Records by path, repetitions, and requests that were refused."""
        with self._lock:
            return {"taken": dict(self._taken), "duplicates": self._duplicates, "refused": self._refusals}

    def take(self, path: str, body: bytes, now_s: float) -> tuple[int, str]:
        """One request; the map's reply code and its words."""
        code, words = self._judged(path, body, now_s)
        with self._lock:
            self._refusals += code in (REFUSED, WHO)
        return code, words

    def _judged(self, path: str, body: bytes, now_s: float) -> tuple[int, str]:
        try:
            told: dict[str, Any] = json.loads(body)
            given = str(told.pop("sign"))
            text = "&".join(f"{name}={told[name]}" for name in sorted(told))
            records = json.loads(told["data"])
            skew_s = abs(int(told["timestamp"]) / 1000 - now_s)
        except (ValueError, KeyError, TypeError, AttributeError):
            return REFUSED, "expected appKey, timestamp, nonce, data and sign as JSON"
        known = hmac.compare_digest(str(told.get("appKey")), self._app_key)
        sign = hmac.new(self._app_secret.encode(), text.encode(), "sha256").hexdigest()
        if not known or not hmac.compare_digest(given, sign):
            return WHO, "unknown appKey or bad sign"
        if skew_s > MOST_SKEW_S:
            return WHO, "timestamp out of range"
        return self._keep(path, records if isinstance(records, list) else [records])

    def _keep(self, path: str, records: list[Any]) -> tuple[int, str]:
        new = 0
        with self._lock:
            for record in records:
                digest = hashlib.sha256(f"{path} {json.dumps(record, sort_keys=True)}".encode()).hexdigest()
                if digest in self._seen:
                    self._duplicates += 1
                    continue
                new += 1
                self._taken[path] += 1
                self._seen[digest] = None
                if len(self._seen) > REMEMBERED:
                    self._seen.popitem(last=False)
        return (TAKEN, "ok") if new else (DUPLICATE, "already here")


def serve(platform: ReceivingPlatform, port: int) -> ThreadingHTTPServer:
    """Listen on 127.0.0.1; the caller runs `serve_forever`."""

    class Handler(BaseHTTPRequestHandler):
        """One request of the box to the simulated platform."""

        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_POST(self) -> None:
            """Take what the box sends, count it, and answer."""
            length = int(self.headers.get("content-length") or 0)
            if not 0 <= length <= MOST_BODY_BYTES:
                self.close_connection = True
                self._say(413, {"code": REFUSED, "msg": "body too long"})
                return
            code, words = platform.take(self.path, self.rfile.read(length), time.time())
            self._say(200, {"code": code, "msg": words})

        def do_GET(self) -> None:
            """The counts so far, whatever address is asked."""
            self._say(200, platform.counts())

        def _say(self, status: int, said: dict[str, object]) -> None:
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged: the counts say what came."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main(arguments: list[str] | None = None) -> int:
    """Parse the arguments and serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m drivers.sim.platform", description="A platform above the desk.")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    args = parser.parse_args(arguments)
    app_key, app_secret = secrets.token_hex(8), secrets.token_hex(16)
    with serve(ReceivingPlatform(app_key, app_secret), args.port) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        url = f"http://127.0.0.1:{server.server_address[1]}"
        ready = {"ready": True, "pid": os.getpid(), "url": url, "app_key": app_key, "app_secret": app_secret}
        print(json.dumps(ready), flush=True)
        server.serve_forever(poll_interval=0.1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
