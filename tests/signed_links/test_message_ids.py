"""Message-IDs: stable over attempts and over new keys, ours alone to read, and no key to the recipient's links."""

from dataclasses import replace

import pytest

from massmail_plugin.config import Config
from massmail_plugin.errors import BadLink
from massmail_plugin.signed_links import (
    Sealer,
    message_id_field,
    message_token,
    read_message_id_field,
    read_message_token,
)

CONFIG = Config(base_url="https://crm.example.org", secret_keys=("a" * 32,))


def test_it_reads_back_and_names_the_domain():
    field = message_id_field(CONFIG, 42, "example.org")
    assert field.startswith("<")
    assert field.endswith("@example.org>")
    assert read_message_id_field(CONFIG, field) == read_message_id_field(CONFIG, field.strip("<>")) == 42


def test_a_new_key_in_front_does_not_change_it():
    rotated = replace(CONFIG, secret_keys=("b" * 32, *CONFIG.secret_keys))
    assert message_id_field(rotated, 42, "example.org") == message_id_field(CONFIG, 42, "example.org")


def test_it_does_not_open_the_recipients_links():
    left = message_id_field(CONFIG, 42, "example.org").strip("<>").partition("@")[0]
    assert left != message_token(CONFIG, 42, 1)
    with pytest.raises(BadLink):
        read_message_token(CONFIG, left)


@pytest.mark.parametrize("text", ["", "@", "<x@y>", f"<{'A' * 32}@example.org>", "massmail.42@example.org"])
def test_what_is_not_ours_is_refused(text):
    with pytest.raises(BadLink):
        read_message_id_field(CONFIG, text)


def test_a_sealer_makes_the_same_for_all_messages_of_a_mailing():
    keys = replace(CONFIG, secret_keys=("b" * 32, *CONFIG.secret_keys))
    sealer = Sealer(keys, "example.org", 5)
    for message_id in (1, 42, 2**56 - 1):
        assert sealer.token(message_id) == message_token(keys, message_id, 5)
        assert sealer.message_id(message_id) == message_id_field(keys, message_id, "example.org")
        assert read_message_token(keys, sealer.token(message_id)) == message_id
