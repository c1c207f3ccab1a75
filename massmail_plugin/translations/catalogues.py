"""Catalogues of messages: `<language>/LC_MESSAGES/massmail.po`, ours and the host's. Speech enters; nobody commits."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Protocol

import polib

log = logging.getLogger(__name__)

SOURCE = "en"
"""The language the messages themselves are written in."""
_SHIPPED = Path(__file__).parent
_FILE = Path("LC_MESSAGES", "massmail.po")


class Wording(Protocol):
    """What the settings say about languages."""

    @property
    def translations(self) -> str:
        """Folder with catalogues of the host's own, or nothing."""

    @property
    def languages(self) -> Sequence[str]:
        """The languages it offers, its own first; empty means all that are there."""


def languages(wording: Wording) -> tuple[str, ...]:
    """The languages that are offered, such as ("en", "de", "pt_BR"); the first is for whoever wants none of them."""
    there = _there(wording.translations)
    asked = [found for name in wording.languages if (found := _first([name], there))]
    return tuple(dict.fromkeys(asked)) or (SOURCE, *(name for name in there if name != SOURCE))


def matching(wanted: Iterable[str], wording: Wording) -> str | None:
    """The first language of `wanted` that is offered, or None.

    Takes what browsers, systems and people write: de, de-AT, de_AT.UTF-8; a region that is not there gives way to its
    language.
    """
    return _first(wanted, languages(wording))


@lru_cache(maxsize=64)
def catalogue(language: str, own: str = "") -> NullTranslations:
    """Messages of one language: those in the host's folder `own`, then ours, then as they are in the source."""
    found = NullTranslations()
    for folder in (_SHIPPED, Path(own)) if own else (_SHIPPED,):
        path = folder / language / _FILE
        if path.is_file():
            read = _read(path)
            read.add_fallback(found)
            found = read
    return found


@lru_cache(maxsize=8)
def _there(own: str) -> tuple[str, ...]:
    return tuple(sorted({SOURCE, *_in(_SHIPPED), *(_in(Path(own)) if own else ())}))


def _read(path: Path) -> NullTranslations:
    """A file of the host's that cannot be read must not keep anybody from opting out."""
    try:
        return GNUTranslations(BytesIO(polib.pofile(str(path), encoding="utf-8").to_binary()))
    except (OSError, ValueError, SyntaxError):
        log.exception("The catalogue %s cannot be read", path)
        return NullTranslations()


def _in(folder: Path) -> Iterator[str]:
    return (path.parent.parent.name for path in folder.glob(f"*/{_FILE}"))


def _first(wanted: Iterable[str], there: Iterable[str]) -> str | None:
    known = {name.lower(): name for name in there}
    spellings = (spelling for name in wanted for spelling in _wider(name))
    return next((known[spelling] for spelling in spellings if spelling in known), None)


def _wider(name: str) -> Iterator[str]:
    parts = name.strip().partition(".")[0].replace("-", "_").lower().split("_")
    return ("_".join(parts[:length]) for length in range(len(parts), 0, -1))
