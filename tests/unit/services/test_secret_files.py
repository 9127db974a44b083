from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from flownb.errors import UsageError
from flownb.services import masking
from flownb.services.secret_files import SecretFile, SecretFolder, secret_files

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


# --- one file for all -------------------------------------------------------------------------------------------------


def test_a_file_gives_its_texts_and_tables_give_names_with_a_dot(tmp_path: Path) -> None:
    file = SecretFile(write(tmp_path / "s.toml", 'a = "first-secret"\n[crm.eu]\ntoken = "second-secret"\n'))
    assert (file.get("a"), file.get("crm.eu.token"), file.get("b")) == ("first-secret", "second-secret", None)
    assert file.names() == ["a", "crm.eu.token"]
    assert masking.text("first-secret second-secret") == "*** ***"  # who has one of the file masks all


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666])
def test_a_file_that_others_can_read_is_refused_with_the_command(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path / "s.toml", 'a = "x"', mode)
    with pytest.raises(UsageError, match=rf"Other users can read .*\(its mode is {mode:04o}\): chmod 600 {path}"):
        SecretFile(path).get("a")


@pytest.mark.parametrize("text", ['a = "hush-hush', "a = 'x' hush-hush", b"a = '\xff hush-hush'"])
def test_what_is_no_toml_is_told_by_its_place_and_never_quoted(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(UsageError, match="is no TOML") as caught:
        SecretFile(write(tmp_path / "s.toml", text)).get("a")
    assert "hush" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_what_is_no_text_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="pin is a int; put the value in quotes") as caught:
        SecretFile(write(tmp_path / "s.toml", "pin = 778899")).get("a")
    assert "778899" not in str(caught.value)


def test_a_file_that_is_huge_or_that_is_named_and_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has more than 1024 kB"):
        SecretFile(write(tmp_path / "s.toml", b"#" * 1024 * 1025)).get("a")
    with pytest.raises(UsageError, match="FLOWNB_SECRETS names .*, and there is no such file"):
        SecretFile(tmp_path / "none.toml", needed=True).get("a")
    assert SecretFile(tmp_path / "none.toml").get("a") is None


# --- a file for each --------------------------------------------------------------------------------------------------


def test_a_folder_has_a_file_for_each_secret(tmp_path: Path) -> None:
    write(tmp_path / "crm.token", "the-token\n")
    write(tmp_path / "key", b"\xff\x00\x01\r\n")
    write(tmp_path / "..data" / "inner", "hidden")
    (tmp_path / "sub").mkdir()
    folder = SecretFolder(tmp_path, own=True)
    assert (folder.get("crm.token"), folder.get("key")) == (b"the-token", b"\xff\x00\x01")
    assert (folder.get("none"), folder.get("sub"), SecretFolder(tmp_path / "none").get("a")) == (None, None, None)
    assert folder.names() == ["crm.token", "key"]


def test_of_a_folder_of_ours_others_may_not_read_and_of_a_mounted_one_a_warning_is_given_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "a", "the-token", 0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        SecretFolder(tmp_path, own=True).get("a")
    with caplog.at_level(logging.WARNING):
        assert SecretFolder(tmp_path).get("a") == b"the-token"
        assert SecretFolder(tmp_path).get("a") == b"the-token"
    assert caplog.text.count("Other users of this machine can read the secrets in") == 1


# --- which ------------------------------------------------------------------------------------------------------------


def test_what_the_variable_names_goes_first_then_the_home_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "project" / ".flownb"
    home.mkdir(parents=True)
    (below := tmp_path / "project" / "below").mkdir()
    monkeypatch.chdir(below)
    monkeypatch.delenv("FLOWNB_STORE")
    monkeypatch.setenv("FLOWNB_SECRETS", str(tmp_path / "mounted"))
    paths = [each.path for each in secret_files()]
    assert paths[:3] == [tmp_path / "mounted", home / "secrets.toml", home / "secrets"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOWNB_STORE", f"sqlite:///{home}/flownb.db")
    monkeypatch.setenv("FLOWNB_SECRETS", str(tmp_path / "s.toml"))
    first, second, *_ = secret_files()
    assert isinstance(first, SecretFile)
    assert second.path == home / "secrets.toml"
