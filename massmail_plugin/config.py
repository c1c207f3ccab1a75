"""`MASSMAIL_*` settings: read once from the host's configuration, checked, frozen. Nothing is committed here."""

import difflib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from massmail_plugin.ages import USUAL, Ages
from massmail_plugin.errors import ConfigError, nearest

log = logging.getLogger(__name__)


def _setting(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True)
class Config:
    """Every setting with its default; the key is `MASSMAIL_` and the name in capitals."""

    base_url: str = _setting(
        "",
        "Address under which recipients reach the host, such as https://crm.example.org. Needed.",
    )
    secret_keys: Sequence[str] = _setting(
        (),
        "Keys for signed links and stored passwords; the first one is used for new ones, the others still "
        "open old ones and know erased addresses again: never drop one. Needed.",
    )
    redis_url: str = _setting("redis://localhost:6379/0", "Redis for the job queue.")
    queue: str = _setting("massmail", "Name of the RQ queue.")
    url_prefix: str = _setting("/m", "Where the recipients' pages, clicks and opens are mounted.")
    menu_category: str = _setting("Mailing", "Menu section in the host's Flask-Admin.")
    admin_url: str = _setting("massmail", "Path of the admin screens below the host's admin.")
    organisation: str = _setting("", "Name of the sender's organisation on the recipients' pages.")
    postal_address: str = _setting("", "Postal address for the foot of mails, as {{ organisation.address }}.")
    public_layout: str = _setting(
        "",
        "Template of yours that the recipients' pages stand in, with the blocks `title`, `head` and `content`. Empty "
        "means a plain page with your name, logo and colour.",
    )
    languages: Sequence[str] = _setting(
        (),
        "Languages of the recipients' pages, such as de,en; the first one is for whoever wants none of them. Empty "
        "means all there are, and English.",
    )
    translations: str = _setting(
        "",
        "Folder with catalogues of your own, as de/LC_MESSAGES/massmail.po: they change words of the recipients' pages "
        "and add languages.",
    )
    sign_up_days: int = _setting(14, "How long a sign-up waits to be confirmed.")
    sign_up_reminder_days: Sequence[int] = _setting(
        (2,), "Days after which a sign-up that is not confirmed is reminded of, such as 2,7. Empty: no reminders."
    )
    sign_ups_per_hour: int = _setting(20, "Sign-ups that are taken from one network in an hour; 0 takes any number.")
    check_mx: bool = _setting(
        False,
        "Ask the DNS whether the domain of an address in a sign-up form takes mail. A DNS that does not answer stops "
        "nobody.",
    )
    track_opens: bool = _setting(True, "Put a pixel into HTML mails.")
    track_clicks: bool = _setting(True, "Lead links through the host to count clicks.")
    hidden_link: bool = _setting(
        True, "Put a link no reader sees into HTML mails with counted links: programs that follow it are told by it."
    )
    chunk_size: int = _setting(500, "Outbox messages a worker leases at once.")
    lease_seconds: int = _setting(30, "How long a chunk stays with a worker that gives no sign; then another takes it.")
    lane_seconds: int = _setting(50, "How long one sending job runs at the most.")
    lanes: int = _setting(4, "Sending jobs that may wait at once.")
    state_dir: str = _setting(
        "",
        "Folder for the journals of workers and the spool of opens and clicks; in containers it must be a volume. "
        "Empty means `massmail` in the host's instance folder.",
    )
    journal_wait_seconds: int = _setting(
        600,
        "How long after the end of its lease a chunk waits for the machine that holds its journal; then its "
        "messages without an answer are uncertain.",
    )
    late_minutes: int = _setting(
        60, "If nothing ran for this long, mailings that were due or under way are held and ask first; 0 never asks."
    )
    dry_run: bool = _setting(False, "Do everything but hand mails to a server; they count as sent. For staging.")
    override_recipient: str = _setting("", "Address all mails go to instead of their recipients. For staging.")
    retry_first_seconds: int = _setting(120, "Wait after the first temporary refusal; doubles each time.")
    give_up_hours: int = _setting(96, "How long temporary refusals are tried again.")
    hook_seconds: int = _setting(
        300,
        "How long one of the host's own functions may take over an outcome; then it is ended and tried again later.",
    )
    webhook_internal_hosts: Sequence[str] = _setting(
        (),
        "Names or addresses of hosts inside your own network that webhooks may be sent to, also without TLS. All "
        "others must be public.",
    )
    webhook_log_days: int = _setting(30, "How long the log of webhooks is kept.")
    soft_bounces: int = _setting(
        5, "After so many mails that could not be delivered for the moment, an address gets no more; 0 means never."
    )
    soft_bounce_days: int = _setting(30, "Within so many days; a mail that arrives begins the count anew.")
    mailbox_seconds: int = _setting(60, "How often mailboxes are read.")
    maildir_root: str = _setting(
        "",
        "Folder below which Maildirs may be read as mailboxes. Empty means none, and only IMAP and POP3 are offered.",
    )
    received_kept: int = _setting(
        10_000, "How many received mails that belong to none of ours are kept to look at; 0 keeps none."
    )
    quick_door: bool = _setting(
        True,
        "Answer the open pixel and known links before the application's own functions around requests; False sends "
        "them through these, at half the speed.",
    )
    drain_seconds: int = _setting(
        5,
        "How often a web process brings opens and clicks to the database; 0 leaves it to the scheduler and workers of "
        "its machine.",
    )
    import_bytes: int = _setting(
        200_000_000, "Largest file that can be imported. Your server and `MAX_CONTENT_LENGTH` must let it in too."
    )
    tick_seconds: int = _setting(15, "How often the scheduler looks for work.")
    keep_values_days: int = _setting(
        0,
        "How long the values a mail was written with are kept, so that it can be shown as it was; 0 keeps none, and a "
        "mail is shown with today's values.",
    )
    retention: Ages = field(
        default=USUAL,
        metadata={
            "doc": 'Days after which data are deleted, by kind, such as {"messages": 400, "imports": 7}; 0 keeps a '
            "kind for good, one that is not named has its default. See docs/privacy.md for the kinds."
        },
    )
    digest_hours: int = _setting(24, "Hours after the start of a mailing at which its results are sent by mail.")
    confirm_above: int = _setting(10_000, "From this many recipients on, the number must be typed to send.")
    test_subject_prefix: str = _setting("[TEST] ", "Put before the subject of test mails.")
    criterion_seconds: int = _setting(
        20, "How long the database may look for the contacts of a criterion on screen; 0 sets no limit."
    )
    render_seconds: float = _setting(2.0, "Most CPU time for one message to be built.")
    max_message_bytes: int = _setting(5_000_000, "Largest text a template may produce.")

    @property
    def public_root(self) -> str:
        """Absolute address of the recipients' pages, without a slash at the end."""
        return self.base_url.rstrip("/") + self.url_prefix

    @property
    def domain(self) -> str:
        """Host name of `base_url`, used on the right side of Message-IDs."""
        return urlsplit(self.base_url).hostname or "localhost"


