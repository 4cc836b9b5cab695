"""The WeCom (企业微信) group robot: `POST .../cgi-bin/webhook/send?key=...`.

In: outbox rows. Out: messages in a group. Formats, lengths and the limit of 20 a minute are those of the platform's
page "群机器人配置说明" (developer.work.weixin.qq.com/document/path/91770); codes those of its list of return codes
(path/90455) and of answers that users published. docs/uplinks.md says which is which.
"""

from collections.abc import Mapping
from typing import Any, Literal

from gateway.ports import Uplink, UplinkContext, UplinkKind
from gateway.uplinks.messenger import MessageForm, MessengerUplink
from gateway.uplinks.robot import Dialect, Robot, RobotSettings


class WecomSettings(RobotSettings):
    """What the site file says of a WeCom group robot."""

    kind: Literal["wecom"]


def message(form: MessageForm, _title: str, text: str) -> Mapping[str, Any]:
    """The body of the request that a WeCom robot takes."""
    return {"msgtype": form, form: {"content": text}}


WECOM = Dialect(
    text_bytes=2048,
    markdown_bytes=4096,
    markdown_break="\n",
    message=message,
    refused=frozenset({40008, 40033, 40035, 40058, 44004, 45002}),  # type, characters, parameters, length, empty, size
    too_fast={45009: 60.0, 45033: 10.0},  # calls a minute, calls at once
    busy=frozenset({-1, 6000}),
    wrong_settings=frozenset({93000}),  # invalid webhook url: a wrong key, or the robot was removed
)


def _build(settings: WecomSettings, context: UplinkContext) -> Uplink:
    return MessengerUplink(settings, context, Robot(settings, context, WECOM), settings.messages_per_minute)


KIND = UplinkKind(name="wecom", settings=WecomSettings, build=_build, takes_escalations=True)
