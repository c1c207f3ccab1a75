"""Addresses we no longer hold are known again by their hash, under every key that is configured."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from massmail_plugin.config import Config
from massmail_plugin.consent.stops.address_hashes import address_hash, address_hashes, key_names
from massmail_plugin.consent.stops.hand_off import Asked, Purpose, stopped
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.contracts import Host
from massmail_plugin.vocabulary import SkipReason, SuppressionReason, SuppressionScope
from tests.consent.small_host import add_person

OLD, NEW, OTHER = "o" * 32, "n" * 32, "x" * 32


def config(*keys: str) -> Config:
    return Config(base_url="http://localhost", secret_keys=keys)


@given(st.text(string.printable, max_size=40), st.text(string.printable, max_size=40))
def test_one_address_one_hash(one: str, other: str) -> None:
    same = one.strip().lower() == other.strip().lower()
    assert (address_hash(config(OLD), one) == address_hash(config(OLD), other)) is same
    assert len(address_hash(config(OLD), one)) == 64


def test_a_new_key_in_front_changes_nothing() -> None:
    before = address_hash(config(OLD), "a@x.test")
    assert address_hash(config(NEW, OLD), "A@X.test ") == before
    assert before in address_hashes(config(NEW, OLD), "a@x.test")
    assert before not in address_hashes(config(NEW), "a@x.test")


def test_a_hash_tells_its_key_and_nothing_else() -> None:
    made = address_hash(config(OLD), "a@x.test")
    assert [made.startswith(name) for name in key_names(config(NEW, OLD, OTHER))] == [False, True, False]
    assert OLD not in made


def test_both_spellings_of_an_international_domain() -> None:
    assert address_hash(config(OLD), "a@bücher.example") == address_hash(config(OLD), "A@xn--bcher-kva.example")


@pytest.mark.parametrize("spelling", ["gone@x.test", "Gone@X.test"])
def test_who_was_erased_gets_nothing_under_any_spelling(host: Host, spelling: str) -> None:
    suppress(
        host,
        address_hash=address_hash(host.config, "gone@x.test"),
        scope=SuppressionScope.ALL_BUT_TRANSACTIONAL,
        reason=SuppressionReason.ERASED,
    )
    rows = [Asked(1, add_person(host).key, spelling), Asked(2, add_person(host).key, "other@x.test")]
    assert stopped(host, "person", rows, Purpose()) == {1: SkipReason.SUPPRESSED}
