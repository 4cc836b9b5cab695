"""What the demo says on the terminal: who may log in, a tour of five steps, why it ends; in both languages."""

from pathlib import Path

from sitewarden.demo.run import LIVE_PROJECT, SITE_PEOPLE, DemoPlaces, Person

_SCOPES = {
    "province": ("省", "province"),
    "city": ("市", "city"),
    "county": ("县", "county"),
    "firm": ("企业", "firm"),
    "project": ("项目", "project"),
    "site": ("现场", "site"),
}
_DUTIES = {
    "viewer": ("查看", "viewer"),
    "inspector": ("检查", "inspector"),
    "reviewer": ("研判", "reviewer"),
    "approver": ("审批", "approver"),
    "administrator": ("管理", "administrator"),
    "auditor": ("审计", "auditor"),
    "responder": ("整改答复", "responder"),
    "safety_officer": ("安全员", "safety officer"),
}


_NO_FACTOR_ZH = "演示中登录无需两步验证；实际使用时管理员和审批人员须启用。"
_NO_FACTOR_EN = "No login here needs a second factor; in use administrators and approvers need one."


def logins_text(places: DemoPlaces) -> str:
    """Everybody who may log in, a line each."""
    lines = [f"审查台登录 logins of the review desk ({places.desk_url}/): 登录名 login, 密码 password, 何人 who"]
    lines += [_line(person) for person in places.people.values()]
    lines += [f"现场页登录 logins of the site page ({places.site_url}/; 查看无需登录 to look needs none):"]
    lines += [_line(person) for person in SITE_PEOPLE]
    lines += [f"{_NO_FACTOR_ZH} {_NO_FACTOR_EN}"]
    return "\n".join(lines)


def _line(person: Person) -> str:
    scope_zh, scope_en = _SCOPES[person.scope]
    zh = "、".join(_DUTIES[duty][0] for duty in person.duties)
    en = ", ".join(_DUTIES[duty][1] for duty in person.duties)
    return f"    {person.login:<10} {person.password:<24} {person.name}（{scope_zh}·{zh}） {scope_en}: {en}"


def too_large_text(folder: Path, max_gib: float) -> str:
    """Why a run ended that nobody ended."""
    return (
        f"示范数据超过 {max_gib:g} GiB，示范结束。数据在 {folder}，用 --max-gib 可放宽。\n"
        f"The run's folder {folder} holds more than {max_gib:g} GiB: the demo ends. --max-gib allows more."
    )


def tour_text(places: DemoPlaces) -> str:
    """Five steps from an alarm to a verified package."""
    site, desk = places.site_url, places.desk_url
    return f"""五步看完一条报警 one alarm in five steps:
  1 看现场 {site}/ ；以 xianjia 登录审查台，在 {desk}/projects/{LIVE_PROJECT} 请求实时视频。
    Watch the site page; log in at the desk as xianjia and ask for live video on the project's page.
  2 研判 {desk}/review ：选“人员位于无防护临边”，看图片和曲线，按 D（属实并下达整改）。
    Review: choose "Person at an unprotected edge", look at picture and curve, press D (true, and order).
  3 在隐患页“下达整改”；整改通知单到现场页 {site}/orders ，以 anquan 登录，答复并附照片。
    Order it on the hazard's page; the order comes to the site page under Orders: log in as anquan, answer with a photo.
  4 以 xianyi 登录，复查并附照片，销号。
    Log in as xianyi, recheck with a photo, close.
  5 在隐患页下载证据包，解压后运行 python3 verify.py . 密钥指纹 （指纹见 {desk}/verify ）。
    Download the evidence package on the hazard's page, unpack it, run python3 verify.py . KEY_ID inside; the key's
    fingerprint stands on {desk}/verify."""
