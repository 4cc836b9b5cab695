"""A truth is said once it has lasted, UNKNOWN at once."""

from gateway.model.verdict import Truth
from vision.health.dwell import Dwell, DwellTimes

LETTERS = {"F": Truth.FALSE, "T": Truth.TRUE, "?": Truth.UNKNOWN}
NS = 1_000_000_000


def said(raw, on_s=3, off_s=4):
    dwell = Dwell(DwellTimes(on_s, off_s))
    names = {truth: letter for letter, truth in LETTERS.items()}
    return "".join(names[dwell.step(LETTERS[letter], second * NS)] for second, letter in enumerate(raw))


def test_on_and_off_take_their_time():
    assert said("FFTFTTTTTTFFTFFFFF") == "FFFFFFFTTTTTTTTTTF"


def test_unknown_is_said_at_once_and_forgets_nothing():
    assert said("TTTTT??FFFFF") == "???TT??TTTTF"


def test_the_first_false_needs_no_time_and_the_first_true_does():
    assert said("?F") == "?F"
    assert said("?TTTT") == "????T"
