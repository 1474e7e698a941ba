"""JMeter's JTL, as CSV or XML: the start and the time taken in milliseconds, code, success, label, bytes.

A sample is what JMeter calls one; a transaction is a sample that only sums up others, and is no request of its own.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence

import numpy as np

from gameday.imports.csvrows import columns, integers
from gameday.imports.errors import BadRecord
from gameday.imports.rows import BATCH_ROWS, Rows
from gameday.imports.source import Source
from gameday.imports.tally import Tally

_MS = 1_000_000
NEEDED = ("timeStamp", "elapsed", "label", "responseCode", "success")
_TRANSACTION = "Number of samples in transaction"
_XML_NAMES = {
    "timeStamp": "ts",
    "elapsed": "t",
    "label": "lb",
    "responseCode": "rc",
    "responseMessage": "rm",
    "success": "s",
    "bytes": "by",
}


def read(source: Source, tally: Tally) -> Iterator[Rows]:
    """The requests of a JTL. Raises BadRecord where a needed column is missing."""
    tally.resolution_ns = _MS
    if source.head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _of_xml(source, tally)
    return _of_csv(source, tally)


def _of_csv(source: Source, tally: Tally) -> Iterator[Rows]:
    first_line = source.head.split(b"\n", 1)[0].decode(errors="replace")
    delimiter = re.search(r"[,;\t|]", first_line)
    for header, fields, numbers in columns(
        source,
        tally,
        needed=NEEDED,
        do="let JMeter save them (jmeter.save.saveservice.*)",
        delimiter=delimiter.group() if delimiter else ",",
    ):
        yield _rows(dict(zip(header, fields, strict=True)), numbers, tally)


def _of_xml(source: Source, tally: Tally) -> Iterator[Rows]:
    samples: list[dict[str, str]] = []
    first = 1
    for sample in _samples(source, tally):
        samples.append(sample)
        if len(samples) == BATCH_ROWS:
            yield _rows(_across(samples), range(first, first + len(samples)), tally)
            first, samples = first + len(samples), []
    if samples:
        yield _rows(_across(samples), range(first, first + len(samples)), tally)


def _samples(source: Source, tally: Tally) -> Iterator[dict[str, str]]:
    """The samples that are requests: those at the top, and, where one of them is a transaction, those right in it."""
    depth = 0
    try:
        root: ElementTree.Element | None = None
        for event, element in ElementTree.iterparse(source.stream, events=("start", "end")):
            root = element if root is None else root
            depth += 1 if event == "start" else -1
            if event == "start" or depth != 1:
                continue
            parts = [child for child in element if child.tag in ("sample", "httpSample")]
            if _is_transaction(element.get("rm", "")) and parts:
                tally.leave_out("transactions")
                yield from (_attributes(part) for part in parts)
            else:
                yield _attributes(element)
            root.clear()  # what was read is not held on to
    except ElementTree.ParseError as error:
        if depth == 0:
            raise BadRecord(f"is no XML: {error}", where=source.name, do="give the file as JMeter wrote it") from None
        tally.torn = True


def _attributes(sample: ElementTree.Element) -> dict[str, str]:
    row = {name: sample.get(short, "") for name, short in _XML_NAMES.items()}
    message = sample.find("assertionResult/failureMessage")
    return {**row, "failureMessage": (message.text if message is not None else None) or ""}


def _across(samples: list[dict[str, str]]) -> dict[str, Sequence[str]]:
    return {name: [sample[name] for sample in samples] for name in samples[0]}


def _rows(held: dict[str, Sequence[str]], numbers: Sequence[int], tally: Tally) -> Rows:
    """Raises BadRecord where not one time is a number."""
    stamps = held["timeStamp"]
    start_ms, has_start = integers(stamps)
    if not has_start.any():
        raise BadRecord(
            f"its timeStamp is no number of milliseconds but {stamps[0]!r}",
            where=tally.where,
            do="set jmeter.save.saveservice.timestamp_format=ms",
        )
    elapsed, has_elapsed = integers(held["elapsed"])
    status, is_http = integers(held["responseCode"])
    good = np.array([text.strip().lower() == "true" for text in held["success"]], np.bool_)
    messages = held.get("responseMessage") or [""] * len(stamps)
    failures = held.get("failureMessage") or [""] * len(stamps)
    codes = held["responseCode"]
    if "bytes" not in held:
        tally.lacks.add("bytes")
    rows = Rows(
        start_ns=start_ms * _MS,
        latency_ns=elapsed * _MS,
        status=status,
        good=good,
        sent=np.ones(len(stamps), np.bool_),
        size=integers(held["bytes"])[0] if "bytes" in held else np.zeros(len(stamps), np.int64),
        endpoint=held["label"],
        cause=[
            "" if fine else (failure or ("" if code.isdigit() else f"{code} {message}"))
            for fine, code, message, failure in zip(good, codes, messages, failures, strict=True)
        ],
    )
    transactions = np.array([_is_transaction(message) for message in messages], np.bool_)
    # A sample that went well without a status was none of HTTP. One that failed without may be a refused connection.
    other = good & ~is_http & ~transactions
    tally.leave_out("transactions", int(np.count_nonzero(transactions)))
    tally.leave_out("samples that are not HTTP", int(np.count_nonzero(other)))
    requests = ~(transactions | other)
    kept = np.flatnonzero(requests).tolist()
    return tally.readable(rows.where(requests), (has_start & has_elapsed)[requests], [numbers[row] for row in kept])


def _is_transaction(message: str) -> bool:
    return message.startswith(_TRANSACTION)
