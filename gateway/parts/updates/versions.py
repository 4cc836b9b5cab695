"""Versions that stand side by side, and one symlink that switches. An update comes as a bundle (`bundle.py`).

    root/
      versions/1.2.0/    a virtual environment, never changed once it is there
      versions/1.3.0/
      current  -> versions/1.3.0     switched by one rename
      previous -> versions/1.2.0
      newest             when the newest bundle that was ever in force was made

    apply:  signature -> fresh? -> every digest -> new folder -> install -> switch -> restart -> healthy?
            otherwise switch back -> restart

In: a bundle, the box's copy of the public key, a root folder and the time. Out: a version that runs and is healthy, or
the one before. A bundle that is older than `newest`, or out of date, is refused unless a person at the box allows it:
who can carry a file to the box must not bring an old fault back. Installs with `pip --no-index --no-deps`: the wheels
inside, and nothing else. Knows nothing of the gateway's own state: databases belong to no version.
"""

import logging
import os
import shutil
import subprocess
import tempfile
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.parts.updates.bundle import LOCK, BundleError, BundleManifest, read_bundle
from kit.durable import write_whole

log = logging.getLogger(__name__)
NEWEST = "newest"
ASK_EVERY_S = 1.0
CLOCK_MAY_LAG = timedelta(days=1)
Health = Callable[[Path], str]
"""Asks the version in this folder whether it is healthy: an empty text, or why it is not."""
Restart = Callable[[], None]


class UnhealthyError(BundleError):
    """The new version did not become healthy; the one before is in force again."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a person at the box allows against the rule: a bundle `older` than what was in force, or `expired`."""

    older: bool = False
    expired: bool = False


NOTHING = Allowed()


@dataclass(frozen=True, slots=True)
class Running:
    """How a version is asked whether it is healthy, and how the service is started again."""

    health: Health
    restart: Restart


def apply_bundle(
    bundle: Path, public_key: Path, root: Path, running: Running, now: datetime, allowed: Allowed = NOTHING
) -> str:
    """Install beside, switch, restart, ask; back to the version before when it is not healthy.

    Returns the version now in force. Raises BundleError before anything is switched, UnhealthyError after it was
    switched back.
    """
    with tempfile.TemporaryDirectory(prefix="sitewarden-update-") as unpacked:
        manifest = read_bundle(bundle, public_key, lambda m: refuse_stale(m, root, now, allowed), Path(unpacked))
        target = root / "versions" / manifest.version
        if target.exists():
            raise BundleError(f"{target}: this version is already there; expected a new one")
        _install(target, Path(unpacked))
    before, earlier = current_version(root), _version_of(root / "previous")
    _switch(root, manifest.version)
    reason = _restart_and_ask(root, running)
    if not reason:
        _remember(root, manifest)
        log.info("event=update_applied version=%s before=%s", manifest.version, before)
        return manifest.version
    log.error("event=update_unhealthy version=%s reason=%r", manifest.version, reason)
    if before:
        _point(root, "current", before)
        _point(root, "previous", earlier) if earlier else (root / "previous").unlink()
        running.restart()
    else:
        (root / "current").unlink()
    shutil.rmtree(target)
    raise UnhealthyError(f"version {manifest.version} is not healthy: {reason}; in force: {before or 'none'}")


def rollback(root: Path, running: Running) -> str:
    """Back to the version before; another rollback returns. Raises BundleError: there is none, or it is not healthy."""
    previous = _version_of(root / "previous")
    if not previous or not (root / "versions" / previous).is_dir():
        raise BundleError(f"{root}: no earlier version is installed")
    _switch(root, previous)
    reason = _restart_and_ask(root, running)
    if reason:
        raise UnhealthyError(f"version {previous} is in force again, and not healthy: {reason}")
    return previous


