"""The screens of lists, criteria, suppressions, sign-ups and data protection: over a million rows against 10,000.

The world gets as many suppressions, changes of consent and sign-ups as it has contacts, and the index that
docs/operations.md advises for large tables of contacts. Each page is asked for as a browser does. How long it takes to
count whom a criterion finds is a figure of its own: pages that show it fetch it beside.
"""

from collections.abc import Mapping
from typing import Any

from flask import Flask
from sqlalchemy import func, select, text

from bench.audience.crm import SOURCE, create_app
from bench.audience.world import FEW, NEWS, World, many, settle, world
from bench.figures import Figure
from bench.page_times import ADMIN, compare, sign_in
from bench.stage import Stage
from massmail_plugin.contracts import Host
from massmail_plugin.models import Criterion, List, Suppression

FIGURES = (
    Figure("screens.growth", "the list, criteria or suppression screen that grows most, 1M rows over 10k", most=2),
    Figure("screens.slowest_ms", "milliseconds of the slowest screen there"),
)
AS_ADVISED = "CREATE INDEX contact_email_plain ON contact (lower(trim(email)))"
MORE = (
    """INSERT INTO massmail_suppression (address, scope, reason, way, note, created_at, created_by)
    SELECT 'stopped' || n || '@mail' || n % 97 || '.example', 'all_but_transactional',
        (ARRAY['hard_bounce', 'by_person', 'complaint', 'opt_out'])[1 + n % 4], '', 'bench', now(), 'bench'
    FROM generate_series(1, :number) AS n""",
    """INSERT INTO massmail_released_suppression (address, scope, reason, way, note, created_at, created_by,
        released_at, released_by, release_note)
    SELECT 'free' || n || '@mail' || n % 97 || '.example', 'all_but_transactional', 'by_person', '', '', now(), '',
        now(), 'bench', 'bench'
    FROM generate_series(1, :number) AS n""",
    """INSERT INTO massmail_subscription_event (list_id, contact_source, contact_key, state, at, evidence, way, by,
        origin)
    SELECT list_id, contact_source, contact_key, 'subscribed', since, 'bench', 'form', '', ''
    FROM massmail_subscription WHERE list_id = :news""",
    """INSERT INTO massmail_sign_up (list_id, address, state, "values", locale, origin, network, created_at,
        times_asked, confirmed_at, confirmed_from)
    SELECT :news, 'new' || n || '@mail' || n % 97 || '.example',
        CASE WHEN n % 3 = 0 THEN 'waiting' WHEN n % 3 = 1 THEN 'confirmed' ELSE 'expired' END, '{}', 'en', '', '',
        now() - interval '1 minute' * n, 1, now(), ''
    FROM generate_series(1, :number) AS n""",
)
RULES: Mapping[str, dict[str, Any]] = {
    "By city": {"field": "city", "op": "is", "value": "Oslo"},
    "By branch": {"field": "company.branch", "op": "is", "value": "wood"},
}
CRITERIA = 60
"""Saved ones, so that the table has pages."""


def measure(stage: Stage) -> None:
    """Fill in FIGURES; the milliseconds of each page are kept beside them."""
    few, much = (_ready(stage, world(stage, number)) for number in (FEW, many(stage)))
    growth, slowest = compare(stage, "screens", few, much)
    stage.findings.add("screens.growth", [growth])
    stage.findings.add("screens.slowest_ms", [slowest])


def _ready(stage: Stage, here: World) -> tuple[Flask, Mapping[str, str]]:
    """Another application over the same database, and its pages."""
    stage.say(f"Filling the tables of screens, {here.number:,} rows each ...")
    with here.host() as host:
        host.session.execute(text(AS_ADVISED))
        for statement in MORE:
            given = {"number": here.number, "news": here.lists[NEWS]}
            host.session.execute(
                text(statement), {name: value for name, value in given.items() if f":{name}" in statement}
            )
        _criteria(host)
        host.session.commit()
        settle(host)
        paths = _paths(host, here)
    app = create_app(here.app.config)
    sign_in(app)
    return app, paths


def _criteria(host: Host) -> None:
    now = host.clock()
    made = {"contact_source": SOURCE, "created_at": now, "updated_at": now}
    for number in range(CRITERIA // len(RULES)):
        for name, rule in RULES.items():
            host.session.add(Criterion(name=f"{name} {number:03}", rule={"all": [rule]}, **made))


def _paths(host: Host, here: World) -> Mapping[str, str]:
    criterion = host.session.scalar(select(func.min(Criterion.id)))
    stop = host.session.scalar(select(func.max(Suppression.id)))
    news, someone = here.lists[NEWS], f"contact_source={SOURCE}&contact_key={here.number // 2}"
    address = f"stopped{here.number // 2}@mail{here.number // 2 % 97}.example"
    lists, stops, criteria, sign_ups, privacy = (
        f"{ADMIN}/{slug}" for slug in ("lists", "suppressions", "criteria", "sign-ups", "privacy")
    )
    kept = host.session.get_one(List, here.lists["Staff"])
    kept.criterion_id = criterion
    host.session.commit()
    return {
        "lists": f"{lists}/",
        "lists_archived": f"{lists}/?show=archived",
        "list": f"{lists}/{news}",
        "list_left": f"{lists}/{news}?state=unsubscribed",
        "list_by_criterion": f"{lists}/{kept.id}",
        "list_person": f"{lists}/{news}/person?{someone}",
        "list_history": f"{lists}/{news}/history",
        "list_edit": f"{lists}/{news}/edit",
        "list_words": f"{lists}/{news}/words",
        "list_archive": f"{lists}/{news}/archive",
        "list_delete": f"{lists}/{news}/delete",
        "list_add": f"{lists}/{news}/add",
        "list_bulk": f"{lists}/opt-outs",
        "topics": f"{lists}/topics/",
        "criteria": f"{criteria}/",
        "criterion": f"{criteria}/{criterion}",
        "criterion_new": f"{criteria}/new",
        "criterion_edit": f"{criteria}/{criterion}/edit",
        "criterion_delete": f"{criteria}/{criterion}/delete",
        "suppressions": f"{stops}/",
        "suppressions_found": f"{stops}/?q={address}",
        "suppressions_begin": f"{stops}/?q=stopped{here.number // 2}@",
        "suppressions_reason": f"{stops}/?reason=complaint",
        "suppressions_scope": f"{stops}/?scope=list",
        "suppressions_pauses": f"{stops}/?reason=pause",
        "suppressions_next": f"{stops}/?after={(stop or 0) // 2}",
        "suppressions_released": f"{stops}/released",
        "suppression": f"{stops}/{stop}",
        "suppression_new": f"{stops}/new",
        "suppression_release": f"{stops}/{stop}/release",
        "sign_ups": f"{sign_ups}/",
        "sign_ups_waiting": f"{sign_ups}/{news}",
        "sign_ups_confirmed": f"{sign_ups}/{news}?state=confirmed",
        "privacy": f"{privacy}/",
        "privacy_person": f"{privacy}/contact?{someone}",
        "privacy_retention": f"{privacy}/retention",
    }
