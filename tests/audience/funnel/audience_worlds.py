"""Small worlds made at random around one mailing, and who gets it by the words alone, without any SQL."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from massmail_plugin.audience.funnel.request import AudienceRequest, Lately
from massmail_plugin.consent.addresses import fault
from massmail_plugin.contracts import Host
from massmail_plugin.models import Criterion, Frequency, List, Mailing, OutboxMessage, Subscription, Suppression
from massmail_plugin.vocabulary import MailingKind, MessageState, SkipReason, SuppressionReason, SuppressionScope
from tests.consent.small_host import NOON, Person

KEYS = ("1", "2", "10", "11")
"""Sorted as text they stand in another order than as numbers."""
NEWS, OLD, KEPT, STAFF = 1, 2, 3, 4
"""Lists: an ordinary one, an archived one, one kept by a criterion, one to leave out."""
EARLIER = 7
"""A mailing of the past."""
ADDRESSES = (None, "", " A@x.test", "a@X.TEST ", "b@x.test", "no address", "two@at@x.test")
WINDOW = timedelta(days=7)


@dataclass(frozen=True)
class Who:
    main: str | None
    second: str | None
    city: str
    status: str | None
    active: bool


@dataclass(frozen=True)
class World:
    people: dict[str, Who]
    standing: dict[tuple[int, str], bool]
    """(list, contact) -> subscribed, or gone."""
    stops: list[tuple[str, SuppressionReason, SuppressionScope]]
    """A contact's key or an address, why, and how far it reaches: LIST means News."""
    fewer: dict[str, int]
    got: list[tuple[str, MessageState, timedelta]]
    """Who got the earlier mailing, and how long ago."""
    lists: tuple[int, ...]
    rule: bool
    statuses: tuple[str, ...]
    excluded: bool
    window: timedelta | None
    resends: bool
    roles: tuple[str, ...]
    one_per_address: bool

    @property
    def request(self) -> AudienceRequest:
        """What the mailing asks for."""
        since = None if self.window is None else NOON - self.window
        return AudienceRequest(
            source_name="person",
            list_ids=self.lists,
            rule={"field": "city", "op": "is", "value": "Graz"} if self.rule else None,
            roles=self.roles,
            one_per_address=self.one_per_address,
            excluded_list_ids=(STAFF,) if self.excluded else (),
            statuses=self.statuses,
            lately=Lately((EARLIER,), since) if self.resends else None,
        )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    keys = st.sampled_from(KEYS)
    address, yes = st.sampled_from(ADDRESSES), st.booleans()
    mostly = st.sampled_from([True, True, True, False])
    who = st.builds(Who, address, address, st.sampled_from(["Graz", "Linz"]), st.sampled_from(["new", None]), mostly)
    scopes = st.sampled_from([SuppressionScope.ALL_BUT_TRANSACTIONAL, SuppressionScope.LIST])
    stops = st.tuples(st.sampled_from([*KEYS, "a@x.test"]), st.sampled_from(SuppressionReason), scopes)
    states = st.sampled_from([MessageState.SENT, MessageState.PLANNED, MessageState.REFUSED])
    ago = st.sampled_from([timedelta(days=1), WINDOW, timedelta(days=400)])
    return World(
        people=draw(st.dictionaries(keys, who, min_size=2)),
        standing=draw(st.dictionaries(st.tuples(st.sampled_from([NEWS, NEWS, OLD, KEPT, STAFF]), keys), mostly)),
        stops=draw(st.lists(stops, max_size=2)),
        fewer=draw(st.dictionaries(keys, st.just(30), max_size=1)),
        got=draw(st.lists(st.tuples(keys, states, ago), max_size=2)),
        lists=tuple(sorted(draw(st.sets(st.sampled_from([NEWS, OLD, KEPT]))) | {NEWS})),
        rule=draw(yes),
        statuses=draw(st.sampled_from([(), ("new",)])),
        excluded=draw(yes),
        window=draw(st.sampled_from([WINDOW, None])),
        resends=draw(yes),
        roles=draw(st.sampled_from([("main",), ("main", "second"), ("second", "main")])),
        one_per_address=draw(mostly),
    )


# --- By the words ---------------------------------------------------------------------------------------------

Row = tuple[str, str]
"""Contact and role of an address."""


def lists_of(world: World, key: str) -> set[int]:
    """The chosen lists, and the one to leave out, that the contact is on. Kept are those in Linz."""
    own = {list_id for (list_id, who), on in world.standing.items() if who == key and on}
    kept = {KEPT} if world.people[key].city == "Linz" and (KEPT, key) not in world.standing else set()
    return own | kept


def stage_of(world: World, key: str) -> str:
    """The step before addresses matter that stops a contact; "" for none."""
    on, who = lists_of(world, key) & set(world.lists), world.people[key]
    if not on:
        return "unlisted"
    if world.rule and who.city != "Graz":
        return "matching"
    if world.statuses and who.status not in world.statuses:
        return "status"
    return "open" if on == {OLD} else ""


