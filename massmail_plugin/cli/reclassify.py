"""`flask massmail reclassify`: tell people from machines anew, with the rules as they are today."""

from dataclasses import asdict

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from massmail_plugin import feedback
from massmail_plugin.cli.group import json_option, mounted, print_json
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.mailings import statistics
from massmail_plugin.models import Mailing
from massmail_plugin.vocabulary import MailingKind


@click.command()
@click.option("--mailing", "number", type=int, help="Only this one; else all of them.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@json_option
@with_appcontext
def reclassify(number: int | None, dry_run: bool, as_json: bool) -> None:
    """Judge the opens and clicks of the past anew: who was a person, and who a machine.

    Numbers follow, and so do outcomes the host has not heard of. Statuses that were set stay.
    """
    host = mounted()
    mailings = _mailings(host, number)
    host.session.rollback()
    total = feedback.Correction()
    for one in mailings:
        total += feedback.reclassify(host, one, dry_run=dry_run)
        if not dry_run:
            statistics.count_anew(host, one)
            host.session.commit()
    if as_json:
        print_json({"mailings": len(mailings), "dry_run": dry_run, **asdict(total)})
    else:
        click.echo(_words(total, dry_run=dry_run))


def _mailings(host: Host, number: int | None) -> list[int]:
    query = select(Mailing.id).where(Mailing.kind != MailingKind.TEST.value, Mailing.launched_at.is_not(None))
    found = list(
        host.session.scalars(query.order_by(Mailing.id) if number is None else query.where(Mailing.id == number))
    )
    if number is not None and not found:
        raise BadRequest(f"There is no mailing {number} that was sent.")
    return found


def _words(total: feedback.Correction, *, dry_run: bool) -> str:
    lines = [
        (total.to_machines, "opens and clicks that counted as people's are machines'"),
        (total.to_people, "that counted as machines' are people's"),
        (total.renamed, "have another reason"),
        (total.reported, "outcomes are reported to the host"),
        (total.withdrawn, "outcomes are withdrawn before the host heard of them"),
        (total.told, "outcomes the host has heard of would not be reported now; what it made of them stays"),
    ]
    said = [f"{number:,} {words}." for number, words in lines if number]
    head = "Nothing is changed; this is what would be:" if dry_run else "Done:"
    return "\n".join([head, *said]) if said else "All hits are judged as the rules say today; nothing changes."
