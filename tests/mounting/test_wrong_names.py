"""Every wrong name and every missing piece is refused at start, in words that name it and the nearest right one."""

import logging
from typing import Any

import pytest
from flask_admin import Admin
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.exc import OperationalError

from massmail_plugin import ConfigError, ContactSource, Email, Field, MassMail, Outcome, Related, SetupError
from tests.mounting.conftest import Base, Deal, Firm, Hosts, Member, Seat, mapping, plugin, source


def refused(hosts: Hosts, massmail: MassMail, **config: Any) -> str:
    """What the refusal says; nothing of ours is mounted afterwards."""
    app = hosts.app(**config)
    db = hosts.db(app)
    with pytest.raises(SetupError) as refusal:
        massmail.init_app(app, db=db, admin=Admin(app))
    assert "massmail" not in app.extensions
    assert not [rule for rule in app.url_map.iter_rules() if "massmail" in rule.endpoint]
    return str(refusal.value)


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        (mapping(statuses={Outcome.SENT: "maild"}), ["sent", "“maild”", "Did you mean “mailed”?"]),
        (mapping(final={"gonne"}), ["final", "“gonne”", "Did you mean “gone”?"]),
        (mapping(statuses={Outcome.READ: "xyz"}), ["read", "“xyz”", "Known are: gone, keen, mailed, new."]),
        ({Outcome.SENT: "mailed"}, ["statuses=...", "StatusMapping"]),
        (mapping(statuses={"snet": "mailed"}), ["“snet”", "Did you mean “sent”?"]),
        (mapping(target="contacts"), ["target", "“contacts”", "Did you mean “contact”?"]),
        (mapping(known=["new", "mailed"]), ["known=...", "function"]),
    ],
)
def test_statuses(hosts: Hosts, statuses: Any, words: list[str]) -> None:
    said = refused(hosts, plugin(statuses=statuses))
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize(
    ("contacts", "words"),
    [
        (source(fields=[Field(Firm.name, via="firn")]), ["via=", "“firn”", "Did you mean “firm”?"]),
        (source(fields=[Field(Firm.name, via=Member.firm_id)]), ["via=", "“firm_id”", "Did you mean “firm”?"]),
        (source(fields=[Field(Deal.worth, via=Member.deals)]), ["“deals”", "Related(...)"]),
        (source(fields=[Related(Firm, via=Member.firm, fields=[Firm.name])]), ["“firm”", "Field(...)"]),
        (source(fields=[Member.name]), ["fields=", "Field(...)"]),
        (source(fields=[Field(Member.firm_id, name="no name")]), ["name="]),
        (source(fields=[Field(Member.name), Field(Member.email, name="name")]), ["“name”", "twice"]),
        (source(addresses=[Email(Member.email), Email(Member.name)]), ["two addresses", "“main”", 'role="second"']),
        (source(addresses=[]), ["addresses=", "Email(...)"]),
        (source(addresses=[Member.email]), ["addresses=", "Email, Phone or Fax"]),
        (source(fields=[Field(Firm.name)]), ["“name”", "column of Firm, not of Member", "“firm”", "via="]),
        (source(fields=[Field(Member.email, via=Member.firm)]), ["“email”", "column of Member, not of Firm"]),
        (source(fields=[Related(Deal, via=Member.deals, fields=[Firm.name])]), ["“deals”", "of Firm, not of Deal"]),
        (source(fields=[Related(Firm, via=Member.deals, fields=[Deal.worth])]), ["“deals”", "leads to Deal", "Firm"]),
        (source(addresses=[Email(Firm.name)]), ["address “main”", "column of Firm, not of Member"]),
        (source(addresses=[Email("emial")]), ["address “main”", "'emial'", "Did you mean “email”?"]),
        (source(status="statsu"), ["status=", "'statsu'", "Did you mean “status”?"]),
        (source(name=Member.firm), ["name=", "takes a column of Member"]),
        (source(key=Firm.id), ["key=", "column of Firm, not of Member"]),
        (source(tracking=Firm.name), ["tracking=", "column of Firm, not of Member"]),
        (source(status=None), ["members", "no status=", "massmail.set_status"]),
        (ContactSource(Seat, addresses=[Email(Seat.email)]), ["Seat", "no single primary key", "key="]),
        (ContactSource(str, addresses=[Email(Member.email)]), ["str", "not a mapped class"]),
        ([], ["contacts=", "ContactSource"]),
        ([Member], ["ContactSource", "Member"]),
        ([source(), source()], ["Two contact sources", "“members”", "source="]),
    ],
)
def test_contacts(hosts: Hosts, contacts: Any, words: list[str]) -> None:
    said = refused(hosts, plugin(contacts=contacts))
    assert [word for word in words if word not in said] == [], said


