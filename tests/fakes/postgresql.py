"""A real PostgreSQL cluster in a folder of its own, on a Unix socket and a free loopback port; ended by its id.

PostgreSQL refuses to run as root: then the cluster belongs to the system's `postgres` user.
"""

import os
import pwd
import shutil
import socket
import subprocess
import uuid
from pathlib import Path

import psycopg

VERSIONS = Path("/usr/lib/postgresql")
NO_POWER_CUT = "-c fsync=off -c full_page_writes=off -c autovacuum=off -c max_wal_size=128MB"
"""What is written outlasts the end of the server's processes, and not that of the machine."""


class PostgreSQL:
    """`start`, `create` a database from the template, `restart`, `stop`. `durable`: as in the field, for benches; else
    nothing waits for a disk."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder
        self._settings = "" if durable else f" {NO_POWER_CUT}"
        self.port = _free_port()
        self._user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._tools = _tools()

    def start(self) -> None:
        """Make the cluster when there is none, and run it."""
        if not (self.folder / "data").exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._own(self.folder)
            self._run(
                "initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", "desk", "-E", "UTF8", "--locale=C", "-N"
            )
        settings = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=200"
        self._control("start", "-l", str(self.folder / "server.log"), "-o", settings + self._settings)

    def stop(self, mode: str = "fast") -> None:
        """End the server; `immediate` is a crash."""
        self._control("stop", "-m", mode)

    def restart(self) -> None:
        """Crash and come back on the same port."""
        self.stop("immediate")
        self.start()

    def create(self, template: str = "template1") -> str:
        """A new database; its name."""
        name = f"desk_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.plain_url("postgres"), autocommit=True) as admin:
            how = "STRATEGY file_copy" if admin.info.server_version >= 150_000 else ""  # half the time of the default
            admin.execute(f'CREATE DATABASE {name} TEMPLATE "{template}" {how}')
        return name

    def drop(self, name: str) -> None:
        """Away with a test's database."""
        with psycopg.connect(self.plain_url("postgres"), autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        """For SQLAlchemy."""
        return f"postgresql+psycopg://desk@127.0.0.1:{self.port}/{name}"

    def plain_url(self, name: str) -> str:
        """For psycopg itself."""
        return f"postgresql://desk@127.0.0.1:{self.port}/{name}"

    def _control(self, verb: str, *arguments: str) -> None:
        self._run("pg_ctl", verb, "-w", "-D", str(self.folder / "data"), *arguments)

    def _run(self, tool: str, *arguments: str) -> None:
        command = [str(self._tools / tool), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={self._user}", f"--regid={self._user}", "--init-groups", *command]
        done = subprocess.run(
            command,
            check=False,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert done.returncode == 0, f"{tool}: {done.stderr.decode()}"

    def _own(self, folder: Path) -> None:
        if os.geteuid() == 0:
            user = pwd.getpwnam(self._user)
            os.chown(folder, user.pw_uid, user.pw_gid)


def reachable_folder() -> Path:
    """A folder whose parents another user may pass: pytest's own are closed to others."""
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"sitewarden-postgresql-{uuid.uuid4().hex[:8]}"
    folder.mkdir(mode=0o755)
    return folder


def remove(folder: Path) -> None:
    """The cluster's files, after `stop`."""
    shutil.rmtree(folder, ignore_errors=True)


def _tools() -> Path:
    found = sorted(VERSIONS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    assert found, "PostgreSQL is missing: apt-get install postgresql"
    return found[-1].parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
