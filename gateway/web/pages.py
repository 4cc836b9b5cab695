"""What every page of the box needs: its templates, the visitor's language and theme, forms that nobody forged.

In: the view over the box and a request. Out: HTML answers, checked form values, refusals as a page or as JSON. A page
module adds its own routes and templates and knows nothing of cookies.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fastapi.responses import Response
from starlette.requests import Request

from gateway.web.read_model import BoxView
from gateway.web.visitor import RefusedError, Role, visitor_of
from kit.web.guarding import fits
from kit.web.shell import FORGED, Shell

FOLDER: Final = Path(__file__).parent
NAV: Final = (
    ("/", "Site", Role.VIEWER),
    ("/alarms", "Alarms", Role.VIEWER),
    ("/cameras", "Cameras", Role.VIEWER),
    ("/curves", "Curves", Role.VIEWER),
    ("/orders", "Orders", Role.VIEWER),
    ("/permits", "Permits and warnings", Role.VIEWER),
    ("/health", "Health", Role.VIEWER),
    ("/figures", "Figures", Role.VIEWER),
    ("/log", "Safety log", Role.VIEWER),
    ("/handover", "Shift handover", Role.VIEWER),
)
"""Path, text, role. A page appears once its route exists."""


class Pages(Shell):
    """Renders the box's pages. `clock` is the view's."""

    def __init__(self, view: BoxView) -> None:
        self.view = view
        super().__init__(FOLDER, "site", "refused.html")

    def now_ns(self) -> int:
        """UTC, ns."""
        return self.view.parts.clock.now_ns()

    async def form(self, request: Request) -> Mapping[str, str]:
        """The form's values, each once, after the check that this visitor's page made it. Raises RefusedError."""
        values = await request.form()
        fields = {name: value for name, value in values.items() if isinstance(value, str)}
        if not fits(fields.get("csrf", ""), visitor_of(request).csrf):
            raise RefusedError(403, "forged_form", *FORGED, "csrf")
        return fields

    async def refuse(self, request: Request, refused: RefusedError) -> Response:
        """See `Shell.refuse`; a browser asks for the box's token by itself."""
        answer = await super().refuse(request, refused)
        if refused.code == "token_needed":
            answer.headers["www-authenticate"] = 'Basic realm="Sitewarden"'
        return answer

    async def led_on(self, request: Request, refused: RefusedError) -> Response | None:
        """See `Shell.led_on`."""
        return await self.ask_login(request) if refused.status == 401 and refused.code != "token_needed" else None

    def known(self, request: Request) -> dict[str, object]:
        """See `Shell.known`."""
        parts = self.view.parts
        return super().known(request) | {
            "visitor": visitor_of(request),
            "Role": Role,
            "nav": NAV,
            "page_paths": {getattr(route, "path", "") for route in request.app.routes},
            "site_zh": parts.site_zh,
            "site_en": parts.site_en,
            "box_id": parts.box_id,
            "config_digest": parts.config.digest,
        }
