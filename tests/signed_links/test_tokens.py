"""Tokens: the way there and back, what they hide, keys that change, and everything that is not ours."""

import base64
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from massmail_plugin.config import Config
from massmail_plugin.errors import BadLink
from massmail_plugin.signed_links import (
    PREVIEW_TOKEN,
    click_url,
    message_token,
    open_url,
    opt_out_url,
    preferences_url,
    read_link_token,
    read_message_token,
)

CONFIG = Config(base_url="https://crm.example.org/", secret_keys=("k" * 40,))
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(st.integers(min_value=0, max_value=2**56 - 1), st.integers(min_value=0, max_value=2**32 - 1))
def test_there_and_back(message_id: int, mailing_id: int) -> None:
    token = message_token(CONFIG, message_id, mailing_id)
    assert re.fullmatch(r"[A-Za-z0-9_-]{36}", token)
    assert read_link_token(CONFIG, token) == (message_id, mailing_id)
    assert read_message_token(CONFIG, token) == message_id


def test_token_of_a_mail_sent_before_tokens_named_the_mailing_still_opens() -> None:
    """Made with the same key by an earlier version."""
    assert read_link_token(CONFIG, "Kz4-ydjKoi05AnWvi8g2Akh5Qg2yYtVO") == (4711, None)


def test_neighbouring_messages_have_nothing_in_common() -> None:
    first, second = (base64.urlsafe_b64decode(message_token(CONFIG, i, 1)) for i in (1, 2))
    same = sum(a == b for a, b in zip(first, second, strict=True))
    assert same <= 3
    assert (1).to_bytes(7, "big") not in first


def test_every_changed_character_is_noticed() -> None:
    token = message_token(CONFIG, 4711, 1)
    for position, letter in enumerate(token):
        for other in ALPHABET.replace(letter, "")[::7]:
            with pytest.raises(BadLink):
                read_message_token(CONFIG, token[:position] + other + token[position + 1 :])


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a",
        PREVIEW_TOKEN,
        "A" * 32,
        "A" * 31,
        "A" * 33,
        "A" * 36,
        "../../etc/passwd",
        "A" * 100_000,
        "é" * 32,
        "A" * 31 + "\n",
    ],
)
def test_what_is_not_ours_is_a_bad_link(token: str) -> None:
    with pytest.raises(BadLink):
        read_message_token(CONFIG, token)


def test_characters_around_a_good_token_are_not_passed_over() -> None:
    token = message_token(CONFIG, 1, 1)
    for wrong in (token + "=", token + " ", " " + token, token[:16] + "." + token[16:], token + "\n"):
        with pytest.raises(BadLink):
            read_message_token(CONFIG, wrong)


def test_old_key_still_opens_old_links_until_it_is_taken_away() -> None:
    old = message_token(CONFIG, 7, 1)
    rotated = replace(CONFIG, secret_keys=("n" * 40, "k" * 40))
    assert read_message_token(rotated, old) == 7
    assert message_token(rotated, 7, 1) != old
    with pytest.raises(BadLink):
        read_message_token(replace(CONFIG, secret_keys=("n" * 40,)), old)


def test_addresses_come_from_the_configured_base_url() -> None:
    assert open_url(CONFIG, "t") == "https://crm.example.org/m/o/t.gif"
    assert click_url(CONFIG, "t", 3) == "https://crm.example.org/m/c/t/3"
    assert opt_out_url(CONFIG, "t") == "https://crm.example.org/m/u/t"
    assert preferences_url(CONFIG, "t") == "https://crm.example.org/m/p/t"
