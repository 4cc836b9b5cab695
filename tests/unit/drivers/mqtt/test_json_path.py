import pytest

from drivers.mqtt.json_path import MISSING, compile_path, value_at


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("$", ()),
        ("$.WindSpeed", ("WindSpeed",)),
        ('$.a.b[2]["c d"]', ("a", "b", 2, "c d")),
        ("$['a.b'][0].风速", ("a.b", 0, "风速")),
        ("$.a-b.c_d", ("a-b", "c_d")),
    ],
)
def test_a_path_becomes_its_steps(text: str, steps: tuple[str | int, ...]) -> None:
    assert compile_path(text) == steps


@pytest.mark.parametrize(
    "text", ["", "a.b", "$.", "$..a", "$.a[*]", "$.a[-1]", "$.a[1:2]", "$.a[?(@.b)]", '$.a["b', "$.a b", "$a"]
)
def test_what_names_more_or_less_than_one_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="path"):
        compile_path(text)


def test_the_refusal_says_where() -> None:
    with pytest.raises(ValueError, match="character 4"):
        compile_path("$.a[*]")


@pytest.mark.parametrize("path", ["$.b", "$.a[3]", "$.a.x", "$.a[0].x", "$[0]"])
def test_what_is_not_there_is_missing(path: str) -> None:
    assert value_at({"a": [1, None]}, compile_path(path)) is MISSING


def test_null_is_there() -> None:
    assert value_at({"a": [1, None]}, compile_path("$.a[1]")) is None
