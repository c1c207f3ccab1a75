"""DKIM: an independent verifier accepts what is signed, and nothing that was changed on the way."""

import re
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from massmail_plugin.channels.dkim import Signer
from massmail_plugin.channels.dkim_keys import new_keys, record
from massmail_plugin.channels.email import build
from massmail_plugin.errors import BadRequest, RenderError
from tests.channels.conftest import Mail

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
AT = int(NOON.timestamp())
KEYS = new_keys()
SIGNER = Signer(
    domain="example.org",
    selector="news1",
    rsa_pem=KEYS.rsa,
    ed25519_selector="news1e",
    ed25519_pem=KEYS.ed25519,
)
DNS = dict([record("example.org", "news1", KEYS.rsa), record("example.org", "news1e", KEYS.ed25519)])


@pytest.fixture(autouse=True)
def _on_that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verifier refuses signatures of the future."""
    monkeypatch.setattr(dkim.time, "time", lambda: AT + 60)


def in_dns(name: bytes, timeout: int = 5) -> bytes | None:
    found = DNS.get(name.decode().rstrip("."))
    return found.encode() if found else None


def verified(message: bytes) -> tuple[bool, bool]:
    """Whether the RSA signature holds, and the Ed25519 one; SMTP ends the last line where the mail does not."""
    message = message if message.endswith(b"\r\n") else message + b"\r\n"
    return verified_by(message, 0), verified_by(message, 1)


def verified_by(message: bytes, number: int) -> bool:
    try:
        return bool(dkim.DKIM(message).verify(number, dnsfunc=in_dns))
    except dkim.DKIMException:
        return False


def tags(message: bytes, number: int = 0) -> dict[str, str]:
    field = re.findall(rb"(?m)^DKIM-Signature:((?:.*\r\n)(?:[ \t].*\r\n)*)", message)[number]
    pairs = [tag.split("=", 1) for tag in re.sub(r"\s", "", field.decode()).split(";")]
    return dict(pairs)


@pytest.fixture
def content(mail: Mail) -> bytes:
    """A mail with everything in it that is signed."""
    return build(
        mail(
            subject="Grüße aus dem Norden",
            text="Hello,\n\n.\n..dots\n  indented   words \n\n\n",
            html="<p>Hello   <b>you</b></p>\n\t<p>.</p>\n",
            reply_to="answers@example.org",
            list_unsubscribe_address="stop@example.org",
            headers={"Feedback-ID": "17:news:massmail"},
        )
    )


# --- what odd mails are made of ---

word = st.binary(min_size=1, max_size=12).map(lambda b: bytes(c for c in b if c > 32 and c != 127)).filter(bool)
blank = st.sampled_from([b" ", b"  ", b"\t", b" \t ", b"\r\n ", b"\r\n\t", b" \r\n  ", b""])
value = st.lists(st.tuples(blank, word), max_size=6).map(lambda pieces: b"".join(a + b for a, b in pieces))
NAMES = (
    b"To Subject DATE Message-ID reply-to MIME-Version Content-Type Content-Transfer-Encoding Precedence Auto-Submitted"
    b" Feedback-ID List-Id List-Unsubscribe List-Unsubscribe-Post List-Owner X-Mailer Listen Received x"
)
name = st.sampled_from(NAMES.split())
field = st.tuples(name, st.tuples(blank, value).map(b"".join))
line = st.lists(
    st.one_of(word, st.sampled_from([b" ", b"  ", b"\t", b".", b"..", b"--=_", b"\xc3\xa9"])), max_size=8
).map(b"".join)
body = st.tuples(
    st.lists(line, max_size=8).map(b"\r\n".join), st.sampled_from([b"", b" ", b"\r\n", b" \r\n\r\n", b"\r\n\t\r\n"])
).map(b"".join)
Fields = list[tuple[bytes, bytes]]


@st.composite
def odd_mails(draw: st.DrawFn) -> tuple[Fields, bytes]:
    fields = draw(st.lists(field, max_size=10))
    fields.insert(draw(st.integers(0, len(fields))), (b"From", draw(value) + b" <a@example.org>"))
    return fields, draw(body)


def as_bytes(fields: Fields, body: bytes) -> bytes:
    return b"".join(b"%b:%b\r\n" % field for field in fields) + b"\r\n" + body


def signatures(fields: Fields, body: bytes) -> bytes:
    content = as_bytes(fields, body)
    signed = SIGNER.sign(content, AT)
    assert signed.endswith(content)
    return signed[: -len(content)]


@given(odd_mails())
@settings(max_examples=150, deadline=None)
def test_both_signatures_hold_whatever_the_mail_looks_like(odd: tuple[Fields, bytes]) -> None:
    assert verified(signatures(*odd) + as_bytes(*odd)) == (True, True)


@given(odd_mails(), st.data())
@settings(max_examples=80, deadline=None)
def test_a_signed_field_cannot_be_changed_or_left_out(odd: tuple[Fields, bytes], data: st.DataObject) -> None:
    fields, body = odd
    front = signatures(fields, body)
    at = data.draw(st.integers(0, len(fields) - 1))
    name, value = fields[at]
    is_signed = name.lower().decode() in tags(front)["h"].split(":")
    changed = [*fields[:at], (name, value + b"q"), *fields[at + 1 :]]
    without = [*fields[:at], *fields[at + 1 :]]
    assert verified(front + as_bytes(changed, body)) == (not is_signed, not is_signed)
    assert verified(front + as_bytes(without, body)) == (not is_signed, not is_signed)


@given(odd_mails(), st.data())
@settings(max_examples=80, deadline=None)
def test_the_body_cannot_be_changed(odd: tuple[Fields, bytes], data: st.DataObject) -> None:
    fields, body = odd
    lines = body.split(b"\r\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    changed = b"\r\n".join([*lines[:at], lines[at] + b"q", *lines[at + 1 :]])
    assert verified(signatures(fields, body) + as_bytes(fields, changed)) == (False, False)


@given(odd_mails())
@settings(max_examples=80, deadline=None)
def test_servers_may_touch_blanks(odd: tuple[Fields, bytes]) -> None:
    """Folding anew, longer runs of blanks and empty lines at the end are no change (relaxed/relaxed)."""
    fields, body = odd
    refolded = [(name.upper(), re.sub(rb"\s+", b"\r\n \t", value.strip()) + b" ") for name, value in fields]
    loosened = re.sub(rb"([ \t]+)", rb"\1 ", body).replace(b"\r\n", b"  \r\n")
    assert verified(signatures(fields, body) + as_bytes(refolded, loosened + b"\r\n\r\n")) == (True, True)


def test_every_field_that_matters_is_signed(content: bytes) -> None:
    signed = SIGNER.sign(content, AT)
    names = tags(signed)["h"].split(":")
    there = re.findall(r"(?m)^([A-Za-z-]+):", content.partition(b"\r\n\r\n")[0].decode())
    assert {name.lower() for name in there} - set(names) == {"x-auto-response-suppress"}
    assert names.count("from") == 2
    assert len(names) == len(set(names)) + 1
    assert verified(signed) == (True, True)


def test_a_second_from_breaks_it(content: bytes) -> None:
    signed = SIGNER.sign(content, AT)
    second = b"From: Somebody else <else@example.com>\r\n"
    front = signed[: -len(content)]
    assert verified(second + signed) == (False, False)
    assert verified(front + second + content) == (False, False)
    assert verified(front + content.replace(b"\r\n\r\n", b"\r\n" + second + b"\r\n", 1)) == (False, False)


def test_the_fields_say_what_the_standards_ask_for(content: bytes) -> None:
    signed = SIGNER.sign(content, AT)
    first, second = tags(signed, 0), tags(signed, 1)
    common = {"v": "1", "c": "relaxed/relaxed", "d": "example.org", "t": str(AT)}
    for found, own in (
        (first, {"a": "rsa-sha256", "s": "news1"}),
        (second, {"a": "ed25519-sha256", "s": "news1e"}),
    ):
        assert {**found, **common, **own} == found
        assert set(found) == {"v", "a", "b", "bh", "c", "d", "h", "s", "t"}
    assert (len(b64decode(first["b"])), len(b64decode(second["b"]))) == (256, 64)
    assert max(map(len, signed[: -len(content)].split(b"\r\n"))) <= 78
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", signed)


def test_rsa_alone(content: bytes) -> None:
    signed = Signer(domain="Example.ORG", selector="News1", rsa_pem=KEYS.rsa).sign(content, AT)
    assert signed.count(b"DKIM-Signature:") == 1
    assert verified_by(signed, 0)


def test_one_signer_serves_many_threads(content: bytes) -> None:
    """Both signatures follow from content and time alone, so that threads must agree."""
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: SIGNER.sign(content, AT), range(40)))) == 1


def test_without_from_nothing_is_signed() -> None:
    with pytest.raises(RenderError, match="without From"):
        SIGNER.sign(b"To: a@example.org\r\n\r\nHello\r\n", AT)


# --- keys ---


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes = b"") -> str:
    hidden = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, hidden).decode()


SHORT = rsa.generate_private_key(65537, 1024)
PUBLIC = SHORT.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"rsa_pem": ""}, "never alone"),
        ({"rsa_pem": "hello"}, "cannot be read"),
        ({"rsa_pem": KEYS.rsa[:400]}, "cannot be read"),
        ({"rsa_pem": "schlüssel"}, "cannot be read"),
        ({"rsa_pem": PUBLIC}, "public key"),
        ({"rsa_pem": pem(SHORT)}, "1024 bits"),
        ({"rsa_pem": pem(SHORT, b"password")}, "protected by a password"),
        ({"rsa_pem": KEYS.ed25519}, "an RSA key is needed"),
        ({"rsa_pem": pem(ec.generate_private_key(ec.SECP256R1()))}, "not an RSA key"),
        ({"ed25519_pem": KEYS.rsa}, "not an Ed25519 key"),
        ({"ed25519_selector": "NEWS1"}, "selector of its own"),
        ({"selector": "a b"}, "cannot be a selector"),
        ({"selector": ""}, "cannot be a selector"),
        ({"domain": "localhost"}, "not a domain"),
        ({"domain": "example.org; h=x"}, "not a domain"),
    ],
)
def test_keys_that_cannot_be_used_are_refused_in_words(keys: dict[str, str], words: str) -> None:
    usual = {
        "domain": "example.org",
        "selector": "news1",
        "rsa_pem": KEYS.rsa,
        "ed25519_selector": "news1e",
        "ed25519_pem": KEYS.ed25519,
    }
    with pytest.raises(BadRequest, match=words):
        Signer(**{**usual, **keys})


def test_a_key_of_the_older_kind_of_pem_will_do(content: bytes) -> None:
    key = rsa.generate_private_key(65537, 2048)
    DNS["old._domainkey.example.org"] = record("example.org", "old", pem(key)).text
    assert verified_by(Signer(domain="example.org", selector="old", rsa_pem=pem(key)).sign(content, AT), 0)


def test_new_keys_are_new() -> None:
    assert not set(new_keys()) & set(KEYS)
