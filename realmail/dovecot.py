"""A Dovecot of its own on loopback: IMAP and POP3 to read from, LMTP to deliver to, with users and quotas."""

import os
import pwd
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from sample_host.services.child_process import Child, ServiceMissing, start

PASSWORD = "a word for älle"
"""Of every user; it holds what not every login method can carry."""


@dataclass(frozen=True)
class Ports:
    """Where it listens on 127.0.0.1."""

    imap: int
    imaps: int
    pop3: int
    pop3s: int
    lmtp: int


def dovecot_command() -> str:
    """The program; raises ServiceMissing with what to do where it is not there or cannot run."""
    found = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    modules = Path("/usr/lib/dovecot")
    if not found or not all((modules / name).exists() for name in ("imap", "pop3", "lmtp")):
        raise ServiceMissing("there is no Dovecot; on Debian: apt install dovecot-imapd dovecot-pop3d dovecot-lmtpd")
    if os.geteuid() != 0:
        raise ServiceMissing("Dovecot's users here need root")
    return found


def start_dovecot(folder: Path, ports: Ports, users: Mapping[str, str], *, certificate: Path, key: Path) -> Child:
    """A Dovecot whose users have Maildirs below `folder`; the value of a user is a quota such as "10M", or nothing."""
    command = dovecot_command()
    nobody = pwd.getpwnam("nobody")
    (folder / "mail").mkdir(mode=0o755)
    os.chown(folder / "mail", nobody.pw_uid, nobody.pw_gid)
    lines = [
        f"{user}:{{PLAIN}}{PASSWORD}:{nobody.pw_uid}:{nobody.pw_gid}::{folder}/mail/{user}::"
        + (f"userdb_quota_rule=*:storage={quota}" if quota else "")
        for user, quota in users.items()
    ]
    (folder / "users").write_text("\n".join(lines) + "\n")
    config = folder / "dovecot.conf"
    config.write_text(_config(folder, ports, certificate, key))
    return start([command, "-F", "-c", config], log=folder / "dovecot-start.log")


def maildir(folder: Path, user: str) -> Path:
    """Where the mail of a user lies."""
    return folder / "mail" / user / "Maildir"


def _config(folder: Path, ports: Ports, certificate: Path, key: Path) -> str:
    return dedent(f"""\
        base_dir = {folder}/run
        state_dir = {folder}/run
        log_path = {folder}/dovecot.log
        protocols = imap pop3 lmtp
        listen = 127.0.0.1
        ssl = yes
        ssl_cert = <{certificate}
        ssl_key = <{key}
        disable_plaintext_auth = no
        auth_mechanisms = plain
        auth_failure_delay = 0
        auth_username_format = %Ln
        recipient_delimiter = +
        first_valid_uid = 1
        mail_location = maildir:~/Maildir
        mail_plugins = quota
        namespace inbox {{
          inbox = yes
          separator = /
        }}
        plugin {{
          quota = count:User quota
          quota_rule = *:storage=100M
          quota_vsizes = yes
        }}
        protocol imap {{
          mail_max_userip_connections = 100
        }}
        passdb {{
          driver = passwd-file
          args = {folder}/users
        }}
        userdb {{
          driver = passwd-file
          args = {folder}/users
        }}
        service imap-login {{
          inet_listener imap {{
            port = {ports.imap}
          }}
          inet_listener imaps {{
            port = {ports.imaps}
            ssl = yes
          }}
        }}
        service pop3-login {{
          inet_listener pop3 {{
            port = {ports.pop3}
          }}
          inet_listener pop3s {{
            port = {ports.pop3s}
            ssl = yes
          }}
        }}
        # Who fails to log in waits longer each time, up to 15 seconds; not here.
        service anvil {{
          unix_listener anvil-auth-penalty {{
            mode = 0
          }}
        }}
        service lmtp {{
          inet_listener lmtp {{
            port = {ports.lmtp}
          }}
        }}
        """)
