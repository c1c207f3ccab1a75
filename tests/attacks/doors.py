"""Every address of the admin section, and the act that its visitors need leave for: written down a second time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import Flask

from massmail_plugin.vocabulary import Act

READ, PEOPLE, SYSTEM = Act.RESULTS_VIEW, Act.PEOPLE_VIEW, Act.SYSTEM_VIEW
WRITE, CRITERIA, LISTS = Act.TEMPLATE_EDIT, Act.CRITERION_EDIT, Act.LIST_MANAGE
PREPARE, TEST, SEND = Act.MAILING_PREPARE, Act.MAILING_TEST, Act.MAILING_SEND
SERIES, START, STOPS, SENDERS = Act.CAMPAIGN_EDIT, Act.CAMPAIGN_ACTIVATE, Act.SUPPRESSION_MANAGE, Act.SENDER_MANAGE
HOOKS = Act.WEBHOOK_MANAGE

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
    "criteria.delete": CRITERIA,
    "criteria.count": CRITERIA,
    "criteria.lines": CRITERIA,
    "feeds.index": SENDERS,
    "feeds.show": SENDERS,
    "feeds.new": SENDERS,
    "feeds.edit": SENDERS,
    "feeds.new_address": SENDERS,
    "feeds.delete": SENDERS,
    "feeds.exchange": STOPS,
    "lists.index": LISTS,
    "lists.show": LISTS,
    "lists.new": LISTS,
    "lists.edit": LISTS,
    "lists.delete": LISTS,
    "lists.add": LISTS,
    "lists.add_matching": LISTS,
    "lists.import_file": LISTS,
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
    "statistics.index": READ,
    "statistics.template": READ,
    "statistics.record": PEOPLE,
    "suppressions.index": PEOPLE,
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
}


@dataclass(frozen=True)
class Door:
    """One address with one method."""

    name: str
    method: str
    path: str

    @property
    def act(self) -> Act:
        return NEEDED[self.name]


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
                yield Door(name, method, urls.build(rule.endpoint, values))


def row(name: str, argument: str, ids: Mapping[str, int]) -> str | int:
    if argument == "mailing_id" and name in ("templates.tested", "templates.panel"):
        return ids["test_id"]
    if argument == "mailing_id" and name in (
        "mailings.message",
        "mailings.recipients",
        "mailings.schedule",
        "mailings.check",
        "mailings.send",
        "mailings.launch",
        "mailings.delete",
    ):
        return ids["draft_id"]
    return WORDS[argument] if argument in WORDS else ids[argument]
