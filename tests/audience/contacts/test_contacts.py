"""Reading the host's contacts: values for templates, addresses, pickers, status."""

from datetime import date
from decimal import Decimal

from sqlalchemy import select

from massmail_plugin.audience.contacts.summaries import current_addresses, exists, find, summaries
from massmail_plugin.audience.contacts.values import values
from massmail_plugin.contracts import ContactRef, Host
from tests.consent.small_host import CLIENTS, MEMBERS, PERSONS, Client, Company, Member, Order, Person, add_person


def test_values(host: Host) -> None:
    acme = Company(name="Acme")
    boss = Person(first="Bo", city="Wien")
    host.session.add_all([acme, boss])
    host.session.flush()
    one = add_person(
        host,
        "a@x.test",
        first="Ann",
        last="Ek",
        city="Graz",
        balance=Decimal("10.50"),
        born=date(2000, 2, 29),
        pin="1234",
        company=acme,
        boss=boss,
    )
    host.session.add_all([Order(person_id=int(one.key), item=item, amount=3) for item in ("tea", "cup")])
    host.session.flush()
    found = values(host, PERSONS, [one.key, str(boss.id), "999"])
    assert set(found) == {one.key, str(boss.id)}
    ann = found[one.key]
    assert (ann["name"], ann["first"], ann["city"], ann["born"]) == ("Ann Ek", "Ann", "Graz", date(2000, 2, 29))
    assert ann["balance"] == Decimal("10.50")
    assert ann["company"] == {"name": "Acme"}
    assert ann["boss"] == {"city": "Wien"}
    assert ann["orders"] == [{"item": "tea", "amount": 3}, {"item": "cup", "amount": 3}]
    assert "pin" not in ann
    assert found[str(boss.id)]["company"] == {"name": None}
    assert found[str(boss.id)]["team"] == [{"city": "Graz", "children": None}]
    narrow = values(host, PERSONS, [one.key], paths={"city", "company.name", "pin"}, related=set())
    assert narrow == {one.key: {"city": "Graz", "company": {"name": "Acme"}}}


def test_values_of_uuid_keys(host: Host) -> None:
    host.session.add(Member(label="Ann"))
    host.session.flush()
    key = str(host.session.scalars(select(Member.uid)).one())
    assert values(host, MEMBERS, [key]) == {key: {"name": "Ann", "opted_out": False, "subscriptions": []}}


def test_find(host: Host) -> None:
    add_person(host, "zoe@x.test", first="Zoe", last="100% Smith")
    add_person(host, "adam@x.test", first="Adam", last="Smith", email2="")
    third = add_person(host, first=" ")
    assert [one.name for one in find(host, PERSONS, "SMITH")] == ["Adam Smith", "Zoe 100% Smith"]
    assert [one.name for one in find(host, PERSONS, "zoe@")] == ["Zoe 100% Smith"]
    assert [one.name for one in find(host, PERSONS, "%")] == ["Zoe 100% Smith"]
    assert find(host, PERSONS, "' OR 1=1 --\x00") == []
    assert [one.ref for one in find(host, PERSONS, third.key)] == [third]
    assert len(find(host, PERSONS, "  ", limit=2)) == 2
    assert find(host, PERSONS, third.key)[0].name == third.key
    adam = find(host, PERSONS, "adam")[0]
    assert adam.addresses == {"main": "adam@x.test"}
    assert summaries(host, [adam.ref, ContactRef("gone", "1"), ContactRef("person", "999")]) == {adam.ref: adam}


def test_addresses_and_who_is_there(host: Host) -> None:
    one = add_person(host, " a@x.test ", email2="", fax="123")
    assert current_addresses(host, PERSONS, [one.key]) == {(one.key, "main"): "a@x.test", (one.key, "fax"): "123"}
    assert exists(host, one)
    assert not exists(host, ContactRef("person", "999"))
    assert not exists(host, ContactRef("nothing", "1"))
    host.session.add(Client(code="A"))
    host.session.flush()
    assert find(host, CLIENTS, "A")[0].name == "A"
