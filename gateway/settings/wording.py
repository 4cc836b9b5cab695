"""Every sentence a configuration fault can say, in English and Chinese, by code: those of the file, its keys and values
here, those of assets and of rules in tables beside.

In: a code and its parameters. Out: a `Fault`, or its text in a language. Knows nothing of how faults are found.

Parameters that start with `@` are nouns of this catalogue, the rest is shown as it is.
"""

from typing import Literal, NamedTuple

from gateway.model.errors import Fault
from gateway.settings.asset_wording import ASSET_WORDS
from gateway.settings.rule_wording import RULE_WORDS

Language = Literal["en", "zh"]


class Wording(NamedTuple):
    """What was found and what was expected, in both languages."""

    found_en: str
    expected_en: str
    found_zh: str
    expected_zh: str


_BETWEEN = "\x1f"  # a character that no YAML text of ours may hold
NOUNS: dict[str, tuple[str, str]] = {
    "@mapping": ("a mapping", "键值组"),
    "@list": ("a list", "列表"),
    "@nothing": ("nothing", "空"),
    "@hidden": ("a value that is not shown", "（不显示的值）"),
}

FILE_WORDS: dict[str, tuple[str, str, str, str]] = {
    # the file as a whole
    "file.unreadable": (
        "a file that cannot be read ({reason})",
        "a readable YAML file",
        "文件无法读取（{reason}）",
        "可读取的 YAML 文件",
    ),
    "file.too_large": ("more than {limit} bytes", "a configuration file", "超过 {limit} 字节", "正常大小的配置文件"),
    "file.not_utf8": ("byte {byte}, which is not UTF-8", "a UTF-8 file", "非 UTF-8 字节 {byte}", "UTF-8 编码的文件"),
    "file.empty": ("an empty file", "a mapping of settings", "空文件", "一组设置"),
    # its YAML
    "yaml.character": ("a control character", "printable text", "控制字符", "可打印的文字"),
    "yaml.too_big": (
        "more than {depth} levels or {values} values",
        "a smaller file; look for an alias that repeats itself",
        "超过 {depth} 层或 {values} 个值",
        "更小的文件；请检查是否有自我重复的引用",
    ),
    "yaml.tab": ("a tab character", "spaces for indentation", "制表符（Tab）", "用空格缩进"),
    "yaml.full_width": (
        "full-width punctuation where YAML needs half-width",
        'half-width : , {{ }} [ ] # "',
        "YAML 语法位置使用了全角标点",
        '半角 : , {{ }} [ ] # "',
    ),
    "yaml.alias": (
        "an alias (*) without its anchor",
        "an anchor (&) before it",
        "引用（*）没有锚点",
        "其前面有锚点（&）",
    ),
    "yaml.syntax": ("YAML that cannot be read: {problem}", "valid YAML", "YAML 无法解析：{problem}", "正确的 YAML"),
    "yaml.tag": ("a tag (!)", "plain YAML without tags", "标签（!）", "不带标签的普通 YAML"),
    "yaml.key": ("a key that is not plain text", "plain text keys", "键不是普通文字", "普通文字的键"),
    "yaml.duplicate_key": (
        "a key already given on line {first}",
        "each key once",
        "该键已在第 {first} 行出现",
        "每个键只出现一次",
    ),
    "yaml.merge": ("a merge (<<) of something else", "a merge of mappings", "合并（<<）的不是键值组", "合并键值组"),
    "yaml.scalar": (
        "a value that does not fit its type",
        "a plain number, text, true or false",
        "值与其类型不符",
        "普通的数字、文字、true 或 false",
    ),
    # keys
    "key.missing": ("nothing", "this key, it is required", "缺少", "必须填写此键"),
    "key.unknown": ("an unknown key", "one of: {known}", "未知的键", "以下之一：{known}"),
    "key.unknown_near": (
        "an unknown key",
        "{near}? (known keys: {known})",
        "未知的键",
        "是否为 {near}？（可用的键：{known}）",
    ),
    "warn.key_renamed": (
        "the old name of this key",
        "{new}, with the same value; the old name is still taken",
        "该键的旧名称",
        "{new}，数值不变；旧名称目前仍可使用",
    ),
    # types and ranges
    "type.text": ("{found}", "text (put a number or yes/no in quotes)", "{found}", "文字（数字或 yes/no 请加引号）"),
    "type.whole_number": ("{found}", "a whole number", "{found}", "整数"),
    "type.number": ("{found}", "a number", "{found}", "数字"),
    "type.yes_no": ("{found}", "true or false", "{found}", "true 或 false"),
    "type.mapping": ("{found}", "a mapping (key: value)", "{found}", "键值组（键: 值）"),
    "type.list": ("{found}", "a list", "{found}", "列表"),
    "type.secret": (
        "something else than a reference (not shown)",
        "{{file: PATH}} or {{env: NAME}}; a secret is never written in the settings",
        "不是引用（内容不显示）",
        "{{file: 路径}} 或 {{env: 变量名}}；密钥不得写在配置中",
    ),
    "range.at_least": ("{found}", "at least {bound}", "{found}", "不小于 {bound}"),
    "range.above": ("{found}", "more than {bound}", "{found}", "大于 {bound}"),
    "range.at_most": ("{found}", "at most {bound}", "{found}", "不大于 {bound}"),
    "range.below": ("{found}", "less than {bound}", "{found}", "小于 {bound}"),
    "range.finite": ("{found}", "a finite number", "{found}", "有限的数字"),
    "length.at_least": ("{found}", "at least {bound} characters", "{found}", "至少 {bound} 个字符"),
    "length.at_most": ("{found}", "at most {bound} characters", "{found}", "最多 {bound} 个字符"),
    "list.at_least": ("{count} entries", "at least {bound}", "{count} 项", "至少 {bound} 项"),
    "list.at_most": ("{count} entries", "at most {bound}", "{count} 项", "最多 {bound} 项"),
    "choice": ("{found}", "one of: {choices}", "{found}", "以下之一：{choices}"),
    "choice.near": ("{found}", "{near}? (one of: {choices})", "{found}", "是否为 {near}？（以下之一：{choices}）"),
    "pattern": ("{found}", "text that matches {pattern}", "{found}", "符合 {pattern} 的文字"),
    "pattern.name": (
        "{found}",
        "a name of a-z, 0-9, '.', '_', '-' (at most 64, letter or digit at both ends)",
        "{found}",
        "由 a-z、0-9、'.'、'_'、'-' 组成的名称（最多 64 个字符，首尾为字母或数字）",
    ),
    "other": ("{found}", "{message}", "{found}", "{message}"),
    "folder.own": (
        "the working directory itself",
        "a folder of its own, such as data/site-1",
        "工作目录本身",
        "单独的目录，例如 data/site-1",
    ),
    # references between parts
    "id.duplicate": (
        "{found}, already used on line {first}",
        "an id of its own",
        "{found}，已在第 {first} 行使用",
        "不重复的编号",
    ),
    "table.driver": (
        "table {table}, which is for driver {found}",
        "a table for {expected}, the driver of link {link}",
        "表 {table} 属于驱动 {found}",
        "属于 {expected}（连接 {link} 的驱动）的表",
    ),
    "table.model": ("{found}", "{expected}, the name of the file", "{found}", "{expected}（与文件名一致）"),
    "table.empty": ("no points", "at least one point", "没有测点", "至少一个测点"),
    "table.key_twice": (
        "{found}, already used on line {first}",
        "a key of its own",
        "{found}，已在第 {first} 行使用",
        "不重复的测点键",
    ),
    "table.fault": (
        "{found}, which is no other point of this table",
        "the key of the point by which the device says that this sensor is in fault",
        "{found}，不是本表的其他测点",
        "本表中表示该传感器故障的测点键",
    ),
    "table.bounds": (
        "max {high} below min {low}",
        "max at or above min: outside min to max a value is BAD",
        "max {high} 小于 min {low}",
        "max 不小于 min（超出 min 至 max 的值判为无效）",
    ),
    "point.duplicate": (
        "point {point}, which device {other} already delivers",
        "each point from one device",
        "测点 {point} 已由设备 {other} 提供",
        "每个测点只来自一台设备",
    ),
    "web.tls": (
        "folder, cert_file and key_file that do not go together",
        "either folder, made by sitewarden tls init, or both cert_file and key_file",
        "folder、cert_file、key_file 搭配不对",
        "folder（由 sitewarden tls init 生成），或 cert_file 与 key_file 两者",
    ),
    "web.http_port": (
        "http_port {found}",
        "another port than `port`, and only with a `tls` section",
        "http_port {found}",
        "与 port 不同的端口，且仅在有 tls 时使用",
    ),
    # times
    "time.offset": (
        "{found}",
        "date and time with an offset, such as 2026-03-01T09:30:00+08:00",
        "{found}",
        "带时区的日期时间，例如 2026-03-01T09:30:00+08:00",
    ),
    # values given beside the file
    "replace.path": (
        "a value for this key from outside the file",
        "a key that the file has room for",
        "文件之外给出的值",
        "文件中可放置的键",
    ),
    # warnings
    "warn.asset_idle": ("asset {found} without a device", "a device", "对象 {found} 没有设备", "至少一台设备"),
    "warn.link_idle": ("link {found} without a device", "a device", "连接 {found} 没有设备", "至少一台设备"),
    "warn.secret_missing": ("{source}", "it before the gateway starts", "{source}", "启动前准备好该密钥"),
    "warn.file_missing": (
        "{file}: {problem}",
        "a PEM file before the gateway starts",
        "{file}：{problem}",
        "启动前放好该 PEM 文件",
    ),
    "warn.algorithm_missing": (
        "{problem}",
        "the package before the gateway starts: without it this uplink sends nothing",
        "{problem}",
        "启动前装好该软件包：缺少它时此通道不发送任何内容",
    ),
    "warn.web_plain": (
        "{host} without tls: others on the network can read names, passwords and sessions",
        "tls (sitewarden tls), or 127.0.0.1",
        "{host} 且未设 tls：同一网络的人可读取用户名、密码和登录会话",
        "配置 tls（sitewarden tls），或改为 127.0.0.1",
    ),
    "warn.password_plain": (
        "a password to {host} without tls: others on the network can read it",
        "tls",
        "向 {host} 发送密码且未设 tls：同一网络的人可读取",
        "配置 tls",
    ),
    "warn.broker_plain": (
        "{host} without tls: others on the network can read and change the messages",
        "tls, and an account with a password",
        "{host} 未设 tls：同一网络的人可读取、篡改消息",
        "配置 tls，并使用带密码的账号",
    ),
    "warn.token_plain": (
        "a token or a password to {host} over plain http: others on the network can read it",
        "https",
        "以明文 http 向 {host} 发送令牌或密码：同一网络的人可读取",
        "使用 https",
    ),
    "warn.web_token": (
        "one token for all programs, without an end: it only reads now",
        "to leave it out; make tokens on the page /tokens, or by: sitewarden accounts make-token",
        "所有程序共用、没有期限的令牌：现在只能读取",
        "删去此项；在“程序令牌”页（/tokens）新建，或运行 sitewarden accounts make-token",
    ),
    "warn.no_landlock": (
        "{system} without Landlock: a camera that takes over its process reads all files that the gateway may read",
        "Linux 5.13 or newer with Landlock switched on",
        "{system} 没有 Landlock：被摄像机攻破的进程可读取监控主机程序有权读取的所有文件",
        "启用 Landlock 的 Linux 5.13 或更高版本",
    ),
    "warn.no_landlock_ports": (
        "{system} without Landlock's rules for ports: a camera that takes over its process connects to any TCP port",
        "Linux 6.7 or newer with Landlock switched on",
        "{system} 没有 Landlock 端口规则：被摄像机攻破的进程可连接任意 TCP 端口",
        "启用 Landlock 的 Linux 6.7 或更高版本",
    ),
    "warn.no_seccomp": (
        "{system} without a filter for system calls: a camera that takes over its process can start programs",
        "Linux with seccomp filters, on x86-64 or aarch64",
        "{system} 没有系统调用过滤：被摄像机攻破的进程可启动其他程序",
        "支持 seccomp 过滤的 Linux（x86-64 或 aarch64）",
    ),
    "warn.retention_short": (
        "{found} days for a site with tower cranes",
        "at least 42 (30 working days, GB/T 28264 acceptance, V2)",
        "有塔机的工地只保存 {found} 天",
        "至少 42 天（30 个工作日，GB/T 28264 验收，V2）",
    ),
    "escalation.kind": (
        "the uplink {found} of kind {kind}, which tells nobody",
        "an uplink that tells people: {kinds}",
        "上报通道 {found}（类型 {kind}）不能通知人员",
        "能通知人员的通道：{kinds}",
    ),
    # of what an uplink names; the uplink brings its own words, in both languages (`both_words`)
    "uplink.named": ("{found}", "{expected}", "{found}", "{expected}"),
    # of a link and its devices together; the driver brings its own words
    "driver.remark": ("{found}", "{expected}", "{found}", "{expected}"),
}
CATALOGUE = {code: Wording(*words) for code, words in (FILE_WORDS | ASSET_WORDS | RULE_WORDS).items()}


