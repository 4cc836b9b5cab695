"""What can be wrong with the assets of a site: pits, cranes, their groups, zones and power lines.

In: nothing. Out: by code, what was found and what was expected, in English, then in Chinese (`wording`).
"""

ASSET_WORDS: dict[str, tuple[str, str, str, str]] = {
    # assets
    "asset.section": (
        "a section '{section}' on an asset of kind {found}",
        "'{section}' only on kind {kind}",
        "{found} 类资产带有 {section} 部分",
        "{section} 仅用于 {kind} 类资产",
    ),
    "pit.input_unknown": (
        "{name} reads {found}, which no device delivers",
        "a point of a device of this asset, or by_hand",
        "{name} 读取 {found}，没有任何设备提供该点",
        "本资产设备提供的点，或 by_hand（人工）",
    ),
    "warn.crane_undescribed": (
        "tower crane {found} without a crane section",
        "a crane section: load chart, place and limits are not known, nor is what follows from them",
        "塔机 {found} 没有 crane 部分",
        "填写 crane 部分：否则特性表、位置和限位未知，相关量无法计算",
    ),
    "pit.row_twice": (
        "{found}, already in an earlier pack or file",
        "replaces: true, if that row is to be replaced",
        "{found} 已在前面的规则包或文件中",
        "若要替换该行，请写 replaces: true",
    ),
    "pit.suppressor": (
        "row {row} with a suppressor that is no graver row of the same limit",
        "rows of the same `of` with a graver severity",
        "行 {row} 的抑制条件不是同一限值的更严重行",
        "of 相同且 severity 更严重的行",
    ),
    "pit.sides": (
        "item {item} whose sides and their names disagree",
        "high and low with sides: both, and only then",
        "项目 {item} 的 sides 与 high、low 不一致",
        "仅在 sides: both 时同时给出 high 与 low",
    ),
    # a pit
    "pit.one_source": (
        "{found} of input, instrument and by_hand at point {point}",
        "exactly one of them",
        "测点 {point} 的 input、instrument、by_hand 给了 {found} 个",
        "恰好一个",
    ),
    "pit.unknown_name": ("{found}", "one of: {known}", "{found}", "以下之一：{known}"),
    "pit.name_twice": ("the name {found} twice", "each name once", "名称 {found} 重复", "名称不重复"),
    "pit.unit": (
        "an instrument in {found} for {name}",
        "one in {expected}",
        "{name} 的仪器单位为 {found}",
        "单位为 {expected} 的仪器",
    ),
    "pit.sheet": (
        "neither or both of the two equations",
        "g and f0_digits, or a, b and c, as on the calibration sheet",
        "两种公式都没有给全，或同时给出",
        "按标定表填写 g 与 f0_digits，或 a、b、c",
    ),
    "pit.temperature": (
        "a temperature factor {found} without a temperature",
        "the point that says the temperature, or no factor",
        "有温度系数 {found} 但没有温度测点",
        "写明温度测点，或去掉系数",
    ),
    "pit.nodes": (
        "nodes of {chain} out of order",
        "the deepest node first, then upwards",
        "{chain} 的节点顺序不对",
        "从最深的节点开始，自下而上",
    ),
    "pit.span": (
        "min_span_h {found} in a window of {window} h",
        "a span no longer than the window",
        "窗口 {window} 小时内 min_span_h 为 {found}",
        "不大于窗口",
    ),
    "pit.gauges": (
        "{found} gauges",
        "at least minimum_gauges, {bound}",
        "{found} 个传感器",
        "至少 minimum_gauges（{bound}）个",
    ),
    "pit.excavated": (
        "excavated_m and excavated_point",
        "one of them",
        "excavated_m 与 excavated_point 同时给出",
        "只给一个",
    ),
    "pit.zero_for_chain": (
        "one zero for all depths of {found}",
        "no zero (the mean of the first readings), or a baseline for each depth",
        "{found} 的所有深度共用一个 zero",
        "不写 zero（取最初几次读数的平均值），或每个深度单独给出",
    ),
    # the section of a tower crane
    "crane.time": (
        "{found}",
        "a time with its offset, such as 2026-03-01T08:00:00+08:00",
        "{found}",
        "带时区的时间，例如 2026-03-01T08:00:00+08:00",
    ),
    "crane.chart_duplicate": ("radius {found} twice", "each radius once", "幅度 {found} 重复", "每个幅度只列一次"),
    "crane.chart_not_rising": (
        "radius {found} after {before}",
        "radii that rise, as in the maker's chart",
        "幅度 {before} 之后是 {found}",
        "幅度由小到大（与起重特性表一致）",
    ),
    "crane.chart_twice": (
        "parts of line {found} twice",
        "one entry for each parts of line",
        "倍率 {found} 重复",
        "每种倍率只列一次",
    ),
    "crane.chart_parts": (
        "parts_of_line {found}, for which load_chart has no entry",
        "one of: {known}",
        "parts_of_line {found} 在 load_chart 中没有对应项",
        "以下之一：{known}",
    ),
    "crane.order": (
        "{low_key} {low} and {high_key} {high}",
        "{low_key} below {high_key}",
        "{low_key} 为 {low}，{high_key} 为 {high}",
        "{low_key} 小于 {high_key}",
    ),
    "crane.wind_unknown": (
        "wind_point {found}, which no device delivers",
        "the id of a point, such as mast-1.wind",
        "wind_point {found} 没有任何设备提供",
        "测点编号，如 mast-1.wind",
    ),
    "crane.not_rising": (
        "{key} with entry {position} not above the one before",
        "{key} in rising order",
        "{key} 第 {position} 项不大于前一项",
        "{key} 由小到大（由早到晚）",
    ),
    "crane.slew_limits": (
        "one of slew_left_deg and slew_right_deg",
        "both, or neither (with a slip ring)",
        "slew_left_deg 与 slew_right_deg 只给了一个",
        "两个都给，或都不给（有回转滑环时）",
    ),
    "crane.unload_delta": (
        "unload_delta_t {found}",
        "at most load_delta_t",
        "unload_delta_t {found}",
        "不大于 load_delta_t",
    ),
    # groups of cranes, zones, power lines
    "group.member_twice": ("{found} twice", "each crane once", "{found} 重复", "每台塔机只列一次"),
    "group.levels": (
        "danger_below_m {danger} and alert_below_m {alert}",
        "danger_below_m at most alert_below_m",
        "danger_below_m 为 {danger}，alert_below_m 为 {alert}",
        "danger_below_m 不大于 alert_below_m",
    ),
    "group.crane_unknown": (
        "{found}, which is no asset of this site",
        "the id of a tower crane",
        "{found} 不是本工地的对象",
        "塔机的编号",
    ),
    "group.crane_kind": ("{found}, which is no tower crane", "a tower crane", "{found} 不是塔机", "塔机"),
    "group.crane_undescribed": (
        "{found}, which has no valid crane section or no device",
        "a tower crane with a place, a shape and a device",
        "{found} 没有正确的 crane 部分，或没有设备",
        "已填写位置和外形、并接有设备的塔机",
    ),
    "group.crane_rails": (
        "{found}, which stands on rails",
        "a crane with a fixed base: distances of travelling cranes are not derived",
        "{found} 为轨道行走式塔机",
        "固定基础的塔机（行走式塔机不计算间距）",
    ),
    "group.number_taken": (
        "{found} with number {number}, which {other} has already",
        "a crane.number of its own, 0 to 15, for each crane of the group",
        "{found} 的 number {number} 与 {other} 重复",
        "群内每台塔机的 crane.number 不重复（0 至 15）",
    ),
    "group.two_groups": (
        "{found}, which is in group {other} already",
        "each crane in one group",
        "{found} 已在群 {other} 中",
        "每台塔机只属于一个群",
    ),
    "zone.shape": (
        "{found} of polygon, sector and polar",
        "exactly one of them",
        "polygon、sector 与 polar 给了 {found} 个",
        "恰好一个",
    ),
    "zone.number_twice": (
        "{found}, already used on line {first} by a zone of the same kind and crane",
        "a number of its own",
        "{found}，同一塔机的同类区域已在第 {first} 行使用",
        "不重复的编号",
    ),
    "power_line.clearance": (
        "{found}, for which no rule pack has a clearance",
        "a clearance beside it, as the line's owner asks",
        "{found} 在规则包中没有安全距离",
        "按线路产权单位的要求写明 clearance",
    ),
    # warnings
    "warn.crane_rails": (
        "crane {found}, which stands on rails: nothing keeps it from zones and power lines",
        "a crane with a fixed base, or eyes on it",
        "塔机 {found} 为轨道行走式：不判断其与区域、架空线路的距离",
        "固定基础的塔机，或安排人员监护",
    ),
    "warn.pit_no_limit": (
        "point {point}, for whose item {item} neither the designer nor a table gives a limit: nothing judges it",
        "the designer's control value",
        "测点 {point}（{item}）既无设计控制值也无规范限值，不做判断",
        "设计给出的控制值",
    ),
    "warn.pit_no_depth": (
        "point {point} ({item}) in a pit without a design depth: the absolute value is only an upper bound, "
        "and below it the point is unknown",
        "the pit's design depth",
        "测点 {point}（{item}）所在基坑未给出设计深度：绝对值仅作上限，低于该值时判为未知",
        "基坑设计深度",
    ),
    "warn.pit_strictest": (
        "point {point} ({item}) without a structure or a grade that the table asks for: its strictest figure counts",
        "the support structure and the pit's safety grade",
        "测点 {point}（{item}）未给出限值表所需的支护类型或安全等级，按最严值判断",
        "支护类型与基坑安全等级",
    ),
}
