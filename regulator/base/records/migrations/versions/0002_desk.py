"""The desk's first schema: what a desk of 1.2.0 has. A desk of 1.1.0 or before is brought to 1.2.0 first.

A line is a table with its columns, in order; indented lines go on, or say what else belongs to it. After a name stands
what the column is:

    name*     text, part of the primary key          name!    text, without default
    name*#    whole number, part of the key          name     text, empty by default
    name#     whole number of 64 bits, 0 by default  name=x   text, `x` by default
    name%     whole number of 32 bits, 0 by default  name?    text or nothing
    name~     bytes
"""

import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
accident_follow_ups: hazard_id* item* project_code! words done_by done_at_ns#
accident_receipts: hazard_id* target* number*# project_code! receipt_number! sha256 submitted_at_ns# recorded_by!
    recorded_at_ns# ledger_seq#
accounts: user_id* login! name! password_hash must_change% home_level! home_code made_at_ns# disabled_at_ns#
  once login
alarm_media: box_id* item_key* alarm_id event_id! kind! sha256! media_type camera_id started_at_ns# duration_ms#
    size_bytes#
  index ix_alarm_media_of_alarm: box_id, alarm_id
  index ix_alarm_media_of_event: box_id, event_id
alarms: box_id* alarm_id* project_code! rule_id! severity! subject asset asset_kind title_zh title_en measured?
    limit_value? unit limit_source clause certainty suspected% hazard_code hazard_edition other_code other_edition
    raised_event raised_at_ns# acknowledged_at_ns# returned_at_ns# handed_over_at_ns# active% acknowledged%
    accepted_at_ns# late% evidence_seq# evidence_sha256
  index ix_alarms_by_arrival: accepted_at_ns
  index ix_alarms_of_project: project_code, raised_at_ns
  index ix_alarms_active: project_code where active = 1
  index ix_alarms_at_place: box_id, rule_id, raised_at_ns
  index ix_alarms_unacknowledged: severity, accepted_at_ns where acknowledged = 0
alerts: box_id* key* alarm_id! project_code! asset subject rule_id! severity! transition! title_zh title_en
    measured? limit_value? unit suspected% late% user_name reason observed_at_ns# accepted_at_ns#
  index ix_alerts_by_arrival: accepted_at_ns
  index ix_alerts_of_alarm: box_id, alarm_id
anchors: box_id* number*# project_code! seq# sha256! head_seq# head_sha256 at_ns# ledger_chain! ledger_seq#
asset_days: project_code* day* box_id* asset* minutes# good_minutes# camera% usable_minutes# last_minute_ns#
    last_state
  index ix_asset_days_by_day: day
blobs: sha256* size_bytes# media_type box_id completed_at_ns#
box_counters: box_id* name* count#
box_keys: box_id* key_id* alg! public_text! added_at_ns# retired_at_ns#
  index ix_box_keys_by_key: key_id
box_state_changes: box_id* heard_at_ns*# body! sha256!
box_states: box_id* body! sha256! changed_at_ns# heard_at_ns#
boxes: box_id* project_code! software enrolled_at_ns# last_seen_ns# seq_highest# seq_bits=0 verified_seq#
    verified_sha256! chain_fault gap_since_ns# head_seq# head_sha256 head_at_ns# counters={} clock_offset_ns#
    clock_heard_at_ns#
  index ix_boxes_by_project: project_code
calendar_marks: entry_id* due_on* level* scope_code* words! done_by! done_at_ns# late%
camera_stills: project_code* camera_id* sha256! media_type! box_id! item_key! captured_at_ns#
chain_records: box_id* seq*# sha256* prev! envelope_seq# record! accepted_at_ns#
check_ins: check_in_id* project_code! day! role! person at_ns# box_id recorded_by! recorded_at_ns# evidence_seq#
  index ix_check_ins_by_day: project_code, day, role
codes: code_sha256* box_id issued_at_ns# used_by used_key_id used_at_ns#
coverage_days: day* project_code* member% reached! steps! frozen_at_ns#
  index ix_coverage_days_by_project: project_code, day
dangerous_works: project_code* work_code* type! name! over_scale% stage=planned from_day to_day registered_at_ns#
  index ix_dangerous_works_by_day: from_day
delegations: delegation_id* grant_id! from_user! to_user! reason! from_ns# until_ns# made_at_ns# ended_at_ns#
  index ix_delegations_by_giver: from_user
  index ix_delegations_by_user: to_user, until_ns
