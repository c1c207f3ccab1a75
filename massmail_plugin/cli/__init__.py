"""Door of the command line: `flask massmail ...`. Reads arguments, calls one function of a room, commits, prints.

Exit codes: 0 all is well, 1 a problem was found or the request refused, 2 wrong usage.
"""

from flask import Flask

from massmail_plugin.cli.bounces import bounces
from massmail_plugin.cli.campaigns import campaign
from massmail_plugin.cli.criteria import criterion
from massmail_plugin.cli.database import db
from massmail_plugin.cli.events import events
from massmail_plugin.cli.export import export
from massmail_plugin.cli.feedback import feedback
from massmail_plugin.cli.fewer import opt_out
from massmail_plugin.cli.group import PlainGroup
from massmail_plugin.cli.hits import hits
from massmail_plugin.cli.imports import import_
from massmail_plugin.cli.lists import lists
from massmail_plugin.cli.mailboxes import mailboxes
from massmail_plugin.cli.mailings import mailing, send_test
from massmail_plugin.cli.outcomes import outcomes
from massmail_plugin.cli.privacy import person, retention
from massmail_plugin.cli.processes import doctor, scheduler, worker
from massmail_plugin.cli.reclassify import reclassify
from massmail_plugin.cli.sign_ups import sign_up
from massmail_plugin.cli.stops import suppress
from massmail_plugin.cli.suppressions import suppressions
from massmail_plugin.cli.uncertain import uncertain
from massmail_plugin.cli.verify import verify
from massmail_plugin.cli.webhooks import webhooks
from massmail_plugin.cli.why import funnel, why

group = PlainGroup("massmail", help="Mass mailing: tables, processes, mailings, campaigns.")
for command in (db, worker, scheduler, doctor, mailing, uncertain, campaign, send_test, opt_out, suppress, feedback):
    group.add_command(command)
group.add_command(bounces)
group.add_command(criterion)
group.add_command(events)
group.add_command(export)
group.add_command(hits)
group.add_command(import_)
group.add_command(lists)
group.add_command(mailboxes)
group.add_command(outcomes)
group.add_command(person)
group.add_command(reclassify)
group.add_command(retention)
group.add_command(sign_up)
group.add_command(suppressions)
group.add_command(verify)
group.add_command(webhooks)
group.add_command(funnel)
group.add_command(why)


def register(app: Flask) -> None:
    """Add `flask massmail` to an application."""
    app.cli.add_command(group)
