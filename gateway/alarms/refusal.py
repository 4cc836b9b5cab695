"""The one way in which a command on an alarm is refused: a code for machines, a sentence for people."""

from gateway.alarms.tables import Refusal


class CommandError(Exception):
    """The command was not carried out; nothing has changed. `refusal` is the code, the text says what was found."""

    def __init__(self, refusal: Refusal, text: str) -> None:
        super().__init__(text)
        self.refusal = refusal