desk_key_tellings: key_id* box_id* message_id! told_at_ns#
desk_keys: key_id* alg! public_text! announced_at_ns# used_from_ns# retired_at_ns#
devices: project_code* device_code* kind! name! firm_code serial registration asset status=active registered_at_ns#
    ended_at_ns#
  index ix_devices_by_firm: firm_code
docking_lanes: platform* lease_by lease_until_ns# due_at_ns# failures# trouble trouble_since_ns# accepted_at_ns#
docking_outbox: platform* key* kind! project_code! box_id! alarm_id! body! state=waiting attempts# words
    queued_at_ns# due_at_ns# tried_at_ns# settled_at_ns#
  index ix_docking_outbox_lane: state, platform, queued_at_ns
  index ix_docking_outbox_project: project_code, state
document_numbers: kind* region_code* year*# last#
documents: number* request_key! kind! region_code! year# seq# project_code! subject title! body! digest!
    html_sha256! pdf_sha256! issued_by! issuer_name! issued_at_ns# ledger_seq#
  once kind, region_code, year, seq
  once request_key
  index ix_documents_by_project: project_code, issued_at_ns
  index ix_documents_by_subject: subject, issued_at_ns
  index ix_documents_by_time: issued_at_ns
draw_conflicts: conflict_id* user_id! project_code firm_code words! declared_by! declared_at_ns# ended_by
    ended_at_ns#
  index ix_draw_conflicts_by_user: user_id
draw_projects: draw_id* project_code* band! weight# place# inspectors=[]
  index ix_draw_projects_by_project: project_code
draws: draw_id* name! level! scope_code on_day! state=frozen pool! pool_sha256! nonce! nonce_sha256! frozen_by!
    frozen_at_ns# public_value public_source public_at_ns# seed result result_sha256 drawn_by drawn_at_ns#
    revealed_at_ns# revealed_by round_id redraw_of redraw_reason
  index ix_draws_by_day: on_day
findings: finding_id* kind! project_code box_id subject! words_zh! words_en! opened_at_ns# closed_at_ns#
    closed_because
  index ix_findings_of_project: project_code, opened_at_ns
  unique uq_findings_open: kind, subject where closed_at_ns = 0
firms: firm_code* name! kind status=active
grants: grant_id* user_id! level! scope_code duties! proposed_by! proposed_at_ns# decided_by approved_at_ns#
    rejected_at_ns# revoked_at_ns# revoked_by
  index ix_grants_by_user: user_id
guarantors: project_code* work_code* role* name! user_id named_by! since_ns#
handed_packages: hazard_id* project_code! sha256! size_bytes# name made_at_ns#
hazard_analogies: hazard_id* project_code* source_project! firm_code works_type! created_at_ns# due_at_ns# result
    words found_hazard_id done_by done_at_ns#
  index ix_hazard_analogies_by_project: project_code, done_at_ns
hazard_deadlines: deadline_id* hazard_id! project_code! what! level started_at_ns# due_at_ns# rule_id! pack!
    rule_zh! rule_en! clause certainty predecessor overdue_at_ns# ended_at_ns# outcome
  index ix_hazard_deadlines_due: ended_at_ns, due_at_ns
  index ix_hazard_deadlines_of: hazard_id, ended_at_ns
hazard_evidence: hazard_id* number*# sha256! media_type kind! name size_bytes# round# added_by! persons=[]
    added_at_ns# ledger_seq#
  once hazard_id, sha256
  index ix_hazard_evidence_by_digest: sha256
hazard_holders: hazard_id* number*# project_code! level! since_ns# reason
hazard_notices: hazard_id* user_id* project_code! user_name! because! told_at_ns# read_at_ns#
  index ix_hazard_notices_by_user: user_id, read_at_ns
hazard_orders: order_id* number! hazard_id! project_code! box_id kind! words legal_basis! severity deadline_at_ns#
    rule_zh rule_en issued_by! issued_level issued_at_ns# message_id document_id seen_at_ns#
  index ix_hazard_orders_by_number: number
  index ix_hazard_orders_of: hazard_id, issued_at_ns
hazard_replies: reply_id* order_id hazard_id! project_code! answer! words user_id! persons=[] outcome
    answered_at_ns# kept_at_ns#
  index ix_hazard_replies_of: hazard_id, kept_at_ns
hazard_requests: request_id* hazard_id! project_code! kind! words deadline_id proposed_due_at_ns# asked_by!
    asked_persons=[] asked_at_ns# decided_by decided_at_ns# outcome
  index ix_hazard_requests_of: hazard_id, decided_at_ns
