"""Domains of addresses: the big one a mistyped domain was likely meant for, and whether a domain takes mail at all.

Entries enter; nothing is stored. The DNS is asked with a bound, and no answer stops nobody.
"""

import dns.exception
import dns.resolver

BIG = {
    "alice.it", "aol.com", "aon.at", "arcor.de", "att.net", "bbox.fr", "bellsouth.net", "bluewin.ch", "btinternet.com",
    "chello.at", "comcast.net", "cox.net", "email.com", "email.it", "fastmail.com", "fastwebnet.it", "free.fr",
    "freenet.de", "gmail.com", "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.co.uk",
    "hotmail.com", "hotmail.de", "hotmail.es", "hotmail.fr", "hotmail.it", "icloud.com", "inwind.it", "laposte.net",
    "libero.it", "live.com", "live.de", "live.fr", "live.it", "mac.com", "mail.com", "mailbox.org", "me.com", "msn.com",
    "neuf.fr", "online.de", "orange.fr", "outlook.com", "outlook.de", "outlook.es", "outlook.fr", "outlook.it",
    "posteo.de", "proton.me", "protonmail.com", "sbcglobal.net", "sfr.fr", "t-online.de", "telefonica.net", "terra.es",
    "tin.it", "tiscali.it", "verizon.net", "virgilio.it", "wanadoo.fr", "web.de", "yahoo.co.uk", "yahoo.com",
    "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.it", "ymail.com",
}  # fmt: skip
"""Domains with many mailboxes: none of them is taken for a slip."""
LETTERS = 5
"""Of the name before the first dot: of shorter ones too many others are one letter away."""
SECONDS = 2.0
_MEANT = sorted(big for big in BIG if len(big.partition(".")[0]) >= LETTERS)


def likely_meant(address: str) -> str:
    """The address with the big mail domain its own is one slip away from, or "": anna@gmial.com, anna@gmail.con."""
    local, _, domain = address.rpartition("@")
    domain = domain.lower()
    near = [] if domain in BIG else [big for big in _MEANT if one_slip(domain, big)]
    return f"{local}@{near[0]}" if len(near) == 1 else ""


def one_slip(one: str, other: str) -> bool:
    """Whether a letter too many, too few, a wrong one or two exchanged ones make the one text the other."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    mine, theirs = one[start:], other[start:]
    return (
        mine[1:] == theirs[1:]
        or mine[1:] == theirs
        or mine == theirs[1:]
        or (mine[:2] == theirs[1::-1] and mine[2:] == theirs[2:])
    )


def takes_no_mail(domain: str, resolver: dns.resolver.Resolver | None = None) -> bool:
    """Whether the DNS says that no mail can reach the domain: it is not there, has no server, or says so (RFC 7505).

    At most SECONDS; a DNS that does not answer, or not clearly, counts as mail being taken.
    """
    try:
        asked = resolver or dns.resolver.get_default_resolver()
        return _takes_none(asked, domain)
    except dns.resolver.NXDOMAIN:
        return True
    except (dns.exception.DNSException, OSError):
        return False


def _takes_none(asked: dns.resolver.Resolver, domain: str) -> bool:
    """RFC 5321, 5.1: a domain without MX records is its own mail server, if it has an address."""
    exchanges = asked.resolve(domain, "MX", raise_on_no_answer=False, search=False, lifetime=SECONDS / 2)
    if exchanges.rrset:
        return all(record.exchange.to_text() == "." for record in exchanges.rrset)
    found = (
        asked.resolve(domain, kind, raise_on_no_answer=False, search=False, lifetime=SECONDS / 4)
        for kind in ("A", "AAAA")
    )
    return not any(answer.rrset for answer in found)
