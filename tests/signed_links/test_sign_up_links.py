"""Tokens of sign-ups: each opens as one kind alone, has one spelling, and survives a new key."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from massmail_plugin.config import Config
from massmail_plugin.errors import BadLink
from massmail_plugin.signed_links import message_token, read_message_token
from massmail_plugin.signed_links.sign_up_links import (
    MARK_BYTES,
    Shown,
    confirm_token,
    form_token,
    read_confirm_token,
    read_form_token,
    read_shown_token,
    shown_token,
)

CONFIG = Config(base_url="https://crm.example.org", secret_keys=("a" * 32,))
NEWER = replace(CONFIG, secret_keys=("b" * 32, "a" * 32))
IDS = st.integers(0, 2**31 - 1)


@given(IDS, st.integers(0, 2**40 - 1), st.binary(min_size=MARK_BYTES, max_size=MARK_BYTES))
def test_what_was_sealed_is_opened(number: int, at: int, mark: bytes) -> None:
    shown = Shown(number, at, mark)
    assert read_form_token(CONFIG, form_token(CONFIG, number)) == number
    assert read_confirm_token(CONFIG, confirm_token(CONFIG, number)) == number
    assert read_shown_token(CONFIG, shown_token(CONFIG, shown)) == shown


def test_links_of_before_work_after_a_new_key_and_the_form_keeps_its_address() -> None:
    assert form_token(NEWER, 7) == form_token(CONFIG, 7)
    assert confirm_token(NEWER, 7) != confirm_token(CONFIG, 7)
    assert read_confirm_token(NEWER, confirm_token(CONFIG, 7)) == 7


@pytest.mark.parametrize("read", [read_form_token, read_confirm_token, read_shown_token, read_message_token])
def test_a_token_of_one_kind_opens_nothing_else(read) -> None:
    mine = {read_form_token: form_token, read_confirm_token: confirm_token}.get(read)
    others = [form_token(CONFIG, 7), confirm_token(CONFIG, 7), message_token(CONFIG, 7, 1), "preview", ""]
    others.append(shown_token(CONFIG, Shown(7, 7, b"mark")))
    for token in others:
        own = token == (mine(CONFIG, 7) if mine else shown_token(CONFIG, Shown(7, 7, b"mark")))
        if own or (read is read_message_token and token == message_token(CONFIG, 7, 1)):
            continue
        with pytest.raises(BadLink):
            read(CONFIG, token)


@pytest.mark.parametrize(("made", "read"), [(form_token, read_form_token), (confirm_token, read_confirm_token)])
def test_one_character_more_less_or_other_is_a_broken_link(made, read) -> None:
    token = made(CONFIG, 7)
    altered = [
        token[:at] + other + token[at + 1 :] for at in range(len(token)) for other in "Ab_" if token[at] != other
    ]
    for wrong in [*altered, token + "A", token[:-1], token + "=", token.replace(token[0], "é", 1), token + "\n"]:
        with pytest.raises(BadLink):
            read(CONFIG, wrong)
