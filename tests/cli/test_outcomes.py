"""`flask massmail outcomes`: what failed is listed, tried again, set aside; webhooks are added, tested, deleted."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from massmail_plugin import outcomes
from massmail_plugin.models import Mailing, OutboxMessage, OutcomeReport, Webhook
from massmail_plugin.vocabulary import Outcome
from tests.cli.conftest import Terminal
from tests.outcomes.receiving import receiving, status


@pytest.fixture
def failed(terminal: Terminal) -> OutcomeReport:
    """An outcome that the host did not take."""
    host = terminal.host
    host.hooks.on_outcome.append(lambda fact: 1 / 0)
    mailing = Mailing(name="N", state="sending", contact_source=next(iter(host.sources)), created_at=host.clock())
    host.session.add(mailing)
    host.session.flush()
    message = OutboxMessage(
        mailing_id=mailing.id, chunk=0, contact_source=mailing.contact_source, contact_key="1", address_role="main",
        address="a@example.org",
    )  # fmt: skip
    host.session.add(message)
    host.session.flush()
    outcomes.record(host, message.id, Outcome.READ, at=host.clock())
    host.session.commit()
    outcomes.deliver(host)
    return host.session.scalars(select(OutcomeReport)).one()


def test_what_failed_is_listed_tried_again_and_delivered(terminal: Terminal, failed: OutcomeReport) -> None:
    assert "ZeroDivisionError" in terminal.run("outcomes", "list")
    found = json.loads(terminal.app.test_cli_runner().invoke(args=["massmail", "outcomes", "list", "--json"]).output)
    assert (found["untold"], found["failing"]) == (1, 1)
    assert "Traceback" in found["failed"][0]["problem"]
    assert "1 outcome is being delivered again." in terminal.run("outcomes", "retry", str(failed.id))
    terminal.host.hooks.on_outcome.clear()
    assert "1 outcome delivered." in terminal.run("outcomes", "deliver")
    assert "No outcome has failed" in terminal.run("outcomes", "list")
    assert "0 outcomes are" in terminal.run("outcomes", "retry")


def test_one_is_set_aside(terminal: Terminal, failed: OutcomeReport) -> None:
    assert "was set aside" in terminal.run("outcomes", "set-aside", str(failed.id))
    assert "is no outcome that failed" in terminal.run("outcomes", "set-aside", str(failed.id), code=1)


def test_a_webhook_is_added_tested_and_deleted(terminal: Terminal) -> None:
    hook = "outcomes", "webhook"
    assert "must begin with https" in terminal.run(*hook, "add", "CRM", "http://crm.example.org/", code=1)
    with receiving() as there:
        config = replace(terminal.host.config, webhook_internal_hosts=("127.0.0.1",))
        object.__setattr__(terminal.host, "config", config)
        said = terminal.run(*hook, "add", "CRM", there.url, "--outcome", "complained")
        assert terminal.host.session.scalars(select(Webhook)).one().secret in said
        assert "HTTP 200" in terminal.run(*hook, "test", "CRM")
        there.answer = status(500)
        assert "HTTP 500" in terminal.run(*hook, "test", "CRM", code=1)
    assert terminal.json(*hook, "list")[0]["name"] == "CRM"
    assert "whsec" not in terminal.run(*hook, "list")
    assert terminal.json(*hook, "log", "CRM") == []
    assert "0 outcomes" in terminal.run(*hook, "retry", "CRM")
    assert "There is no webhook “X”" in terminal.run(*hook, "delete", "X", code=1)
    assert "was deleted" in terminal.run(*hook, "delete", "CRM")
