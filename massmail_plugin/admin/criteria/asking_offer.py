"""What the criteria builder offers of our own tables: lists, topics, mailings, templates, links, other criteria.

Views and their templates enter; only reads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import func, select

from massmail_plugin.admin.criteria.rule_form import Line
from massmail_plugin.audience.criteria.rules import Got, OnList, OptOut
from massmail_plugin.audience.criteria.saved_criteria import leading_to, leads_to
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.errors import RuleError
from massmail_plugin.models import Criterion, Link, List, Mailing, Template, Topic
from massmail_plugin.vocabulary import UNCOUNTED

Choice = tuple[str, str]
Groups = list[tuple[str, list[Choice]]]

MOST = 200
"""So many mailings, templates and links are offered, the newest first."""
LONGEST_LINK = 100
OPERATORS: Mapping[str, Sequence[Choice]] = {
    "list": (
        (OnList.ON, "on one of"),
        (OnList.OFF, "on none of"),
        (OnList.LEFT, "left one of"),
    ),
    "opt_out": (
        (OptOut.OPTED_OUT, "opted out of"),
        (OptOut.NOT_OPTED_OUT, "not opted out of"),
        (OptOut.STOPPED, "gets no mail of"),
        (OptOut.NOT_STOPPED, "may get mail of"),
    ),
    "history": (
        (Got.GOT, "got"),
        (Got.NOT_GOT, "did not get"),
        (Got.READ, "read"),
        (Got.UNREAD, "got and did not read"),
        (Got.CLICKED, "clicked in"),
        (Got.UNCLICKED, "got and did not click in"),
        (Got.BOUNCED, "bounced with"),
    ),
    "criterion": (("found", "finds the contact"), ("not_found", "does not find the contact")),
}


@dataclass
class AskingOffer:
    """The choices for lines that ask our own tables about contacts of one source."""

    host: Host
    source: ContactSource
    criterion: Criterion | None

    def whats(self) -> list[Choice]:
        """What can be asked, as the first select has it."""
        found = [("opt_out", "Opt-out"), ("history", "Mailings so far")]
        found = [("list", "List"), *found] if self.lists else found
        return [*found, ("criterion", "Another criterion")] if self.criteria else found

    @cached_property
    def lists(self) -> list[Choice]:
        """Lists by name, archived ones last."""
        query = select(List.id, List.name, List.active).order_by(List.active.desc(), func.lower(List.name))
        return [
            (str(id_), name if active else f"{name} (archived)")
            for id_, name, active in self.host.session.execute(query)
        ]

    @cached_property
    def scopes(self) -> Groups:
        """What one can opt out of, besides everything."""
        topics = self.host.session.execute(select(Topic.id, Topic.name).order_by(func.lower(Topic.name)))
        of_topics = [(f"topic:{id_}", name) for id_, name in topics]
        of_lists = [(f"list:{number}", name) for number, name in self.lists]
        return [group for group in (("Lists", of_lists), ("Topics", of_topics)) if group[1]]

    @cached_property
    def mails(self) -> Groups:
        """Mailings that began, and templates they used, the newest first."""
        counted = (Mailing.kind.not_in([kind.value for kind in UNCOUNTED]), Mailing.launched_at.is_not(None))
        mine = (*counted, Mailing.contact_source == self.source.source_name)
        mailings = select(Mailing.id, Mailing.name).where(*mine).order_by(Mailing.id.desc()).limit(MOST)
        used = select(Mailing.template_id).where(*mine)
        templates = select(Template.id, Template.name).where(Template.id.in_(used)).order_by(Template.id.desc())
        of_mailings = [(f"mailing:{id_}", name) for id_, name in self.host.session.execute(mailings)]
        of_templates = [(f"template:{id_}", name) for id_, name in self.host.session.execute(templates.limit(MOST))]
        return [group for group in (("Mailings", of_mailings), ("Templates", of_templates)) if group[1]]

    def mails_for(self, line: Line) -> Groups:
        """`mails`, and what the line names already."""
        return _with_chosen(self.mails, line.value())

    def scopes_for(self, line: Line) -> Groups:
        """`scopes`, and what the line names already."""
        return _with_chosen(self.scopes, line.value())

    def links(self, line: Line) -> list[Choice]:
        """Where the links of the mails lead that a line speaks of, and what it names already."""
        kind, _, number = line.value().partition(":")
        query = select(Link.target, func.max(Link.label)).join(Mailing, Mailing.id == Link.mailing_id)
        query = query.where(Mailing.contact_source == self.source.source_name)
        if kind and number.isdigit() and len(number) < 10:
            query = query.where((Mailing.id if kind == "mailing" else Mailing.template_id) == int(number))
        query = query.group_by(Link.target).order_by(func.max(Link.id).desc()).limit(MOST)
        found = [
            (target, f"{label}: {target}" if label else target) for target, label in self.host.session.execute(query)
        ]
        known = {target for target, _ in found}
        chosen = line.value(2)
        found += [(chosen, chosen)] if chosen and chosen not in known else []
        return [(target, words[:LONGEST_LINK]) for target, words in found]

    @cached_property
    def criteria(self) -> list[Choice]:
        """Other criteria for these contacts, by name, without those that ask for the one that is edited."""
        query = select(Criterion).where(Criterion.contact_source == self.source.source_name)
        found = list(self.host.session.scalars(query.order_by(func.lower(Criterion.name))))
        edited = self.criterion
        circular = set() if edited is None else {edited.id, *leading_to(self.host, edited.id)}
        return [(str(one.id), one.name) for one in found if one.id not in circular]

    def criteria_for(self, line: Line) -> list[Choice]:
        """`criteria`, and what the line names already."""
        return _with_chosen([("", self.criteria)], line.value())[0][1]

    def lists_for(self, line: Line) -> list[Choice]:
        """`lists`, and what the line names already."""
        known = {value for value, _ in self.lists}
        return [*self.lists, *((one, f"List {one} (gone)") for one in line.values if one and one not in known)]

    def check_circle(self, rule: dict[str, Any]) -> None:
        """Raise RuleError where a rule of the edited criterion leads back to it."""
        edited = self.criterion
        if edited is not None and leads_to(self.host, rule, edited.id):
            raise RuleError(f"This leads back to “{edited.name}” itself. Choose something else.")


def _with_chosen(groups: Groups, chosen: str) -> Groups:
    known = {value for _, choices in groups for value, _ in choices}
    if not chosen or chosen in known:
        return groups
    first, *rest = groups or [("Chosen", [])]
    return [(first[0], [*first[1], (chosen, f"Number {chosen.rpartition(':')[2]}")]), *rest]