def read_config(settings: Mapping[str, Any]) -> Config:
    """Read the `MASSMAIL_*` keys of a Flask configuration.

    Raises ConfigError for a missing or impossible value; an unknown key is a warning with the nearest name.
    """
    known = {f"MASSMAIL_{f.name.upper()}": f for f in fields(Config)}
    given: dict[str, Any] = {}
    for key, value in settings.items():
        if key in known:
            given[known[key].name] = _fitted(key, value, known[key].default)
        elif key.startswith("MASSMAIL_"):
            close = difflib.get_close_matches(key, known, n=1)
            log.warning("Unknown setting %s.%s", key, f" Did you mean {close[0]}?" if close else "")
    config = Config(**given)
    _check(config)
    return config


def _fitted(key: str, value: Any, default: Any) -> Any:
    try:
        if isinstance(default, bool):
            return value if isinstance(value, bool) else _truth(value)
        if isinstance(default, Ages):
            return _ages(key, value)
        if isinstance(default, tuple):
            parts = (
                tuple(part.strip() for part in value.split(",") if part.strip())
                if isinstance(value, str)
                else tuple(value)
            )
            return tuple(map(type(default[0]), parts)) if default else parts
        return type(default)(value)
    except (TypeError, ValueError):
        raise ConfigError(f"{key} is {value!r}, but must be like {default!r}.") from None


def _truth(value: Any) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    word = str(value).strip().lower()
    if word not in words:
        raise ValueError(value)
    return words[word]


def _ages(key: str, value: Any) -> Ages:
    """Ages by kind, as a mapping or as JSON; kinds that are not named keep their default."""
    if isinstance(value, Ages):
        return value
    given = json.loads(value) if isinstance(value, str) else dict(value)
    known = [one.name for one in fields(Ages)]
    for kind in given:
        if kind not in known:
            raise ConfigError(f"{key} names “{kind}”, which is no kind of data. {nearest(kind, known)}")
    days = {kind: int(number) for kind, number in given.items()}
    if any(number < 0 for number in days.values()):
        raise ConfigError(f"{key} holds a negative number of days; 0 keeps a kind of data for good.")
    return Ages(**days)


def _check(config: Config) -> None:
    parts = urlsplit(config.base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            "MASSMAIL_BASE_URL must be the full address under which recipients reach this application, "
            f"such as https://crm.example.org; it is {config.base_url!r}."
        )
    if not config.secret_keys:
        raise ConfigError(
            "MASSMAIL_SECRET_KEYS is empty. Make a key with "
            "python -c 'import secrets; print(secrets.token_urlsafe(32))' and keep it safe: links in sent mails "
            "depend on it."
        )
    short = [position for position, key in enumerate(config.secret_keys, 1) if len(key) < 32]
    if short:
        raise ConfigError(f"Key {short[0]} of MASSMAIL_SECRET_KEYS is shorter than 32 characters.")
    if not config.url_prefix.startswith("/") or config.url_prefix.endswith("/"):
        raise ConfigError(f"MASSMAIL_URL_PREFIX must start and not end with a slash; it is {config.url_prefix!r}.")
    for name in ("chunk_size", "lease_seconds", "lane_seconds", "lanes", "tick_seconds", "give_up_hours"):
        if getattr(config, name) < 1:
            raise ConfigError(f"MASSMAIL_{name.upper()} must be at least 1.")
    if not all(0 < day < config.sign_up_days for day in config.sign_up_reminder_days):
        raise ConfigError(
            "MASSMAIL_SIGN_UP_REMINDER_DAYS must be days between 1 and MASSMAIL_SIGN_UP_DAYS, such as 2,7; it is "
            f"{config.sign_up_reminder_days!r}."
        )
