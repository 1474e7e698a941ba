"""`python -m sandbox up | down | status`: the sandbox without the rest of gameday."""

from __future__ import annotations

import sys

from sandbox.cli import sandbox
from sandbox.errors import SandboxError

if __name__ == "__main__":
    try:
        sandbox(prog_name="python -m sandbox")
    except SandboxError as error:
        print(f"gameday: {error.line()}", file=sys.stderr)
        sys.exit(error.exit_code)