def both_words(en: str, zh: str) -> str:
    """A parameter that is said differently in each language and is no noun of this catalogue."""
    return f"{en}{_BETWEEN}{zh}"


def make_fault(file: str, line: int, key: str, code: str, /, **params: object) -> Fault:
    """A fault with its English text, which can be said in another language later."""
    words = {name: str(value) for name, value in params.items()}
    found, expected = _say(code, words, "en")
    return Fault(file, line, key, found, expected, code, tuple(sorted(words.items())))


def fault_text(fault: Fault, language: Language = "en") -> str:
    """One line, `file:line: key: found X, expected Y`, in English or Chinese."""
    if language == "en" or fault.code not in CATALOGUE:
        return str(fault)
    found, expected = _say(fault.code, dict(fault.params), language)
    return f"{fault.file}:{fault.line}: {fault.key}：发现 {found}，应为 {expected}"


def _say(code: str, words: dict[str, str], language: Language) -> tuple[str, str]:
    wording = CATALOGUE[code]
    chinese = language == "zh"
    said = {name: _said(word, chinese) for name, word in words.items()}
    found, expected = (wording.found_zh, wording.expected_zh) if chinese else (wording.found_en, wording.expected_en)
    return found.format(**said), expected.format(**said)


def _said(word: str, chinese: bool) -> str:
    if word in NOUNS:
        return NOUNS[word][chinese]
    en, _, zh = word.partition(_BETWEEN)
    return zh if chinese and zh else en
