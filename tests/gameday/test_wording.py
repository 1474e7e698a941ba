from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.wording import MAX_LENGTH, cause, endpoint


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("GET http://user:secret@host:80/ok?token=abc", "GET http://host:80/ok"),
        ("GET http://****:****@host/ok?token=abc#here", "GET http://host/ok"),
        ("/bad?key=s3cret", "/bad"),
        ("/shop;jsessionid=ABC123/cart", "/shop"),
        ("  the\n home page ", "the home page"),
        ("ready? go", "ready go"),
        ("mail to a@b", "mail to a@b"),  # no URL
        ("GET ", "GET"),
    ],
)
def test_the_name_of_what_was_asked_holds_no_secret(text: str, name: str) -> None:
    assert endpoint(text) == name


@pytest.mark.parametrize(
    ("text", "known"),
    [
        # vegeta 12.13
        ('Get "http://x/?token=a": dial tcp 0.0.0.0:0->127.0.0.1:1: connect: connection refused', "connection refused"),
        (
            'Get "http://x/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
            "timeout",
        ),
        ("net/http: timeout awaiting response headers", "timeout"),
        ("read tcp 127.0.0.1:54321->127.0.0.1:80: read: connection reset by peer", "connection reset"),
        ("write: broken pipe", "connection reset"),
        ('Get "http://nowhere/": dial tcp: lookup nowhere: no such host', "name not resolved"),
        ("dial tcp 10.0.0.1:80: connect: no route to host", "host unreachable"),
        ("connect: network is unreachable", "host unreachable"),
        ('Get "http://x/": EOF', "connection closed"),
        ("dial tcp: socket: too many open files", "too many open files"),
        ("connect: cannot assign requested address", "no free local port"),
        ("tls: failed to verify certificate: x509: unknown authority", "TLS error"),
        ("net/http: HTTP/1.x transport connection broken: malformed HTTP response", "malformed response"),
        # k6 1.8
        ("dial: connection refused", "connection refused"),
        ("request timeout", "timeout"),
        ("dial: i/o timeout", "timeout"),
        # JMeter 5.6
        (
            "Non HTTP response code: org.apache.http.conn.HttpHostConnectException Non HTTP response message: Connect "
            "to 127.0.0.1:1 [/127.0.0.1] failed: Connection refused",
            "connection refused",
        ),
        (
            "Non HTTP response code: java.net.SocketTimeoutException Non HTTP response message: Read timed out",
            "timeout",
        ),
        ("Non HTTP response code: java.net.UnknownHostException Non HTTP response message: x", "name not resolved"),
        (
            "Non HTTP response code: org.apache.http.NoHttpResponseException Non HTTP response message: x failed",
            "connection closed",
        ),
        ("Non HTTP response code: javax.net.ssl.SSLHandshakeException", "TLS error"),
        # Locust 2.47
        ("[Errno 111] Connection refused", "connection refused"),
        ("URL http://127.0.0.1:18931/slow: 0, original=timed out", "timeout"),
        # anything else is kept
        ("Test failed: text  expected to\ncontain /a/", "Test failed: text expected to contain /a/"),
        ("no answer from http://u:p@x/y?token=1 today", "no answer from http://x/y today"),
        ("", ""),
    ],
)
def test_the_same_cause_has_the_same_word_whoever_tells_it(text: str, known: str) -> None:
    assert cause(text) == known


@given(st.text())
def test_a_cause_is_one_short_line(text: str) -> None:
    assert len(cause(text)) <= MAX_LENGTH
    assert len(cause(text).splitlines()) <= 1


@given(st.text(st.characters(exclude_characters="/?#@", exclude_categories=["Z", "C"]), min_size=1))
def test_no_password_and_no_query_passes(secret: str) -> None:
    assert endpoint(f"GET https://user:{secret}@host/path?key={secret}#{secret}") == "GET https://host/path"
