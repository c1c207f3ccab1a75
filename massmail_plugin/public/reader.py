"""The recipient of a mail at their pages: where they stand, and pages in their language. Pages enter; only reads."""

from typing import Any

from flask import Response

from massmail_plugin import opt_out
from massmail_plugin.public.language import words_for
from massmail_plugin.public.pages import mounted, page
from massmail_plugin.signed_links import read_message_token


class Reader:
    """Whoever has the token of a mail."""

    def __init__(self, token: str) -> None:
        """Raises BadLink; a token that is not ours costs no look at the database."""
        self._host, self._token = mounted(), token
        self.message_id = read_message_token(self._host.config, token)
        self._locale = opt_out.locale_of(self._host, opt_out.recipient(self._host, self.message_id).contact)

    def state(self) -> opt_out.PageState:
        """Where they stand now, with lists named in the language of the page."""
        return opt_out.page_state(self._host, self.message_id, words_for(self._host, self._locale).language)

    def show(self, template: str, state: opt_out.PageState, **values: Any) -> Response:
        """A page about them; for one who is gone, the page that says so."""
        shown = "gone" if state.is_gone else template
        return page(shown, locale=self._locale, token=self._token, state=state, **values)
