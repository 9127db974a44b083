from __future__ import annotations

import base64
import html
import json
import shlex
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flownb.services.masking import MASK, Masker

if TYPE_CHECKING:
    from collections.abc import Callable

SECRETS = {
    "api key": "sk-live-4f9a8b7c6d5e4f3a2b1c",
    "password": "p@ss\"w'rd & <more> 100%/x\\y",
    "key": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n"
    "-----END PRIVATE KEY-----\n",
    "url": "postgresql://admin:s3cr%2Ft-pass@db.internal:5432/prod?sslmode=require",
    "unicode": "pässwörd-密码-🔑-x",
    "short": "hunter2!",
}


def masked(secret: str, text: str) -> str:
    masker = Masker()
    masker.add("it", secret)
    return masker.text(text)


WAYS: dict[str, Callable[[str], str]] = {
    "raw": lambda value: value,
    "stripped": lambda value: value.strip(),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 behind one byte": lambda value: base64.b64encode(b"x" + value.encode() + b"yy").decode(),
    "base64 behind two bytes": lambda value: base64.b64encode(b"u:" + value.encode() + b"y").decode(),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "base64 in lines": lambda value: base64.encodebytes(3 * value.encode()).decode(),
    "base64 in a URL": lambda value: quote(base64.b64encode(value.encode()).decode(), safe=""),
    "hexadecimal": lambda value: value.encode().hex(),
    "hexadecimal with colons": lambda value: value.encode().hex(":").upper(),
    "URL": quote,
    "URL without exceptions": lambda value: quote(value, safe=""),
    "form": quote_plus,
    "JSON": json.dumps,
    "JSON with letters": lambda value: json.dumps(value, ensure_ascii=False),
    "JSON in JSON": lambda value: json.dumps(json.dumps([value])),
    "repr": repr,
    "repr of bytes": lambda value: repr(value.encode()),
    "HTML": html.escape,
    "shell": shlex.quote,
    "UTF-16": lambda value: value.encode("utf-16-le").decode("latin-1"),
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_found_however_it_is_written(secret: str, way: str) -> None:
    if way == "UTF-16":
        data = f"before {secret} after".encode("utf-16-le")
        masker = Masker()
        masker.add("it", secret)
        assert secret.encode("utf-16-le") not in masker.data(data)
        return
    written = WAYS[way](secret)
    found = masked(secret, f"before {written} after")
    assert written not in found
    assert secret not in found
    assert found.startswith("before ")
    assert found.endswith(" after")
    assert MASK in found
    if way != "base64 in lines":
        assert len(found) < len("before  after") + 24


def test_the_lines_of_a_key_are_secrets_of_their_own() -> None:
    key = SECRETS["key"]
    shown = masked(key, "\n".join(f"  | {line}" for line in key.splitlines()))
    assert "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" not in shown
    assert "BEGIN PRIVATE KEY" in shown


def test_the_secret_fields_of_a_json_document_are_secrets_of_their_own() -> None:
    document = json.dumps(
        {
            "type": "service_account",
            "client": {"private_key": "-----BEGIN-----\nMIIEvQIBADANB+gkq/hkiG\n-----END-----\n"},
        }
    )
    shown = masked(document, f"type service_account, key {json.loads(document)['client']['private_key']}")
    assert shown == "type service_account, key ***" + "\n" * shown.count("\n")
    assert masked(document, "line MIIEvQIBADANB+gkq/hkiG.") == "line ***."


def test_the_password_of_a_url_is_a_secret_of_its_own() -> None:
    assert masked(SECRETS["url"], "user admin, password s3cr/t-pass") == "user admin, password ***"
    assert masked(SECRETS["url"], "user admin, password s3cr%2Ft-pass") == "user admin, password ***"


def test_bytes_that_are_no_text_are_found_in_bytes_and_in_what_is_made_of_them() -> None:
    secret = bytes([0, 255, 254, 128, 10, 34, 92, 200, 129, 7, 90, 233])
    masker = Masker()
    masker.add("it", secret)
    assert masker.data(b"x" + secret + b"y") == b"x***y"
    for text in (repr(secret), secret.decode("latin-1"), secret.decode("utf-8", "surrogateescape"), secret.hex(" ")):
        assert masker.text(f"x{text}y") in ("x***y", "xb'***'y")
    assert base64.b64encode(secret).decode()[:14] not in masker.text(base64.b64encode(b"ab" + secret).decode())


@given(
    st.text(min_size=8, max_size=60).filter(lambda text: len(text.strip()) >= 8),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_no_text_keeps_a_secret(secret: str, before: str, after: str) -> None:
    shown = masked(secret, before + secret + after)
    assert secret not in shown or secret in before + MASK + after
