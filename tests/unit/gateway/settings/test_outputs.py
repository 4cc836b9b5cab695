"""The digest, the report of a check, JSON Schema, and the catalogue of sentences."""

import string
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gateway.model.errors import ConfigError, Fault
from gateway.settings import check_report, fault_text, rule_pack_schema, site_schema, table_schema
from gateway.settings.wording import CATALOGUE
from sitewarden.composition.kinds import KINDS
from tests.unit.gateway.settings.kinds import CASES, CONFIG, DRIVERS, ROOT, UPLINKS, load_case, load_site

SITE_SCHEMA = site_schema(DRIVERS, UPLINKS, KINDS)


def plain(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_digest_is_that_of_the_meaning_not_of_the_text(tmp_path: Path) -> None:
    data = plain(CASES / "good-overrides.yaml")
    shuffled = tmp_path / "other-name.yaml"
    shuffled.write_text(yaml.safe_dump(dict(reversed(data.items())), allow_unicode=True), encoding="utf-8")
    assert load_site(shuffled).digest == load_case("good-overrides").digest


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("links[0].port", 15999),
        ("devices[0].poll_ms", 999),
        ("rule_overrides[0].limit", 94),
        ("box.id", "box-2"),
        ("assets[0].serial", "TC-9"),
        ("storage.history.max_days", 61),
        ("web.token", {"env": "A_TOKEN"}),
        ("uplinks", [{"name": "up", "kind": "mqtt", "host": "127.0.0.1", "topic_prefix": "a"}]),
    ],
)
def test_the_digest_moves_with_every_value(key: str, value: object) -> None:
    assert load_case("good-overrides", **{key: value}).digest != load_case("good-overrides").digest


def test_the_digest_says_nothing_of_a_secrets_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEWARDEN_TEST_TOKEN", "hunter2")
    one = load_case("good-token")
    monkeypatch.setenv("SITEWARDEN_TEST_TOKEN", "hunter3")
    assert one.digest == load_case("good-token").digest
    assert [warning.code for warning in one.warnings] == [
        "warn.crane_undescribed",
        "warn.web_plain",
        "warn.web_token",
    ]


def test_a_report_of_faults_has_a_line_each_and_a_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(ConfigError) as caught:
        load_case("broken-table")
    lines = check_report(caught.value).splitlines()
    assert lines[0] == "tests/cases/config/broken-table.yaml:16: web.port: found no, expected a whole number"
    assert lines[-1].startswith("8 faults in 2 files; more may follow")
    assert len(lines) == 9
    assert check_report(caught.value, "zh").splitlines()[-1].startswith("2 个文件中共 8 处错误；改正后可能还有")
    bounds = "tests/cases/config/devices/broken.yaml:14: points[4].max: "
    assert f"{bounds}found max 1 below min 10, expected max at or above min: outside min to max a value is BAD" in lines
    assert f"{bounds[:-2]}：发现 max 1 小于 min 10，应为 max 不小于 min" in check_report(caught.value, "zh")
    assert check_report(ConfigError([Fault("a", 1, "b", "c", "d")])).endswith("1 fault in 1 file")


def test_a_report_of_a_good_site_counts_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    settings = load_site("demo")
    *warnings, last = check_report(settings).splitlines()
    assert all(line.startswith("warning: config/sites/demo.yaml:") for line in warnings)
    assert last.startswith(f"config/sites/demo.yaml: no faults, {len(warnings)} warnings; 4 devices, ")
    assert settings.digest[:16] in last
    assert "警告" in check_report(settings, "zh")


def test_a_fault_from_elsewhere_is_said_as_it_is() -> None:
    assert fault_text(Fault("a.yaml", 3, "k", "x", "y"), "zh") == "a.yaml:3: k: found x, expected y"


def test_every_sentence_has_the_same_parameters_in_both_languages() -> None:
    for code, wording in CATALOGUE.items():
        english = {name for text in wording[:2] for _, name, _, _ in string.Formatter().parse(text) if name}
        chinese = {name for text in wording[2:] for _, name, _, _ in string.Formatter().parse(text) if name}
        assert english == chinese, code


def test_every_code_that_is_used_has_a_sentence_and_every_sentence_is_used() -> None:
    folders = ("gateway/settings", "gateway/parts/crane/settings", "gateway/parts/pit/settings", "drivers")
    files = [path for folder in folders for path in (ROOT / folder).glob("*.py")]
    files.append(ROOT / "sitewarden" / "commands" / "machine_check.py")
    used = "".join(path.read_text(encoding="utf-8") for path in files if not path.name.endswith("wording.py"))
    composed = {"warn.link_idle", "warn.asset_idle"}
    assert {code for code in CATALOGUE if f'"{code}"' not in used} <= composed


@pytest.mark.parametrize(
    "path", [CONFIG / "sites" / "demo.yaml", *sorted(CASES.glob("good-*.yaml"))], ids=lambda p: p.stem
)
def test_good_sites_pass_the_json_schema(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(SITE_SCHEMA)
    jsonschema.Draft202012Validator(SITE_SCHEMA).validate(plain(path))


@pytest.mark.parametrize(
    "name",
    [
        "unknown-keys",
        "missing-keys",
        "missing-driver",
        "wrong-types",
        "out-of-range",
        "bad-choices",
        "bad-uplinks",
        "wrong-lists",
    ],
)
def test_the_json_schema_refuses_what_it_can_see(name: str) -> None:
    validator = jsonschema.Draft202012Validator(SITE_SCHEMA)
    assert list(validator.iter_errors(plain(CASES / f"{name}.yaml")))


def test_the_json_schema_explains_itself() -> None:
    assert SITE_SCHEMA["properties"]["rule_packs"]["description"].startswith("Rule packs in order")
    assert "One TCP connection" in SITE_SCHEMA["$defs"]["ModbusTcpLink"]["description"]
    assert SITE_SCHEMA["title"] == "Sitewarden site file"


def test_the_shipped_pack_and_tables_pass_their_json_schemas() -> None:
    for path in (CONFIG / "rules").glob("*/*.yaml"):
        schema = rule_pack_schema(KINDS, part=path.name != "pack.yaml")
        jsonschema.Draft202012Validator(schema).validate(plain(path))
    for path in (CONFIG / "devices").glob("*.yaml"):
        table = plain(path)
        jsonschema.Draft202012Validator(table_schema(DRIVERS[table["driver"]])).validate(table)


@pytest.mark.parametrize(("fault", "fits"), [("f", True), (["f", "g"], True), ([], True), (1, False), (["F"], False)])
def test_the_table_schema_takes_one_fault_bit_or_a_list(fault: object, fits: bool) -> None:
    table = plain(CONFIG / "devices" / "crane-host-modbus.yaml")
    table["points"][0]["fault"] = fault
    validator = jsonschema.Draft202012Validator(table_schema(DRIVERS["modbus-tcp"]))
    assert validator.is_valid(table) is fits


def test_the_pack_schema_refuses_a_broken_pack() -> None:
    validator = jsonschema.Draft202012Validator(rule_pack_schema(KINDS))
    assert list(validator.iter_errors(plain(CASES / "rules" / "broken.yaml")))
