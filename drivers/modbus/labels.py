"""Texts that a device carries: model, serial number, firmware. Words in, printable text out. Pure.

Texts are no readings: nothing judges them, and they stay out of `Readings`. They go along with the link's health.
"""

from drivers.modbus.registers import Words
from drivers.modbus.settings import LabelRegisters


def text_of(words: Words, label: LabelRegisters) -> str:
    """The text up to the first NUL, without blanks around it. What is no character, or cannot be printed, shows as a
    replacement mark: a wrong encoding must be seen.
    """
    data = words.astype("<u2" if label.swapped else ">u2").tobytes()
    text = data.split(b"\0", 1)[0].decode(label.encoding, errors="replace").strip()
    return "".join(character if character.isprintable() else "�" for character in text)
