"""How mail servers and people's absence notices put things, by language. A table; the files of the room enter.

All phrases are lower-case with single spaces, and are looked for as they stand: a search that costs next to nothing.
"""


def says(text: str, phrases: tuple[str, ...]) -> bool:
    """Whether a text (lower-case, single spaces) has one of the phrases."""
    return any(map(text.__contains__, phrases))


def flat(table: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """All phrases of a table of languages."""
    return tuple(phrase for phrases in table.values() for phrase in phrases)


def listed(text: str) -> tuple[str, ...]:
    """The phrases of a text that has them between semicolons."""
    return tuple(" ".join(phrase.split()) for phrase in text.split(";"))


NOT_DELIVERED: dict[str, tuple[str, ...]] = {
    "English": listed("""
        undeliverable; couldn't be delivered; can't be delivered; was not delivered; wasn't delivered; not been
        delivered; were not delivered; not be delivered; be undeliverable; is undeliverable; was undeliverable;
        undeliverable to; undeliverable mail; undelivered mail; undeliverable message; wasn't able to deliver; not
        able to deliver; unable to deliver; unable to be delivered; unable to relay; unable to send your; could not
        be sent; delivery of the email was stopped; failed to send to; could not deliver; couldn't deliver; cannot
        deliver; can't deliver; trouble delivering your; problem delivering your; error delivering your; error
        delivering mail; error sending your mail; trying to deliver the mail; did not reach the following; did not
        reach its; could not reach; did not receive this message; did not receive a copy; not delivered to; delivery
        has failed; delivery failed; delivery failure; delivery to the following; delivery unsuccessful; failed to
        deliver; failed to be delivered; delivery problems; delivery error; fatal errors; returned to sender;
        returned to you; returning your message; bounced back; was rejected; been rejected; were rejected; rejected
        recipient; rejected by; failed addresses; address(es) failed; addresses failed; address failed; recipients
        failed; failed recipient; transcript of session; not a valid user; mailbox quota; mailbox is full; mailbox
        full; user unknown; unknown user; no such user; not known here; not a member of this mailing list; mail to
        the following; invalid recipient; loop alert; duplicated message-id
    """),
    "German": listed("""
        konnte nicht an; nicht zugestellt werden; nicht zustellbar; unzustellbar; konnte nicht übermittelt; fehler
        bei der zustellung; zustellung fehlgeschlagen; zustellung ist fehlgeschlagen; fehlgeschlagene zustellung;
        empfänger nicht erreicht
    """),
    "French": listed("""
        pas été remis; pas été distribué; pas été délivré; n'a pas pu être; n’a pas pu être; n'a pu être; pas
        pu être remis; pas pu être délivré; pas pu être distribué; n'ont pas pu être; échec de la remise;
        échec de remise; échec de livraison; impossible de remettre; impossible de livrer; impossible de
        délivrer; non remis; ne peut être délivré; message non distribué
    """),
    "Spanish": listed("""
        no pudo ser entregado; no se pudo entregar; no se ha podido entregar; no ha podido ser entregado; no ha sido
        posible entregar; no pudo entregarse; no se ha entregado; no puede ser entregado; error en la entrega; error
        al entregar; fallo en la entrega; no se puede entregar; no entregado
    """),
    "Portuguese": listed("""
        não pôde ser entregue; não pode ser entregue; nao pode ser entregue; não foi possível entregar; não foi
        entregue; nao foi entregue; não pôde ser enviada; nao pode ser enviada; falha na entrega; não pôde entregar;
        não conseguimos entregar
    """),
    "Italian": listed("""
        non è stato possibile consegnare; non può essere consegnato; non puo' essere consegnato; non è stato
        consegnato; impossibile recapitare; impossibile consegnare; mancata consegna; mancato recapito; non
        recapitabile; non e' stato possibile; consegna non riuscita
    """),
    "Dutch": listed("""
        niet worden bezorgd; niet worden afgeleverd; niet bezorgd; niet afgeleverd; onbestelbaar; bezorging mislukt
    """),
    "Nordic": listed("""
        kunde inte leverera; gick inte att leverera; går inte att leverera; kunne ikke leveres; kunne ikke
        afleveres; kan ikke leveres; ikke levert; levering mislyktes; leveringen mislykkedes; ei voitu
        toimittaa; toimitus epäonnistui
    """),
    "Polish": listed("""
        nie mogła zostać dostarczona; nie mogła być dostarczona; nie można dostarczyć; nie została dostarczona; nie
        dostarczono; nie udało się dostarczyć
    """),
    "Czech": listed("""
        nebylo možné doručit; nelze doručit; nemohla být doručena; nebyla doručena; nedoručiteln
    """),
    "Hungarian": listed("""
        nem kézbesíthető; nem sikerült kézbesíteni; kézbesíthetetlen
    """),
    "Turkish": listed("""
        teslim edilemedi; iletilemedi; gönderilemedi
    """),
    "Russian": listed("""
        не может быть доставлено; не доставлено; не было доставлено; не удалось доставить; не может быть отправлено;
        невозможно доставить; доставить сообщение; недоставленн; не удалось отправить; ошибка доставки
    """),
    "Greek": listed("""
        δεν ήταν δυνατή η παράδοση; δεν παραδόθηκε; παράδοση απέτυχε; αποτυχία παράδοσης
    """),
    "Japanese": listed("""
        配信できませんでした; 配送できませんでした; 送信できません; 送れませんでした; 送信に失敗; 配信に失敗;
        配送に失敗; 配信不能; 届けることができません; お届けできません; 届きませんでした; 到達しませんでした;
        エラーのため; 配信エラー; メールエラー; 送信エラー; 見つかりませんでした; リストにありません;
        リストに見つかりません; 存在しません; 受信拒否; 返送
    """),
    "Chinese": listed("""
        无法投递; 無法投遞; 投递失败; 投遞失敗; 无法送达; 無法送達; 无法传送; 無法傳送; 无法发送; 無法遞送;
        无法递送; 未送达; 未送達; 退信; 退回; 发送失败; 傳送失敗; 无法被发送; 不能送达; 被拒绝; 无法到达; 发送被拒
    """),
    "Korean": listed("""
        전송하지 못했습니다; 배달하지 못했습니다; 보내지 못했습니다; 전송되지 못했습니다; 전송 실패; 배달 실패; 발송
        실패; 전달되지; 반송
    """),
    "Hebrew": listed("""
        לא ניתן היה למסור; נכשלה; לא נמסרה
    """),
    "Romanian": listed("""
        nu a putut fi livrat; nu a putut fi trimis; nelivrat
    """),
    "Ukrainian": listed("""
        не вдалося доставити; не може бути доставлен
    """),
    "Arabic": listed("""
        تعذر تسليم; لم يتم تسليم; فشل تسليم
    """),
}
"""What says that a mail did not get through."""

DELIVERED = listed("""
    was delivered to; were delivered to; has been delivered to; have been delivered to; successfully delivered;
    delivered successfully; delivery successful; successful delivery; was successful; relayed to; successfully
    relayed; wurde zugestellt; erfolgreich zugestellt; a été remis; a bien été; è stato consegnato; was afgeleverd
""")
"""What says that a mail did get through, where nothing says that it did not."""

MAIL = listed("""
    message; mail; nachricht; courriel; courrier; mensaje; correo; mensagem; messaggio; bericht; brev; meddelande;
    melding; viesti; wiadomo; zpráv; správ; levél; üzenet; ileti; posta; mesaj; сообщени; письм; лист; μήνυμα;
    メール; メッセージ; 邮件; 信件; 郵件; 메일; 메시지; הודעה; رسالة; thư; ข้อความ
""")
"""What a failure report speaks of, and reports of parcels and payments do not."""

STILL_TRYING: dict[str, tuple[str, ...]] = {
    "English": listed("""
        this is a warning only; this is only a warning; this is just a warning; warning message only; you do not
        need to resend; do not need to re-send; no need to resend; do not have to resend; please do not resend;
        please do not re-send; attempts will continue; will continue to try; will continue trying; will keep trying;
        will keep on trying; continue to attempt; will be retried; will be attempted again; will retry for; will try
        again; will try to deliver; still being retried; still trying to deliver; has not been delivered yet; not
        yet been delivered; have not yet received; message still undelivered; has been delayed; have been delayed;
        been postponed; is delayed for more than; delivery is delayed; only a temporary failure report; is only a
        notification about a delay; delivery incomplete; temporary problem delivering; this is an advisory-only;
        being held in the queue; not delivered yet; further attempts; no further action is required by you
    """),
    "German": listed("""
        wird weiterhin versuch; weitere zustellversuche; weitere versuche; verzögert; noch nicht zugestellt; erneut
        versuch; weiter versuchen
    """),
    "French": listed("""
        a été retardé; a été différé; est retardé; nouvelles tentatives; remise retardée; va réessayer
    """),
    "Spanish": listed("""
        se ha retrasado; ha sido retrasado; seguirá intentando; volverá a intentar; no es necesario que reenvíe;
        todavía no se ha
    """),
    "Portuguese": listed("""
        foi adiada; está atrasada; continuará tentando; novas tentativas; tentará novamente
    """),
    "Italian": listed("""
        è in ritardo; è ritardat; recapito ritardato; consegna ritardata; ulteriori tentativi; continuerà a tentare;
        riproverà
    """),
    "Dutch": listed("""
        is vertraagd; zal opnieuw; blijft proberen; nog niet bezorgd
    """),
    "Polish": listed("""
        została opóźniona; ponowi prób; kolejne próby
    """),
    "Russian": listed("""
        задержан; отложена; повторные попытки; попытки доставки будут; ещё не доставлено
    """),
    "Japanese": listed("""
        遅延して; 遅れてい; 再送信を試み; 再送を試み; 配信を試み; 引き続き
    """),
    "Chinese": listed("""
        将继续尝试; 將繼續嘗試; 延迟; 延遲; 稍后重试; 不需要重新发送
    """),
    "Korean": listed("""
        지연되; 다시 시도
    """),
}
"""What says that a server has not given up."""

GIVEN_UP = listed("""
    giving up; given up; gave up; give up on; not going to try again; will not be retried; will not try again; no
    further attempts; failed permanently; permanent error; permanent failure; permanent fatal; been removed from the
    queue; been removed from the mail queue; has expired; too long in queue; in the queue too long; in queue too
    long; retry timeout exceeded; retry time not reached; undeliverable after; message expired; maximum time;
    delivery expired; could not be delivered for
""")
"""What says that a server has given up, whatever else it says of trying."""

FAILED_SUBJECT = listed("""
    undeliver; delivery notification; delivery fail; delivery has failed; delivery error; delivery problem; delivery
    report; delivery status; delivery unsuccessful; delivery warning; delivery delayed; failure notice; failure
    notification; failure delivery; failed delivery; failed mail; mail failure; mail failed; mail error; mail system
    error; mail could not; mail delivery; message delivery; message you sent blocked; message status; could not send
    message; could not be delivered; non-delivery; non delivery; nondeliverable; non remis; not deliver; returned
    mail; returned message; returned to sender; return receipt; returning message; olevererbart; considered
    unsolicited; rejected mail; rejected:; bounced; warning: message; warning: could not; delayed mail; loop alert;
    error sending; user unknown; unknown user; mailbox unavailable; mailbox full; mailbox is full; over quota;
    unzustellbar; nicht zugestellt; zustellung; non distribu; échec; no entregad; no se puede entregar; no se ha
    podido; devuelto; falha; não entregue; nao entregue; devolvid; mancata consegna; mancato recapito; non
    recapitabile; onbestelbaar; niet bezorgd; niedostarcz; nedoručiteln; kézbesíthetetlen; не доставлено;
    недоставлен; ошибка доставки; 退信; 退回; 投递失败; 投遞; 邮件发送失败; 邮件投递; エラー通知; 配信エラー;
    配信不能; 送信エラー; 不達; 반송; 전송 실패; 발송 실패
""")
"""Subjects of failure reports."""

DAEMONS = listed("""
    mail delivery; mail administrator; mail system; postmaster; post_master; poostmaster; delivery subsystem;
    daemon; system administrator; microsoftexchange; interscan; bounce; autoresponder@; mail-admin;
    symantec_antivirus; mailsweeper; mailmarshal; mailgateway
""")
"""Senders of failure reports."""

AUTOMATIC_SUBJECT = listed("""
    auto:; auto reply; auto-reply; autoreply; auto response; auto-response; autorespon; automatic reply; automatic
    response; automated reply; automated response; automatically generated reply; out of office; out of the office;
    out-of-office; away from; on vacation; vacation reply; vacation message; on leave; i am away; abwesenheit;
    abwesend; automatische antwort; automatisch antwoord; afwezig; absence du bureau; absent du bureau; message
    d'absence; réponse automatique; respuesta automática; respuesta automatica; fuera de la oficina; fuera de
    oficina; resposta automática; resposta automatica; ausência temporária; risposta automatica; fuori sede; fuori
    ufficio; assente dall'ufficio; autosvar; automatisk svar; frånvaro; fravær; automaattinen vastaus; odpowiedź
    automatyczna; automatyczna odpowiedź; autoodpowied; automatická odpověď; automatikus válasz; otomatik yanıt;
    автоответ; автоматический ответ; 自動返信; 自动回复; 自動回覆; 自动答复; 부재중; 자동 응답; 자동응답; αυτόματη
    απάντηση
""")
"""Subjects of absence notices and of other automatic replies."""

AUTOMATIC_TEXT = listed("""
    out of the office; i am away from; i'm on vacation; i am on vacation; i am on leave; this is an automatic reply;
    this is an automated reply; this is an automated response; this is an auto-reply; this is an autoreply;
    automatically generated reply; inbox is no longer monitored; is no longer in use; bin ich nicht im büro; ich bin
    derzeit nicht im; je suis absent; estoy fuera de la oficina; sono fuori ufficio
""")
"""What absence notices and challenges say."""

CHALLENGE = listed("""
    added to the recipient's allowed list; address added to the recipient; have your address added to; add yourself
    to my; has been waitlisted; was waitlisted; confirm that you are a human; confirm that you are a person; confirm
    you are a person; prove that you are a human; verify that you are a human; verify your email address so that;
    message requires confirmation; confirm that your message; release your message; spamarrest; spam arrest; is
    protected by bluebottle; one-time authentication; my approved senders; challenge-response
""")
"""What says that a filter holds a mail back until its sender confirms it."""

REFUSED = listed("""
    was automatically rejected; has been automatically rejected; was refused by the recipient; refused by the
    recipient's mail filter
""")
"""What a receipt says that is none: a mailbox refused the mail (RFC 5429, or a full mailbox of Dovecot)."""
