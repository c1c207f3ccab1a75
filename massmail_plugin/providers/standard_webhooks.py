"""The signature of Standard Webhooks and of Svix: HMAC over id, time and body. Readers enter; nothing is committed."""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error

from massmail_plugin.contracts import EventRequest
from massmail_plugin.providers.payloads import moment
from massmail_plugin.providers.signatures import MINUTES, any_same, fresh, hmac_of, keys, refuse

PREFIX = "whsec_"


def check_standard(request: EventRequest, secret: str, *names: str) -> None:
    """Raise RequestRefused unless one of the signatures in the headers NAME-id, -timestamp and -signature is right.

    `names` are the beginnings that are tried in turn: "webhook" (Standard Webhooks) or "svix".
    """
    name = next((one for one in names if f"{one}-signature" in request.headers), "")
    given, stamp, number = (request.headers.get(f"{name}-{part}", "") for part in ("signature", "timestamp", "id"))
    if not (name and given and stamp and number):
        refuse("The signature is missing.")
    made = [standard_signature(key, number, stamp, request.body) for key in keys(secret)]
    if not any(any_same(one, made) for one in given.split(" ")[:10]):
        refuse("The signature is wrong.")
    fresh(request, moment(stamp), MINUTES)


def standard_signature(key: str, number: str, stamp: str, body: bytes) -> str:
    """ "v1," and the Base64 of the HMAC; `key` is Base64 after whsec_, or taken as it is."""
    signed = b".".join((number.encode("utf-8", "replace"), stamp.encode("utf-8", "replace"), body))
    return "v1," + b64encode(hmac_of(_octets(key), signed)).decode()


def _octets(key: str) -> bytes:
    try:
        return b64decode(key.removeprefix(PREFIX), validate=True)
    except (Base64Error, ValueError):
        return key.encode()
