"""Steps that ask for a certificate, through the command line: the register is a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_answers import parsed

WIRING = """\
procedure: wiring
calendar: cn_office
name: {zh: 接线, en: Wiring}
roles: {tech: {zh: 技工, en: Technician}}
certificates: {licence: {zh: 电工证, en: Licence}}
enforce: {qualification: refuse}
steps:
  work: {name: {zh: 施工, en: Work}, role: tech, qualified: licence, to: {finish: done}}
  done: {name: {zh: 完工, en: Done}, end: completed}
"""
REGISTER = (
    "qualifications: site\nzone: Asia/Shanghai\ncertificates: {licence: {li: 2026-03-31, wang: 2026-02-28}}\n"
)


@pytest.fixture
def register(svc, folder, tmp_path: Path) -> Path:
    """Start an instance `w`, and return the file of the register."""
    (folder / "wiring.yaml").write_text(WIRING, encoding="utf-8")
    svc("start", "wiring", "--id", "w")
    file = tmp_path / "register.yaml"
    file.write_text(REGISTER, encoding="utf-8")
    return file


def test_without_a_register_it_is_said_that_there_is_none(svc, register):
    """What is missing is named, and the attempt is refused."""
    result = svc("fire", "w", "finish", "--actor", "li:tech", exit_code=3)
    assert "there is no register to say who does" in result.output


def test_the_register_says_who_may(svc, register):
    """Whose certificate has ended does not; what is open is told beforehand; the journal names the certificate."""
    given = ("--qualifications", register)
    result = svc("fire", "w", "finish", "--actor", "wang:tech", *given, exit_code=3)
    assert "that of the person ended at 2026-03-01T00:00+08:00" in result.output
    assert "never held it" in svc("claim", "w", "--actor", "chen:tech", *given, exit_code=3).output
    assert "never held it" in svc("assign", "w", "chen", *given, exit_code=3).output
    shown = parsed(svc("show", "w", "--actor", "li:tech", "--json", *given))
    assert [one["open"] for one in shown["available"]] == [True]
    svc("claim", "w", "--actor", "li:tech", *given)
    svc("fire", "w", "finish", "--actor", "li:tech", *given)
    assert "Work → Done (finish; holding Licence)" in svc("show", "w", "--journal").output


def test_a_register_with_a_mistake_is_told_with_its_place(svc, register):
    """Nothing is done."""
    register.write_text(REGISTER.replace("2026-03-31", "soon"), encoding="utf-8")
    result = svc("fire", "w", "finish", "--actor", "li:tech", "--qualifications", register, exit_code=None)
    assert result.exit_code != 0
    assert "certificates.licence.li" in result.output
    assert "or unlimited" in result.output
