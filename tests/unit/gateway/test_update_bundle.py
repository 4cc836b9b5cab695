import base64
import hashlib
import io
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway.__main__ import main
from gateway.update_bundle import (
    BundleError,
    UnhealthyError,
    apply_bundle,
    command_health,
    command_restart,
    current_version,
    make_bundle,
    read_bundle,
    rollback,
)


class Maker:
    """The workshop's key, and a tiny program in as many versions as a test wants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key, self.public = folder / "release.pem", folder / "release.pub"
        key = Ed25519PrivateKey.generate()
        self.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def bundle(self, version: str, status: int = 0) -> Path:
        """`python -m tinywarden` of this version ends with `status`."""
        wheels = self.folder / f"wheels-{version}"
        wheels.mkdir()
        tiny_wheel(wheels, version, status)
        (wheels / "lock.txt").write_text(f"tinywarden=={version}\n")
        make_bundle(wheels, wheels / "lock.txt", self.key, version, self.folder / f"{version}.tar")
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


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    (tmp_path / "workshop").mkdir()
    return Maker(tmp_path / "workshop")


HEALTH = command_health(["{root}/bin/python", "-m", "tinywarden"], 0.5)
NO_RESTART = command_restart([])


def says(root: Path) -> str:
    done = subprocess.run([root / "current" / "bin" / "python", "-m", "tinywarden"], capture_output=True, check=True)
    return done.stdout.decode().strip()


def test_a_box_is_updated_falls_back_from_a_sick_version_and_goes_back_on_demand(maker: Maker, tmp_path: Path) -> None:
    root, restarts = tmp_path / "opt", []

    def restart() -> None:
        restarts.append(current_version(root))

    assert apply_bundle(maker.bundle("1.0"), maker.public, root, HEALTH, restart) == "1.0"
    with pytest.raises(BundleError, match="no earlier version is installed"):
        rollback(root, HEALTH, restart)
    assert apply_bundle(maker.bundle("1.1"), maker.public, root, HEALTH, restart) == "1.1"
    assert says(root) == "tinywarden 1.1"

    with pytest.raises(UnhealthyError, match=r"1\.2 is not healthy: .*ended with 3.*in force: 1\.1"):
        apply_bundle(maker.bundle("1.2", status=3), maker.public, root, HEALTH, restart)

    assert says(root) == "tinywarden 1.1"
    assert not (root / "versions" / "1.2").exists()
    assert restarts == ["1.0", "1.1", "1.2", "1.1"]
    assert rollback(root, HEALTH, restart) == "1.0"
    assert says(root) == "tinywarden 1.0"
    with pytest.raises(BundleError, match="already there"):
        apply_bundle(maker.folder / "1.1.tar", maker.public, root, HEALTH, restart)


def test_a_first_version_that_is_sick_leaves_none_in_force(maker: Maker, tmp_path: Path) -> None:
    with pytest.raises(UnhealthyError, match="in force: none"):
        apply_bundle(maker.bundle("1.0", status=1), maker.public, tmp_path / "opt", HEALTH, NO_RESTART)
    assert current_version(tmp_path / "opt") == ""
    assert not (tmp_path / "opt" / "current").is_symlink()


def test_wheels_that_cannot_be_installed_leave_the_root_as_it_was(maker: Maker, tmp_path: Path) -> None:
    wheels = maker.folder / "broken"
    wheels.mkdir()
    (wheels / "tinywarden-1.0-py3-none-any.whl").write_bytes(b"no wheel")
    (wheels / "lock.txt").write_text("")
    make_bundle(wheels, wheels / "lock.txt", maker.key, "1.0", maker.folder / "broken.tar")

    with pytest.raises(BundleError, match="pip could not install"):
        apply_bundle(maker.folder / "broken.tar", maker.public, tmp_path / "opt", HEALTH, NO_RESTART)

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
    "the signature gone": (lambda files: [(n, c) for n, c in files if n != "signature"], "signature does not fit"),
    "a path out": (lambda files: [*files, ("../wheels/x.whl", b"")], "not a file that a bundle holds"),
    "a file twice": (lambda files: [*files, files[-1]], "not a file that a bundle holds"),
    "empty": (lambda files: [], "signature does not fit"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_bundle_that_is_not_what_was_signed_writes_nothing(maker: Maker, tmp_path: Path, name: str) -> None:
    change, words = CHANGES[name]
    rewrite(maker.bundle("1.0"), change)

    with pytest.raises(BundleError, match=words):
        apply_bundle(maker.folder / "1.0.tar", maker.public, tmp_path / "opt", HEALTH, NO_RESTART)

    assert not (tmp_path / "opt").exists()


def test_a_bundle_of_another_workshop_is_refused(maker: Maker, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(BundleError, match="signature does not fit"):
        read_bundle(maker.bundle("1.0"), Maker(tmp_path / "other").public)


def test_what_is_no_bundle_no_key_or_no_version_is_refused(maker: Maker, tmp_path: Path) -> None:
    good = maker.bundle("1.0")
    (tmp_path / "noise.tar").write_bytes(b"noise" * 1000)
    with pytest.raises(BundleError, match="not a bundle"):
        read_bundle(tmp_path / "noise.tar", maker.public)
    with pytest.raises(BundleError, match="not a PEM public key"):
        read_bundle(good, maker.key)
    with pytest.raises(BundleError, match=r"version '\.\./x'"):
        make_bundle(maker.folder / "wheels-1.0", maker.public, maker.key, "../x", tmp_path / "x.tar")
    with pytest.raises(BundleError, match="holds no wheel"):
        make_bundle(tmp_path, maker.public, maker.key, "1", tmp_path / "x.tar")


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
