"""The configuration: YAML files become frozen settings, or every fault at once with file, line and key.

In: a site file, the device tables and rule packs it names, and what drivers, uplinks and kinds of assets hand in. Out:
`Settings`, JSON Schema for editors, and the text of a check. Knows no driver, uplink and kind by name, and opens
nothing but configuration files and the secrets' files (only to say that one is missing).
"""

from gateway.settings.json_schema import rule_pack_schema, site_schema, table_schema
from gateway.settings.kind import AssetKind
from gateway.settings.library import config_root
from gateway.settings.loading import load
from gateway.settings.report import check_report
from gateway.settings.schema import (
    BoxSettings,
    HistorySettings,
    MediaSettings,
    SiteSettings,
    StorageSettings,
    WebSettings,
)
from gateway.settings.settings import BoundUplink, Settings
from gateway.settings.site_file import AssetSettings
from gateway.settings.wording import fault_text

__all__ = [
    "AssetKind",
    "AssetSettings",
    "BoundUplink",
    "BoxSettings",
    "HistorySettings",
    "MediaSettings",
    "Settings",
    "SiteSettings",
    "StorageSettings",
    "WebSettings",
    "check_report",
    "config_root",
    "fault_text",
    "load",
    "rule_pack_schema",
    "site_schema",
    "table_schema",
]
