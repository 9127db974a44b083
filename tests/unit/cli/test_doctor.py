from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flownb.cli import doctor

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from flownb.run.handles.handle import Run
    from tests.unit.cli.conftest import Told


def checks(told: Told) -> dict[str, dict[str, object]]:
    return {each["check"]: each for each in told.json}


def test_a_sound_machine_is_in_order(cli: Callable[..., Told], shop: Callable[..., Run], own_store: str) -> None:
    shop()
    told = cli("doctor")
    assert told.status == 0
    assert told.out.endswith("Everything is in order.\n")
    found = checks(cli("doctor", "--json"))
    assert found["store"]["ok"] is True
    assert found["store"]["message"] == f"{own_store}, 1 run"
    assert found["python"]["ok"] is True
    assert found["disk"]["ok"] is True


def test_no_store_yet_is_no_fault(cli: Callable[..., Told]) -> None:
    told = cli("doctor", "--json")
    assert told.status == 0
    assert checks(told)["store"]["ok"] is None


def test_a_broken_store_is_one(cli: Callable[..., Told], tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_bytes(b"this is no database, it is a letter\n" * 200)
    told = cli("doctor", "--store", f"sqlite:///{tmp_path}/bad.db")
    assert told.status == 1
    assert "✖ store" in told.out
    assert told.out.endswith("1 of these need attention.\n")


def test_a_missing_package_is_named_with_the_way_out(cli: Callable[..., Told], monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "papermill":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    told = cli("doctor", "--json")
    assert told.status == 1
    assert checks(told)["papermill"]["message"]
    assert any(each["ok"] is False and "pip install flownb" in str(each["message"]) for each in told.json)


def test_what_is_missing_does_not_keep_the_rest_from_being_told(
    cli: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jupyter_client.kernelspec", None)
    monkeypatch.setitem(sys.modules, "flownb.store.place", None)
    told = cli("doctor", "--json")
    assert told.status == 1
    found = checks(told)
    assert (found["kernels"]["ok"], found["store"]["ok"], found["python"]["ok"]) == (False, False, True)


def test_too_little_room_is_a_fault(cli: Callable[..., Told], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_LEAST_FREE", 10**18)
    told = cli("doctor")
    assert told.status == 1
    assert "too little to work with" in told.out


def test_channels_that_could_not_deliver_need_attention(
    cli: Callable[..., Told], shop: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop()
    told = cli("doctor", "--json")
    assert (told.status, checks(told)["channels"]["ok"]) == (0, None)
    settings = tmp_path / "settings.toml"
    mail = '[channels.mail]\nhost = "smtp.example.org"\nfrom = "flows@example.org"\n'
    mail += 'user = "f"\npassword = "smtp_pass"\n'
    settings.write_text(mail, encoding="utf-8")
    told = cli("doctor", "--json")
    assert (told.status, checks(told)["channels"]["ok"]) == (1, False)
    assert "mail: There is no secret 'smtp_pass'" in str(checks(told)["channels"]["message"])
    monkeypatch.setenv("FLOWNB_SECRET_SMTP_PASS", "canary-of-the-doctor")
    told = cli("doctor", "--json")
    assert (told.status, checks(told)["channels"]["message"]) == (0, "mail (mail)")
    assert "canary" not in told.out + told.err


def test_the_extension_of_the_server_is_told(cli: Callable[..., Told], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: True)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(Path(__file__).parents[3] / "kernel_ext" / "etc" / "jupyter"))
    assert "the extension is switched on by" in cli("doctor").out
    monkeypatch.setattr("jupyter_core.paths.jupyter_config_path", list)
    assert "`jupyter server extension enable flownb`" in cli("doctor").out
