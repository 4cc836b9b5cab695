"""`sitewarden test-uplink`, as it is typed."""

import hashlib
import hmac
import json

import pytest
import yaml

from sitewarden.__main__ import main
from tests.fakes.http_replies import HttpReplies, Reply
from tests.unit.gateway.settings.kinds import CASES

SECRET = "correct horse battery staple"
ROBOT_KEY = "693a91f6-7abc-4bc4-97a0-0ec2sifa5aaa"


@pytest.fixture
def site(tmp_path):
    def write(url):
        (tmp_path / "secret").write_text(SECRET)
        (tmp_path / "robot").write_text(f"{url}/send?key={ROBOT_KEY}")
        (tmp_path / "numbers").write_text("00000000001\n")
        secret, robot, numbers = ({"file": str(tmp_path / name)} for name in ("secret", "robot", "numbers"))
        content = yaml.safe_load((CASES / "good-minimal.yaml").read_text(encoding="utf-8"))
        content["storage"]["folder"] = str(tmp_path / "data")
        content["uplinks"] = [
            {"name": "hook", "kind": "webhook", "url": f"{url}/hook", "secret": secret},
            {"name": "wecom", "kind": "wecom", "url": robot},
            {"name": "ding", "kind": "dingtalk", "url": robot, "secret": secret},
            {
                "name": "sms",
                "kind": "sms",
                "url": url,
                "numbers": numbers,
                "body": {"to": "{number}", "text": "{text}"},
            },
            {"name": "broker", "kind": "mqtt", "host": "127.0.0.1", "topic_prefix": "a"},
            {"name": "desk", "kind": "regulator", "url": url, "enrol_code": secret},
        ]
        path = tmp_path / "site.yaml"
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize("name", ["hook", "wecom", "ding", "sms"])
def test_one_message_marked_as_a_test_goes_out_and_the_receipt_is_printed(site, tmp_path, capsys, name):
    with HttpReplies([Reply(200, body=b'{"errcode": 0}')]) as server:
        assert main(["test-uplink", site(server.url), name]) == 0
    (request,) = server.requests
    text = request.body.decode()
    assert "测试" in text
    assert "不是报警" in text
    assert capsys.readouterr().out.startswith(f"{name}: accepted")
    assert not (tmp_path / "data").exists()


def test_the_webhooks_test_is_signed_and_can_be_taken_for_no_alarm(site):
    with HttpReplies([Reply(204)]) as server:
        assert main(["test-uplink", site(server.url), "hook"]) == 0
    (request,) = server.requests
    body = json.loads(request.body)
    signed = request.headers["X-Sitewarden-Timestamp"].encode() + b"." + request.body
    assert (
        request.headers["X-Sitewarden-Signature"]
        == "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    )
    assert request.headers["X-Sitewarden-Kind"] == "test"
    assert body["test_id"] == request.headers["X-Sitewarden-Key"]
    assert not {"transition", "severity", "escalation_id"} & set(body)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(200, body=b'{"errcode": 93000, "errmsg": "invalid webhook url"}'), "wecom: retry: 200: "),
        (Reply(200, body=b'{"errcode": 40058, "errmsg": "too long"}'), "wecom: rejected: 200: "),
        (Reply(502, body=ROBOT_KEY.encode()), "wecom: retry: 502: ***"),
    ],
)
def test_a_message_that_is_not_taken_is_said_with_their_words(site, capsys, reply, words):
    with HttpReplies([reply]) as server:
        assert main(["test-uplink", site(server.url), "wecom"]) == 1
    shown = capsys.readouterr()
    assert shown.out.startswith(words)
    assert ROBOT_KEY not in shown.out + shown.err


def test_nobody_at_the_other_end_is_said(site, capsys):
    with HttpReplies([Reply(200)]) as server:
        path = site(server.url)
    assert main(["test-uplink", path, "hook"]) == 1
    assert capsys.readouterr().out.startswith("hook: retry: ConnectError")


def test_an_unknown_name_is_answered_with_those_that_there_are(site, capsys):
    assert main(["test-uplink", site("http://127.0.0.1:1"), "hok"]) == 2
    assert "it has: hook, wecom, ding, sms, broker, desk" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "kind"), [("broker", "mqtt"), ("desk", "regulator")])
def test_what_tells_no_people_is_not_written_to(site, capsys, name, kind):
    with HttpReplies([Reply(200)]) as server:
        assert main(["test-uplink", site(server.url), name]) == 2
    assert server.requests == []
    assert f"of kind {kind}" in capsys.readouterr().out


def test_a_broken_site_file_is_told_like_everywhere(tmp_path, capsys):
    (tmp_path / "bad.yaml").write_text("version: 2\n")
    assert main(["test-uplink", str(tmp_path / "bad.yaml"), "hook"]) == 2
    assert "version" in capsys.readouterr().err
