"""What servers say when they refuse a mail, by reason. A table for `reasons`."""

from massmail_plugin.feedback.reports.phrases import listed
from massmail_plugin.feedback.reports.report import Reason

WORDS: tuple[tuple[Reason, tuple[str, ...]], ...] = (
    (
        Reason.REJECTED,
        listed("""
        domain of sender; sender address rejected; sender address does not exist; sender rejected; sender was
        rejected; sender denied; sender verify failed; sender domain; sender address has been; bad sender;
        invalid
        sender; you are not a member; not a member of this mailing list; google groups
    """),
    ),
    (
        Reason.USER_UNKNOWN,
        listed("""
        recipient address rejected: access denied
    """),
    ),
    (
        Reason.NETWORK_ERROR,
        listed("""
        host not found, try again; malformed or unexpected name server reply
    """),
    ),
    (
        Reason.AUTH_FAILURE,
        listed("""
        dmarc; spf check; spf fail; spf: fail; fails spf; failed spf; spf validation; spf record; sender policy
        framework; unauthenticated email; not pass authentication; authentication checks; authentication
        information; openspf.; spf-; dkim; email authentication; 550-5.7.26
    """),
    ),
    (
        Reason.REQUIRE_PTR,
        listed("""
        ptr record; reverse dns; rdns; ptr resource; no ptr; ptr lookup; reverse lookup; reverse ip; reverse
        host;
        cannot find your reverse; fix reverse; unverifiable sending ip; cannot resolve your address; not have a
        valid reverse; without a valid reverse
    """),
    ),
    (
        Reason.VIRUS_DETECTED,
        listed("""
        virus detected; virus found; virus infected; virus warning; virus in; contains virus; contains a
        virus; has
        a virus; infected; malware; trojan; dangerous attachment; attachment is not allowed
    """),
    ),
    (
        Reason.BAD_REPUTATION,
        listed("""
        reputation; poor ip; temporarily deferred due to unexpected volume; user complaints
    """),
    ),
    (
        Reason.SPAM_DETECTED,
        listed("""
        spam; bulk mail; unsolicited; junk mail; junk email; content rejected; content filter; rejected due to
        content; blocked using uribl; looks like; identified as; banned words; rejected by our filters; 5.7.1
        message rejected; urls in this message
    """),
    ),
    (
        Reason.NO_RELAYING,
        listed("""
        relaying denied; relay denied; relay access denied; relay not permitted; relaying not permitted;
        relaying is
        prohibited; unable to relay; not permitted to relay; no relaying; relay operation rejected; relay is
        prohibited; we don't relay; not a gateway; isn't in my list of allowed; authentication required for
        relay;
        relaying mail to; domain isn't allowed to be relayed; not relay; mail server requires authentication;
        insecure mail relay
    """),
    ),
    (
        Reason.BLOCKED,
        listed("""
        blacklist; black list; blocklist; block list; denylist; dnsbl; rbl lookup; by rbl; in rbl; rblsmtpd; is
        listed; are listed; listed at; listed on; currently listed; spamhaus; client host; your ip; ip
        address is;
        ip address has; your network; sending ip; connection refused by; access denied; blocked by; blocked
        -; has
        been blocked; is blocked; was blocked; your server; use the smtp server of your isp; not accepting mail
        from; not permitted to send; refused by your; banned sending; dynamic ip; from dynamic; dialup;
        invalid ip
        for sending; too many spam; email blocked
    """),
    ),
    (
        Reason.MAILBOX_FULL,
        listed("""
        mailbox full; mailbox is full; mailbox has exceeded; mailbox for user is full; full mailbox;
        mailfolder is full; mail box is full; mailbox quota; mailbox size limit; mailbox limit; inbox is full;
        over quota; overquota; over their quota; over the maximum; overdrawn; out of storage; out of email
        space; quota exceed; quota usage; quota violation; exceeded quota; exceeded storage; exceeds the
        quota; exceed the quota; exceeds allowed quota; exceeded the quota; exceeding its mailbox; exceeded
        the space; exceeded his; exceeded their; exceeds mailbox; disk quota; storage limit; storage quota;
        storage exceeded; insufficient space for; insufficient disk space; insufficient storage; not enough
        storage; not enough space; no space left; full storage; user has too many messages; user has exceeded;
        too much mail data; account is over; account is full; is full.; user is over; quota:; agotado; lleno;
        postfach ist voll; postfach voll; boîte pleine; casella piena; casilla llena; переполнен; 一杯;
        容量超過;
        邮箱空间不足; 已满; 已滿; 용량; cheia; piena; está llen; saturad; boîte de réception est pleine;
        messagerie est
        pleine; speicherplatz; postvak vol; postvak is vol; fullt; er full; er fuld; täynnä; pełna;
        przepełnion; je plná; megtelt; kotası; dolu; заповнен; 満杯; いっぱい
    """),
    ),
    (
        Reason.MESSAGE_TOO_BIG,
        listed("""
        message too big; message size exceed; message is too big; exceeds the maximum size; exceeds fixed;
        exceeds
        the size; exceeded maximum inbound message size; maximum message size; message file too big; message
        length
        exceeds; size limit; too large; size exceeds
    """),
    ),
    (
        Reason.HAS_MOVED,
        listed("""
        has moved; has been moved to; has been replaced by; no longer works here
    """),
    ),
    (
        Reason.NOT_ACCEPT,
        listed("""
        does not accept mail; doesn't accept mail; do not accept mail; domain does not accept; does not receive
        mail; nullmx; null mx; no mail hosts for domain; name server loop; not accepting any mail; no mx
        found; no
        valid mx; smtp service unavailable for this domain; couldn't find a mail exchanger
    """),
    ),
    (
        Reason.HOST_UNKNOWN,
        listed("""
        host unknown; unknown host; domain name not found; domain not found; domain does not exist; domain
        doesn't
        exist; domain is not reachable; domain must exist; no such domain; unknown domain; invalid domain;
        unknown
        mail host; unrouteable mail domain; unrouteable domain; unroutable domain; domain unknown; bad
        destination
        host; bad destination system; illegal host/domain; host not found; couldn't find any host; no such host;
        nxdomain; non-existent domain; name service error; server for domain; dns error; no route to host name;
        can't find host; unable to find host; host is unknown; name or service not known; mail domain
        mentioned in
        email address is unknown; recipient's domain; cannot be resolved; unable to resolve; could not be
        resolved;
        missing the proper dns; domain was not found
    """),
    ),
    (
        Reason.SUSPEND,
        listed("""
        account has been disabled; account disabled; account is disabled; account has been suspended; account
        is suspended; account suspended; account is inactive; inactive account; account inactive; account has
        been temporarily; account is temporarily; account that you tried to reach is disabled; account
        unavailable; account that has been disabled; disabled or discontinued; mailbox disabled; mailbox is
        disabled; mailbox is inactive; mailbox is frozen; mailbox currently suspended; mailbox unavailable or
        access denied; mailbox temporarily disabled; user is inactive; inactive user; user suspended; user is
        suspended; user has been suspended; account expired; account has expired; recipient suspend;
        temporarily locked; account locked; account is locked; has been discontinued; account closed; account
        is closed; account was closed; deactivated; de-activated; no longer active; email address is
        suspended; not currently accepting mail; invalid/inactive
    """),
    ),
    (
        Reason.USER_UNKNOWN,
        listed("""
        user unknown; unknown user; user is unknown; unknown or illegal user; unknown or illegal alias; user
        does not have; user doesn't have; user not known; user not listed; user not local; unknown local;
        unknown recipient; unknown address; unknown account; unknown mailbox; unknown email address; unknown
        e-mail address; unknown rcpt; unknown to address; no such user; no valid recipient; no such recipient;
        no such mailbox; no such account; no such address; no such person; no such local user; no such email
        address; no user; no account; no mailbox; no mail box; not an active address; not a registered; not a
        valid user; not a valid recipient; not a valid mailbox; not a known user; not known here; not known at
        this site; not listed in; not our customer; is not a member; isn't a valid; invalid user; invalid
        recipient; invalid mailbox; invalid address; invalid to address; invalid final delivery; bad address;
        bad destination mailbox; bad recipient; nonexistent; non-existent; doesn't exist; not exist;
        undeliverable address; mailbox unavailable; mailbox does not; mailbox invalid; mailbox is not
        available; recipient unknown; recipient is not; recipient no longer; recipient name is not recognized;
        recipient is unknown; recipient rejected; recipnotfound; recipientnotfound; address unknown; address
        wasn't found; address not known; addressee unknown; not found; couldn't be found; can't be found;
        could not be found; destination addresses were unknown; destination user; delivery to the following
        recipients was aborted; no matches to nameserver query; no longer available; no longer employed; no
        longer with; no longer valid; no longer on server; not have an account; unroutable address;
        unrouteable address; please check the recipient; virtual alias table; local recipient table; virtual
        mailbox table; relay recipient table; recipient map; uid=0 unknown; is not known; unknown_user; not
        active; desconocid; inexistente; no existe; não existe; n'existe pas; inconnu; existiert nicht;
        unbekannt; sconosciut; non esiste; onbekend; bestaat niet; nie istnieje; не найден; не существует;
        неизвестн; existiert nicht mehr; nicht gefunden; nicht vorhanden; nicht bekannt; nicht aufgeführt;
        introuvable; no se encontró; não encontrad; não foi encontrad; non trovat; impossibile trovare; niet
        gevonden; okänd; finns inte; kunde inte hittas; ukendt; ukjent; findes ikke; finnes ikke; blev ikke
        fundet; tuntemat; ei löyty; neexistuje; neznám; nebyla nalezena; nenalezen; ismeretlen; nem található;
        nem létez; nincs ilyen; bulunamadı; böyle bir; άγνωστ; δεν υπάρχει; necunoscut; nu există; не знайден;
        не існує; невідом; нет такого; nieznan; nie ma takiego; nie znaleziono; nie można odnaleźć; לא קיים;
        غير موجود; không tồn tại; ไม่พบ; not defined; names are not known; name is not known; mailnode not
        known; not been recognised; not been recognized; 宛先不明; 宛名不明; ユーザ不明; ユーザー不明; 찾을
        수 없; 存在しない; 存在しません;
        見つかりません; リストにありません; 不存在; 找不到; 没有找到; 존재하지 않; 없는 사용자; no
        encontrado; check if address is correct
    """),
    ),
    (
        Reason.SPEEDING,
        listed("""
        rate limit; rate that; too fast; throttl; sending rate; too many messages; too much mail
    """),
    ),
    (
        Reason.TOO_MANY_CONNECTIONS,
        listed("""
        too many connections; too many sessions; too many concurrent; connection limit; max connections
    """),
    ),
    (
        Reason.EXCEED_LIMIT,
        listed("""
        too many recipients; daily limit; message limit; hourly limit; sending limit; limit exceeded
    """),
    ),
    (
        Reason.REJECTED,
        listed("""
        sender is not; from address; mail from; return path; not authorized to send; not allowed to send; not
        allowed to post; address rejected; permission to post; from: domain
    """),
    ),
    (
        Reason.POLICY_VIOLATION,
        listed("""
        policy; policies; prohibited; not allowed; not permitted; header error; violat; administrative; message
        refused; rfc 5322; rfc5322; rfc 2822; rfc 822; not rfc; non-rfc; multiple from; duplicate header
    """),
    ),
    (
        Reason.SECURITY_ERROR,
        listed("""
        authentication failed; authentication required; must issue a starttls; tls required; certificate; for
        security reasons
    """),
    ),
    (
        Reason.SYSTEM_FULL,
        listed("""
        system full; system is full; disk full; insufficient system storage
    """),
    ),
    (
        Reason.NETWORK_ERROR,
        listed("""
        connection refused; connection timed out; connection lost; lost connection; connection reset;
        connection was
        dropped; connection dropped; no route to host; network is unreachable; network error; network
        unreachable;
        host unreachable; could not connect; couldn't connect; unable to connect; can't connect; establish
        an smtp
        connection; establish any smtp; too many hops; hop count; mail loop; loops back; routing loop; loop
        detected; unrouteable; unroutable; dns soft error; dns lookup; dns failure; name resolution; delivery
        temporarily suspended; socket error
    """),
    ),
    (
        Reason.MAILER_ERROR,
        listed("""
        command failed; pipe to; exit status; mail filter; child status; program failure; process failed
    """),
    ),
    (
        Reason.EXPIRED,
        listed("""
        expired; timed out; timeout; time out; could not be delivered for; too long; in the queue; not been
        collected; multiple retries; not responding; delivery time; conversation with; initiate smtp; deferred;
        delayed; for more than; did not respond; failing for a long time; retry
    """),
    ),
    (
        Reason.SYSTEM_ERROR,
        listed("""
        local error; local configuration; system error; server configuration; internal error; internal server;
        internal software; i/o error; resources temporarily; service unavailable; temporarily unavailable;
        try again
        later; duplicated message-id; data format error; operating system; server busy
    """),
    ),
    (
        Reason.FILTERED,
        listed("""
        filter; recipient refused; rejects mail; does not want; refused to accept
    """),
    ),
    (
        Reason.BLOCKED,
        listed("""
        blocked; refused; denied
    """),
    ),
    (
        Reason.REJECTED,
        listed("""
        rejected
    """),
    ),
)
"""Looked for in this order: what speaks of us and of the mail comes before what speaks of the mailbox, since refusals
for policy often say in passing that an address is "rejected" or "unavailable".
"""
