"""Answers of the web face in the house's shape: JSON, and errors with a code and words in two languages."""

import orjson
from fastapi.responses import Response


def json_answer(value: object, status: int = 200) -> Response:
    """A JSON answer; numpy arrays are written as lists, NaN as null."""
    body = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, status, media_type="application/json")


def error_answer(status: int, code: str, message_zh: str, message_en: str, field: str) -> Response:
    """What was wrong; `field` names the part of the request, or is empty."""
    error = {"code": code, "message_zh": message_zh, "message_en": message_en, "field": field}
    return json_answer({"error": error}, status)