def refuse_stale(manifest: BundleManifest, root: Path, now: datetime, allowed: Allowed) -> None:
    """Raises BundleError for a bundle that is older than one that was in force, or not of this time."""
    newest = _newest(root)
    if newest is not None and manifest.made_at < newest and not allowed.older:
        raise BundleError(
            f"version {manifest.version} was made {_day(manifest.made_at)}, and one of {_day(newest)} was in force "
            "here; expected a newer one, or --allow-older"
        )
    if allowed.expired:
        return
    if now > manifest.expires_at:
        raise BundleError(
            f"version {manifest.version} may be installed until {_day(manifest.expires_at)}, and it is {_day(now)}; "
            "expected a new bundle, or --allow-expired"
        )
    if now < manifest.made_at - CLOCK_MAY_LAG:
        raise BundleError(
            f"version {manifest.version} was made {_day(manifest.made_at)}, and this clock says {_day(now)}; "
            "expected a clock that is right, or --allow-expired"
        )


def current_version(root: Path) -> str:
    """The version in force; '' when there is none."""
    return _version_of(root / "current")


def command_health(command: list[str], within_s: float) -> Health:
    """Healthy as soon as this command, with `{root}` for the version's folder, ends with 0; asked again until then."""

    def ask(folder: Path) -> str:
        """Ask the version in this folder how it is; its words."""
        filled = [part.replace("{root}", str(folder)) for part in command]
        deadline = time.monotonic() + within_s
        while reason := _complaint(filled, within_s):
            if time.monotonic() + ASK_EVERY_S > deadline:
                return reason
            time.sleep(ASK_EVERY_S)
        return ""

    return ask


def _complaint(command: list[str], timeout_s: float) -> str:
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{command[0]}: {error}"
    words = (done.stderr or done.stdout).decode(errors="replace").strip()[-300:]
    return "" if done.returncode == 0 else f"{command[0]} ended with {done.returncode}: {words}"


def command_restart(command: list[str]) -> Restart:
    """Run this command; an empty one restarts nothing. A failure shows in the health check that follows."""

    def run() -> None:
        """Restart the service by the command that was given."""
        if command:
            done = subprocess.run(command, check=False)
            if done.returncode:
                log.error("event=restart_failed command=%r status=%d", command[0], done.returncode)

    return run


def _restart_and_ask(root: Path, running: Running) -> str:
    running.restart()
    return running.health((root / "current").resolve())


def _newest(root: Path) -> datetime | None:
    """When the newest bundle that was in force was made; None when none was. Raises BundleError."""
    path = root / NEWEST
    if not path.exists():
        return None
    try:
        return datetime.fromisoformat(path.read_text(encoding="ascii").strip()).astimezone(UTC)
    except ValueError:
        raise BundleError(f"{path}: expected the time of the newest bundle, as 2026-01-31T08:00:00+00:00") from None


def _remember(root: Path, manifest: BundleManifest) -> None:
    newest = _newest(root)
    if newest is None or newest < manifest.made_at:
        write_whole(root / NEWEST, f"{manifest.made_at.astimezone(UTC).isoformat()}\n".encode("ascii"))


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _install(target: Path, unpacked: Path) -> None:
    """A virtual environment with exactly these wheels; on any failure nothing is left. Raises BundleError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        venv.EnvBuilder(with_pip=True).create(target)  # pip comes from this Python's own ensurepip, not from a network
        _pip(target, sorted(str(path) for path in unpacked.glob("*.whl")))
        shutil.copyfile(unpacked / LOCK, target / LOCK)
    except subprocess.CalledProcessError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise BundleError(f"{target}: this Python cannot make a virtual environment (python3-venv): {error}") from None
    except (BundleError, OSError):
        shutil.rmtree(target, ignore_errors=True)
        raise


def _pip(target: Path, wheels: list[str]) -> None:
    command = [str(target / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
    command += ["--no-index", "--no-deps", "--no-cache-dir", "--quiet", *wheels]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip()[-500:]
        raise BundleError(f"{target}: pip could not install the wheels: {words}")


def _switch(root: Path, version: str) -> None:
    before = current_version(root)
    if before:
        _point(root, "previous", before)
    _point(root, "current", version)


def _point(root: Path, name: str, version: str) -> None:
    """One rename: whoever looks sees the old version or the new one."""
    new = root / f".{name}.new"
    new.unlink(missing_ok=True)
    new.symlink_to(Path("versions") / version)
    new.replace(root / name)
    handle = os.open(root, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _version_of(link: Path) -> str:
    return link.readlink().name if link.is_symlink() else ""
