"""What cannot be made up from the API's document: files, and places in a list."""

import base64
import json

import schemathesis
from hypothesis import strategies as st

names = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x17F, exclude_characters="\x7f" + "".join(map(chr, range(0x80, 0xA0)))), min_size=1, max_size=30)
products = st.fixed_dictionaries(
    {
        "sku": st.from_regex(r"[A-Z0-9][A-Z0-9-]{0,10}", fullmatch=True),
        "name": names,
        "price": st.integers(0, 100_000_000).map(lambda minor: {"amountMinor": minor, "currency": "EUR"}),
    }
)


def csv(rows):
    """The products as a table with a header."""
    cells = [
        (row["sku"], '"' + row["name"].replace('"', '""') + '"', str(row["price"]["amountMinor"]), "EUR") for row in rows
    ]
    lines = [("sku", "name", "priceMinor", "currency"), *cells]
    return "\n".join(",".join(line) for line in lines).encode()


def ndjson(rows):
    """The products, one a line."""
    return "\n".join(json.dumps(row) for row in rows).encode()


rows = st.lists(products, min_size=1, max_size=5)
schemathesis.openapi.media_type("text/csv", rows.map(csv))
schemathesis.openapi.media_type("application/x-ndjson", rows.map(ndjson))

# One pixel each.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
WEBP = "UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAgA0JaQAA3AA/vuUAAA="
pictures = st.sampled_from([base64.b64decode(PNG), base64.b64decode(WEBP)])
schemathesis.openapi.media_type("application/octet-stream", pictures)



@schemathesis.serializer("text/csv", "application/x-ndjson")
def as_it_is(context, value):
    """A file that stands in the document as an example."""
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Leaves out `cursor`: only a `nextLink` has one, and the tests in Rust follow those."""
    if isinstance(case.query.get("cursor"), str):
        del case.query["cursor"]
