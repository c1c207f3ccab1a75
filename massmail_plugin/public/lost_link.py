"""The form for somebody who lost the mail with their link. Whatever is known of an address, the answer is the same.

Only the POST changes anything: it notes the request and commits; the scheduler answers it by mail.
"""

from flask import Blueprint, Response, redirect, request

from massmail_plugin import mailings
from massmail_plugin.errors import BadRequest
from massmail_plugin.public.language import address, words_for
from massmail_plugin.public.opt_out_pages import LARGEST_FORM
from massmail_plugin.public.pages import NAME, mounted, page
from massmail_plugin.public.visitor import visitor


def add_routes(pages: Blueprint) -> None:
    pages.add_url_rule("/lost", "lost_link", _form)
    pages.add_url_rule("/lost", "lost_link_post", _take, methods=["POST"])
    pages.add_url_rule("/lost/asked", "link_asked", _asked)


def _form() -> Response:
    return page("lost", fault=False)


def _take() -> Response:
    request.max_content_length = LARGEST_FORM
    host = mounted()
    try:
        language = words_for(host).language
        mailings.ask_for_link(host, request.form.get("address", ""), language=language, network=visitor().network)
    except BadRequest:
        return page("lost", status=422, fault=True)
    host.session.commit()
    # Another address, so that loading it again asks for nothing.
    return redirect(address(host, f"{NAME}.link_asked"), 303, Response)  # type: ignore[return-value]


def _asked() -> Response:
    return page("asked")
