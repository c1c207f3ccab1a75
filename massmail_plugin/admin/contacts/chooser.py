"""Which contact a preview or a test is made for, chosen on the screen by plain links. Views enter; only reads.

In a template: {% include "massmail/admin/_contact_chooser.html" %} with `chooser` and `keep` (arguments to keep).
"""

from flask import request

from massmail_plugin import audience
from massmail_plugin.admin.frame.section import Section
from massmail_plugin.contracts import ContactRef

FOUND = 20


class ContactChooser:
    """Which contact a preview or test is made for: from ?contact=, narrowed by ?q=; neighbours for stepping."""

    def __init__(self, section: Section) -> None:
        host = section.host
        names = list(host.sources)
        source = request.values.get("source", names[0])
        self.source = source if source in host.sources else names[0]
        self.sources = names
        self.q = request.values.get("q", "").strip()
        self.found = audience.find(host, host.sources[self.source], self.q, limit=FOUND)
        wanted = ContactRef(self.source, request.values.get("contact", ""))
        self.current = audience.summaries(host, [wanted]).get(wanted) or next(iter(self.found), None)

    @property
    def chosen(self) -> ContactRef | None:
        """The contact, or None where nobody was found."""
        return self.current.ref if self.current else None

    def neighbour(self, step: int) -> audience.ContactSummary | None:
        """The contact `step` places further among those found, or None."""
        refs = [contact.ref for contact in self.found]
        place = (refs.index(self.current.ref) if self.current and self.current.ref in refs else -1) + step
        return self.found[place] if 0 <= place < len(self.found) else None
