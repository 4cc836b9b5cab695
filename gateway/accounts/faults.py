"""Why something about an account was refused: one enum, with the words of each in both languages."""

from enum import Enum

from kit.words import Words


class AccountFault(Enum):
    """What was wrong: a code, the HTTP status that fits, and words; `%(seconds)s` is how long to wait."""

    status: int
    words: Words

    def __new__(cls, code: str, status: int, zh: str, en: str) -> "AccountFault":
        """Known by the code."""
        fault = object.__new__(cls)
        fault._value_, fault.status, fault.words = code, status, Words(zh, en)
        return fault

    # fmt: off
    WRONG_LOGIN = "wrong_login", 401, "登录名或密码错误", "The name or the password is wrong"
    WAIT = ("wait", 429, "错误次数过多，请等待 %(seconds)s 秒后再试",
            "Too many wrong tries: wait %(seconds)s s, then try again")
    BUSY = "busy", 503, "登录人数较多，请几秒后再试", "Many people are logging in: try again in a few seconds"
    WRONG_CODE = "wrong_code", 403, "代码错误或已失效", "The code is wrong or has run out"
    ALREADY_SET_UP = "already_set_up", 409, "第一位管理员已经设置", "The first administrator has been made already"
    BAD_NAME = ("bad_name", 422, "登录名最多 32 个字符，可用文字、数字、点、连字符、下划线",
                "A login name has up to 32 letters, digits, dots, hyphens or underscores")
    BAD_TITLE = "bad_title", 422, "姓名为 1 至 24 个可见字符", "A display name has 1 to 24 visible characters"
    NAME_TAKEN = "name_taken", 409, "该登录名已存在", "This login name exists already"
    NO_SUCH_PERSON = "no_such_person", 404, "没有此人", "There is no such person"
    NO_SUCH_WALL = "no_such_wall", 404, "没有此大屏，或已被撤销", "There is no such wall screen, or it has been revoked"
    NO_SUCH_TOKEN = "no_such_token", 404, "没有这个令牌，或已撤销", "There is no such token, or it has been revoked"
    BAD_SCOPE = "bad_scope", 422, "请勾选令牌的权限", "Tick what the token may do"
    BAD_DAYS = "bad_days", 422, "令牌有效期应为 1 至 400 天", "A token ends after 1 to 400 days"
    BAD_WALL_DAYS = ("bad_wall_days", 422, "大屏有效期应为 1 至 3660 天；留空则一直有效",
                     "A wall screen ends after 1 to 3660 days, or never when the field is empty")
    TOO_MANY_TOKENS = ("too_many_tokens", 409, "有效令牌已达 100 个，请先撤销一个",
                       "There are 100 tokens in force: revoke one first")
    LAST_ADMINISTRATOR = ("last_administrator", 409, "必须保留至少一位系统管理员，请先添加另一位",
                          "The last administrator must stay; make another one first")
    WRONG_PASSWORD = "wrong_password", 403, "旧密码错误", "The old password is wrong"
    TOO_SHORT = "too_short", 422, "密码至少 10 个字符", "The password needs at least 10 characters"
    TOO_LONG = "too_long", 422, "密码最多 128 个字符", "The password may have at most 128 characters"
    IS_THE_NAME = "is_the_name", 422, "密码不能与登录名相同", "The password must not be the login name"
    TOO_COMMON = ("too_common", 422, "该密码过于常见，最先被猜中，请换一个",
                  "This password is common and is guessed first. Choose another")
    NOT_THE_SAME = "not_the_same", 422, "两次输入的密码不一致", "The two passwords differ"
    SAME_AS_BEFORE = ("same_as_before", 422, "新密码与旧密码相同，请换一个",
                      "The new password is the same as the old one. Choose another")
    WRONG_SECOND_CODE = "wrong_second_code", 401, "验证码不正确或已使用过", "The code is wrong or was used before"
    NO_SECOND_FACTOR = "no_second_factor", 409, "您尚未启用两步验证", "You have no second factor"
    NOTHING_BEGUN = "nothing_begun", 409, "请先扫描二维码", "Scan the picture first"
    # fmt: on


class AccountError(ValueError):
    """A refusal; nothing has changed. `wait_s`: how long to wait before another try, seconds."""

    def __init__(self, fault: AccountFault, wait_s: int = 0) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.wait_s = wait_s

    def said(self, language: str) -> str:
        """Why, in words."""
        text = self.fault.words.said(language)
        return text % {"seconds": self.wait_s} if self.wait_s else text
