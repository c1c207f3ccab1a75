"""The screens of criteria: the builder with and without scripts, its form as rules and back, use, copy, delete."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from massmail_plugin import mailings
from massmail_plugin.admin.criteria import rule_form
from massmail_plugin.admin.criteria.rows import finds
from massmail_plugin.admin.criteria.rule_check import check
from massmail_plugin.admin.criteria.rule_form import ROOT, Line
from massmail_plugin.admin.criteria.rule_lines import lines_of
from massmail_plugin.admin.criteria.rule_offer import Offer
from massmail_plugin.audience import find, parse
from massmail_plugin.audience.criteria.rules import MAX_RULES
from massmail_plugin.contracts import Field, Host, HostCondition
from massmail_plugin.models import Criterion, Event, Link, List, Mailing, OutboxMessage, Subscription, Template
from tests.admin.conftest import Catalogue, faults, form_of
from tests.consent.small_host import PERSONS, HostBase, Order, Person, running_host

CRITERIA = "/admin/massmail/criteria/"
LYON = {"all": [{"field": "city", "op": "is", "value": "Lyon"}]}
DEEP: dict[str, Any] = {
    "all": [
        {"field": "city", "op": "in", "value": ["Lyon", "Graz"]},
        {
            "any": [
                {"field": "balance", "op": "between", "value": ["100", "500"]},
                {"none": [{"field": "vip", "op": "is_true"}]},
            ]
        },
        {
            "related": "orders",
            "rows": "count",
            "min": 2,
            "has": {"any": [{"field": "item", "op": "is", "value": "Lamp"}]},
        },
        {"related": "orders", "rows": "all"},
        {"field": "born", "op": "before", "value": "1990-01-31"},
        {"field": "seen", "op": "in_last", "value": ["30", "weeks"]},
        {"field": "company.name", "op": "is_empty"},
        {"opt_out": "opted_out"},
        {"opt_out": "not_stopped", "list": 1},
        {"list": [1, 2], "op": "off"},
        {"history": "clicked", "mailing": 1, "days": 30, "link": "https://a.test/"},
        {"history": "unread"},
        {"criterion": 1, "op": "not_found"},
    ]
}


def add(small_host: Catalogue, name: str = "In Lyon", rule: Any = LYON) -> int:
    now = small_host.host.clock()
    row = Criterion(name=name, contact_source="contact", rule=rule, created_at=now, updated_at=now)
    small_host.host.session.add(row)
    small_host.host.session.commit()
    return row.id


def post(client: FlaskClient, address: str, page: str = "", **data: Any) -> Any:
    token = form_of(client.get(page or address).text)
    return client.post(address, data={**token, **{name.replace("_", "-"): value for name, value in data.items()}})


def fields(root: Line) -> MultiDict[str, str]:
    """What a browser posts for these lines."""
    posted: MultiDict[str, str] = MultiDict()
    for at, line in rule_form.walk(root):
        for name, value in (("what", line.what), ("op", line.op), ("glue", line.glue)):
            posted.add(f"{at}-{name}", value)
        for value in line.values:
            posted.add(f"{at}-value", value)
    return posted


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A host whose contacts have fields of every kind, and rows of their own; with lists, a mailing and a criterion."""
    with running_host(f"sqlite:///{tmp_path_factory.mktemp('people') / 'people.sqlite3'}") as host:
        now = {"created_at": host.clock()}
        host.session.add_all([List(id=number, name=f"List {number}", **now) for number in (1, 2)])
        host.session.add(Mailing(id=1, name="Spring", contact_source="person", launched_at=host.clock(), **now))
        host.session.add(
            Criterion(id=1, name="Old", contact_source="person", rule=LYON, updated_at=host.clock(), **now)
        )
        host.session.commit()
        yield host


# --- Lines and rules ---------------------------------------------------------------------------------------------


def test_a_rule_goes_through_the_form_unchanged(people: Host) -> None:
    root = rule_form.read(fields(lines_of(DEEP)))
    checked = check(Offer(people, PERSONS), root, drafting=False)
    assert checked.wrong == []
    assert checked.rule == DEEP
    parse(checked.rule)