hazard_sections: hazard_id* section* project_code! words evidence_sha256 written_by written_persons=[]
    written_at_ns# signed_by signed_at_ns#
hazard_warnings: deadline_id* name* project_code! at_ns# given_at_ns#
  index ix_hazard_warnings_due: given_at_ns, at_ns
hazards: hazard_id* number project_code! channel! kind! grade! state! title_zh! title_en words place_id rule_id
    box_id alarm_id event_key! catalogue_code catalogue_edition other_code other_edition works_type observed_at_ns#
    opened_at_ns# opened_by back_dated% back_date_reason confirmed_at_ns# confirmed_by=[] ordered_at_ns#
    closed_at_ns# due_at_ns# listed_level listed_at_ns# stopped_at_ns# resumed_at_ns# disputed_at_ns#
    handed_over_at_ns# extensions# round# held_by_level=county held_since_ns#
  once event_key
  index ix_hazards_by_alarm: box_id, alarm_id
  index ix_hazards_by_project: project_code, state
  index ix_hazards_by_state: state, due_at_ns
import_lines: import_id* number*# sheet row# state! cells=[] faults=[]
imports: import_id* kind! file_name! sha256! state=preview user_id! made_at_ns# committed_at_ns# good# bad#
  index ix_imports_by_time: made_at_ns
items: box_id* key* kind! seq# late% sent_at_ns# accepted_at_ns# body! body_sha256! envelope! envelope_signature!
    receipt!
  index ix_items_by_arrival: kind, accepted_at_ns
  index ix_items_of_box: box_id, kind, accepted_at_ns
kept_aside: aside_id* at_ns# box_id address code! field expected size_bytes# sha256! content_base64! signature
  index ix_kept_aside_by_box: box_id, at_ns
key_risk_checks: check_id* level! code! project_code on_day! words inspector! at_ns#
  index ix_key_risk_checks_by_code: level, code, on_day
key_risk_reports: level* code* month* figures! words! submitted_by! submitted_name! submitted_at_ns#
key_risks: entry_id* level! code! ground! words from_day! until_day entered_by! entered_at_ns# report_sha256
    exit_words exit_proposer exit_proposer_for exit_approver exit_at_ns#
  index ix_key_risks_by_code: level, code, until_day
ledger_entries: chain* seq*# sha256! prev! kind! subject project_code at_ns# user_id body! alg! key_id! signature!
  index ix_ledger_by_kind: kind, at_ns
  index ix_ledger_by_project: project_code, at_ns
  index ix_ledger_by_subject: subject, at_ns
  index ix_ledger_by_user: user_id, at_ns
  index ix_ledger_by_time: at_ns, chain, seq
ledger_heads: chain* seq# sha256!
live_parts: request_id* number*# begins% at_ns# body~
live_sessions: request_id* project_code! box_id! camera_id! message_id state=asked reason words asked_at_ns#
    until_ns# answered_at_ns# first_part_at_ns# last_part_at_ns# last_number# ended_at_ns#
  index ix_live_sessions_open: ended_at_ns, box_id
live_viewers: viewer_id* request_id! project_code! user_id! session_id! actor={} reason asked_at_ns# lease_until_ns#
    began_at_ns# ended_at_ns#
  index ix_live_viewers_of: request_id, ended_at_ns
  index ix_live_viewers_open: ended_at_ns, lease_until_ns
login_tries: who* failed# last_ns# free_at_ns#
mailbox: box_id* mailbox_seq*# message_id! kind! signed! issued_at_ns# acknowledged_at_ns# outcome
  index ix_mailbox_waiting: box_id, mailbox_seq where acknowledged_at_ns = 0
  unique uq_mailbox_message: message_id
media_views: session_id* sha256* written_at_ns#
pack_offers: offer_id* sha256! name! box_id! project_code! withdrawn% reason offered_by! offered_name offered_at_ns#
    message_id! outcome words_zh words_en answered_by answered_at_ns# heard_at_ns# evidence_seq#
  index ix_pack_offers_of_box: box_id, offered_at_ns
  index ix_pack_offers_of_pack: sha256, offered_at_ns
project_firms: project_code* firm_code* role* status=active
  index ix_project_firms_by_firm: firm_code
projects: project_code* name! province_code city_code county_code category=other stage dangerous_works=[]
    status=registered started_on finished_on stopped_since address registered_at_ns#
  index ix_projects_by_city: city_code, county_code
  index ix_projects_by_county: county_code
