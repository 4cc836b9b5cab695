import base64
import hashlib
import io
import subprocess
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway.parts.updates.bundle import BundleAbout, BundleError, BundleManifest, make_bundle, read_bundle
from gateway.parts.updates.versions import (
    Allowed,
    Running,
    UnhealthyError,
    apply_bundle,
    command_health,
    command_restart,
    current_version,
    refuse_stale,
    rollback,
)
from sitewarden.__main__ import main

MADE = datetime(2026, 3, 1, 8, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Maker:
    """The workshop's key, and a tiny program in as many versions as a test wants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key, self.public = folder / "release.pem", folder / "release.pub"
        key = Ed25519PrivateKey.generate()
        self.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def bundle(self, version: str, status: int = 0, made_at: datetime = MADE) -> Path:
        """`python -m tinywarden` of this version ends with `status`."""
        wheels = self.folder / f"wheels-{version}"
        wheels.mkdir()
        tiny_wheel(wheels, version, status)
        (wheels / "lock.txt").write_text(f"tinywarden=={version}\n")
        about = BundleAbout(version, made_at)
        make_bundle(wheels, wheels / "lock.txt", self.key, about, self.folder / f"{version}.tar")
        return self.folder / f"{version}.tar"


def tiny_wheel(folder: Path, version: str, status: int) -> None:
    info = f"tinywarden-{version}.dist-info"
    files = {
        "tinywarden/__init__.py": "",
        "tinywarden/__main__.py": f"import sys\nprint('tinywarden {version}')\nsys.exit({status})\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tinywarden\nVersion: {version}\nRequires-Dist: numpy\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{name},sha256={digest(text)},{len(text)}" for name, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    with zipfile.ZipFile(folder / f"tinywarden-{version}-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


NOTHING_GREW = 64 * 2**20


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    (tmp_path / "workshop").mkdir()
    return Maker(tmp_path / "workshop")


HEALTH = command_health(["{root}/bin/python", "-m", "tinywarden"], 0.5)
RUNNING = Running(HEALTH, command_restart([]))


def unpacked(bundle: Path, public_key: Path, folder: Path) -> BundleManifest:
    folder.mkdir()
    return read_bundle(bundle, public_key, lambda _manifest: None, folder)


def says(root: Path) -> str:
    done = subprocess.run([root / "current" / "bin" / "python", "-m", "tinywarden"], capture_output=True, check=True)
    return done.stdout.decode().strip()


def test_a_box_is_updated_falls_back_from_a_sick_version_and_goes_back_on_demand(maker: Maker, tmp_path: Path) -> None:
    root, restarts = tmp_path / "opt", []

    def restart() -> None:
        restarts.append(current_version(root))

    running = Running(HEALTH, restart)
    assert apply_bundle(maker.bundle("1.0"), maker.public, root, running, NOW) == "1.0"
    with pytest.raises(BundleError, match="no earlier version is installed"):
        rollback(root, running)
    assert apply_bundle(maker.bundle("1.1", 0, MADE + SECOND), maker.public, root, running, NOW) == "1.1"
    assert says(root) == "tinywarden 1.1"

    with pytest.raises(UnhealthyError, match=r"1\.2 is not healthy: .*ended with 3.*in force: 1\.1"):
        apply_bundle(maker.bundle("1.2", 3, MADE + 2 * SECOND), maker.public, root, running, NOW)

    assert says(root) == "tinywarden 1.1"
    assert not (root / "versions" / "1.2").exists()
    assert restarts == ["1.0", "1.1", "1.2", "1.1"]
    assert (root / "newest").read_text().strip() == "2026-03-01T08:00:01+00:00"
    with pytest.raises(BundleError, match="was in force here"):
        apply_bundle(maker.bundle("0.9"), maker.public, root, running, NOW)
    assert rollback(root, running) == "1.0"
    assert says(root) == "tinywarden 1.0"
    with pytest.raises(BundleError, match="already there"):
        apply_bundle(maker.folder / "1.1.tar", maker.public, root, running, NOW)


def test_a_first_version_that_is_sick_leaves_none_in_force(maker: Maker, tmp_path: Path) -> None:
    with pytest.raises(UnhealthyError, match="in force: none"):
        apply_bundle(maker.bundle("1.0", status=1), maker.public, tmp_path / "opt", RUNNING, NOW)
    assert current_version(tmp_path / "opt") == ""
    assert not (tmp_path / "opt" / "current").is_symlink()


def test_wheels_that_cannot_be_installed_leave_the_root_as_it_was(maker: Maker, tmp_path: Path) -> None:
    wheels = maker.folder / "broken"
    wheels.mkdir()
    (wheels / "tinywarden-1.0-py3-none-any.whl").write_bytes(b"no wheel")
    (wheels / "lock.txt").write_text("")
    make_bundle(wheels, wheels / "lock.txt", maker.key, BundleAbout("1.0", MADE), maker.folder / "broken.tar")

    with pytest.raises(BundleError, match="pip could not install"):
        apply_bundle(maker.folder / "broken.tar", maker.public, tmp_path / "opt", RUNNING, NOW)

    assert list((tmp_path / "opt" / "versions").iterdir()) == []


Change = Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]]
CHANGES: dict[str, tuple[Change, str]] = {
    "a wheel changed": (lambda files: [(n, c + b"x" if n.endswith(".whl") else c) for n, c in files], "not what was"),
    "the lock gone": (lambda files: [(n, c) for n, c in files if n != "lock.txt"], r"lock\.txt: not what was signed"),
    "a wheel added": (lambda files: [*files, ("wheels/evil-1-py3-none-any.whl", b"")], "evil.*not what was signed"),
    "the manifest changed": (
        lambda files: [(n, c.replace(b"1.0", b"9.9")) for n, c in files],
        "signature does not fit",
    ),
    "the signature gone": (
        lambda files: [(n, c) for n, c in files if n != "signature"],
        "expected signature of at most",
    ),
    "a path out": (lambda files: [*files, ("../wheels/x.whl", b"")], "not a file that a bundle holds"),
    "a file twice": (lambda files: [*files, files[-1]], "not what was signed"),
    "empty": (lambda files: [], "nothing; expected manifest.json"),
    "the signature last": (lambda files: [files[0], *files[2:], files[1]], "expected signature of at most"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_bundle_that_is_not_what_was_signed_writes_nothing(maker: Maker, tmp_path: Path, name: str) -> None:
    change, words = CHANGES[name]
    rewrite(maker.bundle("1.0"), change)

    with pytest.raises(BundleError, match=words):
        apply_bundle(maker.folder / "1.0.tar", maker.public, tmp_path / "opt", RUNNING, NOW)

    assert not (tmp_path / "opt").exists()


def test_a_bundle_of_another_workshop_is_refused(maker: Maker, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(BundleError, match="signature does not fit"):
        unpacked(maker.bundle("1.0"), Maker(tmp_path / "other").public, tmp_path / "files")


def test_what_is_no_bundle_no_key_or_no_version_is_refused(maker: Maker, tmp_path: Path) -> None:
    good = maker.bundle("1.0")
    (tmp_path / "noise.tar").write_bytes(b"noise" * 1000)
    with pytest.raises(BundleError, match="not a bundle"):
        unpacked(tmp_path / "noise.tar", maker.public, tmp_path / "noise")
    with pytest.raises(BundleError, match="not a PEM public key"):
        unpacked(good, maker.key, tmp_path / "good")
    with pytest.raises(BundleError, match=r"version '\.\./x'"):
        make_bundle(maker.folder / "wheels-1.0", maker.public, maker.key, BundleAbout("../x", MADE), tmp_path / "x.tar")
    with pytest.raises(BundleError, match="holds no wheel"):
        make_bundle(tmp_path, maker.public, maker.key, BundleAbout("1", MADE), tmp_path / "x.tar")


@pytest.mark.parametrize(
    ("made_at", "now", "allowed", "words"),
    [
        (MADE, NOW, Allowed(), ""),
        (MADE + timedelta(seconds=1), NOW, Allowed(), ""),
        (
            MADE - timedelta(seconds=1),
            NOW,
            Allowed(),
            r"and one of 2026-03-01 08:00 UTC was in force here.*--allow-older",
        ),
        (MADE - timedelta(seconds=1), NOW, Allowed(expired=True), "--allow-older"),
        (MADE - timedelta(seconds=1), NOW, Allowed(older=True), ""),
        (MADE, MADE + timedelta(days=180), Allowed(), ""),
        (MADE, MADE + timedelta(days=180, seconds=1), Allowed(), "until 2026-08-28 08:00 UTC.*--allow-expired"),
        (MADE, MADE + timedelta(days=180, seconds=1), Allowed(older=True), "--allow-expired"),
        (MADE, MADE + timedelta(days=180, seconds=1), Allowed(expired=True), ""),
        (MADE, MADE - timedelta(days=1), Allowed(), ""),
        (MADE, MADE - timedelta(days=1, seconds=1), Allowed(), "this clock says 2026-02-28 07:59 UTC.*--allow-expired"),
    ],
)
def test_a_bundle_is_of_its_time_and_not_older_than_one_in_force(
    tmp_path: Path, made_at: datetime, now: datetime, allowed: Allowed, words: str
) -> None:
    (tmp_path / "newest").write_text(MADE.isoformat())
    expires_at = made_at + timedelta(days=180)
    manifest = BundleManifest(format=2, version="1.0", made_at=made_at, expires_at=expires_at, files={})
    if not words:
        refuse_stale(manifest, tmp_path, now, allowed)
        return
    with pytest.raises(BundleError, match=words):
        refuse_stale(manifest, tmp_path, now, allowed)


def test_a_stale_bundle_is_refused_before_its_files_are_read(maker: Maker, tmp_path: Path) -> None:
    bundle = maker.bundle("1.0")
    rewrite(bundle, CHANGES["a wheel changed"][0])
    late = MADE + timedelta(days=181)
    with pytest.raises(BundleError, match="may be installed until"):
        apply_bundle(bundle, maker.public, tmp_path / "opt", RUNNING, late)
    with pytest.raises(BundleError, match="not what was signed"):
        apply_bundle(bundle, maker.public, tmp_path / "opt", RUNNING, late, Allowed(expired=True))


@pytest.mark.parametrize("behind", ["nothing", "a good manifest"])
def test_a_sparse_file_of_ten_kilobytes_does_not_grow(maker: Maker, tmp_path: Path, behind: str) -> None:
    bundle, sparse = maker.bundle("1.0"), tmp_path / "sparse.tar"
    with tarfile.open(bundle) as tar:
        files = [(member.name, content(tar, member)) for member in tar][:2]
    with sparse.open("wb") as out:
        if behind != "nothing":
            with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
                for name, body in files:
                    member = tarfile.TarInfo(name)
                    member.size = len(body)
                    tar.addfile(member, io.BytesIO(body))
            out.seek(sum(512 + -(-len(body) // 512) * 512 for _, body in files))
            out.truncate()
        out.write(sparse_member("lock.txt" if behind != "nothing" else "manifest.json", 3 * 2**30) + bytes(1024))
    assert sparse.stat().st_size < 10_240
    tracemalloc.start()
    try:
        with pytest.raises(BundleError, match=r"not a file that a bundle holds|expected manifest"):
            apply_bundle(sparse, maker.public, tmp_path / "opt", RUNNING, NOW)
        assert tracemalloc.get_traced_memory()[1] < NOTHING_GREW
    finally:
        tracemalloc.stop()


def sparse_member(name: str, real_bytes: int) -> bytes:
    """A GNU sparse header: no data on the tape, `real_bytes` of zeros when read."""
    header = bytearray(512)
    header[: len(name)] = name.encode()
    for at, number in ((100, 0o644), (108, 0), (116, 0)):
        header[at : at + 8] = b"%07o\0" % number
    header[124:136] = header[136:148] = b"%011o\0" % 0
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[257:265] = b"ustar  \0"
    header[386:398] = b"%011o\0" % real_bytes
    header[398:410] = b"%011o\0" % 0
    header[483:495] = b"%011o\0" % real_bytes
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def rewrite(bundle: Path, change: Change) -> None:
    with tarfile.open(bundle) as tar:
        files = [(member.name, content(tar, member)) for member in tar]
    with tarfile.open(bundle, "w") as tar:
        for name, body in change(files):
            member = tarfile.TarInfo(name)
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))


def content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    return file.read()


def test_the_command_line_makes_refuses_and_says_why(
    maker: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheels = maker.folder / "wheels"
    wheels.mkdir()
    tiny_wheel(wheels, "2.0", 0)
    (wheels / "lock.txt").write_text("")
    out = tmp_path / "2.0.tar"
    made = ["--wheels", str(wheels), "--lock", str(wheels / "lock.txt"), "--key", str(maker.key), "--out", str(out)]
    assert main(["bundle", "make", *made, "--bundle-version", "2.0"]) == 0
    assert "version 2.0, 2 files" in capsys.readouterr().out

    rewrite(out, CHANGES["a wheel changed"][0])
    service = ["--root", str(tmp_path / "opt")]
    assert main(["bundle", "apply", str(out), "--public-key", str(maker.public), *service]) == 1
    assert "not what was signed" in capsys.readouterr().out
    assert main(["bundle", "rollback", *service]) == 1
    assert "no earlier version is installed" in capsys.readouterr().out
