"""A year of a province in a desk's tables, for `bench.desk_large`: as many alarms as asked for, and what follows them.

    alarms (one row each) --> alerts (the raise), alarm_media (what a camera saw)
                          `-> review items (P1 and every fifth other) --> verdicts, ledger entries --> hazards, findings

Written with INSERT .. SELECT into the real tables, secondary indexes built afterwards. The busiest of 500 boxes has
about eight times the alarms of the calmest; the mix of alarms is that of `regulator.twins.province`. What pages never
read is left out: item bodies, envelopes, chain records (`items`, `chain_records`), and the returns among `alerts`.
Signatures and digests are random text: nothing here proves anything.
"""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Table

from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.coverage import asset_days
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.intake import alarm_media, alarms, alerts, findings
from regulator.base.records.tables.ledger import ledger_entries
from regulator.base.records.tables.review import review_items, review_verdicts
from regulator.twins.province import ALARMS, MadeProject

YEAR_NS = 365 * 86_400_000_000_000
FILLED: tuple[Table, ...] = (alarms, alerts, alarm_media, review_items, review_verdicts, ledger_entries, hazards)
Say = Callable[[str], None]


def fill(database: DeskDatabase, projects: list[MadeProject], count: int, say: Say) -> dict[str, int]:
    """Fill a founded desk on PostgreSQL; rows by table."""
    now_ns, began = time.time_ns(), time.perf_counter()
    indexes = [index for table in FILLED for index in sorted(table.indexes, key=lambda each: str(each.name))]
    with database.transaction() as db:
        for index in indexes:
            index.drop(db, checkfirst=True)
    for number, (project, some) in enumerate(_shares(projects, count), 1):
        with database.transaction() as db:
            _box(db, project, now_ns)
            _alarms(db, project, some, now_ns)
        if number % 50 == 0:
            say(f"{number} of {len(projects)} boxes filled after {time.perf_counter() - began:.0f} s")
    for index in indexes:
        with database.transaction() as db:
            db.exec_driver_sql("SET LOCAL maintenance_work_mem = '1GB'")
            index.create(db)
        say(f"{index.name} built after {time.perf_counter() - began:.0f} s")
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.exec_driver_sql("VACUUM ANALYZE")
    return counted(database)


def counted(database: DeskDatabase) -> dict[str, int]:
    """Rows by table."""
    with database.reading() as db:
        return {
            table.name: int(db.exec_driver_sql(f"SELECT count(*) FROM {table.name}").scalar() or 0)
            for table in (*FILLED, findings, asset_days)
        }


def _shares(projects: list[MadeProject], count: int) -> list[tuple[MadeProject, int]]:
    weights = [1 / (number + 70) for number in range(len(projects))]
    total = sum(weights)
    return [(project, round(count * weight / total)) for project, weight in zip(projects, weights, strict=True)]


def _box(db: Connection, project: MadeProject, now_ns: int) -> None:
    said = {"box": project.box_id, "project": project.project_code, "now": now_ns}
    db.exec_driver_sql(
        "INSERT INTO boxes (box_id, project_code, software, enrolled_at_ns, last_seen_ns, verified_sha256)"
        " VALUES (%(box)s, %(project)s, 'filled', %(now)s, %(now)s, repeat('0', 64)) ON CONFLICT DO NOTHING",
        said,
    )
    db.exec_driver_sql(
        "INSERT INTO asset_days (project_code, day, box_id, asset, minutes, good_minutes, camera, usable_minutes,"
        " judged_minutes, last_minute_ns, last_state)"
        " SELECT %(project)s, to_char(date '2026-01-01' + d, 'YYYY-MM-DD'), %(box)s, asset, 1400, 1390, camera,"
        " camera * 1380, camera * 1300, %(now)s - (365 - d) * 86400000000000,"
        " CASE camera WHEN 1 THEN 'usable' ELSE '' END"
        " FROM generate_series(0, 364) d, (VALUES ('camera-1', 1), ('camera-2', 1), ('crane-1', 0)) a(asset, camera)"
        " ON CONFLICT DO NOTHING",
        said,
    )


def _alarms(db: Connection, project: MadeProject, count: int, now_ns: int) -> None:
    said: dict[str, Any] = {"box": project.box_id, "project": project.project_code, "now": now_ns, "count": count}
    said |= {"year": YEAR_NS, "weights": sum(weight for _, weight in ALARMS), "short": project.box_id[-12:]}
    for statement in (_ALARMS, _ALERTS, _MEDIA, _ITEMS, _VERDICTS, _QUEUED, _JUDGED, _HEADS, _HAZARDS, _FINDINGS):
        db.exec_driver_sql(statement, said)


