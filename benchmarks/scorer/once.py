"""`python -m benchmarks.scorer.once scorer|list|two ROOT`: one verdict, or DuckDB's quantiles, in a process of its own.

Prints seconds and the most memory that the process had resident, in bytes, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

THREADS = 2
QUERIES = {
    "list": "quantile_disc(latency_ns, [0.5, 0.99])",
    "two": "quantile_disc(latency_ns, 0.5), quantile_disc(latency_ns, 0.99)",
}
"""The exact p50 and p99 of each second, by one list of shares, which is the faster way, and by two of them."""


def scored(root: Path) -> Callable[[], int]:
    """Scores a bundle; gives how many objectives it has."""
    from bundle.reader import Bundle
    from scorer.score import score
    from scorer.targets import Targets

    targets = Targets.load(root / "inputs" / "targets.yaml")
    return lambda: len(score(Bundle.open(root), targets).objectives)


def queried(root: Path, columns: str) -> Callable[[], int]:
    """Asks DuckDB; gives how many seconds there were."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads = {THREADS}")
    table = str(root / "requests.parquet")
    query = f"SELECT scheduled_ns // 1000000000 AS s, {columns} FROM read_parquet(?) GROUP BY s ORDER BY s"
    return lambda: len(connection.execute(query, [table]).fetchall())


def most_resident() -> int:
    """The peak of this process, in bytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def main(what: str, root: Path) -> None:
    """Measure once."""
    run = scored(root) if what == "scorer" else queried(root, QUERIES[what])
    began = time.monotonic()
    count = run()
    seconds = time.monotonic() - began
    print(json.dumps({"seconds": seconds, "resident": most_resident(), "count": count}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
