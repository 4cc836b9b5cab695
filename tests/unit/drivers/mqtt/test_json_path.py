from typing import Any

import pytest

from drivers.mqtt.json_path import EVERY, MAX_ENTRIES, MISSING, Entry, NoValue, Step, compile_path, value_at

SENSORS = {"sensors": [{"id": "temp", "value": 21.5}, {"id": "wind", "value": 3.2}, {"id": "wind 2", "value": 9}]}


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("$", ()),
        ("$.WindSpeed", ("WindSpeed",)),
        ('$.a.b[2]["c d"]', ("a", "b", 2, "c d")),
        ("$['a.b'][0].风速", ("a.b", 0, "风速")),
        ("$.a-b.c_d", ("a-b", "c_d")),
        ('$.s[id="wind"].value', ("s", Entry("id", "wind"), "value")),
        ("$[name='风速']", (Entry("name", "风速"),)),
        ('$.s[id=""]', ("s", Entry("id", ""))),
        ("$.s[channel=-3]", ("s", Entry("channel", -3))),
        ("$.nodes.*.wind", ("nodes", EVERY, "wind")),
        ("$.a[*][0]", ("a", EVERY, 0)),
    ],
)
def test_a_path_becomes_its_steps(text: str, steps: tuple[Step, ...]) -> None:
    assert compile_path(text) == steps


@pytest.mark.parametrize(
    "text", ["", "a.b", "$.", "$..a", "$.a[id=x]", "$.a[-1]", "$.a[1:2]", "$.a[?(@.b)]", '$.a["b', "$.a b", "$a"]
)
def test_what_names_more_or_less_than_one_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="path"):
        compile_path(text)


def test_the_refusal_says_where() -> None:
    with pytest.raises(ValueError, match="character 4"):
        compile_path("$.a[?x]")


@pytest.mark.parametrize("path", ["$.b", "$.a[3]", "$.a.x", "$.a[0].x", "$[0]"])
def test_what_is_not_there_is_missing(path: str) -> None:
    assert value_at({"a": [1, None]}, compile_path(path)) is MISSING


def test_null_is_there() -> None:
    assert value_at({"a": [1, None]}, compile_path("$.a[1]")) is None


def found_at(path: str, document: Any) -> Any:
    return value_at(document, compile_path(path))


@pytest.mark.parametrize("places", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_an_entry_is_found_by_its_id_wherever_it_stands(places: tuple[int, ...]) -> None:
    document = {"sensors": [SENSORS["sensors"][place] for place in places]}
    assert found_at('$.sensors[id="wind"].value', document) == 3.2


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"sensors": []}, "nothing"),
        ({"sensors": [{"id": "temp", "value": 1}]}, "nothing"),
        ({"sensors": [{"id": "wind"}]}, "nothing"),
        ({"sensors": [{"value": 3}, 7, None, ["wind"]]}, "nothing"),
        ({"sensors": {"id": "wind", "value": 3}}, "nothing"),
        ({"sensors": [{"id": "wind", "value": 3}, {"id": "wind", "value": 3}]}, "2 entries with id 'wind'"),
        ({"sensors": [{"id": "wind", "value": 3}, {"id": "wind"}]}, "2 entries with id 'wind'"),
        ({}, "nothing"),
    ],
)
def test_an_id_that_is_missing_or_stands_twice_is_no_value(document: Any, found: str) -> None:
    assert found_at('$.sensors[id="wind"].value', document) == NoValue(found)


@pytest.mark.parametrize(
    ("path", "entry", "fits"),
    [
        ("$[no=3].v", {"no": 3, "v": 1}, True),
        ("$[no=3].v", {"no": 3.0, "v": 1}, True),
        ("$[no=3].v", {"no": "3", "v": 1}, False),
        ("$[no=1].v", {"no": True, "v": 1}, False),
        ('$[no="3"].v', {"no": 3, "v": 1}, False),
        ('$[no="3"].v', {"no": "3", "v": 1}, True),
    ],
)
def test_an_id_is_a_text_or_a_number_as_the_path_says(path: str, entry: Any, fits: bool) -> None:
    assert (found_at(path, [entry]) == 1) is fits


@pytest.mark.parametrize(
    ("path", "document", "found"),
    [
        ("$.nodes.*.wind", {"nodes": {"a81758fffe": {"wind": 4}}}, 4),
        ("$.nodes.*.wind", {"nodes": {"a": {"wind": 4}, "b": {"temp": 1}}}, 4),
        ("$.nodes.*.wind", {"nodes": {"a": {"wind": 4}, "b": {"wind": 4}}}, NoValue("2 values")),
        ("$.nodes.*.wind", {"nodes": {}}, MISSING),
        ("$.nodes.*.wind", {"nodes": 5}, MISSING),
        ("$.list[*]", {"list": [7]}, 7),
        ("$.list[*]", {"list": [7, 8, 9]}, NoValue("3 values")),
        ("$.list[*].a[1]", {"list": [{"a": [0]}, {"a": [0, 5]}]}, 5),
        ('$[*].s[id="w"].v', [{"s": [{"id": "w", "v": 2}]}, {"s": []}], 2),
    ],
)
def test_a_star_counts_where_it_leads_to_one_value(path: str, document: Any, found: Any) -> None:
    assert found_at(path, document) == found


def test_a_list_that_costs_too_much_is_no_value() -> None:
    entries = [{"id": "wind"}, *({"id": i} for i in range(MAX_ENTRIES))]
    assert found_at('$[id="wind"]', entries[:MAX_ENTRIES]) == {"id": "wind"}
    assert found_at('$[id="wind"]', entries) == NoValue(f"more than {MAX_ENTRIES} entries")
    assert found_at("$[*][*]", [[0] * 100] * 100) == NoValue(f"more than {MAX_ENTRIES} entries")
