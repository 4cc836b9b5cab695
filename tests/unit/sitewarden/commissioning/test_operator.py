"""Answers come from a file, a terminal, or nobody; each is asked for once."""

from pathlib import Path

import pytest

from sitewarden.commissioning.operator import InputEndedError, Nobody, Operator, Terminal, read_answers


class Typist:
    """Types prepared lines and remembers what was asked."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.asked: list[str] = []

    def __call__(self, prompt: str) -> str:
        self.asked.append(prompt)
        if not self.lines:
            raise EOFError
        return self.lines.pop(0)


def test_nothing_is_asked_twice() -> None:
    typist = Typist("3.5")
    operator = Operator(Terminal(typist))
    assert [operator.number("a.load", "load"), operator.number("a.load", "load")] == [3.5, 3.5]
    assert typist.asked == ["load [a.load]: "]


def test_a_given_answer_is_not_asked_for() -> None:
    typist = Typist()
    operator = Operator(Terminal(typist), {"a.load": "2", "a.slew": "done"})
    assert operator.number("a.load", "load") == 2.0
    assert operator.done("a.slew", "slew")
    assert typist.asked == []


@pytest.mark.parametrize("nonsense", ["two", "-1", "0", "nan", "inf"])
def test_a_terminal_is_asked_again_after_nonsense(nonsense: str) -> None:
    assert Operator(Terminal(Typist(nonsense, "2"))).number("k", "?") == 2.0


@pytest.mark.parametrize("nonsense", ["two", "-1", "nan"])
def test_a_file_of_nonsense_is_refused(nonsense: str) -> None:
    with pytest.raises(InputEndedError, match=r"answer k: found .* expected a number above 0"):
        Operator(Nobody(), {"k": nonsense}).number("k", "?")


def test_nobody_skips_everything() -> None:
    operator = Operator(Nobody())
    assert (operator.done("a", "?"), operator.number("b", "?"), operator.words("c", "?")) == (False, None, "")


def test_input_that_ends_names_the_question() -> None:
    with pytest.raises(InputEndedError, match=r"crane-1\.slew_right"):
        Operator(Terminal(Typist())).done("crane-1.slew_right", "?")


def test_answers_are_nested_or_dotted(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "operator: 李\ncrane-1: {slew_right: yes, hoist_up: no, known_load_t: 2.5}\ncrane-2.known_load_t:\n"
    )
    assert read_answers(path) == {
        "operator": "李",
        "crane-1.slew_right": "yes",
        "crane-1.hoist_up": "skip",
        "crane-1.known_load_t": "2.5",
        "crane-2.known_load_t": "skip",
    }


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", ""])
def test_a_file_that_holds_no_answers_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(InputEndedError, match=r"a\.yaml"):
        read_answers(path)
