"""The screens of what came in: all of it, one with its bytes as text, and the bytes as a file. Only reads."""

from flask import Response, request
from sqlalchemy import select
from werkzeug.exceptions import NotFound

from massmail_plugin.admin.contacts.search import named, page_of
from massmail_plugin.admin.frame.paging import numbered
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.frame.wording import RECEIVED_KINDS
from massmail_plugin.admin.received import rows as received_rows
from massmail_plugin.admin.received.rows import Asked
from massmail_plugin.models import Received
from massmail_plugin.vocabulary import Act

SHOWN = 64 * 1024
"""Bytes of a mail that are shown on the page."""
LARGEST_ID = 2**63 - 1


class ReceivedMail(Section):
    title = "Received"
    slug = "received"

    @screen("/", Act.PEOPLE_VIEW)
    def index(self) -> str:
        asked = _asked()
        return self.render(
            "massmail/admin/received/index.html",
            title="Received",
            page=numbered(self.host.session, received_rows.rows(self.host, asked)),
            counts=received_rows.counts(self.host),
            origins=received_rows.origins(self.host),
            kinds=RECEIVED_KINDS,
            asked=asked,
        )

    @screen("/<int:received_id>", Act.PEOPLE_VIEW)
    def show(self, received_id: int) -> str:
        row = self._seen(received_id)
        raw = self._bytes(row)
        ours = received_rows.ours(self.host, row)
        known = named(self.host, [ours.contact]) if ours else {}
        return self.render(
            "massmail/admin/received/show.html",
            title=RECEIVED_KINDS.get(row.kind, row.kind),
            row=row,
            origins=received_rows.origins(self.host),
            ours=ours,
            contact=known.get(ours.contact) if ours else None,
            contact_url=page_of(self.host, ours.contact) if ours else "",
            raw=None if raw is None else _readable(raw[:SHOWN]),
            kept=len(raw or b""),
            shown=min(len(raw or b""), SHOWN),
        )

    @screen("/<int:received_id>/file", Act.PEOPLE_VIEW)
    def file(self, received_id: int) -> Response:
        """As a file to be saved: a browser must never show what strangers wrote as a page of ours."""
        row = self._seen(received_id)
        response = Response(self._bytes(row) or b"", mimetype="application/octet-stream")
        response.headers["Content-Disposition"] = f'attachment; filename="received-{row.id}.eml"'
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "sandbox"
        return response

    def _seen(self, received_id: int) -> Received:
        row = self.get(Received, received_id)
        self.require(Act.PEOPLE_VIEW, row)
        seen = select(Received.id).where(Received.id == row.id, received_rows.seen(self.host))
        if self.host.session.scalar(seen) is None:
            raise NotFound
        return row

    def _bytes(self, row: Received) -> bytes | None:
        return self.host.session.scalar(select(Received.raw).where(Received.id == row.id))


def _asked() -> Asked:
    message = request.args.get("message", "")
    return Asked(
        state=request.args.get("state", "")[:20],
        origin=request.args.get("origin", "")[:40],
        message=min(int(message), LARGEST_ID) if message.isdecimal() and len(message) < 20 else None,
        text=request.args.get("q", "").strip()[:254],
    )


def _readable(raw: bytes) -> str:
    """Bytes as text: characters that would move or hide others are shown as what they are."""
    text = raw.decode("utf-8", "replace").replace("\r\n", "\n")
    return "".join(one if one in "\n\t" or one.isprintable() else f"‹{ord(one):02x}›" for one in text)