def test_the_longest_rule_goes_through_the_form_unchanged(people: Host) -> None:
    longest = {"all": [{"field": "city", "op": "is", "value": f"City {number}"} for number in range(MAX_RULES - 1)]}
    checked = check(Offer(people, PERSONS), rule_form.read(fields(lines_of(longest))), drafting=False)
    assert (checked.wrong, checked.rule) == ([], longest)
    root = rule_form.read(fields(lines_of({"all": [*longest["all"], {"field": "vip", "op": "is_true"}]})))
    assert "200 rules at the most" in check(Offer(people, PERSONS), root, drafting=False).wrong[0][2]


@pytest.mark.parametrize(
    "rule", [{"field": "city", "op": "at_least", "value": "A1"}, {"related": "orders", "rows": "latest"}]
)
def test_a_way_of_asking_the_host_gave_up_is_said_and_not_replaced(people: Host, rule: dict[str, Any]) -> None:
    """The field was once of codes, the rows had once a column for the latest."""
    offer, root = Offer(people, PERSONS), rule_form.read(fields(lines_of(rule)))
    assert (root.lines[0].op, f"{root.lines[0].op} (no longer there)") in offer.ops(root.lines[0])
    for drafting in (True, False):
        checked = check(offer, root, drafting=drafting)
        assert (checked.rule, "in this way any more" in checked.wrong[0][2]) == (None, True)


def test_a_single_rule_gets_a_group_around_it() -> None:
    assert lines_of({"condition": "vip"}).lines == [Line("condition:vip")]


def test_buttons_add_and_remove_lines() -> None:
    root = rule_form.new_root()
    assert rule_form.press(root, "row:rule") == "rule-1-what"
    assert rule_form.press(root, "group:rule") == "rule-2-glue"
    assert rule_form.press(root, "group:rule-2") == "rule-2-1-glue"
    assert rule_form.press(root, "group:rule-2-1") == "", "three levels at the most"
    assert rule_form.press(root, "remove:rule-0") == "rule-add"
    assert [line.what for line in root.lines] == ["", "group"]
    before = fields(root)
    for nonsense in ("remove:rule", "row:rule-9", "row:rule-0", "remove:rule-x", "drop:rule", "", "refresh"):
        assert rule_form.press(root, nonsense) == ""
    assert fields(root) == before


def test_lines_are_bounded() -> None:
    many = MultiDict([("rule-what", "group"), *((f"rule-{number}-what", "") for number in range(500))])
    assert len(rule_form.read(many).lines) == rule_form.MOST_LINES
    at, posted = ROOT, MultiDict([(f"{ROOT}-what", "group")])
    for _ in range(50):
        at += "-0"
        posted.add(f"{at}-what", "group")
    assert sum(1 for _ in rule_form.walk(rule_form.read(posted))) < 8
    root = Line("group", lines=[Line() for _ in range(rule_form.MOST_LINES)])
    assert rule_form.press(root, "row:rule") == ""


def test_another_field_forgets_operator_and_value() -> None:
    posted = MultiDict(
        {"rule-0-was": "field:city", "rule-0-what": "field:born", "rule-0-op": "is", "rule-0-value": "Lyon"}
    )
    assert rule_form.read(posted).lines == [Line("field:born")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (Line(), "Choose what to ask for"),
        (Line("field:balance", op="between", values=["500", "100"]), "must not be greater"),
        (Line("field:balance", op="between", values=["5", ""]), "Enter both values"),
        (Line("field:balance", op="is", values=["lots"]), "is no number"),
        (Line("field:born", op="on", values=["31.3.1990"]), "is no date"),
        (Line("field:seen", op="in_last", values=["x", "days"]), "number of days"),
        (Line("field:seen", op="in_last", values=["", "days"]), "Enter how many"),
        (Line("field:city", op="in", values=[]), "at least one value"),
        (Line("field:password"), "no field “password”"),
        (Line("field:city' OR 1=1 --", op="is", values=["x"]), "no field"),
        (Line("related:people"), "no rows called"),
        (Line("related:orders", op="count", values=["some", ""]), "whole number"),
        (Line("related:orders", op="count", values=["", ""]), "from, to, or both"),
        (Line("related:orders", op="count", values=["3", "2"]), "must not be greater"),
        (Line("list", op="on", values=[]), "at least one list"),
        (Line("list", op="on", values=["99"]), "list number 99"),
        (Line("list", op="on", values=["1 OR 1=1"]), "not there any more"),
        (Line("opt_out", op="opted_out", values=["list:99"]), "list number 99"),
        (Line("opt_out", op="opted_out", values=["mailing:1"]), "not there any more"),
        (Line("history", op="read", values=["mailing:99", "", ""]), "mailing number 99"),
        (Line("history", op="read", values=["", "0", ""]), "last 1 day or more"),
        (Line("history", op="read", values=["", "ten", ""]), "whole number"),
        (Line("criterion", op="found", values=[""]), "Choose a criterion"),
        (Line("criterion", op="found", values=["99"]), "criterion number 99"),
        (Line("related:orders", lines=[Line("field:city", op="is", values=["x"])]), "no field “city”"),
        (Line("condition:unknown"), "no condition"),
        (Line("group"), "This group is empty"),
    ],
)
def test_faults_stand_at_their_line(people: Host, line: Line, words: str) -> None:
    checked = check(Offer(people, PERSONS), Line("group", lines=[line]), drafting=False)
    assert words in " ".join(message for _, _, message in checked.wrong)
    assert any(words in one.error for _, one in rule_form.walk(line))


