from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flownb.errors import InvalidInput, NotFound, UsageError
from flownb.services import masking
from flownb.services.secrets import Chain, as_text, has_reference, is_reference, name_of, resolve, usual
from flownb.testing import FakeSecrets

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "sk-live-4f9a8b7c6d5e"


@pytest.fixture(autouse=True)
def empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLOWNB_STORE")
    return tmp_path


def test_a_reference_is_the_whole_text() -> None:
    assert is_reference("secret://crm.token-1")
    assert not any(
        map(is_reference, ["secret://", "secret://a b", " secret://a", "x secret://a", "secret://a.", 3, None])
    )
    assert has_reference({"headers": ["Bearer secret://crm"]})
    assert not has_reference({"headers": ["Bearer secrets"]})


@pytest.mark.parametrize("bad", ["", "secret://", "../keys", "a/b", "a b", 3, None])
def test_what_is_no_name_is_refused(bad: Any) -> None:
    with pytest.raises(InvalidInput, match="names no secret"):
        name_of(bad)


def test_the_value_is_masked_before_anybody_has_it() -> None:
    assert resolve("secret://crm", {"crm": SECRET}) == SECRET
    assert masking.text(f"x {SECRET}") == "x ***"


def test_an_unknown_name_says_near_names_and_where_it_looked_and_never_a_value() -> None:
    with pytest.raises(NotFound) as caught:
        resolve("crm_tokn", FakeSecrets(crm_token=SECRET))
    assert str(caught.value) == (
        "There is no secret 'crm_tokn'. Did you mean 'crm_token'? It was looked for in: the secrets of the test."
    )
    with pytest.raises(NotFound, match=r"It was looked for in the service that the run was given \(dict\)"):
        resolve("crm_tokn", {"crm_token": SECRET})


def test_the_usual_places_are_named_in_the_order_in_which_they_are_asked(empty_place: Path) -> None:
    with pytest.raises(NotFound) as caught:
        resolve("crm.token")
    message = str(caught.value)
    assert "the environment (FLOWNB_SECRET_CRM_TOKEN, crm.token); " in message
    assert f"{empty_place}/.flownb/secrets.toml (there is none); " in message
    assert message.index("environment") < message.index("secrets.toml") < message.index("the keyring")


def test_the_first_place_that_has_it_gives_it() -> None:
    first, second = FakeSecrets(a="from-the-first"), FakeSecrets(a="from-the-second", b="only-in-second")
    chain = Chain([first, second])
    assert (chain.get("a"), chain.get("b"), chain.get("c")) == ("from-the-first", "only-in-second", None)
    assert chain.names() == ["a", "b"]
    assert second.asked == ["b", "c"]


def test_environment_goes_before_file_before_keyring(empty_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty_place / ".flownb").mkdir()
    file = empty_place / ".flownb" / "secrets.toml"
    file.write_text('a = "from-the-file"\nb = "from-the-file-too"\n')
    file.chmod(0o600)
    monkeypatch.setenv("FLOWNB_SECRET_A", "from-the-environment")
    assert (usual().get("a"), usual().get("b")) == ("from-the-environment", "from-the-file-too")


def test_what_is_empty_or_no_text_is_refused() -> None:
    with pytest.raises(UsageError, match="The secret 'a' is empty"):
        resolve("a", {"a": ""})
    with pytest.raises(UsageError, match="The secret 'a' is a int; a service of secrets gives text or bytes"):
        resolve("a", {"a": 7})
    with pytest.raises(UsageError, match=r"must have get\(name\), or be a dict"):
        resolve("a", 7)
    with pytest.raises(UsageError, match=r"flownb.secret\('a', binary=True\) gives its bytes"):
        as_text("secret://a", b"\xff\xfe")
