"""What the commands `backup`, `restore` and `bundle` print, and the exit status they end with.

In: parsed arguments. Out: lines in Chinese and English; 0 done, 1 refused or failed. The work itself is in
`gateway.parts.operation.backup` and `gateway.parts.updates`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway.parts.operation.backup import BackupError, make_backup, restore
from gateway.parts.updates.bundle import BundleAbout, BundleError, make_bundle
from gateway.parts.updates.versions import Allowed, Running, apply_bundle, command_health, command_restart, rollback
from gateway.ports import Clock
from gateway.settings import Settings

Say = Callable[[str], None]


def run_backup(settings: Settings, to: Path, passphrase_file: Path | None, clock: Clock, say: Say = print) -> int:
    """Take and verify a copy; says where it is and what it leaves out."""
    try:
        result = make_backup(settings, to, clock, _passphrase(passphrase_file))
    except (BackupError, OSError) as error:
        return _failed("备份失败", "backup failed", error, say)
    manifest = result.manifest
    say(f"已备份并校验 / backed up and verified: {result.path}")
    say(f"  {len(manifest.files)} files, chain up to record {manifest.chain_seq} {manifest.chain_sha256}")
    if result.left_out:
        names = ", ".join(result.left_out)
        say(f"  未含（密钥需 --passphrase-file）/ left out (keys need --passphrase-file): {names}")
    return 0


def run_restore(archive: Path, to: Path, passphrase_file: Path | None, say: Say = print) -> int:
    """Verify and unpack; says what the folder is good for."""
    try:
        manifest = restore(archive, to, _passphrase(passphrase_file))
    except (BackupError, OSError) as error:
        return _failed("恢复失败", "restore failed", error, say)
    say(f"已校验并恢复 / verified and restored: {to}, box {manifest.box_id}, chain up to record {manifest.chain_seq}")
    say(f"  storage.folder: {to}")
    say(f"  配置 / site file: {to / 'site' / manifest.site_file}")
    say("  若监管平台已有更新的记录，会报告证据链异常 / the regulator reports a chain fault if it holds later records")
    return 0


def run_bundle_make(wheels: Path, lock: Path, key: Path, about: BundleAbout, out: Path, say: Say = print) -> int:
    """Pack the wheels of an update and sign them; the exit status."""
    try:
        manifest = make_bundle(wheels, lock, key, about, out)
    except (BundleError, OSError) as error:
        return _failed("打包失败", "not packed", error, say)
    say(f"已打包签名 / packed and signed: {out}, version {manifest.version}, {len(manifest.files)} files")
    say(f"  可安装至 / may be installed until {manifest.expires_at:%Y-%m-%d %H:%M} UTC")
    return 0


@dataclass(frozen=True, slots=True)
class Service:
    """How a version is started and asked: commands, `{root}` stands for the version's folder in `health`."""

    root: Path
    health: list[str]
    restart: list[str]
    healthy_within_s: float = 60.0

    @property
    def running(self) -> Running:
        """The commands, ready to be run."""
        return Running(command_health(self.health, self.healthy_within_s), command_restart(self.restart))


def run_bundle_apply(
    bundle: Path, key: Path, service: Service, clock: Clock, allowed: Allowed, say: Say = print
) -> int:
    """Install an update, or stay with what is there."""
    now = datetime.fromtimestamp(clock.now_ns() / 1e9, UTC)
    try:
        version = apply_bundle(bundle, key, service.root, service.running, now, allowed)
    except (BundleError, OSError) as error:
        return _failed("未更新", "not updated", error, say)
    say(f"已更新 / updated: version {version}")
    return 0


def run_bundle_rollback(service: Service, say: Say = print) -> int:
    """Go back to the version before; the exit status."""
    try:
        version = rollback(service.root, service.running)
    except (BundleError, OSError) as error:
        return _failed("未回退", "not rolled back", error, say)
    say(f"已回退 / rolled back: version {version}")
    return 0


def _passphrase(file: Path | None) -> str:
    """The first line of the file. Raises BackupError when it is empty."""
    if file is None:
        return ""
    passphrase = file.read_text(encoding="utf-8").split("\n", 1)[0].strip()
    if not passphrase:
        raise BackupError(f"{file}: is empty; expected a passphrase on its first line")
    return passphrase


def _failed(text_zh: str, text_en: str, error: Exception, say: Say) -> int:
    say(f"sitewarden: {text_zh} / {text_en}: {error}")
    return 1