regions: code* name! level! parent status=active
reports: number* kind! period! level! region_code edition# state=draft replaces reason body! digest! html_sha256
    pdf_sha256 drafted_by! drafted_at_ns# issued_by issuer_name issued_at_ns# ledger_seq#
  once kind, period, level, region_code, edition
  index ix_reports_by_period: period, level, region_code
  index ix_reports_by_region: level, region_code, period
review_acknowledgements: item_id* user_id* project_code! user_name! at_ns#
review_items: item_id* project_code! box_id! alarm_id! round# rule_id source_id asset_kind severity! rank# aged_min#
    risk# risk_reasons raised_at_ns# queued_at_ns# stage! group_key! sampled% state=open verdict false_reason#
    verdict_number# judged_by judged_for judged_name judged_at_ns# took_ms# bulk% sheet_id hazard_id barred_user
    barred_for lease_by lease_name lease_since_ns# lease_until_ns#
  once box_id, alarm_id, round
  index ix_review_items_queue: state, rank, aged_min, risk DESC, item_id
  index ix_review_items_group: group_key, state
  index ix_review_items_judged: state, judged_at_ns
  index ix_review_items_project: project_code, queued_at_ns
  index ix_review_items_lately: judged_at_ns DESC, item_id
review_pictures: box_id* alarm_id* sha256* media_class place# media_type width_px# height_px# captured_at_ns#
    duration_ms# boxes=[] versions={} record_seq#
review_secrets: name* value!
review_seen: item_id* user_id* first_at_ns#
review_sheets: sheet_id* user_id! project_code! group_key! item_ids=[] rendered_at_ns#
review_shelves: item_id* number*# project_code! reason! user_id! user_name! at_ns# until_ns# ended_at_ns# ended_by
  index ix_review_shelves_until: until_ns
review_site_checks: item_id* project_code! asked_by asked_name words asked_at_ns# outcome found_words done_by
    done_name done_at_ns# hazard_id
  index ix_review_site_checks_open: outcome, asked_at_ns
review_verdicts: item_id* number*# kind! verdict false_reason# words user_id user_name actor={} at_ns# took_ms#
    bulk% sheet_id ledger_seq#
risk_dirty: project_code* since_ns#
risk_events: event_id* kind! firm_code project_code on_day! points# words source user_id! at_ns#
  index ix_risk_events_by_day: on_day
risk_latest: project_code* scored_at_ns# score# band! reasons=[] factors=[] version! day!
  index ix_risk_latest_by_score: score
risk_scores: project_code* scored_at_ns*# score# band! reasons=[] factors=[] version! day!
  index ix_risk_scores_by_day: day
round_checks: check_id* round_id level! firm_code project_code device_code sheet! outcome! answers=[] words
    inspector! checked_at_ns#
  index ix_round_checks_by_firm: firm_code, checked_at_ns
  index ix_round_checks_by_project: project_code, checked_at_ns
round_items: round_id* level* firm_code* project_code* device_code* sheet* check_id checked_at_ns# dropped
  index ix_round_items_by_project: round_id, project_code
round_targets: round_id* project_code*
  index ix_round_targets_by_project: project_code
rounds: round_id* name! level! scope_code starts_on! due_on! state=open opened_by! opened_at_ns# closed_by
    closed_at_ns#
  index ix_rounds_by_due: state, due_on
rule_packs: sha256* name! title_zh title_en note files! characters# level! scope_code added_by! added_name
    added_at_ns#
  index ix_rule_packs_by_name: name, added_at_ns
safety_log_flags: project_code* day* ground! flagged_at_ns# came_at_ns#
  index ix_safety_log_flags_by_day: day
safety_logs: project_code* day* box_id* sha256! words signed_by! signed_at_ns# kept_at_ns# evidence_seq#
  index ix_safety_logs_by_day: day
sessions: token_sha256* session_id! user_id! seat made_at_ns# seen_at_ns# ended_at_ns# address agent
  index ix_sessions_by_user: user_id, made_at_ns
set_books: set_code*
set_memberships: membership_id* set_code! project_code! city_code category! category_reason from_day! until_day
    added_by! removed_by
  index ix_set_memberships_by_day: set_code, from_day
  index ix_set_memberships_by_project: project_code, from_day
set_proposals: proposal_id* set_code! action! project_code! category category_reason effective_day! reason!
    ground=manual state=proposed proposer! proposer_for proposed_at_ns# decider decider_for decision decided_at_ns#
    batch
  index ix_set_proposals_by_batch: batch
  index ix_set_proposals_by_project: project_code, proposed_at_ns
  index ix_set_proposals_by_state: set_code, state, proposed_at_ns