def rows_of(world: World, key: str) -> dict[Row, SkipReason | None]:
    """The rows of a contact whom the mailing is meant for; duplicates are still to be found."""
    who = world.people[key]
    given = {"main": who.main, "second": who.second}
    there = [role for role in world.roles if (given[role] or "").strip()]
    if not who.active or not there:
        there = [world.roles[0]]
    return {(key, role): _reason(world, key, (given[role] or "").strip()) for role in there}


def _reason(world: World, key: str, address: str) -> SkipReason | None:
    stops = {reason for named, reason, scope in world.stops if named in (key, address.lower())}
    went = [(state, ago) for who, state, ago in world.got if who == key and state is not MessageState.REFUSED]
    in_window = any(state is MessageState.PLANNED or world.window is None or ago < world.window for state, ago in went)
    soon = any(state is MessageState.SENT and ago < timedelta(days=30) for state, ago in went)
    if world.excluded and STAFF in lists_of(world, key):
        return SkipReason.EXCLUDED
    if not world.people[key].active:
        return SkipReason.INACTIVE
    if not address:
        return SkipReason.NO_ADDRESS
    if fault(address):
        return SkipReason.BAD_ADDRESS
    if any(reason.is_wish for reason in stops):
        return SkipReason.OPTED_OUT
    if stops:
        return SkipReason.SUPPRESSED
    if world.resends and in_window:
        return SkipReason.MAILED_LATELY
    return SkipReason.WANTS_FEWER if soon and key in world.fewer else None


def expected(world: World) -> dict[Row, SkipReason | None]:
    """Every row of the outbox and why it is skipped; of those with one address the first role, then key, goes."""
    rows = {row: why for key in world.people if not stage_of(world, key) for row, why in rows_of(world, key).items()}
    seen: set[tuple[str, ...]] = set()
    for key, role in sorted(rows, key=lambda row: (world.roles.index(row[1]), int(row[0]))):
        if rows[key, role] is not None:
            continue
        who = world.people[key]
        address = ((who.main if role == "main" else who.second) or "").strip().lower()
        mark = (address,) if world.one_per_address else (address, key)
        if mark in seen:
            rows[key, role] = SkipReason.DUPLICATE
        seen.add(mark)
    return rows


def step_of(world: World, key: str, rows: dict[Row, SkipReason | None]) -> str:
    """The step that a contact falls away in, by its best address; "will_get", or "unlisted"."""
    if before := stage_of(world, key):
        return before
    reached = [rows[row] for row in rows if row[0] == key]
    if None in reached:
        return "will_get"
    return STEPS[max(ORDER.index(why) for why in reached if why)]


STEPS = (
    "included", "active", "with_address", "usable", "willing", "allowed", "rested", "paced", "unique",
)  # fmt: skip
ORDER = (
    SkipReason.EXCLUDED,
    SkipReason.INACTIVE,
    SkipReason.NO_ADDRESS,
    SkipReason.BAD_ADDRESS,
    SkipReason.OPTED_OUT,
    SkipReason.SUPPRESSED,
    SkipReason.MAILED_LATELY,
    SkipReason.WANTS_FEWER,
    SkipReason.DUPLICATE,
)


# --- In tables ------------------------------------------------------------------------------------------------


def build(host: Host, world: World) -> None:
    """Make the world's rows."""
    for key, who in world.people.items():
        values = {"city": who.city, "status": who.status, "active": who.active, "first": f"Person {key}"}
        host.session.add(Person(id=int(key), email1=who.main, email2=who.second, **values))
    linz = {"field": "city", "op": "is", "value": "Linz"}
    dated: dict[str, Any] = {"created_at": NOON, "updated_at": NOON}
    host.session.add(Criterion(id=1, name="Linz", contact_source="person", rule=linz, **dated))
    host.session.flush()
    for list_id in (NEWS, OLD, KEPT, STAFF):
        kept = 1 if list_id == KEPT else None
        host.session.add(
            List(id=list_id, name=f"List {list_id}", active=list_id != OLD, criterion_id=kept, created_at=NOON)
        )
    host.session.add(
        Mailing(id=EARLIER, name="Earlier", kind=MailingKind.ONE_OFF, contact_source="person", created_at=NOON)
    )
    host.session.flush()
    for (list_id, key), on in world.standing.items():
        state = "subscribed" if on else "unsubscribed"
        host.session.add(_named(Subscription, key, list_id=list_id, state=state, since=NOON))
    for named, reason, scope in world.stops:
        list_id = NEWS if scope is SuppressionScope.LIST else None
        values = {"scope": scope.value, "list_id": list_id, "reason": reason.value, "created_at": NOON}
        host.session.add(Suppression(address=named, **values) if "@" in named else _named(Suppression, named, **values))
    for key, days in world.fewer.items():
        host.session.add(_named(Frequency, key, days=days, since=NOON))
    for number, (key, state, ago) in enumerate(world.got):
        at = None if state is MessageState.PLANNED else NOON - ago
        values = {"mailing_id": EARLIER, "chunk": 0, "occurrence": number, "address": "", "address_role": "main"}
        host.session.add(_named(OutboxMessage, key, state=state.value, settled_at=at, **values))
    host.session.flush()


def _named(table: type[Any], key: str, **values: Any) -> Any:
    return table(contact_source="person", contact_key=key, **values)
