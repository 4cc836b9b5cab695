from pathlib import Path

import pytest
from pydantic import ValidationError

from kit.secret import Secret


def test_a_secret_comes_from_a_file_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("  s3cret\n")
    assert Secret(file=tmp_path / "token").reveal() == "s3cret"


def test_a_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_TOKEN", "s3cret")
    assert Secret(env="SITE_TOKEN").reveal() == "s3cret"


def test_a_secret_never_prints_itself(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret")
    secret = Secret(file=tmp_path / "token")
    secret.reveal()
    assert "s3cret" not in repr(secret) + str(secret) + secret.model_dump_json()


@pytest.mark.parametrize("given", [{}, {"file": "a", "env": "B"}, {"value": "s3cret"}])
def test_exactly_one_source_is_asked_for(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Secret.model_validate(given)


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfes3cret"])
def test_an_empty_or_unreadable_file_is_named_and_its_content_is_not(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(LookupError, match="token") as caught:
        Secret(file=path).reveal()
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="No such file"):
        Secret(file=tmp_path / "none").reveal()
    with pytest.raises(LookupError, match="environment variable NOT_SET_ANYWHERE is empty or not set"):
        Secret(env="NOT_SET_ANYWHERE").reveal()
