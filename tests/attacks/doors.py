"""Every address of the admin section, and the act that its visitors need leave for: written down a second time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import Flask

from massmail_plugin.vocabulary import Act

READ, PEOPLE, SYSTEM = Act.RESULTS_VIEW, Act.PEOPLE_VIEW, Act.SYSTEM_VIEW
WRITE, CRITERIA, LISTS = Act.TEMPLATE_EDIT, Act.CRITERION_EDIT, Act.LIST_MANAGE
PREPARE, TEST, SEND = Act.MAILING_PREPARE, Act.MAILING_TEST, Act.MAILING_SEND
SERIES, START, STOPS, SENDERS = Act.CAMPAIGN_EDIT, Act.CAMPAIGN_ACTIVATE, Act.SUPPRESSION_MANAGE, Act.SENDER_MANAGE
HOOKS, PRIVACY = Act.WEBHOOK_MANAGE, Act.PRIVACY_MANAGE

NEEDED: Mapping[str, Act] = {
    "overview.index": READ,
    "campaigns.index": READ,
    "campaigns.show": READ,
    "campaigns.people": PEOPLE,
    "campaigns.new": SERIES,
    "campaigns.edit": SERIES,
    "campaigns.add_step": SERIES,
    "campaigns.remove_step": SERIES,
    "campaigns.delete": SERIES,
    "campaigns.activate": START,
    "campaigns.pause": START,
    "criteria.index": CRITERIA,
    "criteria.show": CRITERIA,
    "criteria.new": CRITERIA,
    "criteria.edit": CRITERIA,
    "criteria.copy": CRITERIA,
    "criteria.export": CRITERIA,
    "criteria.delete": CRITERIA,
    "criteria.count": CRITERIA,
    "criteria.finds": CRITERIA,
    "criteria.lines": CRITERIA,
    "feeds.index": SENDERS,
    "feeds.show": SENDERS,
    "feeds.new": SENDERS,
    "feeds.edit": SENDERS,
    "feeds.new_address": SENDERS,
    "feeds.delete": SENDERS,
    "feeds.exchange": STOPS,
    "imports.index": PEOPLE,
    "imports.show": PEOPLE,
    "imports.panel": PEOPLE,
    "imports.errors": PEOPLE,
    "imports.new": PEOPLE,
    "imports.columns": PEOPLE,
    "imports.run": PEOPLE,
    "imports.cancel": PEOPLE,
    "imports.delete": PEOPLE,
    "lists.index": LISTS,
    "lists.show": LISTS,
    "lists.new": LISTS,
    "lists.edit": LISTS,
    "lists.delete": LISTS,
    "lists.add": LISTS,
    "lists.archive": LISTS,
    "lists.bring_back": LISTS,
    "lists.bring_on": LISTS,
    "lists.by_criterion": LISTS,
    "lists.found": LISTS,
    "lists.words": LISTS,
    "lists.person": PEOPLE,
    "lists.groups": LISTS,
    "lists.new_group": LISTS,
    "lists.edit_group": LISTS,
    "lists.delete_group": LISTS,
    "lists.topic_words": LISTS,
    "lists.opt_outs": STOPS,
    "lists.take_off": LISTS,
    "lists.history": PEOPLE,
    "lists.export": PEOPLE,
    "mailings.index": READ,
    "mailings.show": READ,
    "mailings.panel": READ,
    "mailings.links": READ,
    "mailings.hours": READ,
    "mailings.link_map": READ,
    "mailings.breakdown": READ,
    "mailings.download": READ,
    "mailings.file": READ,
    "mailings.compare": READ,
    "mailings.check": READ,
    "mailings.send": READ,
    "mailings.people": PEOPLE,
    "mailings.audience": PEOPLE,
    "mailings.why": PEOPLE,
    "mailings.clickers": PEOPLE,
    "mailings.received": PEOPLE,
    "mailings.new": PREPARE,
    "mailings.message": PREPARE,
    "mailings.recipients": PREPARE,
    "mailings.schedule": PREPARE,
    "mailings.copy": PREPARE,
    "mailings.delete": PREPARE,
    "mailings.test": TEST,
    "mailings.launch": SEND,
    "mailings.unschedule": SEND,
    "mailings.pause": SEND,
    "mailings.resume": SEND,
    "mailings.retry": SEND,
    "mailings.cancel": SEND,
    "mailings.all_uncertain": PEOPLE,
    "mailings.uncertain": PEOPLE,
    "mailings.decide": SEND,
    "mailboxes.index": SENDERS,
    "mailboxes.show": SENDERS,
    "mailboxes.new": SENDERS,
    "mailboxes.edit": SENDERS,
    "mailboxes.test": SENDERS,
    "mailboxes.delete": SENDERS,
    "outcomes.index": SYSTEM,
    "outcomes.show": SYSTEM,
    "outcomes.retry": SYSTEM,
    "outcomes.retry_one": SYSTEM,
    "outcomes.set_aside": SYSTEM,
    "privacy.index": PRIVACY,
    "privacy.find": PRIVACY,
    "privacy.contact": PRIVACY,
    "privacy.alone": PRIVACY,
    "privacy.download": PRIVACY,
    "privacy.erase": PRIVACY,
    "privacy.retention": PRIVACY,
    "privacy.run": PRIVACY,
    "received.index": PEOPLE,
    "received.show": PEOPLE,
    "received.file": PEOPLE,
    "senders.index": SENDERS,
    "senders.show": SENDERS,
    "senders.new": SENDERS,
    "senders.edit": SENDERS,
    "senders.test": SENDERS,
    "senders.delete": SENDERS,
    "senders.keys": SENDERS,
    "sign-ups.index": LISTS,
    "sign-ups.show": PEOPLE,
    "sign-ups.one": PEOPLE,
    "sign-ups.export": PEOPLE,
    "sign-ups.form": LISTS,
    "sign-ups.ask": LISTS,
    "sign-ups.delete": LISTS,
    "statistics.index": READ,
    "statistics.template": READ,
    "statistics.record": PEOPLE,
    "suppressions.index": PEOPLE,
    "suppressions.export": PEOPLE,
    "suppressions.show": PEOPLE,
    "suppressions.released": PEOPLE,
    "suppressions.new": STOPS,
    "suppressions.release": STOPS,
    "system.index": SYSTEM,
    "templates.index": READ,
    "templates.show": READ,
    "templates.new": WRITE,
    "templates.edit": WRITE,
    "templates.copy": WRITE,
    "templates.delete": WRITE,
    "templates.test": TEST,
    "templates.tested": TEST,
    "templates.panel": TEST,
    "webhooks.index": HOOKS,
    "webhooks.show": HOOKS,
    "webhooks.new": HOOKS,
    "webhooks.edit": HOOKS,
    "webhooks.test": HOOKS,
    "webhooks.switch": HOOKS,
    "webhooks.retry": HOOKS,
    "webhooks.retry_one": HOOKS,
    "webhooks.secret": HOOKS,
    "webhooks.delete": HOOKS,
}
WORDS = {
    "which": "sent",
    "state": "active",
    "choice": "resend",
    "sheet": "links",
    "form": "csv",
    "source": "contact",
    "step": "will_get",
    "kind": "topics",
}
A_CONTACT = {"contact_source": "contact", "contact_key": "1"}
ASKED = dict.fromkeys(("lists.person", "lists.take_off", "lists.bring_on", "privacy.contact"), A_CONTACT)
"""What an address is asked for beside its path."""


@dataclass(frozen=True)
class Door:
    """One address with one method."""

    name: str
    method: str
    path: str

    @property
    def act(self) -> Act:
        return NEEDED[self.name]

    @property
    def bare(self) -> str:
        """Without what it is asked for."""
        return self.path.partition("?")[0]

    @property
    def asked(self) -> Mapping[str, str]:
        """What it is asked for beside its path, to be asked together with more."""
        return ASKED.get(self.name, {})


def doors(app: Flask, ids: Mapping[str, int], *methods: str) -> Iterator[Door]:
    """Every address of the section that answers one of the methods, for the rows of the filled CRM."""
    urls = app.url_map.bind("localhost")
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if not rule.endpoint.startswith("massmail_") or rule.endpoint.startswith(
            ("massmail_public", "massmail_overview.static")
        ):
            continue
        name = rule.endpoint.removeprefix("massmail_")
        for method in methods:
            if method in (rule.methods or ()):
                values = {argument: row(name, argument, ids) for argument in rule.arguments}
                yield Door(name, method, urls.build(rule.endpoint, {**values, **ASKED.get(name, {})}))


def row(name: str, argument: str, ids: Mapping[str, int]) -> str | int:
    if argument == "mailing_id" and name in ("templates.tested", "templates.panel"):
        return ids["test_id"]
    if argument == "mailing_id" and name in (
        "mailings.message",
        "mailings.audience",
        "mailings.recipients",
        "mailings.schedule",
        "mailings.check",
        "mailings.send",
        "mailings.launch",
        "mailings.delete",
    ):
        return ids["draft_id"]
    if argument == "number":
        return ids["topic_id"]
    return WORDS[argument] if argument in WORDS else ids[argument]
