"""A document as one self-contained HTML page: no script, nothing fetched. In: a `Paper`. Out: UTF-8 bytes."""

import base64
import hashlib
import re
from pathlib import Path

from regulator.base.documents.check_code import check_code
from regulator.base.documents.paper import Paper
from screens.templating import paper_environment

FOLDER = Path(__file__).parent
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_ENVIRONMENT = paper_environment(FOLDER)


def paper_html(paper: Paper) -> bytes:
    """The page as HTML, encoded as UTF-8."""
    code = check_code(paper.check_address).svg_data_uri(scale=3, border=2)
    return _ENVIRONMENT.get_template("paper.html").render(paper=paper, code=code).encode()


def paper_policy(page: bytes) -> str:
    """The Content-Security-Policy of a stored page: its own style by its digest, its picture, and nothing else."""
    found = _STYLE.search(page.decode(errors="replace"))
    digest = base64.b64encode(hashlib.sha256((found[1] if found else "").encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )
