"""Suppressions: put once, found at hand-off by address and by contact, and released."""

import pytest
from sqlalchemy import func, select

from massmail_plugin.consent.suppression import release, suppress
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Suppression
from massmail_plugin.vocabulary import SuppressionReason, SuppressionScope

ALL = SuppressionScope.ALL_BUT_TRANSACTIONAL


def test_an_equal_one_is_returned(host: Host) -> None:
    first = suppress(host, address=" A@B.test", scope=ALL, reason=SuppressionReason.COMPLAINT, by="ann")
    assert suppress(host, address="a@b.TEST ", scope=ALL, reason=SuppressionReason.COMPLAINT) is first
    assert suppress(host, address="a@b.test", scope=ALL, reason=SuppressionReason.HARD_BOUNCE) is not first
    assert host.session.scalar(select(func.count()).select_from(Suppression)) == 2


def test_what_makes_no_sense_is_refused_in_words(host: Host) -> None:
    for wrong in (
        {},
        {"address": "  "},
        {"address": "x" * 300},
        {"address": "a@b.test\x00"},
        {"address": "a@b.test", "contact": ContactRef("person", "1")},
        {"address": "a@b.test", "scope": SuppressionScope.LIST},
    ):
        with pytest.raises(BadRequest):
            suppress(host, **{"scope": ALL, "reason": SuppressionReason.BY_PERSON, **wrong})  # type: ignore[arg-type]


def test_release(host: Host) -> None:
    made = suppress(host, address="a@b.test", scope=ALL, reason=SuppressionReason.BY_PERSON)
    release(host, made, by="ann", note="wrong person")
    assert host.session.scalar(select(func.count()).select_from(Suppression)) == 0
