"""What can be wrong with rules, rule packs, cards and the hazards that they name.

In: nothing. Out: by code, what was found and what was expected, in English, then in Chinese (`wording`).
"""

RULE_WORDS: dict[str, tuple[str, str, str, str]] = {
    # rules
    "rule.one_limit": (
        "{found} of high, low and either",
        "exactly one of them",
        "high、low 与 either 给了 {found} 个",
        "恰好一个",
    ),
    "rule.one_bound": (
        "{found} of above and below",
        "exactly one of them",
        "above 与 below 给了 {found} 个",
        "恰好一个",
    ),
    "rule.gap_spacing": (
        "gap_s {found} with readings {spacing} s apart",
        "gap_s longer than spacing_s",
        "读数间隔 {spacing} 秒时 gap_s 为 {found}",
        "gap_s 大于 spacing_s",
    ),
    "rule.hazard_suspected": (
        "hazard {hazard} without suspected: true",
        "suspected: true, because a sensor never confirms a hazard",
        "有 hazard {hazard} 但没有 suspected: true",
        "suspected: true（传感器命中只能认定为疑似）",
    ),
    "rule.one_rate_limit": (
        "{found} of high, low and either",
        "exactly one of them",
        "high、low 与 either 给了 {found} 个",
        "恰好一个",
    ),
    "rule.gap": (
        "gap_s {found} in a window of {window} s",
        "gap_s shorter than the window",
        "窗口 {window} 秒内 gap_s 为 {found}",
        "gap_s 小于窗口",
    ),
    "rule.step_needs_keys": (
        "max_step_per_s without keys",
        "keys: the points that the step is for",
        "有 max_step_per_s 但没有 keys",
        "用 keys 写明该变化率适用的测点",
    ),
    "rule.suppressed_p1": (
        "rule {rule}, a P1 with suppressed_while",
        "a lower severity, or no suppressed_while: a P1 is never suppressed",
        "规则 {rule} 为 P1 且有 suppressed_while",
        "降低 severity 或去掉 suppressed_while（P1 报警不得抑制）",
    ),
    "rule.suppressed_circle": (
        "rules that suppress each other in a circle: {circle}",
        "a rule that suppresses another and is not suppressed by it",
        "规则循环抑制：{circle}",
        "抑制关系不得成环",
    ),
    "rule.suppressor_kind": (
        "{found}, a rule for {kind}",
        "a rule for {expected}, the kind of asset of this rule",
        "{found} 是 {kind} 的规则",
        "{expected} 的规则（与本规则的对象类型一致）",
    ),
    "rule.keys_need_points": (
        "keys with per: device",
        "per: point, or no keys",
        "per: device 时给了 keys",
        "per: point，或不写 keys",
    ),
    "papers.order": (
        "valid_until before valid_from",
        "a period that ends after it begins",
        "有效期止早于有效期起",
        "止日不早于起日",
    ),
    "papers.id_number": (
        "what looks like an ID-card number",
        "no person's number here; people are kept by `sitewarden identity`",
        "疑似身份证号码",
        "此处不写个人证件号；人员用 sitewarden identity 登记",
    ),
    "papers.tie_order": (
        "removed_on not after fitted_on",
        "a tie removed after it was fitted",
        "拆除日不晚于安装日",
        "拆除日晚于安装日",
    ),
    "rule.certainty": (
        "limit_source {source} with certainty {certainty}",
        "product_default with PD, design, maker_manual or site_scheme with SITE, a code with V1, V2 or M-*",
        "limit_source {source} 与 certainty {certainty}",
        "product_default 配 PD；design、maker_manual、site_scheme 配 SITE；规范配 V1、V2 或 M-*",
    ),
    "card.twice": (
        "{found}, already used on line {first}",
        "each rule on one card of a file",
        "{found}，第 {first} 行已使用",
        "同一文件中每条规则只有一张处置卡",
    ),
    "card.steps": (
        "{zh} steps in Chinese and {en} in English",
        "the same steps in both languages",
        "中文 {zh} 步，英文 {en} 步",
        "两种语言的步骤一一对应",
    ),
    "card.certainty": (
        "source {source} with certainty {certainty}",
        "'product advice' with PD, a clause with V1, V2 or M-*",
        "source {source} 与 certainty {certainty}",
        "product advice 配 PD；条款配 V1、V2 或 M-*",
    ),
    "rule.twice_in_pack": (
        "{found}, already used on line {first}",
        "each rule once in a pack",
        "{found}，已在第 {first} 行使用",
        "每包内规则不重复",
    ),
    "rule.replaces": (
        "{found}, already in pack {other}",
        "replaces: true, if that rule is to be replaced",
        "{found} 已在规则包 {other} 中",
        "若要替换该规则，请写 replaces: true",
    ),
    "rule.unit": (
        "point {point} in {found}",
        "{expected}, the unit of the rule's limit",
        "测点 {point} 单位为 {found}",
        "{expected}（规则限值的单位）",
    ),
    "pack.name": ("{found}", "{expected}, the name of the file", "{found}", "{expected}（与文件名一致）"),
    "pack.empty": (
        "a pack that says nothing",
        "rules, pit_limits or deadlines",
        "规则包没有内容",
        "rules、pit_limits 或 deadlines",
    ),
    "hazard.code": (
        "{found}",
        "a code of its own that begins with the edition, {edition}",
        "{found}",
        "不重复且以版本（{edition}）开头的编号",
    ),
    "hazard.missing": (
        "article {article} without {missing}",
        "every item of the article",
        "第 {article} 条缺少 {missing}",
        "该条的全部项",
    ),
    "hazard.none": ("no hazard catalogue", "hazards/<edition>.yaml", "没有重大事故隐患目录", "hazards/<版本>.yaml"),
    "pack.twice": ("{found} a second time", "each pack once", "{found} 重复", "每个规则包只列一次"),
    "override.asset_kind": (
        "asset {asset}, a {found}",
        "a {expected}, which rule {rule} is for",
        "对象 {asset} 是 {found}",
        "{expected}（规则 {rule} 的对象类型）",
    ),
    "override.twice": (
        "a second override of {rule} here, first on line {first}",
        "one override for a rule and an asset",
        "对 {rule} 的第二次修改，首次在第 {first} 行",
        "同一规则与对象只修改一次",
    ),
    "override.loosens": (
        "{found}, looser than {base} of the rule",
        "limit_source beside it: who allows the looser limit",
        "{found}，比规则的 {base} 宽松",
        "同时写明 limit_source：谁允许放宽",
    ),
    "override.nothing": (
        "an override that changes nothing",
        "limit, deadband, a delay or severity",
        "没有修改任何内容",
        "limit、deadband、延时或 severity",
    ),
    "override.silence": (
        "{key} for silence rule {rule}",
        "limit (seconds), off_delay_s or severity",
        "对失联规则 {rule} 写了 {key}",
        "limit（秒）、off_delay_s 或 severity",
    ),
    "override.key": (
        "{key} for {family} rule {rule}, which has none",
        "one of: {known}",
        "对 {family} 规则 {rule} 写了 {key}，该规则没有此值",
        "以下之一：{known}",
    ),
    # warnings
    "warn.rule_without_point": (
        "rule {rule}, for which no device delivers {wanted}",
        "a point it can judge, or the rule left out",
        "规则 {rule} 没有可判断的测点（{wanted}）",
        "提供该测点，或去掉该规则",
    ),
    "warn.condition_without_point": (
        "{found}, which asset {asset} does not have: the rule is left out there",
        "a point of the same asset",
        "{found}，对象 {asset} 没有该测点，规则在此不生效",
        "同一对象的测点",
    ),
    "warn.override_without_point": (
        "an override of {rule} that meets no point",
        "a point it can judge",
        "对 {rule} 的修改没有对应的测点",
        "可判断的测点",
    ),
    "warn.limit_beyond_range": (
        "rule {rule} with limit {limit} on {point}, which can only say {low} to {high}: it can never fire",
        "a limit within the instrument's range",
        "规则 {rule} 在 {point} 的限值 {limit} 超出其量程 {low} 至 {high}，永远不会触发",
        "量程内的限值",
    ),
    # cards and packs
    "warn.no_card": (
        "rule {rule} alarms and has no card: nobody is told what to do",
        "a card in cards/ beside the site file (docs/rules.md)",
        "规则 {rule} 会报警但没有处置卡：无人知道该做什么",
        "在站点文件旁的 cards/ 中写一张处置卡（docs/rules.md）",
    ),
    "warn.pack_left_out": (
        "the regulator's rule packs {packs} left out because of: {fault}",
        "a pack that fits this site; the box judges by its own packs meanwhile",
        "监管下发的规则包 {packs} 未启用，原因：{fault}",
        "与本工地相符的规则包；其间按本机自有规则包判定",
    ),
    "warn.replaces_nothing": (
        "replaces: true for {rule}, which no earlier pack has",
        "an earlier pack's rule",
        "{rule} 在前面的规则包中不存在",
        "前面规则包中的规则",
    ),
}
