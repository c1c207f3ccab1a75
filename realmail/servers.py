"""Both servers together, in a folder of their own, with a certificate that only this folder vouches for."""

import datetime
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from realmail.dovecot import Ports, dovecot_command, start_dovecot
from realmail.postfix import postfix_command, start_postfix
from sample_host.services.child_process import Child, ServiceFailed

PATIENCE = 30.0
"""Seconds a server may take to start, and a mail to arrive."""


@dataclass(frozen=True)
class MailServers:
    """The servers of one run; everything they write is below `folder`."""

    folder: Path
    smtp: int
    ports: Ports
    certificate: Path


def check_installed() -> None:
    """Raises ServiceMissing with what to install."""
    postfix_command()
    dovecot_command()


@contextmanager
def mail_servers(users: Mapping[str, str], *, lifetime: int = 6) -> Iterator[MailServers]:
    """Start both, and trust their certificate in this process; everything is gone afterwards."""
    check_installed()
    with ExitStack() as stack:
        # Both servers give up root's rights: what they need must not lie below a folder of root alone.
        folder = Path(tempfile.mkdtemp(prefix="massmail-mail-", dir="/tmp"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        certificate, key = _certificate(folder)
        smtp, *others = _free_ports(6)
        ports = Ports(*others)
        dovecot = start_dovecot(folder, ports, users, certificate=certificate, key=key)
        stack.callback(dovecot.stop)
        postfix = start_postfix(folder, smtp, ports.lmtp, lifetime=lifetime)
        stack.callback(postfix.stop)
        for child, port in ((dovecot, ports.imap), (dovecot, ports.pop3), (dovecot, ports.lmtp), (postfix, smtp)):
            _wait_for(child, port, folder)
        stack.enter_context(_trusted(certificate))
        yield MailServers(folder, smtp, ports, certificate)


def wait_until(true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Look every tenth of a second; raises ServiceFailed with `what` where it does not come true in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise ServiceFailed(f"After {seconds:g} seconds: {what}")
        time.sleep(0.1)


def _wait_for(child: Child, port: int, folder: Path) -> None:
    def listens() -> bool:
        if not child.running:
            logs = "\n".join(path.read_text(errors="replace")[-1500:] for path in sorted(folder.glob("*.log")))
            raise ServiceFailed(f"A mail server ended: {child.log_tail()}\n{logs}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(listens, f"nothing listens on port {port}.")


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def _trusted(certificate: Path) -> Iterator[None]:
    """OpenSSL reads the variable when a context is made."""
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(certificate)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SSL_CERT_FILE"]
        else:
            os.environ["SSL_CERT_FILE"] = before


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return paths
