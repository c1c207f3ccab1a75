"""One tree of errors. Each message says what happened, to whom, and what to do; doors show it as it is. A leaf."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


class MassMailError(Exception):
    """Base of every error this plugin raises on purpose. `str(error)` is fit for the person at the screen."""


class SetupError(MassMailError):
    """The host's set-up names something that is missing or wrong; raised while the application starts."""


class ConfigError(SetupError):
    """A `MASSMAIL_*` setting has a value that cannot work."""


class BadRequest(MassMailError):
    """A person asked for something that cannot be done as asked (form value, state, missing piece)."""


class NotAllowed(MassMailError):
    """The host's permission hook said no."""


class BadLink(MassMailError):
    """A signed link is broken, forged, or made with a key we no longer hold."""


class ForgottenMail(BadLink):
    """A signed link of ours, but nothing is kept any more of the mail it was in."""


class NoWebPage(BadLink):
    """A signed link of ours that leads nowhere: its target is none of the web, or its mail has no such link."""


class SecretUnreadable(MassMailError):
    """A stored secret cannot be decrypted with any of `MASSMAIL_SECRET_KEYS`."""


class RuleError(BadRequest):
    """A criterion asks for a field, operator or value that does not exist or does not fit."""


class TooSlow(BadRequest):
    """A question to the database took longer than it may; it was stopped, and nothing was changed."""


class ImportRefused(BadRequest):
    """An uploaded file cannot be read as asked; nothing was imported."""


@dataclass(frozen=True)
class TemplateFault:
    """One fault in an author's text: which `part` (subject, html, text...), 1-based `line` and `column`, and words."""

    part: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.part}, line {self.line}, column {self.column}: {self.message}"


class TemplateError(BadRequest):
    """An author's text cannot be used; `faults` lists every place (never empty)."""

    def __init__(self, faults: Iterable[TemplateFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(str(fault) for fault in self.faults))


class RenderError(MassMailError):
    """One message could not be built for one recipient; the others are not affected."""


class RequestRefused(MassMailError):
    """A provider's request is not taken: not signed, stale, or not readable. `status` is the HTTP answer, 4xx."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class CannotConnect(MassMailError):
    """A sender could not be reached or did not let us in; nothing was handed over.

    `stage` is one of resolve, connect, greeting, tls, login, mail, rcpt, data.
    """

    def __init__(self, stage: str, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.stage = stage
        self.lasting = lasting


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known word to `word`, or lists what is known; empty if nothing is known."""
    names = sorted(set(known))
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean “{close[0]}”?"
    if not names:
        return ""
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"Known are: {shown}."
