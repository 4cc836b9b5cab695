"""A table as a download: CSV, or XLSX with `?format=xlsx`. Pages link to themselves with `format` added, so that a
download holds what the same filters show."""

from urllib.parse import quote

from fastapi.responses import Response
from starlette.requests import Request

from regulator.base.documents.exports import CSV_TYPE, XLSX_TYPE, Table, csv_bytes, xlsx_bytes
from regulator.base.model.refusals import RefusedError
from screens.display import language_of

FORMATS = ("csv", "xlsx")


def wanted_format(request: Request) -> str:
    """Empty for a page. Raises RefusedError 422 for a format that there is not."""
    wanted = request.query_params.get("format", "")
    if wanted and wanted not in FORMATS:
        raise RefusedError(422, "bad_format", "格式应为 csv 或 xlsx", "expected the format csv or xlsx", "format")
    return wanted


def table_answer(request: Request, table: Table) -> Response:
    """The file. Call it when `wanted_format` is not empty."""
    wanted, chinese = wanted_format(request), language_of(request) == "zh-CN"
    body = xlsx_bytes(table, chinese=chinese) if wanted == "xlsx" else csv_bytes(table, chinese=chinese)
    name = f"attachment; filename*=UTF-8''{quote(table.name)}.{wanted or 'csv'}"
    return Response(body, media_type=XLSX_TYPE if wanted == "xlsx" else CSV_TYPE, headers={"content-disposition": name})
