from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import aiohttp
import pytest

from sandbox.errors import AddressInUse
from sandbox.network import Address
from sandbox.node.logs import LogFile, LogServer, tail_offset

HOST = "127.92.7.2"


def free_address() -> Address:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return Address(HOST, listener.getsockname()[1])


@pytest.mark.parametrize(
    ("text", "lines", "expected"),
    [
        ("a\nb\nc\n", 2, "b\nc\n"),
        ("a\nb\nc", 2, "b\nc"),  # the last line is still being written
        ("a\nb\n", 9, "a\nb\n"),
        ("a\nb\n", 0, ""),
        ("", 3, ""),
        ("x" * 70_000 + "\n" + "y" * 70_000 + "\n", 1, "y" * 70_000 + "\n"),  # longer than what is read at once
    ],
)
def test_the_tail_of_a_file(text: str, lines: int, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(text)
    assert text[tail_offset(path, lines) :] == expected


class Container:
    """A container with one log."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.live = True

    def find(self, namespace: str, pod: str, container: str, *, previous: bool) -> LogFile | None:
        known = (namespace, pod, container) == ("tars", "web-1", "app") and not previous
        return LogFile(self.path, self.live) if known else None


@pytest.mark.parametrize(
    ("path", "token", "status", "body"),
    [
        ("web-1/app", "right", 200, "one\ntwo\n"),
        ("web-1/app?tailLines=1", "right", 200, "two\n"),
        ("web-1/app", "wrong", 401, "Unauthorized\n"),
        ("web-1/app", "", 401, "Unauthorized\n"),
        ("web-2/app", "right", 404, 'container "app" in pod "web-2" not found\n'),
        ("web-1/app?previous=true", "right", 404, 'previous terminated container "app" in pod "web-1" not found\n'),
        ("web-1/app?timestamps=true", "right", 400, "the sandbox does not serve logs with timestamps\n"),
        ("web-1/app?timestamps=false", "right", 200, "one\ntwo\n"),
        ("web-1/app?tailLines=x", "right", 400, "tailLines 'x' is not a number\n"),
    ],
)
async def test_a_log_is_served_to_those_who_have_the_token(
    path: str, token: str, status: int, body: str, tmp_path: Path
) -> None:
    log = tmp_path / "0.log"
    log.write_text("one\ntwo\n")
    address = free_address()
    async with LogServer(address, "right", Container(log).find), aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with session.get(f"http://{address}/containerLogs/tars/{path}", headers=headers) as response:
            assert (response.status, await response.text()) == (status, body)


async def test_a_followed_log_goes_on_until_the_process_ends(tmp_path: Path) -> None:
    log = tmp_path / "0.log"
    log.write_text("one\n")
    container, address = Container(log), free_address()
    async with LogServer(address, "right", container.find), aiohttp.ClientSession() as session:
        url = f"http://{address}/containerLogs/tars/web-1/app?follow=true"
        async with session.get(url, headers={"Authorization": "Bearer right"}) as response, asyncio.timeout(10):
            assert await response.content.readline() == b"one\n"
            with log.open("a") as file:
                file.write("two\n")
            assert await response.content.readline() == b"two\n"
            container.live = False
            with log.open("a") as file:
                file.write("last\n")
            assert await response.content.read() == b"last\n"


async def test_a_taken_address_is_named(tmp_path: Path) -> None:
    address = free_address()
    async with LogServer(address, "right", Container(tmp_path).find):
        with pytest.raises(AddressInUse, match=str(address)):
            async with LogServer(address, "right", Container(tmp_path).find):
                pass