def test_a_key_may_be_named_where_the_table_has_two(hosts: Hosts) -> None:
    app = hosts.app()
    contacts = ContactSource(Seat, addresses=[Email(Seat.email)], key=Seat.number)
    plugin(contacts=contacts, statuses=mapping(statuses={})).init_app(app, db=hosts.db(app), admin=Admin(app))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"MASSMAIL_BASE_URL": ""}, ["MASSMAIL_BASE_URL", "https://crm.example.org"]),
        ({"MASSMAIL_BASE_URL": "members.example"}, ["MASSMAIL_BASE_URL", "'members.example'"]),
        ({"MASSMAIL_SECRET_KEYS": []}, ["MASSMAIL_SECRET_KEYS", "secrets.token_urlsafe(32)"]),
        ({"MASSMAIL_SECRET_KEYS": ["k" * 40, "short"]}, ["Key 2", "MASSMAIL_SECRET_KEYS", "32"]),
        ({"MASSMAIL_CHUNK_SIZE": "many"}, ["MASSMAIL_CHUNK_SIZE", "'many'"]),
        ({"MASSMAIL_LANES": 0}, ["MASSMAIL_LANES"]),
        ({"MASSMAIL_TRACK_OPENS": "perhaps"}, ["MASSMAIL_TRACK_OPENS", "'perhaps'"]),
        ({"MASSMAIL_URL_PREFIX": "m"}, ["MASSMAIL_URL_PREFIX", "'m'"]),
    ],
)
def test_settings(hosts: Hosts, config: dict[str, Any], words: list[str]) -> None:
    said = refused(hosts, plugin(), **config)
    assert [word for word in words if word not in said] == [], said
    assert issubclass(ConfigError, SetupError)


def test_an_unknown_setting_is_a_warning_with_the_nearest_name(hosts: Hosts, caplog: pytest.LogCaptureFixture) -> None:
    app = hosts.app(MASSMAIL_BASE_ULR="https://x.example")
    with caplog.at_level(logging.WARNING, logger="massmail_plugin"):
        plugin().init_app(app, db=hosts.db(app), admin=Admin(app))
    assert "Unknown setting MASSMAIL_BASE_ULR. Did you mean MASSMAIL_BASE_URL?" in caplog.text


def test_a_database_that_is_none(hosts: Hosts) -> None:
    app = hosts.app()
    with pytest.raises(SetupError, match="takes the host's SQLAlchemy object of Flask-SQLAlchemy, not 'sqlite://'"):
        plugin().init_app(app, db="sqlite://", admin=Admin(app))  # type: ignore[arg-type]


def test_a_database_that_does_not_know_the_application_yet(hosts: Hosts) -> None:
    app = hosts.app()
    with pytest.raises(SetupError, match=r"call db\.init_app\(app\) before massmail\.init_app"):
        plugin().init_app(app, db=SQLAlchemy(model_class=Base), admin=Admin(app))


def test_hooks_of_which_there_is_one(hosts: Hosts) -> None:
    massmail = plugin()
    with pytest.raises(SetupError, match="may is set twice"):
        massmail.may(lambda user, act, subject: True)
    massmail.set_status(lambda fact: None)
    with pytest.raises(SetupError, match="set_status is set twice"):
        massmail.set_status(lambda fact: None)
    massmail.condition("vip")(lambda model: model.id > 0)
    with pytest.raises(SetupError, match="“vip” is registered twice"):
        massmail.condition("vip")(lambda model: model.id > 1)


def test_statuses_in_a_table_that_is_not_there_yet_stop_nothing(hosts: Hosts) -> None:
    def known() -> list[str]:
        raise OperationalError("SELECT name FROM statuses", {}, Exception("no such table: statuses"))

    app = hosts.app()
    plugin(statuses=mapping(known=known)).init_app(app, db=hosts.db(app), admin=Admin(app))
    assert "massmail" in app.extensions
