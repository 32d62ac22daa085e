"""What cannot be made up from the API's document: files, and places in a list."""

import base64
import json

import schemathesis
from hypothesis import strategies as st

NAMES = st.from_regex(r"[!-~\u00a1-\u017f]{1,30}", fullmatch=True)
SKUS = st.from_regex(r"[A-Z0-9][A-Z0-9-]{0,10}", fullmatch=True)
PRICES = st.integers(0, 100_000_000).map(lambda minor: {"amountMinor": minor, "currency": "EUR"})
ROWS = st.lists(st.fixed_dictionaries({"sku": SKUS, "name": NAMES, "price": PRICES}), min_size=1, max_size=5)

# One pixel each.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
WEBP = "UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAgA0JaQAA3AA/vuUAAA="


def csv(rows):
    """Products as a table with a header."""
    lines = ["sku,name,priceMinor,currency"]
    for row in rows:
        name = row["name"].replace('"', '""')
        lines.append(f'{row["sku"]},"{name}",{row["price"]["amountMinor"]},EUR')
    return "\n".join(lines).encode()


def ndjson(rows):
    """Products, one a line."""
    return "\n".join(json.dumps(row) for row in rows).encode()


schemathesis.openapi.media_type("text/csv", ROWS.map(csv))
schemathesis.openapi.media_type("application/x-ndjson", ROWS.map(ndjson))
schemathesis.openapi.media_type("application/octet-stream", st.sampled_from([PNG, WEBP]).map(base64.b64decode))


@schemathesis.hook
def before_call(context, case, kwargs):
    """Leaves out `cursor`: only a `nextLink` has one, and the tests in Rust follow those."""
    if isinstance(case.query.get("cursor"), str):
        del case.query["cursor"]
