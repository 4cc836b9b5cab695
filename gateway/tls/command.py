"""What `sitewarden tls` does and prints: make, renew and show a box's certificates.

In: settings, what was typed, the time. Out: files, lines in Chinese and English, the exit status: 0 done, 1 refused.
The fingerprint is printed here and nowhere on the network: it is what a phone's certificate is compared with.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from gateway.ports import Clock
from gateway.settings import Settings
from gateway.tls.faults import TlsError
from gateway.tls.folder import CertificateFacts, TlsFolder
from gateway.tls.names import ServerNames, found_names, parse_names

Say = Callable[[str], None]
DEFAULT_NAME = "tls"


def run_init(settings: Settings, hosts: Sequence[str], addresses: Sequence[str], clock: Clock, say: Say = print) -> int:
    """Make the authority and the first certificate, and say what to do with them."""
    folder, now = _folder(settings), _now(clock)
    try:
        folder.init(settings.box.id, _names(hosts, addresses) or found_names(), now)
        _tell_new(settings, folder, say)
    except (TlsError, OSError) as error:
        return _failed("未生成证书", "no certificates were made", error, say)
    return 0


def run_renew(
    settings: Settings, hosts: Sequence[str], addresses: Sequence[str], clock: Clock, say: Say = print
) -> int:
    """A new server certificate; a running gateway takes it up within the hour."""
    folder = _folder(settings)
    try:
        folder.renew(_now(clock), _names(hosts, addresses))
        facts = folder.server()
    except (TlsError, OSError) as error:
        return _failed("未更新证书", "the certificate was not renewed", error, say)
    say(f"已更新服务器证书 / renewed: {folder.server_file}")
    _say_server(facts, say)
    say("运行中的监控主机在一小时内启用 / a running gateway takes it up within the hour")
    return 0


def run_show(settings: Settings, clock: Clock, say: Say = print) -> int:
    """What is there, with the fingerprint to compare."""
    folder = _folder(settings)
    try:
        authority, server = folder.authority(), folder.server()
    except TlsError as error:
        return _failed("没有可用的证书", "no certificates", error, say)
    _say_authority(folder, authority, say)
    _say_server(server, say)
    days = server.days_left(_now(clock))
    renews = ("到期前自动更新", "renews itself") if folder.can_renew else ("不自动更新", "does not renew itself")
    say(f"还有 {days} 天，{renews[0]} / {days} days left, {renews[1]}")
    return 0


def _folder(settings: Settings) -> TlsFolder:
    """The folder of the site file, or `tls` in the data folder."""
    named = settings.web.tls.folder if settings.web.tls is not None else None
    return TlsFolder(named or settings.storage.folder / DEFAULT_NAME)


def _names(hosts: Sequence[str], addresses: Sequence[str]) -> ServerNames | None:
    return parse_names(hosts, addresses) if hosts or addresses else None


def _now(clock: Clock) -> datetime:
    return datetime.fromtimestamp(clock.now_ns() / 1e9, UTC)


def _tell_new(settings: Settings, folder: TlsFolder, say: Say) -> None:
    server = folder.server()
    port, host = settings.web.port, server.names.shown[0]
    _say_authority(folder, folder.authority(), say)
    _say_server(server, say)
    if settings.web.tls is None or settings.web.tls.folder is None:
        say("写入站点文件 / put into the site file:")
        say(f"  web: {{..., tls: {{folder: {folder.path}}}, http_port: 8081}}")
    say("重启监控主机后 / after a restart of the gateway:")
    say(f"  网址 / address: https://{host}:{port}")
    for line in (*_STEPS_ZH, *_STEPS_EN):
        say(f"  {line}")


def _say_authority(folder: TlsFolder, facts: CertificateFacts, say: Say) -> None:
    say(f"CA 证书 / authority: {folder.ca_file}")
    say(f"  SHA-256 {facts.fingerprint}")
    say(f"  有效至 / until {facts.ends:%Y-%m-%d}")
    if folder.can_renew:
        say(f"  私钥（勿外传）/ its private key, never to leave the box: {folder.ca_key}")


def _say_server(facts: CertificateFacts, say: Say) -> None:
    say(f"服务器证书 / server: {', '.join(facts.names.shown)}")
    say(f"  有效至 / until {facts.ends:%Y-%m-%d}")


def _failed(text_zh: str, text_en: str, error: Exception, say: Say) -> int:
    say(f"sitewarden: {text_zh} / {text_en}: {error}")
    return 1


_STEPS_ZH = (
    "每台手机、电脑只做一次：",
    "1. 打开 http://<本机地址>:<http_port>/ca.crt 下载 CA 证书，或用 U 盘拷贝 ca.crt",
    "2. 核对指纹（SHA-256）与上面一致，不一致就停止",
    "3. 安装：Windows「受信任的根证书颁发机构」；安卓「设置-安全-安装 CA 证书」；",
    "   苹果手机安装描述文件后在「设置-通用-关于本机-证书信任设置」中打开；Firefox 在自己的证书管理中导入",
)
_STEPS_EN = (
    "Once on each phone and computer:",
    "1. Open http://<this box>:<http_port>/ca.crt, or bring ca.crt on a stick",
    "2. Compare the fingerprint (SHA-256) with the one above; stop when it differs",
    "3. Install it: Windows, Trusted Root Certification Authorities; Android, Settings, Security, Install a CA",
    "   certificate; iPhone, install the profile, then Settings, General, About, Certificate Trust Settings;",
    "   Firefox, in its own certificate manager",
)