def test_unfinished_lines_do_not_count_while_drafting(people: Host) -> None:
    whole = Line("field:city", op="is", values=["Lyon"])
    root = Line("group", lines=[whole, Line(), Line("field:born", op="on", values=[""]), Line("group")])
    checked = check(Offer(people, PERSONS), root, drafting=True)
    assert (checked.rule, checked.unfinished, checked.wrong) == (LYON, 3, [])


def test_related_rows_deep_inside_take_one_condition(people: Host) -> None:
    inner = Line("related:orders", op="any", lines=[Line("field:item", op="is", values=["Lamp"])])
    root = Line("group", lines=[Line("group", lines=[Line("group", lines=[inner])])])
    rule = check(Offer(people, PERSONS), root, drafting=False).rule
    parse(rule)
    assert not rule_form.may_hold_row(inner, "rule-0-0-0")
    assert rule_form.read(fields(lines_of(rule or {}))) == root


def test_the_form_finds_whom_the_rule_means(people: Host) -> None:
    zoe = Person(
        first="Zoë", city="Lyon", balance=200, born=date(1980, 1, 1), orders=[Order(item="Lamp"), Order(item="Lamp")]
    )
    people.session.add_all([zoe, Person(first="Ada", city="Lyon", balance=20)])
    people.session.flush()
    rule = {"all": [DEEP["all"][0], DEEP["all"][1]["any"][0], DEEP["all"][2], DEEP["all"][3]]}
    checked = check(Offer(people, PERSONS), lines_of(rule), drafting=False)
    found = finds(people, PERSONS, checked.rule, people=True)
    assert (found.number, found.whole, [one.name for one in found.people]) == (1, 2, ["Zoë"])
    people.session.rollback()


# --- Screens -----------------------------------------------------------------------------------------------------

ROW = {"rule_what": "group", "rule_0_what": "field:city", "rule_0_op": "is", "rule_0_value": "Lyon"}


def test_a_criterion_is_made_and_shown(small_host: Catalogue) -> None:
    client = small_host.client()
    answer = post(client, CRITERIA + "new", name="In Lyon", description="", **ROW)
    assert answer.status_code == 302
    page = client.get(answer.location).text
    assert "City is “Lyon”" in page
    assert "zoe@example.org" not in page, "the page comes at once, and fetches whom it finds beside"
    for beside in ("?count=1", "/finds"):
        assert "zoe@example.org" in client.get(answer.location + beside).text
    assert small_host.host.session.scalars(select(Criterion.rule)).one() == LYON


def test_faults_keep_what_was_entered(small_host: Catalogue) -> None:
    add(small_host)
    client = small_host.client()
    answer = post(client, CRITERIA + "new", name="in lyon", **{**ROW, "rule_1_what": "field:city", "rule_1_op": "is"})
    assert answer.status_code == 422
    for words in ("Another criterion has this name.", 'href="#rule-1-what">Condition 2<', 'value="Lyon"'):
        assert words in answer.text
    nothing = post(client, CRITERIA + "new", name="Nothing", rule_what="group")
    assert nothing.status_code == 422
    assert "There is no condition yet" in nothing.text


