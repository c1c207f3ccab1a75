"""A mail that was asked for goes to whoever opted out, not where mail is dead or a colleague stopped it."""

import pytest

from massmail_plugin.consent.stops.address_hashes import address_hash
from massmail_plugin.consent.stops.dead_addresses import undeliverable
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.contracts import Host
from massmail_plugin.vocabulary import SuppressionReason, SuppressionScope
from tests.consent.small_host import add_list

ALL = SuppressionScope.ALL_BUT_TRANSACTIONAL
LASTING = {"complaint", "hard_bounce", "soft_bounces", "by_person", "by_provider"}


@pytest.mark.parametrize("hashed", [False, True])
def test_by_reason_under_every_spelling(host: Host, hashed: bool) -> None:
    for reason in SuppressionReason:
        address = f"{reason.value}@x.test"
        named = {"address_hash": address_hash(host.config, address)} if hashed else {"address": address}
        suppress(host, **named, scope=ALL, reason=reason)  # type: ignore[arg-type]
    asked = [spelled for reason in SuppressionReason for spelled in (f"{reason}@x.test", f"{reason}@X.TEST")]
    assert undeliverable(host, asked) == {one for one in asked if one.partition("@")[0] in LASTING}


def test_a_stop_of_one_list_is_none_of_its_business(host: Host) -> None:
    news = add_list(host)
    scope, reason = SuppressionScope.LIST, SuppressionReason.BY_PERSON
    suppress(host, address="a@x.test", scope=scope, list_id=news.id, reason=reason)
    assert undeliverable(host, ["a@x.test"]) == set()
    assert undeliverable(host, []) == set()
