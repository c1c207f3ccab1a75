"""Requests as providers make them: signed with keys of our own, as each one's documentation says."""

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from massmail_plugin.contracts import EventReader, EventRequest
from massmail_plugin.providers import load_event_readers
from massmail_plugin.providers.ses import SesEvents

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
URL = "https://crm.example.org/m/events/abc"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail-events"
CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
PASSWORD = "feed:correct horse: battery"
HMAC_KEY = "k" * 40
WHSEC = "whsec_" + b64encode(b"s" * 24).decode()

Payload = Any
Sign = Callable[[bytes, datetime, str], dict[str, str]]


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def der_text(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@cache
def certificate(until: datetime = NOW + timedelta(days=30)) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = x509.CertificateBuilder(name, name, rsa_key().public_key(), x509.random_serial_number())
    dated = made.not_valid_before(NOW - timedelta(days=365)).not_valid_after(until)
    return dated.sign(rsa_key(), SHA256()).public_bytes(Encoding.PEM)


@dataclass
class Amazon:
    """Answers as Amazon SNS would; `asked` are the addresses that were fetched."""

    asked: list[str]
    content: bytes = b""
    silent: bool = False

    def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if self.silent:
            raise OSError("no answer")
        return self.content or certificate()


def readers(amazon: Amazon | None = None) -> dict[str, EventReader]:
    return {**load_event_readers({}), "ses": SesEvents((amazon or Amazon([])).fetch)}


def hexadecimal(key: str, content: bytes, digest: str = "sha256") -> str:
    return hmac.new(key.encode(), content, digest).hexdigest()


# --- Signatures in headers: (body, when, key) -> headers ---


def basic(body: bytes, at: datetime, key: str) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(key.encode()).decode()}


def sendgrid(body: bytes, at: datetime, key: str) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    signer = ec_key() if key == der_text(ec_key()) else ec.generate_private_key(ec.SECP256R1())
    signature = signer.sign(stamp.encode() + body, ec.ECDSA(SHA256()))
    return {
        "x-twilio-email-event-webhook-timestamp": stamp,
        "x-twilio-email-event-webhook-signature": b64encode(signature).decode(),
    }


def mailersend(body: bytes, at: datetime, key: str) -> dict[str, str]:
    return {"signature": hexadecimal(key, body)}


def mailtrap(body: bytes, at: datetime, key: str) -> dict[str, str]:
    return {"mailtrap-signature": hexadecimal(key, body)}


def postal(body: bytes, at: datetime, key: str) -> dict[str, str]:
    signer = rsa_key() if key == der_text(rsa_key()) else rsa.generate_private_key(65537, 2048)
    newer = signer.sign(body, padding.PKCS1v15(), SHA256())
    older = signer.sign(body, padding.PKCS1v15(), SHA1())
    return {"x-postal-signature-256": b64encode(newer).decode(), "x-postal-signature": b64encode(older).decode()}


def standard(name: str) -> Sign:
    def sign(body: bytes, at: datetime, key: str) -> dict[str, str]:
        stamp = str(int(at.timestamp()))
        octets = b"s" * 24 if key == WHSEC else b"x" * 24
        digest = hmac.new(octets, b".".join((b"msg_1", stamp.encode(), body)), "sha256").digest()
        signature = "v1,bm90IHRoaXM= v1," + b64encode(digest).decode()
        return {f"{name}-id": "msg_1", f"{name}-timestamp": stamp, f"{name}-signature": signature}

    return sign


# --- Signatures in the body: (payload, when, key) -> body, headers ---


def ses(payload: Payload, at: datetime, key: str) -> tuple[bytes, dict[str, str]]:
    """A notification of the topic `key` names, signed by SNS."""
    envelope = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": key,
        "Subject": "Amazon SES Email Event Notification",
        "Message": json.dumps(payload),
        "Timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
    }
    return signed_by_sns(envelope)


