"""Who is to be asked for its role, where, and what the answer says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

LEADER = "leader"


class AskPlan(BaseModel):
    """Who is asked, and how.

    deployment: whose pods are asked, in every context, at `port`. reach: `direct`, at the pods' own addresses, or
    `proxy`, through each API server, where those can't be reached from here.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_min_length=1)

    deployment: str = "orchestration-agent"
    port: int = Field(default=8094, ge=1, le=65535)
    reach: Literal["direct", "proxy"] = "direct"


class RolePlan(AskPlan):
    """What an experiment's extension `gameday` says under `leaders`: whose role is polled.

    path: of the health check whose JSON has `field`: an object with `role`, and where it has them `term` and `region`.
    """

    path: str = Field(default="/health", pattern="^/")
    field: str = "raft_status"


class LedgerPlan(AskPlan):
    """What it says under `ledger`: where acknowledged writes are read back.

    path: with `{key}` in it; it answers 200 where the write is there, and 404 where it is lost for sure.
    """

    path: str = Field(default="/api/v1/tasks/{key}", pattern=r"^/.*\{key\}")


class DelayPlan(AskPlan):
    """What it says under `delays`: whose answers are timed, at which path. Any answer counts, whatever its status."""

    path: str = Field(default="/health", pattern="^/")


@dataclass(frozen=True, slots=True)
class Role:
    """What a replica says of itself. `term` None and `region` "" where it doesn't say."""

    leads: bool
    term: int | None = None
    region: str = ""


def role_in(body: bytes, field: str) -> Role:
    """The role that an answer tells. Raises ValueError where it tells none."""
    said: Any = json.loads(body)
    status = said.get(field) if isinstance(said, dict) else None
    if not isinstance(status, Mapping) or not isinstance(status.get("role"), str):
        raise ValueError(f"the answer has no {field}.role")
    term, region = status.get("term"), status.get("region")
    return Role(
        leads=status["role"] == LEADER,
        term=term if isinstance(term, int) and not isinstance(term, bool) else None,
        region=region if isinstance(region, str) else "",
    )
