"""The page where a recipient chooses lists. GET and HEAD only show it."""

import re

from flask import Blueprint, Response, request

from massmail_plugin import opt_out
from massmail_plugin.public.opt_out_pages import LARGEST_FORM
from massmail_plugin.public.pages import message_id, mounted, page

_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


def add_routes(pages: Blueprint) -> None:
    pages.add_url_rule("/p/<token>", "preferences", _show)
    pages.add_url_rule("/p/<token>", "preferences_post", _save, methods=["POST"])


def _show(token: str) -> Response:
    return _page(token, saved=False)


def _save(token: str) -> Response:
    request.max_content_length = LARGEST_FORM
    host, number = mounted(), message_id(token)
    if request.form.get("act") == "stop":
        opt_out.leave(host, number, everything=True, by="preference page")
    elif request.form.get("act") == "save":
        opt_out.save_preferences(host, number, _wanted())
    else:
        return _show(token)
    host.session.commit()
    return _page(token, saved=True)


def _wanted() -> list[int]:
    return [int(value) for value in request.form.getlist("list") if _NUMBER.fullmatch(value)]


def _page(token: str, *, saved: bool) -> Response:
    state = opt_out.page_state(mounted(), message_id(token))
    return page("preferences", token=token, state=state, saved=saved)
