"""Records of one JSON object a line, parsed by Arrow a block at a time."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from gameday.imports.errors import BadRecord
from gameday.imports.rows import BATCH_ROWS
from gameday.imports.source import Source
from gameday.imports.tally import Tally

BLOCK_BYTES = 4 << 20
LINE_BYTES = 64 << 20
"""No request takes more; vegeta keeps the whole body of an answer in its line."""


def tables(source: Source, schema: pa.Schema, needed: tuple[str, ...], tally: Tally) -> Iterator[pa.Table]:
    """The objects of the stream as tables of `schema`, in order; fields that it doesn't name are passed over.

    A line that is no such object, or lacks one of the `needed` columns, goes to the tally and nowhere else. A last line
    without its end is kept where it is whole. Raises BadRecord where one is longer than `LINE_BYTES`.
    """
    number, rest = 1, b""
    while block := source.stream.read(BLOCK_BYTES):
        end = block.rfind(b"\n") + 1
        if not end:
            rest += block
            if len(rest) > LINE_BYTES:
                what, do = f"line {number} has no end", "give the file as the generator wrote it"
                raise BadRecord(what, where=source.name, do=do)
            continue
        whole, rest = rest + block[:end], block[end:]
        for lines in _pieces(whole):
            yield from _parsed(lines, number, schema, needed, tally)
            number += len(lines)
    if rest.strip():
        try:
            last = _checked(_parse([rest], schema), [rest], number, needed, tally=None)
        except pa.ArrowInvalid:
            tally.torn = True
        else:
            yield last


def _pieces(block: bytes) -> Iterator[list[bytes]]:
    lines = block.splitlines(keepends=True)
    for start in range(0, len(lines), BATCH_ROWS):
        yield lines[start : start + BATCH_ROWS]


def _parsed(
    lines: list[bytes], number: int, schema: pa.Schema, needed: tuple[str, ...], tally: Tally
) -> Iterator[pa.Table]:
    """The table of some lines; where one of them breaks it, halves are tried, down to the one that cannot be read."""
    try:
        table = _checked(_parse(lines, schema), lines, number, needed, tally)
    except pa.ArrowInvalid:
        if len(lines) == 1:
            if lines[0].strip():
                tally.unread(number, lines[0].decode(errors="replace"))
            return
        middle = len(lines) // 2
        yield from _parsed(lines[:middle], number, schema, needed, tally)
        yield from _parsed(lines[middle:], number + middle, schema, needed, tally)
    else:
        if table.num_rows:
            yield table


def _parse(lines: list[bytes], schema: pa.Schema) -> pa.Table:
    data = b"".join(lines)
    try:
        data.decode()
    except UnicodeDecodeError:  # Arrow would let it pass, and Python stumble over it later
        data = data.decode(errors="replace").encode()
    if not data.strip():
        return schema.empty_table()
    if not data.lstrip().startswith(b"{"):  # Arrow dies of a `null` that comes first
        raise pa.ArrowInvalid("not one object a line")
    return pj.read_json(
        io.BytesIO(data),
        read_options=pj.ReadOptions(use_threads=False, block_size=len(data) + 1),
        parse_options=pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )


def _checked(
    table: pa.Table, lines: list[bytes], number: int, needed: tuple[str, ...], tally: Tally | None
) -> pa.Table:
    """The rows that have every needed column. Raises ArrowInvalid where there is more or less than one row a line."""
    held = (
        [index for index, line in enumerate(lines) if line.strip()]
        if tally is None or table.num_rows < len(lines)
        else None
    )
    if table.num_rows != (len(lines) if held is None else len(held)):
        raise pa.ArrowInvalid("not one object a line")
    whole = None
    for name in needed:
        valid = pc.is_valid(table.column(name))
        whole = valid if whole is None else pc.and_(whole, valid)
    if whole is None or pc.all(whole).as_py() or not table.num_rows:
        return table
    if tally is None:
        raise pa.ArrowInvalid("a field is missing")
    for row, valid in enumerate(whole.to_pylist()):
        if not valid:
            index = row if held is None else held[row]
            tally.unread(number + index, lines[index].decode(errors="replace"))
    return table.filter(whole)
