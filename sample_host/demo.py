"""`make demo`: runs the sample host until Ctrl-C; a later start finds the data again.

python -m sample_host.demo [--reset] [--port 5080]
"""

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from sample_host import demo_mailing
from sample_host.config import RUN_FILE, SECRETS_FILE, data_folder
from sample_host.crm.accounts import DEMO_ACCOUNTS
from sample_host.reachable import NoPortFree, wait_until
from sample_host.recipients import BrokenMail, follow_link, letters_in, show_pictures, unsubscribe
from sample_host.running import (
    SMTP_PORT,
    WEB_PORT,
    CannotRun,
    Running,
    alone_in,
    asked,
    running,
)
from sample_host.services.child_process import ServiceFailed, ServiceMissing

SECONDS_TO_SEND = 60.0
OURS = ("caught", "log", "redis", RUN_FILE, SECRETS_FILE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until Ctrl-C, SIGTERM or a fault; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sample_host.demo", description="Run the demo until Ctrl-C.")
    parser.add_argument("--reset", action="store_true", help="start over with fresh data")
    parser.add_argument("--port", type=int, default=WEB_PORT, help=f"port of the web pages (default {WEB_PORT})")
    chosen = parser.parse_args(arguments)
    folder = data_folder()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        if chosen.reset:
            reset(folder)
        print("Starting …", flush=True)
        with running(folder, chosen.port) as demo:
            send_first_mailing(demo)
            print(greeting(demo, chosen.port), flush=True)
            watch(demo)
    except KeyboardInterrupt:
        print("\nStopped. The data are kept.", flush=True)
    except (BrokenMail, CannotRun, NoPortFree, ServiceFailed, ServiceMissing) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def stop(number: int, frame: FrameType | None) -> None:
    """A signal ends the demo as Ctrl-C does."""
    raise KeyboardInterrupt


def send_first_mailing(demo: Running) -> None:
    """On the first start one mailing goes out, and some of its recipients open it, click and leave."""
    with demo.app.app_context():
        if not demo_mailing.is_first():
            return
        mailing = demo_mailing.launch("An evening in the workshop", demo_mailing.CATALOGUE, demo_mailing.NEIGHBOURS)
    print("Sending the first mailing …", flush=True)
    finished = asked(demo.app, lambda: demo_mailing.progress(mailing).finished)
    if not wait_until(finished, SECONDS_TO_SEND, demo.check):
        print("It is still on its way; see its page.", flush=True)
        return
    letters = letters_in(demo.folder / "caught")
    for act, number in ((show_pictures, 40), (follow_link, 12)):
        for letter in letters[:number]:
            act(letter)
    for letter in letters[-2:]:
        unsubscribe(letter)


def watch(demo: Running) -> None:
    """Returns never: ends by Ctrl-C, or by CannotRun when a process has died."""
    while True:
        demo.check()
        time.sleep(0.5)


def reset(folder: Path) -> None:
    """Removes what earlier runs left in the folder, and nothing else; an outside database stays as it is."""
    if not folder.is_dir():
        return
    if "MASSMAIL_DATABASE_URL" in os.environ:
        print("MASSMAIL_DATABASE_URL names a database of yours: it is not emptied.", flush=True)
    with alone_in(folder):
        for path in [*(folder / name for name in OURS), *folder.glob("host.sqlite3*")]:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def greeting(demo: Running, wanted_port: int) -> str:
    """What one needs to know to begin."""
    moved = "" if demo.address.endswith(f":{wanted_port}") else f"   (port {wanted_port} is taken)"
    moved_smtp = "" if demo.smtp_port == SMTP_PORT else f" (port {SMTP_PORT} is taken)"
    lines = [
        "",
        "Fernhill CRM is running.",
        "",
        f"  Address       {demo.address}/{moved}",
        f"  Mail catcher  {demo.address}/catcher/",
        f"  Mail server   127.0.0.1:{demo.smtp_port}{moved_smtp}, without login or as demo / demo",
        "",
        "  Account       Password",
        *(f"  {name:<13} {password:<18} {what}" for name, password, what in DEMO_ACCOUNTS),
        "",
        f"  Data and logs are in {demo.folder}; `make demo RESET=1` starts over.",
        "  Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