def test_the_name_of_a_field_cannot_reach_the_database(small_host: Catalogue) -> None:
    client = small_host.client()
    for what in (
        "field:email",
        "field:id",
        "field:__class__",
        "field:city); DROP TABLE contact; --",
        "related:x",
        "<b>",
    ):
        answer = post(client, CRITERIA + "new", name="x", **{**ROW, "rule_0_what": what})
        assert answer.status_code == 422
        assert "<b>" not in answer.text
    assert small_host.host.session.scalars(select(Criterion)).all() == []


def test_ten_levels_are_refused_in_words(small_host: Catalogue) -> None:
    nested = {f"rule{'_0' * level}_what": "group" for level in range(10)}
    answer = post(
        small_host.client(), CRITERIA + "new", name="Deep", **nested, rule_0_0_0_0_0_0_0_0_0_0_what="field:city"
    )
    assert answer.status_code == 422
    assert "3 deep at the most. Save the inner part as a criterion of its own" in answer.text
    assert small_host.host.session.scalars(select(Criterion)).all() == []


def test_buttons_work_without_a_script_and_change_nothing(small_host: Catalogue) -> None:
    number = add(small_host)
    client = small_host.client()
    answer = post(client, f"{CRITERIA}{number}/edit", name="x", press="group:rule", **ROW)
    assert answer.status_code == 200
    assert 'name="rule-1-glue"' in answer.text
    assert 'name="rule-1-0-what"' in answer.text
    assert small_host.host.session.scalars(select(Criterion.name)).one() == "In Lyon"


def test_a_used_criterion_is_not_deleted(small_host: Catalogue) -> None:
    number, client = add(small_host), small_host.client()
    now = small_host.host.clock()
    small_host.host.session.add(Mailing(name="Autumn", contact_source="contact", criterion_id=number, created_at=now))
    small_host.host.session.commit()
    assert "1 mailing" in client.get(CRITERIA).text
    assert "used by 1 mailing: the mailing “Autumn”" in client.get(f"{CRITERIA}{number}/delete").text
    shown = client.get(f"{CRITERIA}{number}").text
    assert "Autumn" in shown
    post(client, f"{CRITERIA}{number}/delete", CRITERIA)
    assert small_host.host.session.scalars(select(Criterion.id)).all() == [number]


def test_copies_have_names_of_their_own_and_can_go(small_host: Catalogue) -> None:
    number, client = add(small_host), small_host.client()
    for _ in range(2):
        assert post(client, f"{CRITERIA}{number}/copy", CRITERIA).status_code == 302
    names = small_host.host.session.scalars(select(Criterion.name).order_by(Criterion.id)).all()
    assert names == ["In Lyon", "Copy of In Lyon", "Copy 2 of In Lyon"]
    post(client, f"{CRITERIA}{number}/delete")
    small_host.host.session.expire_all()
    assert len(small_host.host.session.scalars(select(Criterion.id)).all()) == 2


def test_a_field_the_host_dropped_is_said(small_host: Catalogue) -> None:
    number, client = (
        add(small_host, rule={"all": [{"field": "region", "op": "is", "value": "North"}]}),
        small_host.client(),
    )
    assert "Cannot be used any more" in client.get(CRITERIA).text
    assert "no field “region”" in client.get(f"{CRITERIA}{number}").text
    assert "No longer there" in client.get(f"{CRITERIA}{number}/edit").text
    older = add(small_host, "Older", rule={"all": [{"field": "city", "op": "at_least", "value": "A1"}]})
    page = client.get(f"{CRITERIA}{older}/edit").text
    assert '<option value="at_least" selected>at_least (no longer there)</option>' in page
    assert "in this way any more" in page


def test_a_field_the_host_dropped_stops_a_mailing(small_host: Catalogue) -> None:
    number = add(small_host, rule={"field": "region", "op": "is", "value": "North"})
    host, now = small_host.host, small_host.host.clock()
    news = List(name="News", created_at=now)
    draft = Mailing(name="Autumn", contact_source="contact", criterion_id=number, created_at=now, lists=[news])
    host.session.add(draft)
    host.session.commit()
    lines = mailings.checklist(host, draft).blockers
    assert any("There is no field “region”" in line.text for line in lines)
    assert host.session.get_one(Criterion, number).rule["field"] == "region", "nothing is lost"


def test_an_example_stands_in_an_empty_box(people: Host) -> None:
    source = replace(PERSONS, fields=[Field(Person.last, example="Ek")])
    assert Offer(people, source).example(Line("field:last", op="is")) == "such as Ek"
    assert Offer(people, source).example(Line("field:name", op="is")) == ""


