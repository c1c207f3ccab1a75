"""`flask massmail opt-out pause|resume|fewer`: mail for a while not at all, or less often. Commits."""

from datetime import UTC, datetime

import click

from massmail_plugin import consent
from massmail_plugin.cli.consent import opt_out
from massmail_plugin.cli.group import BY, mounted
from massmail_plugin.cli.named import known_contact
from massmail_plugin.vocabulary import ConsentWay

__all__ = ["opt_out"]

contact_argument = click.argument("contact")
evidence_option = click.option("--evidence", default=BY, help="How we know of the wish.")


@opt_out.command()
@contact_argument
@click.option(
    "--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Day from which mail may go again, UTC."
)
@evidence_option
def pause(contact: str, until: datetime, evidence: str) -> None:
    """CONTACT (key, or source:key) wants no mail for a while."""
    host = mounted()
    news = consent.pause(host, known_contact(host, contact), until=until.replace(tzinfo=UTC), proof=_proof(evidence))
    host.session.commit()
    click.echo(f"{contact} gets no mail before {until:%Y-%m-%d}." if news else f"{contact} had a pause until then.")


@opt_out.command()
@contact_argument
@evidence_option
def resume(contact: str, evidence: str) -> None:
    """The pause of CONTACT (key, or source:key) is over."""
    host = mounted()
    was_paused = consent.end_pause(host, known_contact(host, contact), proof=_proof(evidence))
    host.session.commit()
    click.echo(f"{contact} gets mail again." if was_paused else f"{contact} had no pause.")


@opt_out.command()
@contact_argument
@click.argument("days", type=int)
def fewer(contact: str, days: int) -> None:
    """CONTACT (key, or source:key) wants one mailing in DAYS days at the most; 0 takes it back."""
    host = mounted()
    ref = known_contact(host, contact)
    news = consent.want_fewer(host, ref, days) if days else consent.want_as_many(host, ref)
    host.session.commit()
    what = f"one mailing in {days} days at the most" if days else "every mailing"
    click.echo(f"{contact} gets {what}." if news else f"{contact} had said so already.")


def _proof(evidence: str) -> consent.Proof:
    return consent.Proof(ConsentWay.PERSON, evidence=evidence, by=BY)
