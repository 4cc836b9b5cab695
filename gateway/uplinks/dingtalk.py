"""The DingTalk (钉钉) custom robot: `POST .../robot/send?access_token=...`, signed when its group asks for that.

In: outbox rows. Out: messages in a group. Formats, signature and the limit of 20 a minute (beyond it silence for ten
minutes) are those of the platform's page "自定义机器人接入" and of its list of codes; docs/uplinks.md says where they
were looked up.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote_plus

from gateway.ports import Uplink, UplinkContext, UplinkKind
from gateway.uplinks.messenger import MessageForm, MessengerUplink
from gateway.uplinks.robot import Dialect, Robot, RobotSettings
from kit.secret import Secret

LIMITED_FOR_S = 600.0


class DingtalkSettings(RobotSettings):
    """What the site file says of a DingTalk custom robot."""

    kind: Literal["dingtalk"]
    secret: Secret | None = None
    """The signing key (it begins with SEC), when the robot's safety setting is 加签."""


def message(form: MessageForm, title: str, text: str) -> Mapping[str, Any]:
    """The body of the request. A markdown message needs a title: the telephone's list shows it."""
    if form == "text":
        return {"msgtype": "text", "text": {"content": text}}
    return {"msgtype": "markdown", "markdown": {"title": title, "text": text}}


def signature(timestamp_ms: int, secret: str) -> str:
    """Base64 of HMAC-SHA256 over `timestamp_ms`, a line feed and the secret, with the secret as the key."""
    digest = hmac.new(secret.encode(), f"{timestamp_ms}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


DINGTALK = Dialect(
    text_bytes=4000,
    markdown_bytes=4000,
    markdown_break="\n\n",
    message=message,
    # type, link, text, picture, content not allowed, too long
    refused=frozenset({400105, 430101, 430102, 430103, 430104, 460101}),
    too_fast={130101: LIMITED_FOR_S, 410100: LIMITED_FOR_S},
    busy=frozenset({-1}),
    # token unknown, keyword or signature or address list, group gone, token unknown, robot stopped, robot gone
    wrong_settings=frozenset({300001, 300005, 310000, 400013, 400101, 400102, 400106}),
)


def _build(settings: DingtalkSettings, context: UplinkContext) -> Uplink:
    def sign() -> tuple[str, tuple[str, ...]]:
        if settings.secret is None:
            return "", ()
        secret, timestamp_ms = settings.secret.reveal(), context.clock.now_ns() // 1_000_000
        sign = signature(timestamp_ms, secret)
        return f"timestamp={timestamp_ms}&sign={quote_plus(sign)}", (secret, sign)

    robot = Robot(settings, context, DINGTALK, sign)
    return MessengerUplink(settings, context, robot, settings.messages_per_minute)


KIND = UplinkKind(name="dingtalk", settings=DingtalkSettings, build=_build, takes_escalations=True)
