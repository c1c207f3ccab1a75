"""Headers of everything recipients get from us. The pages of the room enter."""

_NOTHING_FROM_ELSEWHERE = "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

HEADERS = {
    "Content-Security-Policy": f"default-src 'self'; {_NOTHING_FROM_ELSEWHERE}",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
IN_HOSTS_LAYOUT = (
    (
        "Content-Security-Policy",
        f"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; {_NOTHING_FROM_ELSEWHERE}",
    ),
)
"""A layout made for other pages may hold styles and small pictures in itself; other hosts stay out."""
NOT_KEPT = (("Cache-Control", "no-store, private"),)
"""Of answers that nobody may keep; all but what dresses the pages."""
