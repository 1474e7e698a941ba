from __future__ import annotations

import pytest

from sandbox.errors import BadManifest
from sandbox.traffic.policy import Policy


def test_without_annotations_nothing_is_tried_twice() -> None:
    assert Policy.from_annotations({}, "Service tars/x") == Policy()


def test_every_annotation_is_read() -> None:
    policy = Policy.from_annotations(
        {
            "gameday.dev/entry-path": "/health, /api",
            "gameday.dev/retries": "3",
            "gameday.dev/retry-on": "reset, gateway-error",
            "gameday.dev/timeout": "2s",
            "gameday.dev/per-try-timeout": "500ms",
            "gameday.dev/outlier-detection": "5",
            "example.com/retries": "9",
        },
        "Service tars/x",
    )
    assert policy == Policy(("/health", "/api"), 3, "reset,gateway-error", 2, 0.5, 5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("retries", "three"),
        ("retries", "-1"),
        ("outlier-detection", "1.5"),
        ("timeout", "90"),
        ("per-try-timeout", "2"),
        ("per-try-timeout", "0s"),
        ("entry-path", "api"),
    ],
)
def test_a_value_that_cannot_be_honoured_names_the_service(name: str, value: str) -> None:
    with pytest.raises(BadManifest, match=r"^Service tars/x: ") as caught:
        Policy.from_annotations({f"gameday.dev/{name}": value}, "Service tars/x")
    assert value in str(caught.value)
