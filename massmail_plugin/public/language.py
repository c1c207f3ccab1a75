"""Which language a visitor reads: what the link says, then the contact's, then the browser's, then the first offered.

Pages enter; nothing is committed.
"""

from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from flask import request, url_for

from massmail_plugin.contracts import Host
from massmail_plugin.translations import Words, languages, matching, words_in

PARAMETER = "lang"


class Language(NamedTuple):
    """One language a page can be had in."""

    tag: str
    """As HTML writes it (RFC 5646)."""
    name: str
    """In the language itself."""
    address: str
    chosen: bool


def words_for(host: Host, locale: str = "") -> Words:
    """The words for this request; `locale` is the language the contact is known to read, if it is known."""
    return words_in([_asked_for(), locale, *request.accept_languages.values()], host.config)


def offered(host: Host, words: Words) -> list[Language]:
    """The languages this page can be had in."""
    return [_language(words_in([name], host.config), words) for name in languages(host.config)]


def address(host: Host, endpoint: str, **values: str) -> str:
    """`url_for` that stays in the language the visitor has chosen."""
    chosen = matching([_asked_for()], host.config)
    given: dict[str, Any] = {**values, **({PARAMETER: chosen.replace("_", "-")} if chosen else {})}
    return url_for(endpoint, **given)


def _language(words: Words, now: Words) -> Language:
    _ = words
    here, query = quote(request.script_root + request.path), {**request.args, PARAMETER: words.tag}
    return Language(words.tag, _("English"), f"{here}?{urlencode(query)}", words.language == now.language)


def _asked_for() -> str:
    """A button of a form goes before the address."""
    return request.form.get(PARAMETER) or request.args.get(PARAMETER, "")
