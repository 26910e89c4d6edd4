"""How the door refuses: the one JSON shape of every error, before any route is asked."""

import json
from collections.abc import Mapping

from starlette.responses import Response

__all__ = ["refusal"]


def refusal(
    status: int, sentence: str, kind: str = "Refused", headers: Mapping[str, str] | None = None
) -> Response:
    """The answer with this status and sentence."""
    body = {"error": kind, "detail": sentence, "errors": sentence, "field": None}
    return Response(json.dumps(body), status, headers, media_type="application/json")
