"""Return paths: one for each mail, read back by any of our keys, by nobody else's, whatever servers do to its case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from massmail_plugin.config import Config
from massmail_plugin.errors import BadLink, BadRequest
from massmail_plugin.signed_links import (
    OptOutAddresses,
    ReturnPaths,
    checked_return_path,
    message_id_field,
    message_token,
    read_message_token,
    read_opt_out_address,
    read_return_path,
)

OURS = Config(base_url="https://crm.example.org", secret_keys=("k" * 40, "old" * 20))
THEIRS = Config(base_url="https://crm.example.org", secret_keys=("x" * 40,))
BOUNCES = "bounces@mail.example.org"
IDS = st.integers(min_value=1, max_value=2**48 - 1)


@given(IDS)
def test_a_return_path_leads_back_to_its_mail(message_id: int) -> None:
    address = ReturnPaths(OURS, BOUNCES).of(message_id)
    assert address.startswith("bounces+")
    assert address.endswith("@mail.example.org")
    assert read_return_path(OURS, address) == message_id
    assert read_return_path(OURS, address.upper()) == message_id
    assert read_return_path(OURS, f"<{address}>") == message_id


@given(IDS, st.integers(min_value=0, max_value=43), st.sampled_from("0123456789abcdef"))
def test_a_changed_token_is_none(message_id: int, place: int, other: str) -> None:
    local, at, domain = ReturnPaths(OURS, BOUNCES).of(message_id).partition("@")
    begin, token = local[:8], local[8:]
    if token[place] == other:
        return
    with pytest.raises(BadLink):
        read_return_path(OURS, begin + token[:place] + other + token[place + 1 :] + at + domain)


def test_keys_that_were_rotated_still_open_it_and_others_never() -> None:
    before = ReturnPaths(Config(base_url="https://crm.example.org", secret_keys=("old" * 20,)), BOUNCES).of(7)
    assert read_return_path(OURS, before) == 7
    with pytest.raises(BadLink):
        read_return_path(THEIRS, before)


@pytest.mark.parametrize(
    "address", ["bounces@mail.example.org", "", "bounces+abc@x.test", "bounces+" + "g" * 44 + "@x"]
)
def test_an_address_without_a_token(address: str) -> None:
    with pytest.raises(BadLink):
        read_return_path(OURS, address)


def test_who_sees_a_return_path_cannot_act_as_the_recipient() -> None:
    """Servers on the way see it: it must be no token of the opt-out page."""
    token = ReturnPaths(OURS, BOUNCES).of(7).partition("+")[2].partition("@")[0]
    for part in (token, token[:32], token[:36]):
        with pytest.raises(BadLink):
            read_message_token(OURS, part)
    assert token not in message_token(OURS, 7, 1)
    assert token not in message_id_field(OURS, 7, "x.test")


@given(IDS, st.text(alphabet="abcdefghij.", min_size=1, max_size=19))
def test_it_fits_into_an_smtp_path(message_id: int, local: str) -> None:
    """RFC 5321, 4.5.3.1.1: 64 octets before the @."""
    address = ReturnPaths(OURS, checked_return_path(f"{local}@mail.example.org")).of(message_id)
    assert len(address.rpartition("@")[0]) <= 64


def test_a_local_part_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(BadRequest, match="19 characters"):
        checked_return_path("a-very-long-local-part@example.org")


# --- Addresses to opt out by mail -----------------------------------------------------------------------------

LEAVE = "leave@mail.example.org"


@given(IDS)
def test_an_address_to_opt_out_leads_back_to_its_mail_with_any_of_our_keys(message_id: int) -> None:
    old = Config(base_url="https://crm.example.org", secret_keys=("old" * 20,))
    for config in (OURS, old):
        address = OptOutAddresses(config, LEAVE).of(message_id)
        assert len(address) == len(LEAVE) + 45
        assert read_opt_out_address(OURS, address) == read_opt_out_address(OURS, address.upper()) == message_id
        with pytest.raises(BadLink):
            read_opt_out_address(THEIRS, address)


@given(IDS)
def test_neither_kind_of_address_can_be_used_as_the_other(message_id: int) -> None:
    """Servers on the way see the return path; it must be no leave to opt out."""
    with pytest.raises(BadLink):
        read_opt_out_address(OURS, ReturnPaths(OURS, BOUNCES).of(message_id))
    with pytest.raises(BadLink):
        read_return_path(OURS, OptOutAddresses(OURS, LEAVE).of(message_id))
