"""`flask massmail campaign ...`: series, and what a contact got of them."""

from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import select

from massmail_plugin import campaigns
from massmail_plugin.cli.group import BY, contact_ref, json_option, mounted, print_json, print_table
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Campaign

campaign = AppGroup("campaign", help="Series: list, activate, pause, timeline.")
number_argument = click.argument("number", type=int)


@campaign.command("list")
@json_option
def list_(as_json: bool) -> None:
    """The campaigns with their contacts by standing."""
    host = mounted()
    rows = [_row(host, one) for one in host.session.scalars(select(Campaign).order_by(Campaign.name))]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, empty="There is no campaign.")


@campaign.command()
@number_argument
@click.option("--include-present", is_flag=True, help="Take in everybody who is on its lists now.")
def activate(number: int, include_present: bool) -> None:
    """Start a campaign, or let a paused one go on."""
    host = mounted()
    found = _campaign(host, number)
    entered = campaigns.activate(host, found, by=BY, include_present=include_present)
    host.session.commit()
    click.echo(f"“{found.name}” is {found.state}; {entered:,} entered at once.")


@campaign.command()
@number_argument
def pause(number: int) -> None:
    """Stop a campaign: nobody enters or moves on, and what waits stays."""
    host = mounted()
    found = _campaign(host, number)
    campaigns.pause(host, found, by=BY)
    host.session.commit()
    click.echo(f"“{found.name}” is {found.state}.")


@campaign.command()
@click.argument("contact")
@json_option
def timeline(contact: str, as_json: bool) -> None:
    """What CONTACT (key, or source:key) got and will get of each campaign."""
    host = mounted()
    rows = [row for stay in campaigns.timeline(host, contact_ref(host, contact)) for row in _moments(stay)]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, empty="The contact is in no campaign.")


def _moments(stay: campaigns.Stay) -> list[dict[str, Any]]:
    return [
        {
            "campaign": stay.campaign.name,
            "standing": stay.state.value,
            "reason": stay.left_reason,
            "day": moment.day,
            "template": moment.template_name,
            "expected": moment.expected,
            "mails": ", ".join(f"{mail.address_role}: {mail.state}" for mail in moment.mails),
        }
        for moment in stay.steps
    ]


def _campaign(host: Host, number: int) -> Campaign:
    found = host.session.get(Campaign, number)
    if found is None:
        raise BadRequest(f"There is no campaign {number}; `flask massmail campaign list` shows those there are.")
    return found


def _row(host: Host, found: Campaign) -> dict[str, Any]:
    counted = campaigns.totals(host, found)
    return {
        "number": found.id,
        "name": found.name,
        "state": found.state,
        "mails": len(found.steps),
        "active": counted.active,
        "finished": counted.finished,
        "left": counted.left,
    }
