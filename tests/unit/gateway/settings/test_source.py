"""Files that are hostile or broken before any key is understood."""

from pathlib import Path

import pytest
import yaml

from gateway.model.errors import ConfigError
from gateway.settings import source
from gateway.settings.document import Document, display_name, dotted
from gateway.settings.nodes import MAX_DEPTH, MAX_VALUES
from gateway.settings.source import MAX_BYTES, read_document
from tests.fakes.ready_python import ROOT
from tests.unit.gateway.settings.kinds import CASES, load_site


def read(folder: Path, content: str | bytes) -> Document:
    path = folder / "site.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_document(path)


def codes(document: Document) -> list[tuple[int, str]]:
    return [(fault.line, fault.code) for fault in document.faults]


def test_every_key_and_value_knows_its_line(tmp_path: Path) -> None:
    document = read(tmp_path, "a: 1\nb:\n  - x: 0x10\n    y:\n      far\n")
    assert document.data == {"a": 1, "b": [{"x": 16, "y": "far"}]}
    assert document.key_line(("b", 0)) == 3
    assert document.text(("b", 0, "x")) == "0x10"
    assert (document.key_line(("b", 0, "y")), document.line(("b", 0, "y"))) == (4, 5)
    assert document.line(("b", 0, "missing", "deeper")) == 3
    assert document.line(("nowhere",)) == 1


def test_dates_and_quoted_words_stay_text(tmp_path: Path) -> None:
    document = read(tmp_path, "a: 2024-12-13\nb: 'yes'\nc: yes\nd: null\ne: 1e3\nf: 1.0e+3\n=: 1\n")
    assert document.data == {"a": "2024-12-13", "b": "yes", "c": True, "d": None, "e": "1e3", "f": 1000.0, "=": 1}


def test_a_byte_order_mark_and_windows_lines_are_fine(tmp_path: Path) -> None:
    text = (CASES / "good-minimal.yaml").read_text(encoding="utf-8")
    path = tmp_path / "site.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert load_site(path).box.id == "box-1"


def test_a_chinese_file_in_gbk_is_refused_with_its_line(tmp_path: Path) -> None:
    assert codes(read(tmp_path, b"a: 1\nb: " + "工地".encode("gbk"))) == [(2, "file.not_utf8")]


@pytest.mark.parametrize("content", ["", "# only a comment\n", "---\n"])
def test_an_empty_file_is_a_fault(tmp_path: Path, content: str) -> None:
    document = read(tmp_path, content)
    assert codes(document) in ([(0, "file.empty")], [])
    assert document.data is None
    with pytest.raises(ConfigError):
        load_site(tmp_path / "site.yaml")


def test_a_file_that_is_not_there_or_a_folder_is_a_fault(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.yaml", tmp_path, tmp_path / "nul\0.yaml"):
        assert codes(read_document(path)) == [(0, "file.unreadable")]


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    assert codes(read(tmp_path, "#" * (MAX_BYTES + 1))) == [(0, "file.too_large")]


def test_control_characters_name_their_line(tmp_path: Path) -> None:
    assert codes(read(tmp_path, "a: 1\nb: \x07\n")) == [(2, "yaml.character")]


def test_a_character_code_beyond_unicode_is_a_fault(tmp_path: Path) -> None:
    document = read(tmp_path, 'a: "\\UFFFFFFFF"\n')
    assert [fault.code for fault in document.faults] == ["yaml.syntax"]


def test_a_lone_surrogate_is_no_text(tmp_path: Path) -> None:
    assert codes(read(tmp_path, 'a: 1\nb: "\\uD800"\n')) == [(2, "yaml.character")]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_a_deep_nest_stops_at_the_limit(tmp_path: Path, opening: str) -> None:
    document = read(tmp_path, "a:\n  " + opening * (MAX_DEPTH * 50))
    assert codes(document) == [(2, "yaml.too_big")]


def test_a_long_list_stops_at_the_limit(tmp_path: Path) -> None:
    assert [code for _, code in codes(read(tmp_path, "a:\n" + "- 1\n" * (MAX_VALUES + 1)))] == ["yaml.too_big"]


def test_aliases_that_multiply_stop_at_the_limit(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    document = read(tmp_path, "\n".join(lines))
    assert codes(document) == [(0, "yaml.too_big")]
    assert document.data is None


def test_merges_that_multiply_stop_at_the_limit(tmp_path: Path) -> None:
    lines = ["a0: &a0 {}"]
    lines += [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 12)]
    assert codes(read(tmp_path, "\n".join(lines))) == [(0, "yaml.too_big")]


@pytest.mark.parametrize("content", ["a: &a [*a]\n", "a: &a {b: *a}\n", "a: &a\n  <<: *a\n"])
def test_an_alias_to_itself_stops_at_the_limit(tmp_path: Path, content: str) -> None:
    assert codes(read(tmp_path, content)) == [(0, "yaml.too_big")]


def test_merged_keys_never_beat_own_keys_and_the_first_merge_wins(tmp_path: Path) -> None:
    document = read(tmp_path, "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {<<: [*a, *b], y: 3}\n")
    assert document.faults == []
    assert document.data["c"] == {"y": 3, "x": 1, "z": 2}


def test_a_syntax_fault_repeats_nothing_of_the_file(tmp_path: Path) -> None:
    for secret_line in (
        "token: *hunter2",
        "token: 'hunter2",
        "token: !hunter2! x",
        "a: &hunter2 1\nb: &hunter2 [",
        "%hunter2 x",
    ):
        document = read(tmp_path, f"{secret_line}\nb: 1\n")
        assert document.faults, secret_line
        assert "hunter2" not in repr(document.faults)


def test_paths_are_shown_as_one_types_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert display_name(tmp_path / "a" / "b.yaml") == "a/b.yaml"
    assert display_name(Path("/etc/hostname")) == "/etc/hostname"
    assert dotted(("devices", 2, "unit_id")) == "devices[2].unit_id"
    assert dotted(()) == "(file)"


@pytest.mark.parametrize("path", sorted((ROOT / "config").rglob("*.yaml")), ids=lambda path: path.stem)
def test_both_scanners_read_a_shipped_file_alike(path):
    text = path.read_text(encoding="utf-8")
    assert told(source._composed(source._QuickLoader(text))) == told(source._composed(source._Loader(text)))


def told(node):
    """A tree of nodes as plain data: tags, values and lines."""
    value = node.value
    if isinstance(node, yaml.MappingNode):
        value = [(told(key), told(item)) for key, item in value]
    elif isinstance(node, yaml.SequenceNode):
        value = [told(item) for item in value]
    return node.tag, value, node.start_mark.line
