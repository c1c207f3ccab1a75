"""Fills prepared texts in for one recipient. Sending, previews and clicks enter; nothing is read or committed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from time import thread_time
from typing import Any
from urllib.parse import quote, urlsplit

from liquid import BoundTemplate, Markup

from massmail_plugin.composing.checking import parsed
from massmail_plugin.composing.links import HIDDEN_LINK, LINKS
from massmail_plugin.composing.mail_text import fit, one_line
from massmail_plugin.composing.name_check import contact_paths
from massmail_plugin.composing.preparing import HIDDEN, PIXEL, Prepared
from massmail_plugin.composing.template_language import HTML, PLAIN, rendered
from massmail_plugin.config import Config
from massmail_plugin.errors import RenderError
from massmail_plugin.signed_links import PREVIEW_TOKEN, click_url, open_url, opt_out_url, preferences_url

_ADDRESS_CHARACTERS = "%/:?#[]@!$&'()*+,;=~-._"
MAX_SUBJECT = 2_000
MAX_TARGET = 8_000


@dataclass(frozen=True)
class Rendered:
    """One recipient's texts; `html` is None for a mail that is text alone. Lines end with LF."""

    subject: str
    html: str | None
    text: str


class Renderer:
    """The texts of one mailing, read once, filled in many times. Not changed by rendering; threads may share it."""

    def __init__(self, prepared: Prepared, config: Config) -> None:
        """Raises TemplateError where a text cannot be read."""
        self._config = config
        self._tracks_opens = prepared.tracks_opens
        self.subject = parsed("subject", PLAIN, prepared.subject)
        self.html = parsed("html", HTML, prepared.html) if prepared.html else None
        self.text = parsed("text", PLAIN, prepared.text)
        parts = [self.subject, self.text, *([self.html] if self.html else [])]
        self.contact_paths = frozenset(path for part in parts for path in contact_paths(part))

    def render(self, values: Mapping[str, Any], *, token: str) -> Rendered:
        """Fill in `values` (as `values_for` gives them) for the outbox message of `token`.

        PREVIEW_TOKEN gives links that lead nowhere and no pixel. A name without a value prints nothing.
        Raises RenderError in words where a value does not fit, or time or size run out.
        """
        filled = {**values, **self.addresses(token)}
        deadline = thread_time() + self._config.render_seconds
        room = self._config.max_message_bytes
        subject = rendered(self.subject, filled, deadline=deadline, max_bytes=MAX_SUBJECT)
        html = None
        if self.html is not None:
            html = fit(rendered(self.html, filled, deadline=deadline, max_bytes=room))
        text = fit(rendered(self.text, filled, deadline=deadline, max_bytes=room))
        return Rendered(one_line(subject), html, text)

    def addresses(self, token: str) -> dict[str, Any]:
        """The values that lead back to us: counted links, hidden link, pixel, and the ways out."""
        if token == PREVIEW_TOKEN:
            return {LINKS: _NoLinks(), HIDDEN: "", PIXEL: "", "unsubscribe_url": "#", "preferences_url": "#"}
        pixel = ""
        if self._tracks_opens:
            address = Markup.escape(open_url(self._config, token))
            pixel = Markup(f'<img src="{address}" width="1" height="1" alt="" style="display:block">')
        return {
            LINKS: _Links(self._config, token),
            HIDDEN: _hidden_link(click_url(self._config, token, HIDDEN_LINK)),
            PIXEL: pixel,
            "unsubscribe_url": opt_out_url(self._config, token),
            "preferences_url": preferences_url(self._config, token),
        }


def render_target(target: str, values: Mapping[str, Any], *, seconds: float = 2.0) -> str:
    """Where a click leads: the link's stored target with this recipient's values in it, as an ASCII address.

    Raises RenderError if what comes out is no http or https address.
    """
    address = rendered(_target(target), values, deadline=thread_time() + seconds, max_bytes=MAX_TARGET)
    address = quote(fit(address).strip(), safe=_ADDRESS_CHARACTERS)
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise RenderError("This link leads to no web address.")
    return address


@lru_cache(maxsize=256)
def _target(target: str) -> BoundTemplate:
    return parsed("link", PLAIN, target)


def _hidden_link(address: str) -> Markup:
    """Without words, and neither shown, read aloud nor reached by the keyboard: only a program goes there."""
    shut = 'style="display:none" tabindex="-1" aria-hidden="true"'
    return Markup(f'<a href="{Markup.escape(address)}" {shut}></a>')


class _Links(Mapping[int, str]):
    """The addresses of one recipient's counted links, made when they are printed."""

    def __init__(self, config: Config, token: str) -> None:
        self._config = config
        self._token = token

    def __getitem__(self, number: int) -> str:
        return click_url(self._config, self._token, number)

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return 0


class _NoLinks(_Links):
    def __init__(self) -> None:
        """Nothing is needed for links that lead nowhere."""

    def __getitem__(self, number: int) -> str:
        return "#"
