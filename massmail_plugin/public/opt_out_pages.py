"""The opt-out page and the one-click POST of RFC 8058, both at the address that mails carry. GET and HEAD only ask."""

from flask import Blueprint, Response, redirect, request

from massmail_plugin import opt_out
from massmail_plugin.errors import BadLink
from massmail_plugin.public.language import address
from massmail_plugin.public.pages import NAME, mounted
from massmail_plugin.public.reader import Reader
from massmail_plugin.public.visitor import visitor
from massmail_plugin.signed_links import read_message_token
from massmail_plugin.vocabulary import OptOutWhy

LARGEST_FORM = 64 * 1024


def add_routes(pages: Blueprint) -> None:
    pages.add_url_rule("/u/<token>", "opt_out", _ask)
    pages.add_url_rule("/u/<token>", "opt_out_post", _post, methods=["POST"])
    for name, view in (("undo", _undo), ("why", _why)):
        pages.add_url_rule(f"/u/<token>/{name}", name, _back_to_question)
        pages.add_url_rule(f"/u/<token>/{name}", f"{name}_post", view, methods=["POST"])


def _ask(token: str) -> Response:
    reader = Reader(token)
    state = reader.state()
    return reader.show("out" if state.out else "ask", state)


def _post(token: str) -> Response:
    request.max_content_length = LARGEST_FORM
    if request.form.get("List-Unsubscribe", "").strip().lower() == "one-click":
        return _one_click(token)
    choice = request.form.get("stop")
    if choice not in ("these", "everything"):
        return _ask(token)
    reader = Reader(token)
    before = reader.state()
    done = opt_out.leave(mounted(), reader.message_id, everything=choice == "everything", origin=visitor().origin)
    mounted().session.commit()
    return reader.show("done" if done or before.is_test else "out", reader.state(), titles=before.titles)


def _one_click(token: str) -> Response:
    """For a mail program: no page, no redirect, no cookie (RFC 8058 section 3.2)."""
    host = mounted()
    try:
        opt_out.one_click(host, read_message_token(host.config, token), origin=visitor().origin)
    except BadLink as problem:
        return Response(f"{problem}\n", 404, mimetype="text/plain")
    host.session.commit()
    return Response("You are unsubscribed.\n", mimetype="text/plain")


def _undo(token: str) -> Response:
    """The form says which opt-out it takes back, so that pressing twice takes back one."""
    request.max_content_length = LARGEST_FORM
    which = request.form.get("undo")
    if which not in ("these", "everything"):
        return _ask(token)
    reader = Reader(token)
    done = opt_out.undo(mounted(), reader.message_id, everything=which == "everything", origin=visitor().origin)
    mounted().session.commit()
    state = reader.state()
    return reader.show("back" if done or state.is_test else "out" if state.out else "ask", state)


def _why(token: str) -> Response:
    """Why they left; an answer that is none of those offered is none."""
    request.max_content_length = LARGEST_FORM
    reader, reason, comment = Reader(token), request.form.get("reason", ""), request.form.get("comment", "")
    if not reason and comment.strip():
        reason = OptOutWhy.OTHER.value
    if reason not in list(OptOutWhy):
        return _ask(token)
    opt_out.tell_why(mounted(), reader.message_id, OptOutWhy(reason), comment)
    mounted().session.commit()
    return reader.show("thanks", reader.state())


def _back_to_question(token: str) -> Response:
    """Somebody reloaded or shared the address of an answer: the question again."""
    return redirect(address(mounted(), f"{NAME}.opt_out", token=token), 303, Response)  # type: ignore[return-value]
