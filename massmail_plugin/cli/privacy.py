"""`flask massmail person ...` and `retention ...`: what is held about a person, erasing it, and deleting by age."""

import click
from flask.cli import AppGroup

from massmail_plugin import audience
from massmail_plugin.cli.group import BY, contact_ref, json_option, mounted, print_json, print_table
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.upkeep import privacy
from massmail_plugin.upkeep import retention as room

person = AppGroup("person", help="What is held about a person, and erasing it.")
retention = AppGroup("retention", help="How long personal data are kept; delete what is older.")
who_argument = click.argument("who")


@person.command()
@who_argument
@json_option
def show(who: str, as_json: bool) -> None:
    """What is held about WHO: a contact (key, or source:key) or an address. With --json all of it, to hand out."""
    host = mounted()
    found = [privacy.held(host, one) for one in _people(host, who)]
    if as_json:
        click.echo(privacy.as_json([one.whole() for one in found]))
        return
    for one in found:
        click.echo(f"{_named(one.person)}{f', {one.name}' if one.name else ''}")
        rows = [{"what": one.titles[name], "rows": number} for name, number in one.counts.items()]
        print_table(rows, empty="Nothing is held.")


@person.command()
@who_argument
@click.option("--note", default="", help="Why, for the record; must not say who.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def erase(who: str, note: str, yes: bool, as_json: bool) -> None:
    """Erase WHO, a contact (key, or source:key) or an address: the numbers stay, and no mail goes there again."""
    host = mounted()
    found = _people(host, who)
    if len(found) > 1:
        names = ", ".join(_named(one) for one in found)
        raise BadRequest(f"Several are reached at {who}: {names}. Name one of them, or erase one after the other.")
    if not yes:
        click.confirm(f"Erase {_named(found[0])} for good?", abort=True)
    done = privacy.erase(host, found[0], by=BY, note=note)
    host.session.commit()
    if as_json:
        print_json({"erased": done.counts, "news": done.news})
    else:
        click.echo(f"Erased: {done.rows:,} rows." if done.news else "Nothing was held.")


def _people(host: Host, who: str) -> list[privacy.Person]:
    """A contact, also one the host has no more, as far as something is kept of it; or whoever is at an address."""
    if "@" in who and not _is_key(host, who):
        return privacy.people_of(host, who)
    return [privacy.person_of(host, contact_ref(host, who))]


def _is_key(host: Host, who: str) -> bool:
    try:
        return audience.exists(host, contact_ref(host, who))
    except BadRequest:
        return False


def _named(one: privacy.Person) -> str:
    return f"{one.contact.source}:{one.contact.key}" if one.contact else f"the address {one.addresses[0]} alone"


@retention.command("show")
@json_option
def show_ages(as_json: bool) -> None:
    """How long each kind of data is kept, and when a pass last went through it."""
    rows = [
        {"kind": one.name, "days": one.days, "last pass": one.done_at, "what": one.label}
        for one in room.state(mounted())
    ]
    print_json(rows) if as_json else print_table(rows, empty="")


@retention.command("run")
@click.option("--dry-run", is_flag=True, help="Say what would be deleted, and delete nothing.")
@click.option("--seconds", type=float, default=3600.0, show_default=True, help="Stop after about so long.")
@json_option
def run_now(dry_run: bool, seconds: float, as_json: bool) -> None:
    """Delete now what is too old; the scheduler does the same once a day. 1 where something old is left."""
    host = mounted()
    if dry_run:
        found = [{"kind": one.name, "days": one.days, "rows": one.rows} for one in room.due(host)]
        print_json(found) if as_json else print_table(found, empty="")
        return
    done = room.run(host, seconds=seconds, whole=True)
    if done is None:
        raise BadRequest("Another process deletes old data at this moment. Try again later.")
    if as_json:
        print_json({"deleted": done.forgotten, "finished": done.finished})
    else:
        rows = [{"kind": name, "rows": number} for name, number in done.forgotten.items()]
        print_table(rows, empty="Nothing is too old.")
    if not done.finished:
        raise SystemExit(1)
