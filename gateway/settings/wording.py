"""Every sentence a configuration fault can say, in English and Chinese, by code.

In: a code and its parameters. Out: a `Fault`, or its text in a language. Knows nothing of how faults are found.

Parameters that start with `@` are nouns of this catalogue, the rest is shown as it is.
"""

from typing import Literal, NamedTuple

from gateway.model.errors import Fault

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

CATALOGUE: dict[str, Wording] = {
    # the file as a whole
    "file.unreadable": Wording(
        "a file that cannot be read ({reason})",
        "a readable YAML file",
        "文件无法读取（{reason}）",
        "可读取的 YAML 文件",
    ),
    "file.too_large": Wording(
        "more than {limit} bytes", "a configuration file", "超过 {limit} 字节", "正常大小的配置文件"
    ),
    "file.not_utf8": Wording(
        "byte {byte}, which is not UTF-8", "a UTF-8 file", "非 UTF-8 字节 {byte}", "UTF-8 编码的文件"
    ),
    "file.empty": Wording("an empty file", "a mapping of settings", "空文件", "一组设置"),
    # assets
    "asset.section": Wording(
        "a section '{section}' on an asset of kind {found}",
        "'{section}' only on kind {kind}",
        "{found} 类资产带有 {section} 部分",
        "{section} 仅用于 {kind} 类资产",
    ),
    "pit.input_unknown": Wording(
        "{name} reads {found}, which no device delivers",
        "a point of a device of this asset, or by_hand",
        "{name} 读取 {found}，没有任何设备提供该点",
        "本资产设备提供的点，或 by_hand（人工）",
    ),
    "warn.crane_undescribed": Wording(
        "tower crane {found} without a crane section",
        "a crane section: load chart, place and limits are not known, nor is what follows from them",
        "塔机 {found} 没有 crane 部分",
        "填写 crane 部分：否则特性表、位置和限位未知，相关量无法计算",
    ),
    # its YAML
    "yaml.character": Wording("a control character", "printable text", "控制字符", "可打印的文字"),
    "yaml.too_big": Wording(
        "more than {depth} levels or {values} values",
        "a smaller file; look for an alias that repeats itself",
        "超过 {depth} 层或 {values} 个值",
        "更小的文件；请检查是否有自我重复的引用",
    ),
    "yaml.tab": Wording("a tab character", "spaces for indentation", "制表符（Tab）", "用空格缩进"),
    "yaml.full_width": Wording(
        "full-width punctuation where YAML needs half-width",
        'half-width : , {{ }} [ ] # "',
        "YAML 语法位置使用了全角标点",
        '半角 : , {{ }} [ ] # "',
    ),
    "yaml.alias": Wording(
        "an alias (*) without its anchor", "an anchor (&) before it", "引用（*）没有锚点", "其前面有锚点（&）"
    ),
    "yaml.syntax": Wording(
        "YAML that cannot be read: {problem}", "valid YAML", "YAML 无法解析：{problem}", "正确的 YAML"
    ),
    "yaml.tag": Wording("a tag (!)", "plain YAML without tags", "标签（!）", "不带标签的普通 YAML"),
    "yaml.key": Wording("a key that is not plain text", "plain text keys", "键不是普通文字", "普通文字的键"),
    "yaml.duplicate_key": Wording(
        "a key already given on line {first}", "each key once", "该键已在第 {first} 行出现", "每个键只出现一次"
    ),
    "yaml.merge": Wording(
        "a merge (<<) of something else", "a merge of mappings", "合并（<<）的不是键值组", "合并键值组"
    ),
    "yaml.scalar": Wording(
        "a value that does not fit its type",
        "a plain number, text, true or false",
        "值与其类型不符",
        "普通的数字、文字、true 或 false",
    ),
    # keys
    "key.missing": Wording("nothing", "this key, it is required", "缺少", "必须填写此键"),
    "key.unknown": Wording("an unknown key", "one of: {known}", "未知的键", "以下之一：{known}"),
    "key.unknown_near": Wording(
        "an unknown key", "{near}? (known keys: {known})", "未知的键", "是否为 {near}？（可用的键：{known}）"
    ),
    # types and ranges
    "type.text": Wording(
        "{found}", "text (put a number or yes/no in quotes)", "{found}", "文字（数字或 yes/no 请加引号）"
    ),
    "type.whole_number": Wording("{found}", "a whole number", "{found}", "整数"),
    "type.number": Wording("{found}", "a number", "{found}", "数字"),
    "type.yes_no": Wording("{found}", "true or false", "{found}", "true 或 false"),
    "type.mapping": Wording("{found}", "a mapping (key: value)", "{found}", "键值组（键: 值）"),
    "type.list": Wording("{found}", "a list", "{found}", "列表"),
    "type.secret": Wording(
        "something else than a reference (not shown)",
        "{{file: PATH}} or {{env: NAME}}; a secret is never written in the settings",
        "不是引用（内容不显示）",
        "{{file: 路径}} 或 {{env: 变量名}}；密钥不得写在配置中",
    ),
    "range.at_least": Wording("{found}", "at least {bound}", "{found}", "不小于 {bound}"),
    "range.above": Wording("{found}", "more than {bound}", "{found}", "大于 {bound}"),
    "range.at_most": Wording("{found}", "at most {bound}", "{found}", "不大于 {bound}"),
    "range.below": Wording("{found}", "less than {bound}", "{found}", "小于 {bound}"),
    "range.finite": Wording("{found}", "a finite number", "{found}", "有限的数字"),
    "length.at_least": Wording("{found}", "at least {bound} characters", "{found}", "至少 {bound} 个字符"),
    "length.at_most": Wording("{found}", "at most {bound} characters", "{found}", "最多 {bound} 个字符"),
    "list.at_least": Wording("{count} entries", "at least {bound}", "{count} 项", "至少 {bound} 项"),
    "list.at_most": Wording("{count} entries", "at most {bound}", "{count} 项", "最多 {bound} 项"),
    "choice": Wording("{found}", "one of: {choices}", "{found}", "以下之一：{choices}"),
    "choice.near": Wording(
        "{found}", "{near}? (one of: {choices})", "{found}", "是否为 {near}？（以下之一：{choices}）"
    ),
    "pattern": Wording("{found}", "text that matches {pattern}", "{found}", "符合 {pattern} 的文字"),
    "pattern.name": Wording(
        "{found}",
        "a name of a-z, 0-9, '.', '_', '-' (at most 64, letter or digit at both ends)",
        "{found}",
        "由 a-z、0-9、'.'、'_'、'-' 组成的名称（最多 64 个字符，首尾为字母或数字）",
    ),
    "other": Wording("{found}", "{message}", "{found}", "{message}"),
    "folder.own": Wording(
        "the working directory itself",
        "a folder of its own, such as data/site-1",
        "工作目录本身",
        "单独的目录，例如 data/site-1",
    ),
    # references between parts
    "id.duplicate": Wording(
        "{found}, already used on line {first}", "an id of its own", "{found}，已在第 {first} 行使用", "不重复的编号"
    ),
    "table.driver": Wording(
        "table {table}, which is for driver {found}",
        "a table for {expected}, the driver of link {link}",
        "表 {table} 属于驱动 {found}",
        "属于 {expected}（连接 {link} 的驱动）的表",
    ),
    "table.model": Wording("{found}", "{expected}, the name of the file", "{found}", "{expected}（与文件名一致）"),
    "table.empty": Wording("no points", "at least one point", "没有测点", "至少一个测点"),
    "table.key_twice": Wording(
        "{found}, already used on line {first}", "a key of its own", "{found}，已在第 {first} 行使用", "不重复的测点键"
    ),
    "table.fault": Wording(
        "{found}, which is no other point of this table",
        "the key of the point by which the device says that this sensor is in fault",
        "{found}，不是本表的其他测点",
        "本表中表示该传感器故障的测点键",
    ),
    "table.bounds": Wording(
        "max {high} below min {low}",
        "max at or above min: outside min to max a value is BAD",
        "max {high} 小于 min {low}",
        "max 不小于 min（超出 min 至 max 的值判为无效）",
    ),
    "point.duplicate": Wording(
        "point {point}, which device {other} already delivers",
        "each point from one device",
        "测点 {point} 已由设备 {other} 提供",
        "每个测点只来自一台设备",
    ),
    "web.tls": Wording(
        "folder, cert_file and key_file that do not go together",
        "either folder, made by sitewarden tls init, or both cert_file and key_file",
        "folder、cert_file、key_file 搭配不对",
        "folder（由 sitewarden tls init 生成），或 cert_file 与 key_file 两者",
    ),
    "web.http_port": Wording(
        "http_port {found}",
        "another port than `port`, and only with a `tls` section",
        "http_port {found}",
        "与 port 不同的端口，且仅在有 tls 时使用",
    ),
    # rules
    "rule.one_limit": Wording(
        "{found} of high, low and either", "exactly one of them", "high、low 与 either 给了 {found} 个", "恰好一个"
    ),
    "rule.one_bound": Wording(
        "{found} of above and below", "exactly one of them", "above 与 below 给了 {found} 个", "恰好一个"
    ),
    "rule.gap_spacing": Wording(
        "gap_s {found} with readings {spacing} s apart",
        "gap_s longer than spacing_s",
        "读数间隔 {spacing} 秒时 gap_s 为 {found}",
        "gap_s 大于 spacing_s",
    ),
    "rule.hazard_suspected": Wording(
        "hazard {hazard} without suspected: true",
        "suspected: true, because a sensor never confirms a hazard",
        "有 hazard {hazard} 但没有 suspected: true",
        "suspected: true（传感器命中只能认定为疑似）",
    ),
    "rule.one_rate_limit": Wording(
        "{found} of high, low and either",
        "exactly one of them",
        "high、low 与 either 给了 {found} 个",
        "恰好一个",
    ),
    "rule.gap": Wording(
        "gap_s {found} in a window of {window} s",
        "gap_s shorter than the window",
        "窗口 {window} 秒内 gap_s 为 {found}",
        "gap_s 小于窗口",
    ),
    "rule.step_needs_keys": Wording(
        "max_step_per_s without keys",
        "keys: the points that the step is for",
        "有 max_step_per_s 但没有 keys",
        "用 keys 写明该变化率适用的测点",
    ),
    "rule.suppressed_p1": Wording(
        "rule {rule}, a P1 with suppressed_while",
        "a lower severity, or no suppressed_while: a P1 is never suppressed",
        "规则 {rule} 为 P1 且有 suppressed_while",
        "降低 severity 或去掉 suppressed_while（P1 报警不得抑制）",
    ),
    "rule.suppressed_circle": Wording(
        "rules that suppress each other in a circle: {circle}",
        "a rule that suppresses another and is not suppressed by it",
        "规则循环抑制：{circle}",
        "抑制关系不得成环",
    ),
    "rule.suppressor_kind": Wording(
        "{found}, a rule for {kind}",
        "a rule for {expected}, the kind of asset of this rule",
        "{found} 是 {kind} 的规则",
        "{expected} 的规则（与本规则的对象类型一致）",
    ),
    "rule.keys_need_points": Wording(
        "keys with per: device", "per: point, or no keys", "per: device 时给了 keys", "per: point，或不写 keys"
    ),
    "papers.order": Wording(
        "valid_until before valid_from", "a period that ends after it begins", "有效期止早于有效期起", "止日不早于起日"
    ),
    "papers.id_number": Wording(
        "what looks like an ID-card number",
        "no person's number here; people are kept by `sitewarden identity`",
        "疑似身份证号码",
        "此处不写个人证件号；人员用 sitewarden identity 登记",
    ),
    "papers.tie_order": Wording(
        "removed_on not after fitted_on", "a tie removed after it was fitted", "拆除日不晚于安装日", "拆除日晚于安装日"
    ),
    "rule.certainty": Wording(
        "limit_source {source} with certainty {certainty}",
        "product_default with PD, design, maker_manual or site_scheme with SITE, a code with V1, V2 or M-*",
        "limit_source {source} 与 certainty {certainty}",
        "product_default 配 PD；design、maker_manual、site_scheme 配 SITE；规范配 V1、V2 或 M-*",
    ),
    "card.twice": Wording(
        "{found}, already used on line {first}",
        "each rule on one card of a file",
        "{found}，第 {first} 行已使用",
        "同一文件中每条规则只有一张处置卡",
    ),
    "card.steps": Wording(
        "{zh} steps in Chinese and {en} in English",
        "the same steps in both languages",
        "中文 {zh} 步，英文 {en} 步",
        "两种语言的步骤一一对应",
    ),
    "card.certainty": Wording(
        "source {source} with certainty {certainty}",
        "'product advice' with PD, a clause with V1, V2 or M-*",
        "source {source} 与 certainty {certainty}",
        "product advice 配 PD；条款配 V1、V2 或 M-*",
    ),
    "rule.twice_in_pack": Wording(
        "{found}, already used on line {first}",
        "each rule once in a pack",
        "{found}，已在第 {first} 行使用",
        "每包内规则不重复",
    ),
    "rule.replaces": Wording(
        "{found}, already in pack {other}",
        "replaces: true, if that rule is to be replaced",
        "{found} 已在规则包 {other} 中",
        "若要替换该规则，请写 replaces: true",
    ),
    "rule.unit": Wording(
        "point {point} in {found}",
        "{expected}, the unit of the rule's limit",
        "测点 {point} 单位为 {found}",
        "{expected}（规则限值的单位）",
    ),
    "pack.name": Wording("{found}", "{expected}, the name of the file", "{found}", "{expected}（与文件名一致）"),
    "pack.empty": Wording(
        "a pack that says nothing",
        "rules, pit_limits or deadlines",
        "规则包没有内容",
        "rules、pit_limits 或 deadlines",
    ),
    "pit.row_twice": Wording(
        "{found}, already in an earlier pack or file",
        "replaces: true, if that row is to be replaced",
        "{found} 已在前面的规则包或文件中",
        "若要替换该行，请写 replaces: true",
    ),
    "pit.suppressor": Wording(
        "row {row} with a suppressor that is no graver row of the same limit",
        "rows of the same `of` with a graver severity",
        "行 {row} 的抑制条件不是同一限值的更严重行",
        "of 相同且 severity 更严重的行",
    ),
    "pit.sides": Wording(
        "item {item} whose sides and their names disagree",
        "high and low with sides: both, and only then",
        "项目 {item} 的 sides 与 high、low 不一致",
        "仅在 sides: both 时同时给出 high 与 low",
    ),
    "hazard.code": Wording(
        "{found}",
        "a code of its own that begins with the edition, {edition}",
        "{found}",
        "不重复且以版本（{edition}）开头的编号",
    ),
    "hazard.missing": Wording(
        "article {article} without {missing}",
        "every item of the article",
        "第 {article} 条缺少 {missing}",
        "该条的全部项",
    ),
    "hazard.none": Wording(
        "no hazard catalogue", "hazards/<edition>.yaml", "没有重大事故隐患目录", "hazards/<版本>.yaml"
    ),
    "pack.twice": Wording("{found} a second time", "each pack once", "{found} 重复", "每个规则包只列一次"),
    "override.asset_kind": Wording(
        "asset {asset}, a {found}",
        "a {expected}, which rule {rule} is for",
        "对象 {asset} 是 {found}",
        "{expected}（规则 {rule} 的对象类型）",
    ),
    "override.twice": Wording(
        "a second override of {rule} here, first on line {first}",
        "one override for a rule and an asset",
        "对 {rule} 的第二次修改，首次在第 {first} 行",
        "同一规则与对象只修改一次",
    ),
    "override.loosens": Wording(
        "{found}, looser than {base} of the rule",
        "limit_source beside it: who allows the looser limit",
        "{found}，比规则的 {base} 宽松",
        "同时写明 limit_source：谁允许放宽",
    ),
    "override.nothing": Wording(
        "an override that changes nothing",
        "limit, deadband, a delay or severity",
        "没有修改任何内容",
        "limit、deadband、延时或 severity",
    ),
    "override.silence": Wording(
        "{key} for silence rule {rule}",
        "limit (seconds), off_delay_s or severity",
        "对失联规则 {rule} 写了 {key}",
        "limit（秒）、off_delay_s 或 severity",
    ),
    "override.key": Wording(
        "{key} for {family} rule {rule}, which has none",
        "one of: {known}",
        "对 {family} 规则 {rule} 写了 {key}，该规则没有此值",
        "以下之一：{known}",
    ),
    # a pit
    "time.offset": Wording(
        "{found}",
        "date and time with an offset, such as 2026-03-01T09:30:00+08:00",
        "{found}",
        "带时区的日期时间，例如 2026-03-01T09:30:00+08:00",
    ),
    "pit.one_source": Wording(
        "{found} of input, instrument and by_hand at point {point}",
        "exactly one of them",
        "测点 {point} 的 input、instrument、by_hand 给了 {found} 个",
        "恰好一个",
    ),
    "pit.unknown_name": Wording("{found}", "one of: {known}", "{found}", "以下之一：{known}"),
    "pit.name_twice": Wording("the name {found} twice", "each name once", "名称 {found} 重复", "名称不重复"),
    "pit.unit": Wording(
        "an instrument in {found} for {name}",
        "one in {expected}",
        "{name} 的仪器单位为 {found}",
        "单位为 {expected} 的仪器",
    ),
    "pit.sheet": Wording(
        "neither or both of the two equations",
        "g and f0_digits, or a, b and c, as on the calibration sheet",
        "两种公式都没有给全，或同时给出",
        "按标定表填写 g 与 f0_digits，或 a、b、c",
    ),
    "pit.temperature": Wording(
        "a temperature factor {found} without a temperature",
        "the point that says the temperature, or no factor",
        "有温度系数 {found} 但没有温度测点",
        "写明温度测点，或去掉系数",
    ),
    "pit.nodes": Wording(
        "nodes of {chain} out of order",
        "the deepest node first, then upwards",
        "{chain} 的节点顺序不对",
        "从最深的节点开始，自下而上",
    ),
    "pit.span": Wording(
        "min_span_h {found} in a window of {window} h",
        "a span no longer than the window",
        "窗口 {window} 小时内 min_span_h 为 {found}",
        "不大于窗口",
    ),
    "pit.gauges": Wording(
        "{found} gauges", "at least minimum_gauges, {bound}", "{found} 个传感器", "至少 minimum_gauges（{bound}）个"
    ),
    "pit.excavated": Wording(
        "excavated_m and excavated_point",
        "one of them",
        "excavated_m 与 excavated_point 同时给出",
        "只给一个",
    ),
    "pit.zero_for_chain": Wording(
        "one zero for all depths of {found}",
        "no zero (the mean of the first readings), or a baseline for each depth",
        "{found} 的所有深度共用一个 zero",
        "不写 zero（取最初几次读数的平均值），或每个深度单独给出",
    ),
    # values given beside the file
    "replace.path": Wording(
        "a value for this key from outside the file",
        "a key that the file has room for",
        "文件之外给出的值",
        "文件中可放置的键",
    ),
    # the section of a tower crane
    "crane.time": Wording(
        "{found}",
        "a time with its offset, such as 2026-03-01T08:00:00+08:00",
        "{found}",
        "带时区的时间，例如 2026-03-01T08:00:00+08:00",
    ),
    "crane.chart_duplicate": Wording(
        "radius {found} twice", "each radius once", "幅度 {found} 重复", "每个幅度只列一次"
    ),
    "crane.chart_not_rising": Wording(
        "radius {found} after {before}",
        "radii that rise, as in the maker's chart",
        "幅度 {before} 之后是 {found}",
        "幅度由小到大（与起重特性表一致）",
    ),
    "crane.chart_twice": Wording(
        "parts of line {found} twice", "one entry for each parts of line", "倍率 {found} 重复", "每种倍率只列一次"
    ),
    "crane.chart_parts": Wording(
        "parts_of_line {found}, for which load_chart has no entry",
        "one of: {known}",
        "parts_of_line {found} 在 load_chart 中没有对应项",
        "以下之一：{known}",
    ),
    "crane.order": Wording(
        "{low_key} {low} and {high_key} {high}",
        "{low_key} below {high_key}",
        "{low_key} 为 {low}，{high_key} 为 {high}",
        "{low_key} 小于 {high_key}",
    ),
    "crane.wind_unknown": Wording(
        "wind_point {found}, which no device delivers",
        "the id of a point, such as mast-1.wind",
        "wind_point {found} 没有任何设备提供",
        "测点编号，如 mast-1.wind",
    ),
    "crane.not_rising": Wording(
        "{key} with entry {position} not above the one before",
        "{key} in rising order",
        "{key} 第 {position} 项不大于前一项",
        "{key} 由小到大（由早到晚）",
    ),
    "crane.slew_limits": Wording(
        "one of slew_left_deg and slew_right_deg",
        "both, or neither (with a slip ring)",
        "slew_left_deg 与 slew_right_deg 只给了一个",
        "两个都给，或都不给（有回转滑环时）",
    ),
    "crane.unload_delta": Wording(
        "unload_delta_t {found}",
        "at most load_delta_t",
        "unload_delta_t {found}",
        "不大于 load_delta_t",
    ),
    # groups of cranes, zones, power lines
    "group.member_twice": Wording("{found} twice", "each crane once", "{found} 重复", "每台塔机只列一次"),
    "group.levels": Wording(
        "danger_below_m {danger} and alert_below_m {alert}",
        "danger_below_m at most alert_below_m",
        "danger_below_m 为 {danger}，alert_below_m 为 {alert}",
        "danger_below_m 不大于 alert_below_m",
    ),
    "group.crane_unknown": Wording(
        "{found}, which is no asset of this site", "the id of a tower crane", "{found} 不是本工地的对象", "塔机的编号"
    ),
    "group.crane_kind": Wording("{found}, which is no tower crane", "a tower crane", "{found} 不是塔机", "塔机"),
    "group.crane_undescribed": Wording(
        "{found}, which has no valid crane section or no device",
        "a tower crane with a place, a shape and a device",
        "{found} 没有正确的 crane 部分，或没有设备",
        "已填写位置和外形、并接有设备的塔机",
    ),
    "group.crane_rails": Wording(
        "{found}, which stands on rails",
        "a crane with a fixed base: distances of travelling cranes are not derived",
        "{found} 为轨道行走式塔机",
        "固定基础的塔机（行走式塔机不计算间距）",
    ),
    "group.number_taken": Wording(
        "{found} with number {number}, which {other} has already",
        "a crane.number of its own, 0 to 15, for each crane of the group",
        "{found} 的 number {number} 与 {other} 重复",
        "群内每台塔机的 crane.number 不重复（0 至 15）",
    ),
    "group.two_groups": Wording(
        "{found}, which is in group {other} already",
        "each crane in one group",
        "{found} 已在群 {other} 中",
        "每台塔机只属于一个群",
    ),
    "zone.shape": Wording(
        "{found} of polygon, sector and polar",
        "exactly one of them",
        "polygon、sector 与 polar 给了 {found} 个",
        "恰好一个",
    ),
    "zone.number_twice": Wording(
        "{found}, already used on line {first} by a zone of the same kind and crane",
        "a number of its own",
        "{found}，同一塔机的同类区域已在第 {first} 行使用",
        "不重复的编号",
    ),
    "power_line.clearance": Wording(
        "{found}, for which no rule pack has a clearance",
        "a clearance beside it, as the line's owner asks",
        "{found} 在规则包中没有安全距离",
        "按线路产权单位的要求写明 clearance",
    ),
    # warnings
    "warn.crane_rails": Wording(
        "crane {found}, which stands on rails: nothing keeps it from zones and power lines",
        "a crane with a fixed base, or eyes on it",
        "塔机 {found} 为轨道行走式：不判断其与区域、架空线路的距离",
        "固定基础的塔机，或安排人员监护",
    ),
    "warn.rule_without_point": Wording(
        "rule {rule}, for which no device delivers {wanted}",
        "a point it can judge, or the rule left out",
        "规则 {rule} 没有可判断的测点（{wanted}）",
        "提供该测点，或去掉该规则",
    ),
    "warn.condition_without_point": Wording(
        "{found}, which asset {asset} does not have: the rule is left out there",
        "a point of the same asset",
        "{found}，对象 {asset} 没有该测点，规则在此不生效",
        "同一对象的测点",
    ),
    "warn.override_without_point": Wording(
        "an override of {rule} that meets no point",
        "a point it can judge",
        "对 {rule} 的修改没有对应的测点",
        "可判断的测点",
    ),
    "warn.limit_beyond_range": Wording(
        "rule {rule} with limit {limit} on {point}, which can only say {low} to {high}: it can never fire",
        "a limit within the instrument's range",
        "规则 {rule} 在 {point} 的限值 {limit} 超出其量程 {low} 至 {high}，永远不会触发",
        "量程内的限值",
    ),
    "warn.pit_no_limit": Wording(
        "point {point}, for whose item {item} neither the designer nor a table gives a limit: nothing judges it",
        "the designer's control value",
        "测点 {point}（{item}）既无设计控制值也无规范限值，不做判断",
        "设计给出的控制值",
    ),
    "warn.pit_no_depth": Wording(
        "point {point} ({item}) in a pit without a design depth: the absolute value is only an upper bound, "
        "and below it the point is unknown",
        "the pit's design depth",
        "测点 {point}（{item}）所在基坑未给出设计深度：绝对值仅作上限，低于该值时判为未知",
        "基坑设计深度",
    ),
    "warn.pit_strictest": Wording(
        "point {point} ({item}) without a structure or a grade that the table asks for: its strictest figure counts",
        "the support structure and the pit's safety grade",
        "测点 {point}（{item}）未给出限值表所需的支护类型或安全等级，按最严值判断",
        "支护类型与基坑安全等级",
    ),
    "warn.asset_idle": Wording("asset {found} without a device", "a device", "对象 {found} 没有设备", "至少一台设备"),
    "warn.link_idle": Wording("link {found} without a device", "a device", "连接 {found} 没有设备", "至少一台设备"),
    "warn.secret_missing": Wording("{source}", "it before the gateway starts", "{source}", "启动前准备好该密钥"),
    "warn.file_missing": Wording(
        "{file}: {problem}", "a PEM file before the gateway starts", "{file}：{problem}", "启动前放好该 PEM 文件"
    ),
    "warn.algorithm_missing": Wording(
        "{problem}",
        "the package before the gateway starts: without it this uplink sends nothing",
        "{problem}",
        "启动前装好该软件包：缺少它时此通道不发送任何内容",
    ),
    "warn.web_plain": Wording(
        "{host} without tls: others on the network can read names, passwords and sessions",
        "tls (sitewarden tls), or 127.0.0.1",
        "{host} 且未设 tls：同一网络的人可读取用户名、密码和登录会话",
        "配置 tls（sitewarden tls），或改为 127.0.0.1",
    ),
    "warn.password_plain": Wording(
        "a password to {host} without tls: others on the network can read it",
        "tls",
        "向 {host} 发送密码且未设 tls：同一网络的人可读取",
        "配置 tls",
    ),
    "warn.broker_plain": Wording(
        "{host} without tls: others on the network can read and change the messages",
        "tls, and an account with a password",
        "{host} 未设 tls：同一网络的人可读取、篡改消息",
        "配置 tls，并使用带密码的账号",
    ),
    "warn.token_plain": Wording(
        "a token or a password to {host} over plain http: others on the network can read it",
        "https",
        "以明文 http 向 {host} 发送令牌或密码：同一网络的人可读取",
        "使用 https",
    ),
    "warn.web_token": Wording(
        "one token for all programs, without an end: it only reads now",
        "to leave it out; make tokens on the page /tokens, or by: sitewarden accounts make-token",
        "所有程序共用、没有期限的令牌：现在只能读取",
        "删去此项；在“程序令牌”页（/tokens）新建，或运行 sitewarden accounts make-token",
    ),
    "warn.no_landlock": Wording(
        "{system} without Landlock: a camera that takes over its process reads all files that the gateway may read",
        "Linux 5.13 or newer with Landlock switched on",
        "{system} 没有 Landlock：被摄像机攻破的进程可读取监控主机程序有权读取的所有文件",
        "启用 Landlock 的 Linux 5.13 或更高版本",
    ),
    "warn.no_landlock_ports": Wording(
        "{system} without Landlock's rules for ports: a camera that takes over its process connects to any TCP port",
        "Linux 6.7 or newer with Landlock switched on",
        "{system} 没有 Landlock 端口规则：被摄像机攻破的进程可连接任意 TCP 端口",
        "启用 Landlock 的 Linux 6.7 或更高版本",
    ),
    "warn.no_seccomp": Wording(
        "{system} without a filter for system calls: a camera that takes over its process can start programs",
        "Linux with seccomp filters, on x86-64 or aarch64",
        "{system} 没有系统调用过滤：被摄像机攻破的进程可启动其他程序",
        "支持 seccomp 过滤的 Linux（x86-64 或 aarch64）",
    ),
    "warn.retention_short": Wording(
        "{found} days for a site with tower cranes",
        "at least 42 (30 working days, GB/T 28264 acceptance, V2)",
        "有塔机的工地只保存 {found} 天",
        "至少 42 天（30 个工作日，GB/T 28264 验收，V2）",
    ),
    "escalation.kind": Wording(
        "the uplink {found} of kind {kind}, which tells nobody",
        "an uplink that tells people: {kinds}",
        "上报通道 {found}（类型 {kind}）不能通知人员",
        "能通知人员的通道：{kinds}",
    ),
    # of what an uplink names; the uplink brings its own words, in both languages (`both_words`)
    "uplink.named": Wording("{found}", "{expected}", "{found}", "{expected}"),
    # of a link and its devices together; the driver brings its own words
    "driver.remark": Wording("{found}", "{expected}", "{found}", "{expected}"),
    "warn.no_card": Wording(
        "rule {rule} alarms and has no card: nobody is told what to do",
        "a card in cards/ beside the site file (docs/rules.md)",
        "规则 {rule} 会报警但没有处置卡：无人知道该做什么",
        "在站点文件旁的 cards/ 中写一张处置卡（docs/rules.md）",
    ),
    "warn.pack_left_out": Wording(
        "the regulator's rule packs {packs} left out because of: {fault}",
        "a pack that fits this site; the box judges by its own packs meanwhile",
        "监管下发的规则包 {packs} 未启用，原因：{fault}",
        "与本工地相符的规则包；其间按本机自有规则包判定",
    ),
    "warn.replaces_nothing": Wording(
        "replaces: true for {rule}, which no earlier pack has",
        "an earlier pack's rule",
        "{rule} 在前面的规则包中不存在",
        "前面规则包中的规则",
    ),
}


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
