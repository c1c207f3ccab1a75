"""Delivery reports (RFC 3464, RFC 6533) made for any addresses are read back exactly."""

from hypothesis import given
from hypothesis import strategies as st

from massmail_plugin.feedback.reports import Lasting, ReportKind, read_report

ATEXT = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~"
letters = st.text(ATEXT, min_size=1, max_size=20)
dot_atoms = st.lists(letters, min_size=1, max_size=3).map(".".join)
quoted = st.text(ATEXT + " .,;:<>@()", min_size=1, max_size=20).map(lambda text: f'"{" ".join(text.split()) or "a"}"')
other_scripts = st.text(st.characters(categories=("Ll", "Lo")), min_size=1, max_size=15)
labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
domains = st.lists(labels, min_size=1, max_size=3).map(lambda parts: ".".join([*parts, "example"]))
addresses = st.tuples(st.one_of(dot_atoms, quoted, other_scripts), domains).map("@".join)

actions = st.sampled_from(["failed", "delayed", "delivered", "relayed", "expanded"])
details = st.tuples(st.integers(0, 7), st.integers(0, 50)).map(lambda pair: f"{pair[0]}.{pair[1]}")


@st.composite
def groups(draw):
    action = draw(actions)
    first = {"failed": draw(st.sampled_from("45")), "delayed": "4"}.get(action, "2")
    return draw(addresses), action, f"{first}.{draw(details)}"


def report_of(found, *, ends: str, between: str) -> bytes:
    fields = ["Reporting-MTA: dns; mx.example"]
    fields += [
        f"Final-Recipient: {'rfc822' if address.isascii() else 'utf-8'}; {address}\nAction: {action}\nStatus: {status}"
        for address, action, status in found
    ]
    mail = (
        "From: MAILER-DAEMON@mx.example\nTo: news@crm.example\nSubject: Delivery report\nMIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        "--b\nContent-Type: text/plain\n\nSee below.\n\n"
        f"--b\nContent-Type: message/global-delivery-status\n\n{between.join(fields)}\n\n--b--\n"
    )
    return mail.replace("\n", ends).encode()


@given(
    st.lists(groups(), min_size=1, max_size=8, unique_by=lambda one: one[0].lower()),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["\n\n", "\n \n", "\n\n\n"]),
)
def test_a_report_is_read_back_exactly(found, ends, between):
    report = read_report(report_of(found, ends=ends, between=between))
    assert [(one.address, one.action, one.status) for one in report.recipients] == found
    worst = [action for action in ("failed", "delayed") if action in {one[1] for one in found}]
    kinds = {"failed": ReportKind.BOUNCE, "delayed": ReportKind.DELAY}
    assert report.kind is (kinds[worst[0]] if worst else ReportKind.DELIVERED)


@given(st.lists(groups(), min_size=1, max_size=5, unique_by=lambda one: one[0].lower()))
def test_only_failures_count_and_their_class_is_that_of_the_status(found):
    for one, (_, action, status) in zip(
        read_report(report_of(found, ends="\n", between="\n\n")).recipients, found, strict=True
    ):
        assert one.final is (action == "failed")
        if action == "failed":
            assert one.lasting is (Lasting.PERMANENT if status[0] == "5" else Lasting.TEMPORARY)
        else:
            assert not one.hard


@given(addresses, addresses)
def test_the_original_recipient_is_told_where_it_differs(final, original):
    mail = (
        "From: MAILER-DAEMON@mx.example\nContent-Type: message/delivery-status\n\n"
        f"Original-Recipient: utf-8;{original}\nFinal-Recipient: utf-8;{final}\nAction: failed\nStatus: 5.1.1\n"
    )
    one = read_report(mail.encode()).recipients[0]
    assert one.address == final
    assert one.original == ("" if original.casefold() == final.casefold() else original)
