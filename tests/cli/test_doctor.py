"""`matte doctor`, as it is typed."""

import json
from pathlib import Path

import pytest

from tests.commands import run


def test_doctor_finds_this_installation_well() -> None:
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert "MISSING" not in result.stdout
    findings = {f["name"]: f for f in json.loads(run("doctor", "--json").stdout)}
    assert findings["weights person"]["works"]
    assert findings["runtime onnx"]["works"]


def test_doctor_says_what_is_missing_and_what_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from matte import doctor

    monkeypatch.setitem(doctor.EXTRAS, "classical", ("a test", ("no-such-package",)))
    expected = "for a test; no-such-package not installed: run pip install '.[classical]' in"
    lines = run("doctor").stdout.splitlines()
    assert [expected in line for line in lines if "extra classical" in line] == [True]
    findings = {f["name"]: f for f in json.loads(run("doctor", "--json").stdout)}
    lacking = findings["extra classical"]
    assert (lacking["works"], lacking["needed"]) == (False, False)
    assert lacking["remedy"] == "run pip install '.[classical]' in matte's checkout"
    assert {f"extra {name}" for name in doctor.EXTRAS} <= findings.keys()
    monkeypatch.setattr(doctor, "BASE_PACKAGES", ("no-such-package",))
    result = run("doctor")
    assert result.exit_code == 1
    assert "MISSING no-such-package" in result.stdout
    assert "pip install no-such-package" in result.stdout


def test_doctor_reads_the_settings_file(own_home: Path) -> None:
    own = own_home / "config.toml"
    own.write_text("[trimap]\nk = 0\n")
    try:
        result = run("doctor")
    finally:
        own.unlink()
    assert result.exit_code == 1
    assert f"{own}: k = 0" in result.stdout
