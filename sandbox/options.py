"""Command line options of the sandbox that are made of its settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import click

from sandbox.periods import Periods


def period_options(command: Callable[..., None]) -> Callable[..., None]:
    """Options of the autoscaler and its metrics, by the names that they have in a cluster."""
    for each in reversed(dataclasses.fields(Periods)):
        is_share = each.name == "tolerance"
        command = click.option(
            f"--{each.metadata['flag']}",
            each.name,
            type=_Reading(each.metadata["read"], "SHARE" if is_share else "DURATION"),
            default=f"{each.default:g}" + ("" if is_share else "s"),
            show_default=True,
            help=each.metadata["says"],
        )(command)
    return command


class _Reading(click.ParamType[float]):
    """A value as a function reads it that raises ValueError on one that makes no sense."""

    def __init__(self, read: Callable[[str], float], name: str) -> None:
        self.name = name
        self._read = read

    def convert(self, value: object, parameter: click.Parameter | None, context: click.Context | None) -> float:
        try:
            return self._read(str(value))
        except ValueError as error:
            self.fail(str(error), parameter, context)
