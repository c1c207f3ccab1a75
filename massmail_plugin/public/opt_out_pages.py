"""The opt-out page and the one-click POST of RFC 8058, both at the address that mails carry. GET and HEAD only ask."""

from flask import Blueprint, Response, redirect, request, url_for

from massmail_plugin import opt_out
from massmail_plugin.errors import BadLink
from massmail_plugin.public.pages import NAME, message_id, mounted, page

LARGEST_FORM = 64 * 1024


def add_routes(pages: Blueprint) -> None:
    pages.add_url_rule("/u/<token>", "opt_out", _ask)
    pages.add_url_rule("/u/<token>", "opt_out_post", _post, methods=["POST"])
    pages.add_url_rule("/u/<token>/undo", "undo", _back_to_question)
    pages.add_url_rule("/u/<token>/undo", "undo_post", _undo, methods=["POST"])


def _ask(token: str) -> Response:
    state = opt_out.page_state(mounted(), message_id(token))
    return page("out" if state.out else "ask", token=token, state=state)


def _post(token: str) -> Response:
    request.max_content_length = LARGEST_FORM
    if request.form.get("List-Unsubscribe", "").strip().lower() == "one-click":
        return _one_click(token)
    choice = request.form.get("stop")
    if choice not in ("these", "everything"):
        return _ask(token)
    host, number = mounted(), message_id(token)
    before = opt_out.page_state(host, number)
    done = opt_out.leave(host, number, everything=choice == "everything")
    host.session.commit()
    template = "done" if done or before.is_test else "out"
    return page(template, token=token, state=opt_out.page_state(host, number), titles=before.titles)


def _one_click(token: str) -> Response:
    """For a mail program: no page, no redirect, no cookie (RFC 8058 section 3.2)."""
    host = mounted()
    try:
        opt_out.one_click(host, message_id(token))
    except BadLink as problem:
        return Response(f"{problem}\n", 404, mimetype="text/plain")
    host.session.commit()
    return Response("You are unsubscribed.\n", mimetype="text/plain")


def _undo(token: str) -> Response:
    host, number = mounted(), message_id(token)
    done = opt_out.undo(host, number)
    host.session.commit()
    state = opt_out.page_state(host, number)
    template = "back" if done or state.is_test else "out" if state.out else "ask"
    return page(template, token=token, state=state)


def _back_to_question(token: str) -> Response:
    """Somebody reloaded or shared the address of the undo: the question again."""
    return redirect(url_for(f"{NAME}.opt_out", token=token), 303, Response)  # type: ignore[return-value]