sign_ons: state_sha256* nonce! verifier! browser_sha256! going_on made_at_ns#
site_deliveries: notice_id* version*# project_code* box_id* message_id posted_at_ns# acknowledged_at_ns#
    acknowledged_by acknowledged_words evidence_seq#
  index ix_site_deliveries_by_box: box_id, notice_id
site_notices: notice_id* version*# kind! body! target_level! target_code withdrawn% reason entered_by!
    entered_at_ns# valid_until_ns#
  index ix_site_notices_by_end: valid_until_ns
statistics_alarm_days: day* project_code* p1# p2# p3# p1_waiting# p2_waiting# p3_waiting# p1_late# peak#
    flood_windows# busy_windows# fleeting# chattering# tags={} delays={}
  index ix_statistics_alarm_days_by_project: project_code, day
statistics_books: name* read_up_to_ns#
statistics_dirty: day* project_code*
statistics_long_alarms: box_id* alarm_id* day! project_code! raised_at_ns# returned_at_ns#
  index ix_statistics_long_alarms_by_day: day, project_code
  index ix_statistics_long_alarms_by_project: project_code, raised_at_ns
statistics_silencing: box_id* record_seq*# project_code! subject! how! silenced% reason at_ns# until_ns#
  index ix_statistics_silencing_by_project: project_code, at_ns
  index ix_statistics_silencing_by_subject: box_id, subject, how, record_seq
theme_checks: check_id* theme_id! project_code! on_day! outcome! words inspector! at_ns#
  index ix_theme_checks_of: theme_id, project_code
themes: theme_id* month! level! scope_code topic name! category works_type band target_percent# made_by! made_at_ns#
  once month, level, scope_code
  index ix_themes_by_month: month
wall_heads: name* seq# looked_at_ns#
wall_stills: project_code* camera_id* box_id! asset sha256! media_type! width_px# height_px# captured_at_ns#
    received_at_ns# body~
wall_tiles: project_code* seq# made_at_ns# day worst# unacknowledged% active# alarms_today# hazards# overdue#
    link=none score# band=unknown rung rung_unknown%
  index ix_wall_tiles_by_seq: seq
work_watches: project_code* work_code* device_code* since_ns# until_ns#
"""
KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "": (sa.Text, {"server_default": ""}),
    "!": (sa.Text, {}),
    "?": (sa.Text, {"nullable": True}),
    "*": (sa.Text, {"primary_key": True}),
    "*#": (sa.BigInteger, {"primary_key": True, "autoincrement": False}),
    "#": (sa.BigInteger, {"server_default": "0"}),
    "%": (sa.Integer, {"server_default": "0"}),
    "~": (sa.LargeBinary, {}),
}
_COLUMN = re.compile(r"(\w+)(?:=(.+)|([!?*#%~]*))")
_INDEX = re.compile(r"  (unique|index) (\w+): (.+?)(?: where (.+))?")


def upgrade() -> None:
    """Apply."""
    for line, more in _described():
        table, columns = line.split(": ", 1)
        once = [each.removeprefix("  once ").split(", ") for each in more if each.startswith("  once ")]
        unique = [sa.UniqueConstraint(*names, name=op.f(f"uq_{table}_{'_'.join(names)}")) for names in once]
        made = [_column(word) for word in columns.split()]
        keys = [column.name for column in made if column.primary_key]
        op.create_table(table, *made, sa.PrimaryKeyConstraint(*keys, name=op.f(f"pk_{table}")), *unique)
        for found in filter(None, map(_INDEX.fullmatch, more)):
            kind, name, names, where = found.groups()
            only = sa.text(where) if where else None
            columns_of = [sa.text(each) if " " in each else each for each in names.split(", ")]
            op.create_index(name, table, columns_of, unique=kind == "unique", sqlite_where=only, postgresql_where=only)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE live_parts SET UNLOGGED")  # what passes through is in no log and no backup made of one


def _described() -> Iterator[tuple[str, list[str]]]:
    """Each table's line, whole, and the indented lines that say what belongs to it."""
    for block in re.split(r"\n(?! )", TABLES.strip()):
        line, *more = block.replace("\n    ", " ").split("\n")
        yield line, more


def _column(word: str) -> "sa.Column[Any]":
    found = _COLUMN.fullmatch(word)
    assert found is not None, word
    name, default, mark = found.groups()
    kind, how = KINDS[mark or ""]
    return sa.Column(name, kind(), **{"nullable": False} | how | ({"server_default": default} if default else {}))
