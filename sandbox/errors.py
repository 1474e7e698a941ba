"""Errors of the sandbox that a person reads as one line.

bundle.ExplainedError
└── SandboxError             what, where, what to do; carries the exit code
    ├── BadNetwork           a prefix that is no 127.N (exit 2)
    ├── BadManifest          a manifest, or one of its annotations, that can't be honoured (exit 2)
    ├── AddressInUse         a port that the sandbox needs is taken (exit 2)
    ├── AlreadyRunning       `up` over a living sandbox of another manner or network (exit 2)
    └── SandboxBroken        a part of the sandbox failed, or did not come up in time (exit 3)
"""

from __future__ import annotations

from bundle.errors import ExplainedError


class SandboxError(ExplainedError):
    """An error of the sandbox: what happened, where, and what to do about it. `exit_code` as in docs/exit-codes.md."""


class BadNetwork(SandboxError):
    """A network prefix that isn't 127.N."""


class BadManifest(SandboxError):
    """A manifest, or one of its annotations, that the sandbox can't honour."""


class AddressInUse(SandboxError):
    """An address that the sandbox must listen on is taken by another process."""


class AlreadyRunning(SandboxError):
    """A sandbox runs already in this state directory, and it isn't the one that was asked for."""


class SandboxBroken(SandboxError):
    """A part of the sandbox failed, or was not ready within its time."""

    exit_code = 3