def test_choices_the_host_cannot_give_are_entered(people: Host) -> None:
    def choices() -> list[str]:
        raise LookupError

    source = replace(PERSONS, fields=[Field(Person.city, choices=choices)])
    assert Offer(people, source).takes(Line("field:city", op="is")) == "one"
    assert Offer(people, PERSONS).takes(Line("field:status", op="in")) == "many"
    assert check(Offer(people, source), lines_of(LYON), drafting=False).rule == LYON


def test_rights_and_tokens(small_host: Catalogue) -> None:
    assert small_host.client("nobody").get(CRITERIA).status_code == 403
    writer = small_host.client("writer")
    for name in ("new", "lines", "count"):
        assert writer.post(CRITERIA + name, data={"name": "x"}).status_code == 400
    assert writer.get(CRITERIA + "lines").status_code == 405


def test_the_screens_are_clean(small_host: Catalogue, open_page: Callable[..., Page]) -> None:
    number = add(small_host, rule={"all": [*LYON["all"], {"any": [{"field": "status", "op": "in", "value": ["new"]}]}]})
    page = open_page(small_host, width=1280)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for name in ("", "new", f"{number}", f"{number}/edit", f"{number}/delete"):
            page.goto(CRITERIA + name)
            assert faults(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.troubles == []  # type: ignore[attr-defined]


def fill_in(page: Page, scripts: bool) -> None:
    def settle() -> None:
        if not scripts:
            page.get_by_role("button", name="Update condition 1", exact=True).click()

    page.goto(CRITERIA + "new")
    page.get_by_label("Name", exact=True).fill("Zoë or Lyon")
    page.get_by_label("What condition 1 asks for").select_option(label="City")
    settle()
    page.get_by_label("How condition 1 compares").select_option(label="is one of")
    settle()
    page.get_by_label("Values of condition 1").fill("Lyon\nRome")
    page.get_by_role("button", name="Add group").click()
    glue = page.get_by_label("How the conditions of group 2 are joined")
    expect(glue).to_be_focused()
    glue.select_option(label="None of these is true")
    page.get_by_label("What condition 2.1 asks for").select_option(label="First name")
    if not scripts:
        page.get_by_role("button", name="Update condition 2.1").click()
    page.get_by_label("Value of condition 2.1").fill("Ada")
    page.get_by_role("button", name="Count again").click()
    expect(page.locator("#rule-finds")).to_contain_text("1 of 2 contacts")
    expect(page.locator("#rule-finds")).to_contain_text("City is one of “Lyon”, “Rome” and not (First name is “Ada”)")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_person_builds_a_criterion(small_host: Catalogue, open_page: Callable[..., Page], scripts: bool) -> None:
    page = open_page(small_host, scripts=scripts)
    fill_in(page, scripts)
    page.get_by_role("button", name="Save criterion").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Zoë or Lyon")
    rule = small_host.host.session.scalars(select(Criterion.rule)).one()
    assert rule == {
        "all": [
            {"field": "city", "op": "in", "value": ["Lyon", "Rome"]},
            {"none": [{"field": "first_name", "op": "is", "value": "Ada"}]},
        ]
    }


def test_the_count_follows_each_change(small_host: Catalogue, open_page: Callable[..., Page]) -> None:
    page = open_page(small_host)
    page.goto(f"{CRITERIA}{add(small_host)}/edit")
    found = page.locator("#rule-finds")
    expect(found).to_contain_text("1 of 2 contacts")
    value = page.get_by_label("Value of condition 1")
    value.fill("Nowhere")
    value.press("Tab")
    expect(found).to_contain_text("0 of 2 contacts")
    expect(page.locator("#mm-announce")).to_have_text("Finds 0 of 2 contacts")
    how = page.get_by_label("How condition 1 compares")
    how.focus()
    how.select_option(label="is not")
    expect(found).to_contain_text("2 of 2 contacts")
    expect(how).to_be_focused()
    page.get_by_role("button", name="Remove condition 1").click()
    expect(page.get_by_role("button", name="Add condition")).to_be_focused()
    expect(found).to_contain_text("Everybody")
    assert page.troubles == []  # type: ignore[attr-defined]


@pytest.fixture
def with_orders(small_host: Catalogue) -> Catalogue:
    """A second contact source beside the first: people with orders, and a condition of the host's own."""
    host = small_host.host
    HostBase.metadata.create_all(host.db.engine)
    host.sources["person"] = PERSONS  # type: ignore[index]
    host.hooks.conditions["grown_up"] = HostCondition("Is grown up", lambda person: person.born < date(2000, 1, 1))
    lamp, sofa = Order(item="Lamp", amount=5), Order(item="Sofa", amount=1)
    host.session.add_all(
        [Person(first="Zoë", born=date(1980, 1, 1), orders=[lamp]), Person(first="Ada", orders=[sofa])]
    )
    host.session.commit()
    return small_host


def test_related_rows_and_conditions_are_asked_for(with_orders: Catalogue, open_page: Callable[..., Page]) -> None:
    page = open_page(with_orders, width=390)
    page.goto(CRITERIA + "new")
    page.get_by_role("link", name="Person").click()
    page.wait_for_load_state("load")
    page.get_by_label("Name", exact=True).fill("Lamp buyers")
    page.get_by_label("What condition 1 asks for").select_option(label="Orders")
    page.get_by_role("button", name="Add condition for these rows").click()
    page.get_by_label("What condition 1.1 asks for").select_option(label="Item")
    page.get_by_label("Value of condition 1.1").fill("Lamp")
    page.get_by_role("button", name="Add condition", exact=True).click()
    page.get_by_label("What condition 2 asks for").select_option(label="Is grown up")
    expect(page.locator("#rule-finds")).to_contain_text("Orders: a row where Item is “Lamp” and Is grown up")
    expect(page.locator("#rule-finds")).to_contain_text("1 of 2 contacts")
    page.get_by_label("How condition 1 compares").select_option(label="number of rows")
    fewest = page.get_by_label("Fewest rows of condition 1")
    fewest.fill("none")
    fewest.press("Tab")
    expect(page.locator("#rule-finds")).to_contain_text("whole number")
    fewest.fill("1")
    fewest.press("Tab")
    expect(page.locator("#rule-finds")).to_contain_text("Orders: at least 1 row where Item is “Lamp” and Is grown up")
    expect(page.locator("#rule-finds")).to_contain_text("1 of 2 contacts")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Save criterion").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lamp buyers")
    row = with_orders.host.session.scalars(select(Criterion)).one()
    assert row.contact_source == "person"
    assert row.rule["all"][0]["has"] == {"all": [{"field": "item", "op": "is", "value": "Lamp"}]}
    assert page.troubles == []  # type: ignore[attr-defined]


