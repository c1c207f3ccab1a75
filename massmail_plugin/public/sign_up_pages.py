"""The sign-up form of a list, and the page its mail leads to. GET and HEAD only show; both POSTs commit.

A form may be posted from any web site: nothing but what is in it gives leave for anything, and what comes from
elsewhere is only shown here again, to be sent by the visitor's own press of the button.
"""

import logging
from collections.abc import Mapping

from flask import Blueprint, Response, redirect, request

from massmail_plugin import sign_ups
from massmail_plugin.errors import SetupError
from massmail_plugin.public.dress import Dress
from massmail_plugin.public.language import address, words_for
from massmail_plugin.public.opt_out_pages import LARGEST_FORM
from massmail_plugin.public.pages import NAME, mounted, page
from massmail_plugin.public.visitor import visitor
from massmail_plugin.sign_ups import Entry, Form, NotOffered, Reread, Standing, Taken, Where
from massmail_plugin.signed_links.sign_up_links import form_token, read_confirm_token

log = logging.getLogger(__name__)

TRAP = "homepage"
"""An input nobody sees: only programs fill it in."""


def add_routes(pages: Blueprint) -> None:
    pages.register_error_handler(NotOffered, _closed)
    pages.add_url_rule("/s/<token>", "sign_up", _ask)
    pages.add_url_rule("/s/<token>", "sign_up_post", _take, methods=["POST"])
    pages.add_url_rule("/s/<token>/thanks", "signed_up", _thanks)
    pages.add_url_rule("/s/confirm/<token>", "confirm", _question)
    pages.add_url_rule("/s/confirm/<token>", "confirm_post", _confirm, methods=["POST"])


def _closed(problem: NotOffered) -> Response:
    return page("sign_up_closed", status=404)


def _ask(token: str) -> Response:
    return _shown(_form(token), Entry(""))


def _take(token: str) -> Response:
    request.max_content_length = LARGEST_FORM
    form, given = _form(token), request.form
    if given.get(TRAP):
        return _thanked(token)
    host, posted = mounted(), given.get("shown", "")
    entry = sign_ups.fill_in(host, form, _meant(given), words_for(host), address_is_meant="meant" in given)
    seen = sign_ups.reread(host, form, posted)
    if seen is not Reread.GOOD:
        return _shown(form, entry, shown=posted if seen is Reread.TOO_QUICK else "", once_more=True)
    if entry.faults:
        return _shown(form, entry, shown=posted, status=422)
    if entry.suggestion:
        return _shown(form, entry, shown=posted)
    return _taken(form, entry)


def _taken(form: Form, entry: Entry) -> Response:
    host = mounted()
    try:
        answer = sign_ups.take(host, form, entry, visitor())
    except SetupError:
        host.session.rollback()
        log.exception("A sign-up could not be taken")
        return page("sign_up_not_now", status=503, form=form, too_many=False)
    host.session.commit()
    if answer is Taken.TOO_MANY:
        response = page("sign_up_not_now", status=429, form=form, too_many=True)
        response.headers["Retry-After"] = "3600"
        return response
    return _thanked(form.token)


def _meant(given: Mapping[str, str]) -> Mapping[str, str]:
    """What was posted, with the suggested address where the visitor chose that."""
    typed = given.get("email", "")
    return (
        {**given, "email": sign_ups.likely_meant(typed.strip()) or typed}
        if given.get("meant") == "suggested"
        else given
    )


def _thanks(token: str) -> Response:
    return page("signed_up", form=_form(token))


def _thanked(token: str) -> Response:
    """Another address, so that loading it again signs nobody up again."""
    return redirect(address(mounted(), f"{NAME}.signed_up", token=token), 303, Response)  # type: ignore[return-value]


def _question(token: str) -> Response:
    return _standing(token, sign_ups.standing(mounted(), read_confirm_token(mounted().config, token)))


def _confirm(token: str) -> Response:
    request.max_content_length = LARGEST_FORM
    host = mounted()
    found = sign_ups.confirm(host, read_confirm_token(host.config, token), visitor())
    host.session.commit()
    if found.where is not Where.CONFIRMED:
        return _standing(token, found)
    return redirect(address(host, f"{NAME}.confirm", token=token), 303, Response)  # type: ignore[return-value]


def _standing(token: str, found: Standing) -> Response:
    """What there is to say about a sign-up, in the language it was made in."""
    host = mounted()
    title = found.list_.title_in(words_for(host, found.locale).language)
    again = form_token(host.config, found.list_.id) if found.list_.active and found.list_.sign_up else ""
    template = {Where.WAITING: "confirm", Where.CONFIRMED: "confirmed"}.get(found.where, "sign_up_over")
    return page(template, locale=found.locale, token=token, title=title, words=found.words, again=again)


def _form(token: str) -> Form:
    host = mounted()
    return sign_ups.form_of(host, token, words_for(host), organisation=Dress.of(host).organisation)


def _shown(form: Form, entry: Entry, *, shown: str = "", once_more: bool = False, status: int = 200) -> Response:
    """The form with what was filled in; `shown` is when it was first shown, "" for now."""
    return page(
        "sign_up", status=status, form=form, entry=entry, shown=shown or form.shown, once_more=once_more, trap=TRAP
    )