def _kinds() -> str:
    """The mix of alarms as rows: kind's weights added up, and what describes it."""
    rows, upto = [], 0
    for alarm, weight in ALARMS:
        words = (alarm.rule_id, alarm.severity, alarm.asset, alarm.asset_kind, alarm.subject, alarm.title_zh)
        more = (alarm.title_en, alarm.measured, alarm.limit, alarm.unit, alarm.clause, alarm.camera_id)
        quoted = ", ".join("'" + word.replace("'", "''").replace("%", "%%") + "'" for word in (*words, *more))
        rows.append(f"({upto}, {upto + weight}, {quoted})")
        upto += weight
    return ", ".join(rows)


_ALARMS = f"""
INSERT INTO alarms (box_id, alarm_id, project_code, rule_id, severity, subject, asset, asset_kind, title_zh, title_en,
  measured, limit_value, unit, limit_source, clause, certainty, raised_event, raised_at_ns, acknowledged_at_ns,
  returned_at_ns, active, acknowledged, accepted_at_ns, evidence_seq, evidence_sha256)
SELECT %(box)s, id, %(project)s, rule_id, severity, subject, asset, asset_kind, title_zh, title_en, measured,
  limit_value, unit, 'product_default', clause, 'PD', id || '-raised', at_ns,
  CASE WHEN seen < 0.7 THEN at_ns + 120000000000 ELSE 0 END, CASE WHEN back THEN at_ns + 600000000000 ELSE 0 END,
  CASE WHEN back THEN 0 ELSE 1 END, CASE WHEN seen < 0.7 THEN 1 ELSE 0 END, at_ns + 400000000, n, md5(id) || md5(id)
FROM (
  SELECT n, lpad(n::text, 9, '0') || '-' || %(short)s AS id, random() AS seen, floor(random() * %(weights)s) AS luck,
    %(now)s - %(year)s + ((n - random()) * (%(year)s / %(count)s))::bigint AS at_ns,
    n <= %(count)s - 3 AND random() < 0.9995 AS back
  FROM generate_series(1, %(count)s) n
) made JOIN (VALUES {_kinds()}) kind(from_luck, to_luck, rule_id, severity, asset, asset_kind, subject, title_zh,
  title_en, measured, limit_value, unit, clause, camera_id) ON luck >= from_luck AND luck < to_luck
ORDER BY n
"""
_ALERTS = """
INSERT INTO alerts (box_id, key, alarm_id, project_code, asset, subject, rule_id, severity, transition, title_zh,
  title_en, measured, limit_value, unit, observed_at_ns, accepted_at_ns)
SELECT box_id, raised_event, alarm_id, project_code, asset, subject, rule_id, severity, 'raised', title_zh, title_en,
  measured, limit_value, unit, raised_at_ns, accepted_at_ns FROM alarms WHERE box_id = %(box)s ORDER BY alarm_id
"""
_MEDIA = """
INSERT INTO alarm_media (box_id, item_key, alarm_id, event_id, kind, sha256, media_type, camera_id, started_at_ns,
  size_bytes)
SELECT box_id, 'picture-' || alarm_id, alarm_id, raised_event, 'thumbnail', evidence_sha256, 'image/jpeg', asset,
  raised_at_ns, 3600 FROM alarms WHERE box_id = %(box)s AND asset_kind = 'camera' ORDER BY alarm_id
"""
_ITEMS = """
INSERT INTO review_items (item_id, project_code, box_id, alarm_id, round, rule_id, source_id, asset_kind, severity,
  rank, aged_min, risk, risk_reasons, raised_at_ns, queued_at_ns, stage, group_key, state, verdict, false_reason,
  verdict_number, judged_by, judged_name, judged_at_ns, took_ms)
SELECT substr(md5(box_id || alarm_id), 1, 24), project_code, box_id, alarm_id, 1, rule_id, asset, asset_kind,
  severity, substr(severity, 2)::int, raised_at_ns / 60000000000, 1, 'works', raised_at_ns, accepted_at_ns,
  CASE WHEN severity = 'P1' THEN 'priority' WHEN unseen THEN 'unacknowledged' ELSE 'repeated' END,
  box_id || '|' || asset || '|' || rule_id || '|' || raised_at_ns / 3600000000000,
  CASE WHEN waits THEN 'open' ELSE 'final' END, CASE WHEN waits THEN '' WHEN luck < 0.25 THEN 'true' ELSE 'false' END,
  CASE WHEN waits OR luck < 0.25 THEN 0 ELSE 1 + floor(luck * 4)::int END, CASE WHEN waits THEN 0 ELSE 1 END,
  CASE WHEN waits THEN '' ELSE 'filled' END, CASE WHEN waits THEN '' ELSE '审核' END,
  CASE WHEN waits THEN 0 ELSE raised_at_ns + 900000000000 END, CASE WHEN waits THEN 0 ELSE 4000 END
FROM (SELECT *, random() AS luck, raised_at_ns > %(now)s - 43200000000000 AS waits,
    severity = 'P2' AND acknowledged = 0 AS unseen FROM alarms WHERE box_id = %(box)s) told
WHERE severity = 'P1' OR unseen OR random() < 0.1
"""
_VERDICTS = """
INSERT INTO review_verdicts (item_id, number, kind, verdict, false_reason, user_id, user_name, at_ns, took_ms)
SELECT item_id, 1, 'judged', verdict, false_reason, judged_by, judged_name, judged_at_ns, took_ms
FROM review_items WHERE box_id = %(box)s AND state = 'final'
"""
_ENTRY = """
INSERT INTO ledger_entries (chain, seq, sha256, prev, kind, subject, project_code, at_ns, user_id, body, alg, key_id,
  signature)
SELECT chain, seq, md5(item_id) || md5(chain), md5(chain) || md5(item_id), kind, item_id, project_code, at_ns, who,
  jsonb_build_object('chain', chain, 'seq', seq, 'prev', md5(chain) || md5(item_id), 'kind', kind, 'subject', item_id,
    'project_code', project_code, 'at_ns', at_ns, 'actor', jsonb_build_object('user_id', who, 'name', who, 'level',
    'province', 'scope', '99', 'duties', '[]'::jsonb, 'on_behalf_of', ''),
    'content', jsonb_build_object('alarm_id', alarm_id))::text,
  'Ed25519', 'ed25519:' || md5('key'), md5(item_id) || md5(chain) || md5(item_id)
FROM (
  SELECT *, 'project:' || project_code AS chain,
    head.seq + row_number() OVER (ORDER BY at_ns, item_id) AS seq
  FROM (SELECT item_id, alarm_id, project_code, {what} FROM review_items WHERE box_id = %(box)s {which}) items,
    (SELECT coalesce(max(seq), 0) AS seq FROM ledger_entries WHERE chain = 'project:' || %(project)s) head
) made(item_id, alarm_id, project_code, at_ns, kind, who, head_seq, chain, seq)
"""
_QUEUED = _ENTRY.format(what="queued_at_ns AS at_ns, 'review_queued' AS kind, 'system' AS who", which="")
_JUDGED = _ENTRY.format(
    what="judged_at_ns AS at_ns, 'review_judged' AS kind, judged_by AS who", which="AND state = 'final'"
)
_HEADS = """
INSERT INTO ledger_heads (chain, seq, sha256)
SELECT chain, seq, sha256 FROM ledger_entries WHERE chain = 'project:' || %(project)s ORDER BY seq DESC LIMIT 1
ON CONFLICT (chain) DO UPDATE SET seq = excluded.seq, sha256 = excluded.sha256
"""
_HAZARDS = """
INSERT INTO hazards (hazard_id, number, project_code, channel, kind, grade, state, title_zh, title_en, rule_id, box_id,
  alarm_id, event_key, observed_at_ns, opened_at_ns, opened_by, confirmed_at_ns, closed_at_ns, due_at_ns, round)
SELECT substr(md5('hazard' || item_id), 1, 24), 'F-' || item_id, project_code, 'device', 'hazard',
  CASE WHEN luck < 0.02 THEN 'major' ELSE 'general' END, CASE WHEN stands THEN 'rectifying' ELSE 'closed' END,
  '临边防护缺失', 'Edge protection missing', rule_id, box_id, alarm_id, box_id || '/' || alarm_id, raised_at_ns,
  judged_at_ns, judged_by, judged_at_ns, CASE WHEN stands THEN 0 ELSE judged_at_ns + 172800000000000 END,
  judged_at_ns + 259200000000000, 1
FROM (SELECT *, random() AS luck, judged_at_ns > %(now)s - 259200000000000 AS stands FROM review_items
  WHERE box_id = %(box)s AND verdict = 'true' AND random() < 0.2) judged
"""
_FINDINGS = """
INSERT INTO findings (finding_id, kind, project_code, box_id, subject, words_zh, words_en, opened_at_ns, closed_at_ns,
  closed_because)
SELECT md5('finding' || box_id || n), 'silent_box', %(project)s, %(box)s, %(box)s || '#' || n,
  '设备超过 30 分钟没有任何消息', 'the box has not been heard for more than 30 min', %(now)s - n * 800000000000000,
  CASE WHEN n = 1 THEN 0 ELSE %(now)s - n * 800000000000000 + 3600000000000 END, 'filled'
FROM generate_series(1, 40) n, (SELECT %(box)s AS box_id) b
"""
