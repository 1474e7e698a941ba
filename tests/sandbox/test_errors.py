from __future__ import annotations

from sandbox.errors import SandboxBroken, SandboxError


def test_an_error_is_one_line_of_where_what_and_what_to_do() -> None:
    error = SandboxError("it is\nfull", where="/tmp/x", do="empty it")
    assert error.line() == str(error) == "/tmp/x: it is full; empty it"
    assert SandboxError("it broke").line() == "it broke"


def test_bad_input_ends_with_2_and_a_broken_sandbox_with_3() -> None:
    assert (SandboxError.exit_code, SandboxBroken.exit_code) == (2, 3)
