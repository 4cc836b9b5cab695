"""Why something about an account was refused: one enum, so that a page can say it in the reader's language."""

from enum import StrEnum


class AccountFault(StrEnum):
    """What was wrong."""

    WRONG_LOGIN = "wrong_login"
    WAIT = "wait"
    BUSY = "busy"
    WRONG_CODE = "wrong_code"
    ALREADY_SET_UP = "already_set_up"
    BAD_NAME = "bad_name"
    BAD_TITLE = "bad_title"
    NAME_TAKEN = "name_taken"
    NO_SUCH_PERSON = "no_such_person"
    NO_SUCH_WALL = "no_such_wall"
    NO_SUCH_TOKEN = "no_such_token"  # noqa: S105 - a code, not a token
    BAD_SCOPE = "bad_scope"
    BAD_DAYS = "bad_days"
    BAD_WALL_DAYS = "bad_wall_days"
    TOO_MANY_TOKENS = "too_many_tokens"
    LAST_ADMINISTRATOR = "last_administrator"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a code, not a password
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    IS_THE_NAME = "is_the_name"
    TOO_COMMON = "too_common"
    NOT_THE_SAME = "not_the_same"
    SAME_AS_BEFORE = "same_as_before"
    WRONG_SECOND_CODE = "wrong_second_code"
    NO_SECOND_FACTOR = "no_second_factor"
    NOTHING_BEGUN = "nothing_begun"


class AccountError(ValueError):
    """A refusal; nothing has changed. `wait_s`: how long to wait before another try, seconds."""

    def __init__(self, fault: AccountFault, wait_s: int = 0) -> None:
        super().__init__(str(fault))
        self.fault = fault
        self.wait_s = wait_s
