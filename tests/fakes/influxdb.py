"""A real InfluxDB 1.6 behind nginx, as a v2 write endpoint: temporary folder, own configuration, free loopback ports.

nginx maps `/api/v2/write?bucket=B&precision=P` to `/write?db=B&precision=P` and drops the Authorization header, which
is all that an InfluxDB 2 client needs for writing. Reading back is InfluxQL. `influx.v1_url` is influxd itself.

    with InfluxServer() as influx:
        ... influx.url, influx.bucket ...
        rows = influx.query("SELECT * FROM crane_rt")
"""

import base64
import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse
from pathlib import Path
from typing import Any, Self

START_WITHIN_S = 20.0
STOP_WITHIN_S = 10.0

INFLUXD_CONF = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc_port}"
[meta]
  dir = "{folder}/meta"
  logging-enabled = false
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[subscriber]
  enabled = false
[continuous_queries]
  enabled = false
[http]
  bind-address = "127.0.0.1:{http_port}"
  auth-enabled = {auth}
  log-enabled = false
"""

NGINX_CONF = """
daemon off;
master_process off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/nginx.log error;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_max_body_size 25m;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  map $arg_precision $v1_precision {{ default n; ns n; us u; ms ms; s s; }}
  server {{
    listen 127.0.0.1:{nginx_port};
    location /api/v2/write {{
      proxy_set_header Authorization "";
      proxy_pass http://127.0.0.1:{http_port}/write?db=$arg_bucket&precision=$v1_precision;
    }}
    location / {{ proxy_pass http://127.0.0.1:{http_port}; }}
  }}
}}
"""


def free_port() -> int:
    """A loopback TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class InfluxServer:
    """Starts on `with`, stops and removes its folder at the end. `user` switches authentication on (v1 path only)."""

    def __init__(self, bucket: str = "site", user: str = "", password: str = "") -> None:
        self.bucket = bucket
        self.user = user
        self.password = password
        self._programs = {"influxd": _program("influxd", "influxdb"), "nginx": _program("nginx", "nginx-light")}
        self._folder = Path(tempfile.mkdtemp(prefix="influx-"))
        self._ports = {"http_port": free_port(), "rpc_port": free_port(), "nginx_port": free_port()}
        self._influxd: subprocess.Popen[bytes] | None = None
        self._nginx: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The v2-like address (nginx)."""
        return f"http://127.0.0.1:{self._ports['nginx_port']}"

    @property
    def v1_url(self) -> str:
        """influxd itself."""
        return f"http://127.0.0.1:{self._ports['http_port']}"

    def __enter__(self) -> Self:
        try:
            self._write_configurations()
            self.start()
            if self.user:
                self.query(f"CREATE USER \"{self.user}\" WITH PASSWORD '{self.password}' WITH ALL PRIVILEGES")
            self.query(f'CREATE DATABASE "{self.bucket}"')
            self._nginx = self._spawn(self._programs["nginx"], "-c", f"{self._folder}/nginx.conf", "-p", self._folder)
            _wait_for(self._nginx, lambda: self._answers(self._ports["nginx_port"]), "nginx")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start influxd on its folder and port, and wait until it answers."""
        self._influxd = self._spawn(self._programs["influxd"], "-config", f"{self._folder}/influxd.conf")
        _wait_for(self._influxd, lambda: self._answers(self._ports["http_port"]), "influxd")

    def stop(self) -> None:
        """Ask influxd to end, as an operator does."""
        _end(self._influxd, kill=False)
        self._influxd = None

    def kill(self) -> None:
        """kill -9: what a power cut leaves behind."""
        _end(self._influxd, kill=True)
        self._influxd = None

    def restart(self) -> None:
        """Stop and start again, with the same data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop both servers and remove the folder."""
        _end(self._nginx, kill=False)
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def query(self, influxql: str, database: str = "") -> list[dict[str, Any]]:
        """Rows of the first statement, of all its series, each with its tags; times are integer nanoseconds."""
        fields = {"db": database or self.bucket, "q": influxql, "epoch": "ns"}
        connection = http.client.HTTPConnection("127.0.0.1", self._ports["http_port"], timeout=30)
        with contextlib.closing(connection):
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            if self.user:
                headers["Authorization"] = "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            connection.request("POST", "/query", urllib.parse.urlencode(fields), headers)
            answer = json.loads(connection.getresponse().read())
        result = answer["results"][0] if "results" in answer else answer
        if "error" in result:
            raise RuntimeError(f"{influxql}: {result['error']}")
        return [
            dict(zip(series["columns"], row, strict=True)) | series.get("tags", {})
            for series in result.get("series", [])
            for row in series.get("values", [])
        ]

    def count(self, measurement: str, field: str) -> int:
        """How many points of the measurement carry the field."""
        rows = self.query(f'SELECT count("{field}") FROM "{measurement}"')
        return int(rows[0]["count"]) if rows else 0

    def write(self, lines: str) -> int:
        """Write raw line protocol past the gateway; the HTTP status."""
        connection = http.client.HTTPConnection("127.0.0.1", self._ports["http_port"], timeout=30)
        with contextlib.closing(connection):
            connection.request("POST", f"/write?db={urllib.parse.quote(self.bucket)}", lines.encode())
            return connection.getresponse().status

    def _write_configurations(self) -> None:
        values = self._ports | {"folder": self._folder, "auth": "true" if self.user else "false"}
        values["user"] = "user root;" if os.geteuid() == 0 else ""
        (self._folder / "influxd.conf").write_text(INFLUXD_CONF.format(**values))
        (self._folder / "nginx.conf").write_text(NGINX_CONF.format(**values))

    def _spawn(self, *command: str | Path) -> subprocess.Popen[bytes]:
        with (self._folder / f"{Path(command[0]).name}.out").open("ab") as out:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def _answers(self, port: int) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/ping")
            return connection.getresponse().status == 204
        return False


def _program(name: str, package: str) -> str:
    for folder in (None, "/usr/sbin:/usr/bin:/sbin:/bin"):
        found = shutil.which(name, path=folder)
        if found:
            return found
    raise RuntimeError(f"{name} is not installed: apt-get install {package}")


def _wait_for(process: subprocess.Popen[bytes], ready: Any, name: str) -> None:
    """Until `ready`, the deadline, or the end of the process, whichever comes first."""
    deadline = time.monotonic() + START_WITHIN_S
    while not ready():
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise RuntimeError(f"{name} ended with status {process.wait(timeout=0.02)} before it answered")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{name} did not answer within {START_WITHIN_S} s")


def _end(process: subprocess.Popen[bytes] | None, *, kill: bool) -> None:
    if process is None:
        return
    if kill:
        process.kill()
    else:
        process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_WITHIN_S)
