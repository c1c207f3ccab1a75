"""What is done once for a mailing: styles inlined, text part made, links numbered, way out, hidden link and pixel put
in.

Nothing here looks at a recipient. The prepared texts are still Liquid; rendering fills them in.
"""

from dataclasses import dataclass
from html import escape

from massmail_plugin.composing.checking import WAYS_OUT, parsed
from massmail_plugin.composing.html_source import before_end_of_body
from massmail_plugin.composing.inline_styles import with_inline_styles
from massmail_plugin.composing.links import LinkBook, PreparedLink, with_counted_addresses, with_counted_links
from massmail_plugin.composing.name_check import roots
from massmail_plugin.composing.template_language import HTML, PLAIN, MailLanguage
from massmail_plugin.composing.text_part import text_from_html
from massmail_plugin.contracts import Host
from massmail_plugin.translations import words_in
from massmail_plugin.vocabulary import TemplateFormat

PIXEL = "massmail_pixel"
"""Name of the open pixel in prepared templates; not for authors."""

HIDDEN = "massmail_hidden_link"
"""Name of the link that only programs find; not for authors."""

_WORD = "WORD"
_WAYS_OUT = {
    HTML: (
        '<p style="margin:24px 0 0;font:12px/1.5 sans-serif;color:#595959;text-align:center">'
        "{% if organisation.name %}{{ organisation.name }}"
        "{% if organisation.address %}, {{ organisation.address }}{% endif %}<br>{% endif %}"
        f'<a href="{{{{ unsubscribe_url }}}}" style="color:#595959">{_WORD}</a></p>\n'
    ),
    PLAIN: (
        "\n-- \n"
        "{% if organisation.name %}{{ organisation.name }}"
        "{% if organisation.address %}, {{ organisation.address }}{% endif %}\n{% endif %}"
        f"{_WORD}: {{{{ unsubscribe_url }}}}\n"
    ),
}


@dataclass(frozen=True)
class Prepared:
    """The texts of a mailing, ready to be filled in. `html` is empty for a mail that is text alone."""

    subject: str
    html: str
    text: str
    links: tuple[PreparedLink, ...]
    tracks_opens: bool


def prepare(
    host: Host,
    *,
    version_subject: str,
    html: str,
    text: str,
    format: str,
    track_opens: bool,
    track_clicks: bool,
) -> Prepared:
    """Prepare the texts of a template version (`format` as TemplateFormat) for one mailing.

    An empty `text` beside HTML is derived. Where a part has no way out of its own, one is put at its end. Where links
    are counted, HTML also gets a link that no reader sees (`MASSMAIL_HIDDEN_LINK`).
    Raises TemplateError for a text that cannot be read; names are checked at save, not here.
    """
    book = LinkBook()
    tracks_opens = track_opens and format == TemplateFormat.HTML
    if format == TemplateFormat.HTML:
        html = with_inline_styles(_with_way_out(host, html, HTML))
        text = text or text_from_html(html)
        html = with_counted_links(html, book, count=track_clicks)
        traces = _traces(hidden=bool(book.links) and host.config.hidden_link, pixel=tracks_opens)
        html = before_end_of_body(html, traces) if traces else html
    else:
        html = ""
    text = _with_way_out(host, text, PLAIN)
    text = with_counted_addresses(text, book) if track_clicks else text
    text = text.strip("\r\n") + "\n"
    return Prepared(version_subject, html, text, tuple(book.links.values()), tracks_opens)


def _traces(*, hidden: bool, pixel: bool) -> str:
    return "".join(f"{{{{ {name} }}}}" for name, there in ((HIDDEN, hidden), (PIXEL, pixel)) if there)


def _with_way_out(host: Host, source: str, language: MailLanguage) -> str:
    """With an unsubscribe link, in the first of the host's languages, where the author wrote none."""
    part = "html" if language is HTML else "text"
    if WAYS_OUT & roots(parsed(part, language, source)):
        return source
    word = words_in([], host.config)("Unsubscribe")
    way_out = _WAYS_OUT[language].replace(_WORD, escape(word) if language is HTML else word)
    if language is HTML:
        return before_end_of_body(source, way_out)
    return source.rstrip("\n") + "\n" + way_out