def signed_by_sns(envelope: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    kinds: dict[str, HashAlgorithm] = {"1": SHA1(), "2": SHA256()}
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    left_out = {"SubscribeURL", "Token"} if envelope["Type"] == "Notification" else {"Subject"}
    signed = "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope and name not in left_out)
    signature = rsa_key().sign(signed.encode(), padding.PKCS1v15(), kinds[envelope["SignatureVersion"]])
    whole = {**envelope, "Signature": b64encode(signature).decode()}
    return json.dumps(whole).encode(), {"content-type": "text/plain; charset=UTF-8"}


def mailgun(payload: Payload, at: datetime, key: str) -> tuple[bytes, dict[str, str]]:
    stamp = str(int(at.timestamp()))
    nonce = hashlib.sha256((stamp + json.dumps(payload)).encode()).hexdigest()[:50]
    proof = {"timestamp": stamp, "token": nonce, "signature": hexadecimal(key, (stamp + nonce).encode())}
    return json.dumps({"signature": proof, "event-data": payload}).encode(), {"content-type": "application/json"}


def mandrill(payload: Payload, at: datetime, key: str, url: str = URL) -> tuple[bytes, dict[str, str]]:
    written = json.dumps(payload)
    digest = hmac.new(key.encode(), f"{url}mandrill_events{written}".encode(), "sha1").digest()
    headers = {"content-type": "application/x-www-form-urlencoded", "x-mandrill-signature": b64encode(digest).decode()}
    return urlencode({"mandrill_events": written}).encode(), headers


def unisender_go(payload: Payload, at: datetime, key: str) -> tuple[bytes, dict[str, str]]:
    with_key = json.dumps({"auth": key, "events_by_user": payload}, ensure_ascii=False).encode()
    digest = hashlib.md5(with_key).hexdigest()
    return with_key.replace(json.dumps(key).encode(), f'"{digest}"'.encode()), {"content-type": "application/json"}


def in_headers(sign: Sign) -> Callable[[Payload, datetime, str], tuple[bytes, dict[str, str]]]:
    def make(payload: Payload, at: datetime, key: str) -> tuple[bytes, dict[str, str]]:
        body = json.dumps(payload).encode()
        return body, {"content-type": "application/json", **sign(body, at, key)}

    return make


MAKE: dict[str, Callable[[Payload, datetime, str], tuple[bytes, dict[str, str]]]] = {
    "ses": ses,
    "sendgrid": in_headers(sendgrid),
    "mailgun": mailgun,
    "postmark": in_headers(basic),
    "brevo": in_headers(basic),
    "sparkpost": in_headers(basic),
    "mailjet": in_headers(basic),
    "mailersend": in_headers(mailersend),
    "mandrill": mandrill,
    "resend": in_headers(standard("svix")),
    "postal": in_headers(postal),
    "mailtrap": in_headers(mailtrap),
    "unisender_go": unisender_go,
    "signed_json": in_headers(standard("webhook")),
}


def secret_of(provider: str) -> str:
    """The key that proves its requests, as it is stored."""
    special = {"ses": TOPIC, "resend": WHSEC, "signed_json": WHSEC}
    if provider in ("sendgrid", "postal"):
        return der_text(ec_key() if provider == "sendgrid" else rsa_key())
    by_password = provider in ("postmark", "brevo", "sparkpost", "mailjet")
    return special.get(provider, PASSWORD if by_password else HMAC_KEY)


def another_secret(provider: str) -> str:
    """A key of the same kind that is not the right one."""
    special = {"ses": TOPIC.replace("1234", "4321"), "resend": "whsec_eA==", "signed_json": "whsec_eA=="}
    if provider in ("sendgrid", "postal"):
        return der_text(ec.generate_private_key(ec.SECP256R1()) if provider == "sendgrid" else _other_rsa())
    return special.get(provider, "feed:wrong")


@cache
def _other_rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def posted(provider: str, payload: Payload, *, at: datetime = NOW, key: str = "") -> EventRequest:
    """What the provider posts, signed at `at`; it comes in at NOW."""
    body, headers = MAKE[provider](payload, at, key or secret_of(provider))
    return EventRequest(body=body, headers=headers, url=URL, at=NOW)