@pytest.fixture
def with_history(small_host: Catalogue) -> Catalogue:
    """Both contacts got a mailing, and Zoë clicked in it; Ada left the list."""
    host, now = small_host.host, small_host.host.clock()
    template = Template(name="Spring letter", created_at=now, updated_at=now)
    news = List(name="News", created_at=now)
    host.session.add_all([template, news])
    host.session.flush()
    mailing = Mailing(
        name="Spring", template=template, contact_source="contact", created_at=now, launched_at=now, state="finished"
    )
    host.session.add(mailing)
    host.session.flush()
    link = Link(mailing_id=mailing.id, number=1, target="https://shop.test/lamps", label="Lamps")
    host.session.add(link)
    host.session.flush()
    found = {one.name.partition(" ")[0]: one.ref for one in find(host, host.source("contact"), "")}
    for name, ref in found.items():
        who = {"contact_source": ref.source, "contact_key": ref.key}
        message = OutboxMessage(
            mailing_id=mailing.id, chunk=1, address_role="main", address="x@x.test", state="sent", settled_at=now, **who
        )
        host.session.add(message)
        host.session.flush()
        clicked = {"mailing_id": mailing.id, "kind": "click", "link_id": link.id, "at": now}
        host.session.add(Event(message_id=message.id, by_machine=name != "Zoë", **clicked))
        state = "subscribed" if name == "Zoë" else "unsubscribed"
        host.session.add(Subscription(list_id=news.id, state=state, since=now, **who))
    host.session.commit()
    return small_host


