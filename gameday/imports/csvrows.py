"""Records of one CSV line a request."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import Protocol, TextIO

import numpy as np
import pyarrow as pa

from gameday.imports.errors import BadRecord
from gameday.imports.rows import BATCH_ROWS, Flags, Ints
from gameday.imports.source import Source, text_of
from gameday.imports.tally import Tally

FIELD_CHARACTERS = 16 << 20
"""vegeta keeps the whole body of an answer in a field."""


class _Reader(Protocol):
    """What `csv.reader` gives."""

    @property
    def line_num(self) -> int: ...
    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


class _Lines:
    """The lines of a file, remembering whether the last one had its end."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.ended = True

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            self.ended = line.endswith("\n")
            yield line


def columns(
    source: Source,
    tally: Tally,
    *,
    width: int | None = None,
    needed: Sequence[str] = (),
    do: str = "",
    delimiter: str = ",",
) -> Iterator[tuple[list[str], list[tuple[str, ...]], list[int]]]:
    """The header, columns of texts, and the numbers of the lines on which their rows end, again and again.

    Where `width` says how many fields a line has, there is no header, and what is given for it is empty. Otherwise the
    header must have the `needed` names, and `do` says how it gets them. A line with more or fewer fields goes to the
    tally, one that repeats the header is passed over, and a last line without its end is left out: its last field may
    be cut. Raises BadRecord.
    """
    csv.field_size_limit(FIELD_CHARACTERS)
    with text_of(source) as text:
        lines = _Lines(text)
        reader = csv.reader(lines, delimiter=delimiter)
        try:
            header = [] if width is not None else [name.strip() for name in next(reader, [])]
            missing = [name for name in needed if name not in header]
            if missing:
                raise BadRecord(f"lacks the columns {', '.join(missing)}", where=source.name, do=do)
            yield from _columns(reader, lines, source, tally, header, width or len(header))
        except csv.Error as error:
            where, do = source.name, "cut the file before it"
            raise BadRecord(f"line {reader.line_num}: {error}", where=where, do=do) from None


def _columns(
    reader: _Reader, lines: _Lines, source: Source, tally: Tally, header: list[str], width: int
) -> Iterator[tuple[list[str], list[tuple[str, ...]], list[int]]]:
    rows: list[list[str]] = []
    numbers: list[int] = []
    before = reader.line_num
    for row in reader:
        number, before = before + 1, reader.line_num
        if not lines.ended:  # the last line was cut
            tally.torn = True
            if before > number:  # in a text of several lines
                tally.unread(number, "", before - number)
        elif len(row) != width:
            if row:  # a quote without its end swallows the lines that follow it
                tally.unread(number, ",".join(row), before - number + 1)
        elif header and row[0].strip() == header[0]:
            if [name.strip() for name in row] != header:
                what, do = f"the columns change in line {number}", "import each part by itself"
                raise BadRecord(what, where=source.name, do=do)
        else:
            rows.append(row)
            numbers.append(number)
            if len(rows) == BATCH_ROWS:
                yield header, list(zip(*rows, strict=True)), numbers
                rows, numbers = [], []
    if rows:
        yield header, list(zip(*rows, strict=True)), numbers


def integers(texts: Sequence[str]) -> tuple[Ints, Flags]:
    """Whole numbers of texts, 0 where one is none; and which are."""
    try:
        return pa.array(texts, pa.string()).cast(pa.int64()).to_numpy(zero_copy_only=False), np.ones(
            len(texts), np.bool_
        )
    except pa.ArrowInvalid:
        numbers = [_integer(text) for text in texts]
        valid = np.array([number is not None for number in numbers], np.bool_)
        return np.array([number or 0 for number in numbers], np.int64), valid


def scaled(texts: Sequence[str], factor: int) -> tuple[Ints, Flags]:
    """Decimal numbers times `factor`, a power of ten, to the last digit; 0 where a text is no number; and which are.

    A float has no room for a time in nanoseconds; an integer with its decimals shifted has.
    """
    places = len(str(factor)) - 1
    values, valid = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.bool_)
    for row, text in enumerate(texts):
        whole, _, decimals = text.strip().partition(".")
        number = _integer(whole + decimals[:places].ljust(places, "0")) if decimals.isdigit() or not decimals else None
        if number is not None:
            values[row], valid[row] = number, True
    return values, valid


def _integer(text: str) -> int | None:
    try:
        number = int(text)
    except ValueError:
        return None
    return number if -(2**63) <= number < 2**63 else None
