"""What a person reads when a mail server cannot be used: what happened, and what to try. Nothing is committed here."""

import ssl

from massmail_plugin.contracts import Account
from massmail_plugin.smtp_status import Reply
from massmail_plugin.vocabulary import Security

_USUAL = "Usual are port 587 with STARTTLS and port 465 with TLS."


def not_found(account: Account) -> str:
    return f"There is no server by the name “{account.host}”, or the name service does not answer. Check the spelling."


def no_connection(account: Account, error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return f"{_at(account)} refuses connections: no mail server listens there. Check the port. {_USUAL}"
    if isinstance(error, TimeoutError):
        return f"{_at(account)} did not answer in time: a firewall may be in between, or the port is wrong. {_USUAL}"
    return f"{_at(account)} cannot be reached: {reason(error)}"


def no_greeting(account: Account, what: str) -> str:
    text = f"{_at(account)} did not greet as a mail server does. {what}"
    if account.security != Security.TLS:
        text += " If this port expects TLS from the start (465 does), choose TLS."
    return text


def tls_failed(account: Account, error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"The certificate of {_at(account)} is not valid: {error.verify_message.rstrip('.')}. "
            "Nothing was sent. Check the name of the server; if it is right, its operator must renew the certificate."
        )
    text = f"No encrypted connection to {_at(account)}: {reason(error)}"
    if account.security == Security.TLS:
        text += " If this port does not begin with TLS (587 and 25 do not), choose STARTTLS."
    return text


def lasting(error: Exception) -> bool:
    """True where trying again cannot help: the certificate is wrong, or the port does not speak TLS at all."""
    return isinstance(error, ssl.SSLCertVerificationError) or getattr(error, "reason", "") == "WRONG_VERSION_NUMBER"


def no_starttls(account: Account) -> str:
    return (
        f"{_at(account)} does not offer STARTTLS, so nothing was sent in clear. "
        "Choose TLS with port 465, or “none” if the way to the server is safe."
    )


def no_login(account: Account, offered: str) -> str:
    if not offered.strip():
        return f"{_at(account)} offers no login on this connection. Remove the user name, or choose STARTTLS or TLS."
    return f"{_at(account)} offers these ways to log in, none of which fits: {', '.join(offered.split())}."


def login_refused(account: Account, answer: Reply) -> str:
    text = f"{_at(account)} did not accept the login. It said: {answer.code} {answer.text}"
    if answer.code == 535:
        text += " – Check user name and password; some services want an app password instead of the usual one."
    return text


def turned_away(account: Account, answer: Reply) -> str:
    return f"{_at(account)} turned us away. It said: {answer.code} {answer.text}"


def sender_refused(account: Account, answer: Reply) -> str:
    return f"{_at(account)} does not take mail from this sender. It said: {answer.code} {answer.text}"


def broke_off(account: Account, what: str) -> str:
    return f"{_at(account)} broke off. {what}"


def not_smtp(text: str) -> str:
    """`text` lacks its first four characters, which were read as a code."""
    return f"It said “…{text[:80]}”, which is not SMTP." if text else "It said something that is not SMTP."


def reason(error: Exception) -> str:
    """Why a connection broke, without Python's wrapping."""
    if isinstance(error, TimeoutError):
        return "It was silent for too long."
    if isinstance(error, ssl.SSLError):
        return f"{(error.reason or 'TLS error').replace('_', ' ').lower()}."
    if isinstance(error, OSError):
        return f"{error.strerror or 'the connection broke'}."
    return str(error)


def _at(account: Account) -> str:
    return f"{account.host}:{account.port}"