def test_lists_opt_outs_and_history_are_asked_for(with_history: Catalogue, open_page: Callable[..., Page]) -> None:
    add(with_history)
    page = open_page(with_history, width=390)
    page.goto(CRITERIA + "new")
    found = page.locator("#rule-finds")
    page.get_by_label("Name", exact=True).fill("Lamp lovers")
    page.get_by_label("What condition 1 asks for").select_option(label="Mailings so far")
    expect(found).to_contain_text("got a mail")
    expect(found).to_contain_text("2 of 2 contacts")
    page.get_by_label("How condition 1 compares").select_option(label="clicked in")
    page.get_by_label("Mails of condition 1").select_option(label="Spring")
    page.get_by_label("Link of condition 1").select_option(label="Lamps: https://shop.test/lamps")
    page.get_by_label("Days of condition 1").fill("30")
    page.get_by_label("Days of condition 1").press("Tab")
    expect(found).to_contain_text("clicked https://shop.test/lamps in “Spring” in the last 30 days")
    expect(found).to_contain_text("1 of 2 contacts")
    page.get_by_role("button", name="Add condition", exact=True).click()
    page.get_by_label("What condition 2 asks for").select_option(label="List")
    page.get_by_label("News").check()
    expect(found).to_contain_text("and on the list “News”")
    page.get_by_role("button", name="Add condition", exact=True).click()
    page.get_by_label("What condition 3 asks for").select_option(label="Opt-out")
    page.get_by_label("How condition 3 compares").select_option(label="not opted out of")
    page.get_by_label("What of condition 3").select_option(label="News")
    expect(found).to_contain_text("and has not opted out of the list “News”")
    page.get_by_role("button", name="Add condition", exact=True).click()
    page.get_by_label("What condition 4 asks for").select_option(label="Another criterion")
    page.get_by_label("Criterion of condition 4").select_option(label="In Lyon")
    expect(found).to_contain_text("and found by “In Lyon”")
    expect(found).to_contain_text("1 of 2 contacts")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Save criterion").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lamp lovers")
    assert with_history.host.session.scalars(select(Criterion.rule).where(Criterion.name == "Lamp lovers")).one() == {
        "all": [
            {"history": "clicked", "mailing": 1, "days": 30, "link": "https://shop.test/lamps"},
            {"list": [1], "op": "on"},
            {"opt_out": "not_opted_out", "list": 1},
            {"criterion": 1, "op": "found"},
        ]
    }
    assert page.troubles == []  # type: ignore[attr-defined]


def test_criteria_in_one_another_say_so_and_make_no_circle(small_host: Catalogue) -> None:
    inner, client = add(small_host), small_host.client()
    outer = add(small_host, "Around", {"all": [{"criterion": inner, "op": "found"}]})
    assert "1 criterion" in client.get(CRITERIA).text
    assert "Around" in client.get(f"{CRITERIA}{inner}").text
    assert "the criterion “Around”" in client.get(f"{CRITERIA}{inner}/delete").text
    post(client, f"{CRITERIA}{inner}/delete", CRITERIA)
    assert len(small_host.host.session.scalars(select(Criterion.id)).all()) == 2
    offered = client.get(f"{CRITERIA}{inner}/edit").text
    assert "Another criterion" not in offered, "the only other one asks for this one"
    data = {"rule_what": "group", "rule_0_what": "criterion", "rule_0_op": "found", "rule_0_value": str(outer)}
    answer = post(client, f"{CRITERIA}{inner}/edit", name="In Lyon", **data)
    assert answer.status_code == 422
    assert "leads back to “In Lyon”" in answer.text
    small_host.host.session.expire_all()
    assert small_host.host.session.get_one(Criterion, inner).rule == LYON


def test_a_list_that_a_criterion_keeps_is_no_way_round(small_host: Catalogue) -> None:
    number, client = add(small_host), small_host.client()
    host = small_host.host
    host.session.add(List(name="Kept", criterion_id=number, created_at=host.clock()))
    host.session.commit()
    assert "1 list" in client.get(CRITERIA).text
    assert "the list “Kept”" in client.get(f"{CRITERIA}{number}/delete").text
    data = {"rule_what": "group", "rule_0_what": "list", "rule_0_op": "on", "rule_0_value": "1"}
    answer = post(client, f"{CRITERIA}{number}/edit", name="In Lyon", **data)
    assert answer.status_code == 422
    assert "leads back" in answer.text


def test_contacts_the_host_gave_up_are_said(small_host: Catalogue) -> None:
    number, client = add(small_host), small_host.client()
    small_host.host.session.get_one(Criterion, number).contact_source = "gone"
    small_host.host.session.commit()
    for address in (CRITERIA, f"{CRITERIA}{number}"):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "no contact source “gone”" in answer.text
