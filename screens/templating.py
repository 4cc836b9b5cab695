"""The template environment of a web face: autoescaped, strict about names, in the page's language.

In: template folders, a catalogue, the browser's files. Out: HTML. Templates hold no visible text outside `_()`.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.bccache import Bucket
from jinja2.runtime import Context

from screens.catalogue import Catalogue, Language
from screens.citing import CERTAINTIES, certainty_text, clause_text, item_text
from screens.formats import age_parts, local_day, local_day_time, local_time, number, short_decimal, unit_sign
from screens.static_files import StaticFiles

FOLDER: Final = Path(__file__).parent
TEMPLATES: Final = FOLDER / "templates"
STATIC: Final = FOLDER / "static"


class _Compiled(BytecodeCache):
    """What templates were compiled to in this process, by their text: its other faces need not compile them again."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket when its template is known and still has the same text."""
        if (known := self._kept.get(bucket.key)) is not None:
            bucket.bytecode_from_string(known)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED: Final = _Compiled()


def page_environment(templates: Sequence[Path], catalogue: Catalogue, files: StaticFiles) -> Environment:
    """An environment that looks into `templates` first, then into the shared ones. A page gives `language`."""
    environment = Environment(
        loader=FileSystemLoader([*templates, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=_COMPILED,
    )
    environment.globals |= {
        "_": _text(catalogue),
        "ngettext": _plural(catalogue),
        "static": files.url,
        "certainties": CERTAINTIES,
        "text_of": pass_context(lambda context, zh, en: zh if _language(context) == "zh-CN" else en),
    }
    environment.filters |= {
        "number": number,
        "short_decimal": short_decimal,
        "unit_sign": unit_sign,
        "local_time": local_time,
        "local_day_time": local_day_time,
        "local_day": local_day,
        "age": _age(catalogue),
        "certainty": _cited(certainty_text),
        "clause": _cited(clause_text),
        "criteria_item": _cited(item_text),
    }
    return environment


def paper_environment(folder: Path) -> Environment:
    """An environment for papers that stand alone: autoescaped, strict about names, in one language."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _language(context: Context) -> Language:
    language: Language = context["language"]
    return language


def _cited(words: Callable[[Language, str], str]) -> Callable[..., str]:
    return pass_context(lambda context, text: words(_language(context), text))


def _text(catalogue: Catalogue) -> Callable[..., str]:
    @pass_context
    def text(context: Context, msgid: str, **values: object) -> str:
        found = catalogue.text(_language(context), msgid)
        return found % values if values else found

    return text


def _plural(catalogue: Catalogue) -> Callable[..., str]:
    @pass_context
    def plural(context: Context, one: str, many: str, count: int, **values: object) -> str:
        return catalogue.plural(_language(context), one, many, count) % ({"num": count} | values)

    return plural


def _age(catalogue: Catalogue) -> Callable[..., str]:
    @pass_context
    def age(context: Context, age_s: float | None) -> str:
        """An age in words; a dash when nothing was ever heard."""
        if age_s is None or math.isnan(age_s):
            return "–"
        language = _language(context)
        return " ".join(f"{count} {catalogue.text(language, unit)}" for count, unit in age_parts(age_s))

    return age
