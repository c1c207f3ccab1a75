"""One language in use: messages with values filled in, dates, names in a row. Pages and mails enter; nobody commits."""

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from gettext import NullTranslations

from massmail_plugin.translations.catalogues import Wording, catalogue, languages, matching

log = logging.getLogger(__name__)


def words_in(wanted: Sequence[str], wording: Wording) -> "Words":
    """The words of the first of these languages that is offered, else of the first one that is.

    `wording` are the settings, `host.config`.
    """
    language = matching(wanted, wording) or languages(wording)[0]
    return Words(language, catalogue(language, wording.translations))


class Words:
    """The messages of one language. Templates call it `_`, as tools that gather messages expect.

    What comes back is plain text: a page has to escape it.
    """

    def __init__(self, language: str, messages: NullTranslations) -> None:
        self.language = language
        self._messages = messages

    @property
    def tag(self) -> str:
        """The language as HTML and HTTP write it (RFC 5646): de, pt-BR."""
        return self.language.replace("_", "-")

    def __call__(self, message: str, /, **values: object) -> str:
        """`message` in this language, with `%(name)s` filled in."""
        return _filled(self._messages.gettext(message), message, values)

    def plural(self, one: str, many: str, number: int, /, **values: object) -> str:
        """The form for `number`, which both messages may print as `%(number)s`."""
        source = one if number == 1 else many
        return _filled(self._messages.ngettext(one, many, number), source, {"number": number, **values})

    def date(self, day: date) -> str:
        """As it is written out: 23 May 2027."""
        _ = self
        months = (
            *(_("January"), _("February"), _("March"), _("April"), _("May"), _("June")),
            *(_("July"), _("August"), _("September"), _("October"), _("November"), _("December")),
        )
        values = {"month": months[day.month - 1], "year": day.year}
        if day.day == 1:
            return _("1 %(month)s %(year)s", **values)
        return _("%(day)s %(month)s %(year)s", day=day.day, **values)

    def named(self, names: Sequence[str]) -> str:
        """Names in quotation marks, one after the other: “News”, “Offers” and “Events”."""
        _ = self
        quoted = [_("“%(name)s”", name=name) for name in names]
        said = quoted[0] if quoted else ""
        for place, name in enumerate(quoted[1:], 2):
            if place < len(quoted):
                said = _("%(names)s, %(name)s", names=said, name=name)
            else:
                said = _("%(names)s and %(name)s", names=said, name=name)
        return said


def _filled(text: str, source: str, values: Mapping[str, object]) -> str:
    """A translation that asks for a value nobody gives is left aside: the page must come."""
    try:
        return text % values
    except (KeyError, TypeError, ValueError):
        log.exception("The translation “%s” cannot be used", text[:200])
        return source % values
