"""A Postfix of its own on loopback: it takes what the plugin sends, hands it on, and makes real bounces."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from textwrap import dedent

from sample_host.services.child_process import Child, ServiceFailed, ServiceMissing, start

DAEMONS = Path("/usr/lib/postfix/sbin")
KEEPER = """trap 'kill "$child"' TERM; "$0" "$@" & child=$!; wait "$child"; wait "$child" """
"""Postfix changes its user while it starts, by which the kernel forgets to tell it of its parent's death. A shell does
not: it hears, and ends Postfix."""
SERVICES = """\
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""


def postfix_command() -> str:
    """The program; raises ServiceMissing with what to do where it is not there or cannot run."""
    found = shutil.which("postfix", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not found or not (DAEMONS / "master").exists():
        raise ServiceMissing("there is no Postfix; on Debian: apt install postfix")
    if os.geteuid() != 0:
        raise ServiceMissing("Postfix can only be started by root")
    return found


def start_postfix(folder: Path, port: int, lmtp_port: int, *, lifetime: int) -> Child:
    """A Postfix that listens on `port` and keeps its queue in `folder`.

    Mail for slow.test can never be delivered: a notice of delay comes after a second, and after `lifetime` seconds it
    comes back. All other mail goes on to the LMTP server at `lmtp_port`.
    """
    command = postfix_command()
    config, owner = folder / "postfix", pwd.getpwnam("postfix")
    for name in ("postfix", "queue", "data"):
        (folder / name).mkdir(mode=0o755)
    os.chown(folder / "data", owner.pw_uid, owner.pw_gid)
    (config / "main.cf").write_text(_main(folder, lmtp_port, lifetime))
    (config / "master.cf").write_text(f"127.0.0.1:{port} inet n - n - - smtpd\n{SERVICES}")
    checked = subprocess.run([command, "-c", config, "check"], capture_output=True, text=True, timeout=60)
    if checked.returncode:
        raise ServiceFailed(f"Postfix does not take its set-up: {checked.stderr}")
    return start(["sh", "-c", KEEPER, DAEMONS / "master", "-c", config, "-s"], log=folder / "postfix-start.log")


def flush_queue(folder: Path) -> None:
    """Let everything that waits be tried at once."""
    subprocess.run([postfix_command(), "-c", folder / "postfix", "flush"], check=True, capture_output=True, timeout=60)


def _main(folder: Path, lmtp_port: int, lifetime: int) -> str:
    return dedent(f"""\
        compatibility_level = 3.6
        queue_directory = {folder}/queue
        data_directory = {folder}/data
        maillog_file = {folder}/postfix.log
        maillog_file_prefixes = {folder}
        daemon_directory = {DAEMONS}
        myhostname = mail.lab.test
        mydestination =
        mynetworks = 127.0.0.0/8
        inet_interfaces = 127.0.0.1
        inet_protocols = ipv4
        disable_dns_lookups = yes
        smtp_host_lookup = native
        alias_maps =
        alias_database =
        local_recipient_maps =
        recipient_delimiter = +
        smtpd_recipient_restrictions = permit_mynetworks, reject
        transport_maps = inline:{{ {{ slow.test = smtp:[127.0.0.1]:9 }} }}
        default_transport = lmtp:inet:127.0.0.1:{lmtp_port}
        lmtp_destination_recipient_limit = 1
        delay_warning_time = 1s
        queue_run_delay = 1s
        minimal_backoff_time = 1s
        maximal_backoff_time = 2s
        maximal_queue_lifetime = {lifetime}s
        bounce_queue_lifetime = {lifetime}s
        anvil_rate_time_unit = 60s
        """)
