"""Who holds a TCP port of this machine."""

from __future__ import annotations


def holder_of(host: str, port: int) -> str:
    """Return the process that listens on an address as `name (pid N)`, an empty string where it can't be seen."""
    import psutil

    for connection in psutil.net_connections(kind="tcp4"):
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr
        if listens and connection.laddr in ((host, port), ("0.0.0.0", port)) and connection.pid:
            try:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.Error:
                return f"pid {connection.pid}"
    return ""
