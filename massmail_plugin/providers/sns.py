"""Amazon SNS: whether a notification is genuine, and the answer to a subscription. The SES reader enters; no commits.

Nothing is ever fetched but from an SNS host of Amazon, over checked TLS, without redirects, within seconds.
"""

import re
from base64 import b64decode
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from http.client import HTTPException, HTTPSConnection
from ssl import create_default_context
from threading import Lock
from typing import Any
from urllib.parse import urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.x509 import Certificate, load_pem_x509_certificate

from massmail_plugin.errors import RequestRefused
from massmail_plugin.providers.payloads import text
from massmail_plugin.providers.signatures import refuse

Fetch = Callable[[str], bytes]
"""Gets what an address has, or raises OSError."""

_HOST = re.compile(r"sns\.([a-z]{2}(?:-[a-z]+){1,3}-\d{1,2})\.amazonaws\.com(?:\.cn)?")
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-f]{8,64}\.pem")
_TOPIC = re.compile(r"arn:aws(?:-[a-z-]+)?:sns:([a-z0-9-]+):\d{12}:[A-Za-z0-9_.-]{1,256}")
_HASHES: dict[str, HashAlgorithm] = {"1": SHA1(), "2": SHA256()}
_SIGNED = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
"""What is signed, in this order; a notification has no SubscribeURL and Token, a confirmation no Subject."""
KEPT = timedelta(hours=24)
MOST_KEPT = 16
PATIENCE = 5.0
LONGEST = 65_536
PER_MINUTE = 6


class Certificates:
    """The certificates of SNS: fetched when first asked for, kept a day, a few a minute at most."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._lock = Lock()
        self._kept: dict[str, tuple[datetime, Certificate]] = {}
        self._asked: deque[datetime] = deque(maxlen=PER_MINUTE)

    def key(self, url: str, at: datetime) -> RSAPublicKey:
        """The public key of a certificate that is valid now. Raises RequestRefused."""
        with self._lock:
            certificate = self._certificate(url, at)
        key = certificate.public_key()
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            refuse("The certificate of the signature is not valid now.")
        if not isinstance(key, RSAPublicKey):
            refuse("The certificate of the signature has a key of another kind.")
        return key

    def _certificate(self, url: str, at: datetime) -> Certificate:
        fetched_at, certificate = self._kept.get(url, (None, None))
        if certificate is None or fetched_at is None or not timedelta(0) <= at - fetched_at < KEPT:
            certificate = self._fetched(url, at)
            self._kept[url] = (at, certificate)
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return certificate

    def _fetched(self, url: str, at: datetime) -> Certificate:
        if len(self._asked) == PER_MINUTE and at - self._asked[0] < timedelta(minutes=1):
            raise RequestRefused(429, "Too many certificates were asked for in this minute.")
        self._asked.append(at)
        try:
            return load_pem_x509_certificate(self._fetch(url))
        except (OSError, ValueError) as error:
            raise RequestRefused(403, "The certificate of the signature cannot be had.") from error


def region_of_topic(topic: str) -> str:
    """The region in the name (ARN) of a topic, or ""."""
    found = _TOPIC.fullmatch(topic)
    return found.group(1) if found else ""


def certificate_url(envelope: dict[str, Any], region: str) -> str:
    """The address of the certificate, if it is one of SNS itself in this region. Raises RequestRefused."""
    url = text(envelope.get("SigningCertURL"))
    parts = _parts(url)
    host = _HOST.fullmatch(parts.netloc)
    if parts.scheme != "https" or not host or host.group(1) != region:
        refuse("The certificate of the signature is not one of Amazon SNS in the region of the topic.")
    if not _CERTIFICATE.fullmatch(parts.path) or parts.query or parts.fragment:
        refuse("The certificate of the signature is not one of Amazon SNS.")
    return url


def _parts(url: str) -> Any:
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def check_signature(envelope: dict[str, Any], key: RSAPublicKey) -> None:
    """SignatureVersion 1 or 2 over the fields SNS signs. Raises RequestRefused."""
    algorithm = _HASHES.get(text(envelope.get("SignatureVersion")))
    if algorithm is None:
        refuse("The signature is missing or of an unknown version.")
    try:
        octets = b64decode(text(envelope.get("Signature")), validate=True)
        key.verify(octets, _signed(envelope), PKCS1v15(), algorithm)
    except (ValueError, InvalidSignature):
        refuse("The signature is wrong.")


def _signed(envelope: dict[str, Any]) -> bytes:
    unsigned = ("SubscribeURL", "Token") if envelope.get("Type") == "Notification" else ("Subject",)
    named = [name for name in _SIGNED if name not in unsigned and isinstance(envelope.get(name), str)]
    return "".join(f"{name}\n{envelope[name]}\n" for name in named).encode("utf-8", "replace")


def confirmation_url(topic: str, token: str) -> str:
    """Where a subscription to `topic` is confirmed: made from the topic's own region, never taken from a request."""
    region = region_of_topic(topic)
    end = ".cn" if topic.startswith("arn:aws-cn:") else ""
    query = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic, "Token": token})
    return f"https://sns.{region}.amazonaws.com{end}/?{query}"


def fetch(url: str) -> bytes:
    """What an SNS host answers with status 200, at most 64 kB of it. Raises OSError for anything else."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not _HOST.fullmatch(parts.netloc):
        raise OSError(f"{parts.netloc[:100]} is no host of Amazon SNS.")
    connection = HTTPSConnection(parts.netloc, timeout=PATIENCE, context=create_default_context())
    try:
        connection.request("GET", f"{parts.path}?{parts.query}" if parts.query else parts.path)
        answer = connection.getresponse()
        content = answer.read(LONGEST + 1)
    except HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()
    if answer.status != 200 or len(content) > LONGEST:
        raise OSError(f"{parts.netloc} answered {answer.status}.")
    return content
