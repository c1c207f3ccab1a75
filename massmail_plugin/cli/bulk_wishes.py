"""Opting out and back in everybody whom a criterion finds or a file names; behind `flask massmail opt-out`. Commits."""

from collections.abc import Sequence
from pathlib import Path

import click
from sqlalchemy import func, select

from massmail_plugin import audience
from massmail_plugin.audience import imports
from massmail_plugin.cli.group import BY
from massmail_plugin.cli.named import criterion_called, list_called, source_called, topic_called
from massmail_plugin.consent import Proof
from massmail_plugin.consent.wishes.withdrawing_many import (
    What,
    take_back_selected,
    those_to_take_back,
    those_to_withdraw,
    withdraw_selected,
)
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Import
from massmail_plugin.vocabulary import ConsentWay, ImportPurpose, ImportState, RowVerdict

SHOWN = (RowVerdict.CHANGED, RowVerdict.ALREADY, RowVerdict.UNKNOWN, RowVerdict.INVALID, RowVerdict.DUPLICATE)


def what_of(host: Host, lists: Sequence[str], topic: str | None) -> What:
    """What the options --list and --topic speak of; neither means every mailing."""
    if lists and topic:
        raise BadRequest("Name lists or a topic, not both.")
    if lists:
        return What(list_ids=tuple(list_called(host, name).id for name in lists))
    return What(topic_id=topic_called(host, topic).id if topic else None)


def by_criterion(host: Host, name: str, what: What, *, out: bool, evidence: str, dry_run: bool) -> None:
    """Everybody whom the criterion finds now. The application hears of each of them."""
    source, keys = audience.matching(host, criterion_called(host, name))
    if dry_run:
        those = (those_to_withdraw if out else those_to_take_back)(source, keys, what).subquery()
        number = host.session.scalar(select(func.count()).select_from(those)) or 0
        click.echo(f"Nothing was changed. {number:,} would {'opt out' if out else 'get mail again'}.")
        return
    how = f"{'opted out' if out else 'opted in'} by criterion “{name}”, {evidence}"
    act = withdraw_selected if out else take_back_selected
    number = act(host, source, keys, what, proof=Proof(ConsentWay.PERSON, evidence=how.capitalize(), by=BY))
    host.session.commit()
    click.echo(f"{number:,} {'opted out' if out else 'get mail again'}.")


def by_file(host: Host, path: str, what: What, *, out: bool, evidence: str, dry_run: bool, source: str | None) -> None:
    """Everybody whom the file names by address or key. Kept as an import, which the admin shows."""
    if what.list_ids is not None:
        raise BadRequest("For lists, bring the file by `flask massmail import FILE --list NAME --purpose unsubscribe`.")
    with Path(path).open("rb") as stream:
        row = imports.bring(
            host,
            stream,
            purpose=ImportPurpose.OPT_OUT if out else ImportPurpose.OPT_IN,
            source=source_called(host, source),
            file_name=Path(path).name,
            options={"topic_id": what.topic_id},
            by=BY,
        )
    imports.choose(host, row, evidence=evidence)
    imports.start(host, row, dry_run=dry_run)
    host.session.commit()
    imports.complete(host, row.id)
    _say(host, row, dry_run)


def _say(host: Host, row: Import, dry_run: bool) -> None:
    host.session.refresh(row)
    if row.state == ImportState.FAILED:
        raise BadRequest(row.fault)
    counts = ", ".join(f"{row.counts.get(verdict, 0):,} {verdict.replace('_', ' ')}" for verdict in SHOWN)
    click.echo(f"{'Nothing was changed. It would be: ' if dry_run else ''}{row.done_rows:,} rows: {counts}.")
