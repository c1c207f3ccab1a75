"""The plain letter around one link, as HTML and text: what service mails look like. Nothing is read or committed."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from massmail_plugin.config import Config
from massmail_plugin.translations import Words

_BUTTON = (
    "display:inline-block;padding:12px 24px;border-radius:6px;background:#1f5a8a;color:#ffffff;font-weight:bold;"
    "text-decoration:none"
)
_PAGE = "font:16px/1.5 sans-serif;color:#1b2229;max-width:560px;margin:0 auto;padding:24px"


@dataclass(frozen=True)
class ServiceLetter:
    """What it says: paragraphs, the link with the words on its button, more paragraphs, and who writes."""

    config: Config
    words: Words
    """Its language; the rest is written in it already."""
    subject: str
    before: Sequence[str]
    link: str
    button: str
    after: Sequence[str]

    @property
    def text(self) -> str:
        """The text part."""
        return "\n\n".join([*self.before, self.link, *self.after, f"-- \n{self._foot}\n"])

    @property
    def html(self) -> str:
        """The HTML part."""
        button = f'<p><a href="{escape(self.link)}" style="{_BUTTON}">{escape(self.button)}</a></p>'
        foot = f'<p style="font-size:13px;color:#595959">{escape(self._foot)}</p>'
        body = "".join([*map(_paragraph, self.before), button, *map(_paragraph, self.after), foot])
        return (
            f'<!doctype html><html lang="{escape(self.words.tag)}"><head><meta charset="utf-8">'
            f'<title>{escape(self.subject)}</title></head><body style="{_PAGE}">{body}</body></html>'
        )

    @property
    def _foot(self) -> str:
        name = self.config.organisation or self.config.domain
        return ", ".join(part for part in (name, self.config.postal_address) if part)


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"
