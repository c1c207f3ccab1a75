"""The page where a recipient chooses: lists and topics, how often, a break. GET and HEAD only show it."""

import re

from flask import Blueprint, Response, request

from massmail_plugin import opt_out
from massmail_plugin.errors import BadRequest
from massmail_plugin.opt_out import Wanted
from massmail_plugin.public.opt_out_pages import LARGEST_FORM
from massmail_plugin.public.pages import mounted
from massmail_plugin.public.reader import Reader
from massmail_plugin.public.visitor import visitor

_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


def add_routes(pages: Blueprint) -> None:
    pages.add_url_rule("/p/<token>", "preferences", _show)
    pages.add_url_rule("/p/<token>", "preferences_post", _post, methods=["POST"])


def _show(token: str) -> Response:
    return _page(Reader(token))


def _post(token: str) -> Response:
    """Only the two buttons save; one that changes the language shows the form again as it was filled in."""
    request.max_content_length = LARGEST_FORM
    act, reader = request.form.get("act"), Reader(token)
    if act == "stop":
        opt_out.leave(mounted(), reader.message_id, everything=True, origin=visitor().origin)
    elif act == "save":
        try:
            opt_out.choose(mounted(), reader.message_id, _filled_in(), origin=visitor().origin)
        except BadRequest:
            return _page(reader)
    else:
        return _page(reader, draft=_filled_in() if "pause" in request.form else None)
    mounted().session.commit()
    return _page(reader, saved=True)


def _filled_in() -> Wanted:
    """Where other days hold than the page offers, none is chosen, and none is sent."""
    days, pause = request.form.get("days"), request.form.get("pause", "")
    return Wanted(
        frozenset(_numbers("list")),
        frozenset(_numbers("no_topic")),
        None if days is None else int(days) if _NUMBER.fullmatch(days) else -1,
        pause,
    )


def _numbers(name: str) -> list[int]:
    return [int(value) for value in request.form.getlist(name) if _NUMBER.fullmatch(value)]


def _page(reader: Reader, *, saved: bool = False, draft: Wanted | None = None) -> Response:
    state = reader.state()
    return reader.show("preferences", state, saved=saved, draft=draft or state.stands)
