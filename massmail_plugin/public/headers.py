"""Headers of everything recipients get from us. The pages of the room enter."""

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
NOT_KEPT = (("Cache-Control", "no-store, private"),)
"""Of answers that nobody may keep; all but what dresses the pages."""
