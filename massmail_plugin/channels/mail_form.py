"""The mails of one mailing: what is the same for all is made once, then each recipient's bytes are written.

Sending enters; nothing is read or committed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from massmail_plugin import composing
from massmail_plugin.channels.compiled_mail import CompiledMail
from massmail_plugin.channels.email import EmailParts, build
from massmail_plugin.channels.mail_bodies import BodyPlan, plan
from massmail_plugin.composing.template_language import TooSlow, explained
from massmail_plugin.config import Config
from massmail_plugin.errors import RenderError
from massmail_plugin.signed_links import PREVIEW_TOKEN, TOKEN_LENGTH, opt_out_url


@dataclass(frozen=True)
class Letterhead:
    """Who writes: the same on every mail of a mailing. `list_id` as in `EmailParts`."""

    from_name: str
    from_address: str
    reply_to: str = ""
    list_id: tuple[str, str] | None = None
    asked_for: bool = False
    """As in `EmailParts`."""
    opt_out_address: str = ""
    """Any mail's address to opt out by mail; empty where mails have none. All of them are equally long."""


class MailForm:
    """Writes the mails of one mailing: compiled where that is possible, else rendered and built one by one.

    Both ways give the same bytes, and no line of them begins with a dot. Threads may share a form.
    """

    why_ordinary: str
    """What keeps the texts from being compiled, as the end of a sentence; "" where they are."""
    contact_paths: frozenset[str]
    """What the texts ask of the contact, such as `company.name`; a group stands for all of it, "" for everything."""

    def __init__(
        self,
        config: Config,
        prepared: composing.Prepared,
        fixed: Mapping[str, Any],
        who: Letterhead,
        *,
        ordinary: bool = False,
    ) -> None:
        """`fixed` is what `values_for` gives; its contact does not count. `ordinary` keeps texts from being compiled.

        Raises TemplateError where a text cannot be read.
        """
        self._config = config
        self._fixed = {name: value for name, value in fixed.items() if name != "contact"}
        self._renderer = composing.Renderer(prepared, config)
        self._sample = _sample(who, plan(prepared.text, prepared.html or None))
        self._inert: CompiledMail | None = None
        self._compiled: CompiledMail | None = None
        self.contact_paths = self._renderer.contact_paths
        self.why_ordinary = "it was asked for" if ordinary else ""
        if not ordinary:
            self._compile()

    def _compile(self) -> None:
        try:
            self._compiled = self._compiled_mail(inert=False)
        except (composing.CannotCompile, RenderError) as error:
            self.why_ordinary = str(error)

    def _compiled_mail(self, *, inert: bool) -> CompiledMail:
        return CompiledMail(self._config, self._renderer, self._fixed, self._sample, inert=inert)

    def write(
        self,
        message_id_text: str,
        token: str,
        to_address: str,
        to_name: str,
        contact: Mapping[str, Any],
        date: datetime,
        opt_out_address: str = "",
    ) -> bytes:
        """The finished mail for the outbox message of `token`; PREVIEW_TOKEN gives links that lead nowhere.

        `opt_out_address` is where this recipient may write to opt out, where the letterhead has one.
        Raises RenderError in words where it cannot be made for this recipient.
        """
        given = (message_id_text, token, to_address, to_name, contact, date, opt_out_address)
        compiled = self._form_for(token)
        if compiled is not None:
            try:
                return compiled.write(*given)
            except TooSlow as error:
                raise RenderError(explained(error)) from error
            except Exception:
                # The ordinary way has the words for it, or knows better.
                pass
        return self._ordinary(*given)

    def _form_for(self, token: str) -> CompiledMail | None:
        if self._compiled is None or len(token) == TOKEN_LENGTH:
            return self._compiled
        if token != PREVIEW_TOKEN:
            return None
        self._inert = self._inert or self._compiled_mail(inert=True)
        return self._inert

    def _ordinary(
        self,
        message_id_text: str,
        token: str,
        to_address: str,
        to_name: str,
        contact: Mapping[str, Any],
        date: datetime,
        opt_out_address: str,
    ) -> bytes:
        rendered = self._renderer.render({**self._fixed, "contact": contact}, token=token)
        parts = replace(
            self._sample,
            subject=rendered.subject,
            html=rendered.html,
            text=rendered.text,
            to_name=to_name,
            to_address=to_address,
            message_id=message_id_text,
            date=date,
            list_unsubscribe_url=None if token == PREVIEW_TOKEN else opt_out_url(self._config, token),
            list_unsubscribe_address=opt_out_address if self._sample.list_unsubscribe_address else "",
        )
        return build(parts)


def _sample(who: Letterhead, how: BodyPlan) -> EmailParts:
    """What the mails have in common; everything of a recipient is left out."""
    return EmailParts(
        subject="",
        text="",
        from_name=who.from_name,
        from_address=who.from_address,
        to_address="",
        reply_to=who.reply_to,
        message_id="",
        date=datetime.min.replace(tzinfo=UTC),
        list_id=who.list_id,
        asked_for=who.asked_for,
        list_unsubscribe_address=who.opt_out_address,
        plan=how,
    )
