"""`flask massmail outcomes ...`: what has not reached the host yet, tried again; and who else is told, by webhooks."""

import click
from flask.cli import AppGroup
from sqlalchemy import select

from massmail_plugin import outcomes as room
from massmail_plugin.cli.group import json_option, mounted, print_json, print_table
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Webhook, WebhookDelivery
from massmail_plugin.outcomes import webhooks
from massmail_plugin.vocabulary import Outcome

LONGEST = 3600.0

outcomes = AppGroup("outcomes", help="Outcomes on their way to the application: list, retry, set-aside, deliver.")
webhook = AppGroup("webhook", help="Who is told of outcomes by HTTP: list, add, test, log, retry, delete.")
outcomes.add_command(webhook)
limit_option = click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many."
)
outcome_option = click.option(
    "--outcome", "wanted", multiple=True, type=click.Choice([one.value for one in Outcome]), help="Default: all."
)
name_argument = click.argument("name")


@outcomes.command("list")
@limit_option
@json_option
def list_(limit: int, as_json: bool) -> None:
    """Those whose delivery failed, newest first, with what went wrong."""
    host = mounted()
    rows = [
        {
            "id": report.id,
            "outcome": report.outcome,
            "contact": f"{report.contact_source}:{report.contact_key}",
            "mailing": report.mailing_id,
            "state": report.state,
            "tries": report.attempts,
            "next_try": report.due_at,
            "problem": report.problem if as_json else (report.problem.strip().splitlines() or [""])[-1][:80],
        }
        for report in host.session.scalars(room.failing().limit(limit))
    ]
    if as_json:
        found = room.on_their_way(host)
        print_json({"waiting": found.waiting, "untold": found.untold, "failing": found.failing, "failed": rows})
    else:
        print_table(rows, empty="No outcome has failed to be delivered.")


@outcomes.command()
@click.argument("ids", nargs=-1, type=click.IntRange(min=1))
def retry(ids: tuple[int, ...]) -> None:
    """Deliver the failed outcomes IDS again at once, or all of them."""
    host = mounted()
    number = sum(room.retry_now(host, one) for one in ids or (None,))
    host.session.commit()
    host.wake("outcomes")
    click.echo(f"{number:,} {'outcome is' if number == 1 else 'outcomes are'} being delivered again.")


@outcomes.command("set-aside")
@click.argument("number", type=click.IntRange(min=1))
def set_aside(number: int) -> None:
    """Give the failed outcome NUMBER up, so that the later ones of its contact go on."""
    host = mounted()
    if not room.set_aside(host, number):
        raise BadRequest(f"{number} is no outcome that failed; `flask massmail outcomes list` has those there are.")
    host.session.commit()
    click.echo(f"Outcome {number} was set aside.")


@outcomes.command()
def deliver() -> None:
    """Deliver here and now what is due; not needed where a worker runs."""
    number = room.deliver(mounted(), seconds=LONGEST)
    click.echo(f"{number:,} {'outcome' if number == 1 else 'outcomes'} delivered.")


@webhook.command("list")
@json_option
def list_webhooks(as_json: bool) -> None:
    """The webhooks, and whether they take what is sent."""
    hooks = mounted().session.scalars(select(Webhook).order_by(Webhook.name))
    rows = [
        {"name": one.name, "url": one.url, "on": one.active, "last_taken": one.taken_at, "fault": one.fault}
        for one in hooks
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, empty="There is no webhook.")


@webhook.command()
@name_argument
@click.argument("url")
@outcome_option
def add(name: str, url: str, wanted: tuple[str, ...]) -> None:
    """Tell URL of outcomes from now on; prints the secret its signatures are made with, once."""
    host = mounted()
    hook = webhooks.register(host, webhooks.WebhookDraft(name=name, url=url, outcomes=wanted))
    secret = hook.secret
    host.session.commit()
    click.echo(f"The webhook “{name}” is on. Its secret, shown this once: {secret}")


@webhook.command()
@name_argument
def test(name: str) -> None:
    """Post a test to the webhook NAME; exit code 1 where it is not taken."""
    host = mounted()
    trial = webhooks.try_out(host, _hook(host, name))
    click.echo(f"It took the test: HTTP {trial.code}." if trial.taken else f"It did not take the test. {trial.words}")
    if not trial.taken:
        raise SystemExit(1)


@webhook.command()
@name_argument
@limit_option
@json_option
def log(name: str, limit: int, as_json: bool) -> None:
    """What was sent to the webhook NAME, newest first."""
    host = mounted()
    own = select(WebhookDelivery).where(WebhookDelivery.webhook_id == _hook(host, name).id)
    rows = [
        {
            "id": one.id,
            "outcome": one.report_id,
            "state": one.state,
            "tries": one.attempts,
            "last_try": one.tried_at,
            "http": one.code,
            "problem": one.problem,
        }
        for one in host.session.scalars(own.order_by(WebhookDelivery.id.desc()).limit(limit))
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, empty="Nothing was sent yet.")


@webhook.command("retry")
@name_argument
def retry_webhook(name: str) -> None:
    """Send again what the webhook NAME did not take."""
    host = mounted()
    number = webhooks.retry(host, _hook(host, name))
    host.session.commit()
    host.wake("outcomes")
    click.echo(f"{number:,} {'outcome is' if number == 1 else 'outcomes are'} being sent again.")


@webhook.command()
@name_argument
def delete(name: str) -> None:
    """Delete the webhook NAME with its log."""
    host = mounted()
    webhooks.delete(host, _hook(host, name))
    host.session.commit()
    click.echo(f"The webhook “{name}” was deleted.")


def _hook(host: Host, name: str) -> Webhook:
    found = host.session.scalars(select(Webhook).where(Webhook.name == name)).one_or_none()
    if found is None:
        raise BadRequest(f"There is no webhook “{name}”; `flask massmail outcomes webhook list` shows those there are.")
    return found
