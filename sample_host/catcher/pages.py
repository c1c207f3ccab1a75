"""The catcher's pages: what arrived, and each mail as its recipient sees it. They change nothing."""

from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import abort, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import expose

from sample_host.catcher import reading, store
from sample_host.crm.pages import SignedIn

PAGE_SIZE = 25
SHOWN_HEADERS = ("From", "To", "Subject", "Date")
PROVIDER_AGENT = "Mozilla/5.0 (one-click unsubscribe of the mail catcher)"


class CatcherView(SignedIn):
    @expose("/")
    def index(self) -> str:
        wanted = request.args.get("to", "").strip()
        found = store.names_to(folder(), wanted) if wanted else store.names(folder())
        pages = max(1, -(-len(found) // PAGE_SIZE))
        number = min(max(1, request.args.get("page", 1, type=int)), pages)
        shown = [row(name) for name in found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]]
        return self.page("catcher/index.html", mails=shown, total=len(found), to=wanted, number=number, pages=pages)

    @expose("/<mail_id>")
    def mail(self, mail_id: str) -> str:
        message = reading.read(bytes_of(mail_id))
        html, text = reading.html_of(message), reading.text_of(message)
        view = request.args.get("view") or ("html" if html else "text")
        return self.page(
            "catcher/mail.html",
            mail_id=mail_id,
            view=view,
            html=html,
            text=text,
            pictures=request.args.get("pictures", "1") == "1",
            headers=message.items(),
            shown=[(header, message[header]) for header in SHOWN_HEADERS if message[header]],
            envelope=store.envelope(folder(), mail_id),
            attachments=list(reading.attachments_of(message)),
            source=bytes_of(mail_id).decode("utf-8", "replace") if view == "source" else "",
            one_click=reading.one_click_address(message),
        )

    @expose("/<mail_id>/html")
    def html(self, mail_id: str) -> ResponseReturnValue:
        page = reading.html_of(reading.read(bytes_of(mail_id)))
        if page is None:
            abort(404)
        pictures = "* data:" if request.args.get("pictures", "1") == "1" else "data:"
        policy = (
            "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
            f"style-src 'unsafe-inline'; img-src {pictures}; frame-ancestors 'self'"
        )
        headers = {
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }
        return reading.for_mailbox(page), headers

    @expose("/<mail_id>/raw")
    def raw(self, mail_id: str) -> ResponseReturnValue:
        headers = {
            "Content-Type": "message/rfc822",
            "Content-Disposition": f'attachment; filename="{mail_id}.eml"',
        }
        return bytes_of(mail_id), headers

    @expose("/<mail_id>/one-click", methods=("POST",))
    def one_click(self, mail_id: str) -> ResponseReturnValue:
        address = reading.one_click_address(reading.read(bytes_of(mail_id)))
        if address is None or not is_own(address):
            flash("This mail offers no one-click address of this application.", "error")
        else:
            flash(*answer_of(address))
        return redirect(url_for("catcher.mail", mail_id=mail_id))


def answer_of(address: str) -> tuple[str, str]:
    """What became of the one-click post, as a message and its category."""
    try:
        status = reading.post_one_click(address, PROVIDER_AGENT)
    except OSError as problem:
        return f"Nobody answered at the one-click address: {problem}", "error"
    if status < 300:
        return f"Unsubscribed by one click: the server answered {status}.", "success"
    return f"The one-click address answered {status}.", "error"


def is_own(address: str) -> bool:
    """The catcher posts to this application alone, whatever a caught mail names."""
    own = urlsplit(current_app.config["MASSMAIL_BASE_URL"])
    return urlsplit(address)[:2] in {own[:2], urlsplit(request.host_url)[:2]}


def folder() -> Path:
    """Where the catcher keeps its mails."""
    return Path(current_app.config["CAUGHT_MAIL_FOLDER"])


def bytes_of(name: str) -> bytes:
    """The bytes of a mail; 404 if there is none of this name."""
    try:
        return store.content(folder(), name)
    except FileNotFoundError:
        abort(404)


def row(name: str) -> dict[str, Any]:
    """One line of the list."""
    envelope = store.envelope(folder(), name)
    content = store.content(folder(), name)
    message = reading.read(content)
    return {
        "mail_id": name,
        "to": ", ".join(envelope.rcpt_to),
        "from": message["From"] or envelope.mail_from,
        "subject": message["Subject"] or "(no subject)",
        "received": datetime.fromisoformat(envelope.received_at),
        "size": len(content),
    }
