"""``backup`` and ``restore`` on the command line: what they print, and what they leave behind."""

import re
from pathlib import Path

import pytest

from tests.commands.conftest import Run
from tests.commands.rows import Rows


@pytest.mark.usefixtures("rows")
def test_a_backup_says_that_the_key_is_left_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run("backup", "copy.db")
    assert done.status == 0, done.err
    assert "backup: copy.db\n" in done.out
    assert "left out: data/server.db.key, without which what is sealed stays closed" in done.out
    assert Path("copy.db").stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("SECRET_KEY", "k" * 40)
    told = run("backup", "copy.db", "--json")
    assert told.json["left_out"].startswith("SECRET_KEY, ")
    assert "kkk" not in told.out


@pytest.mark.usefixtures("rows")
def test_a_folder_gets_copies_named_by_time_and_keeps_as_many_as_wanted(run: Run) -> None:
    folder = Path("copies")
    folder.mkdir()
    for name in ("server-20200101T000000Z.db", "server-20210101T000000Z.db", "server-mine.db"):
        (folder / name).touch()
    done = run("backup", "copies", "--keep", "2", "--json")
    assert re.fullmatch(r"copies/server-\d{8}T\d{6}Z\.db", done.json["backup"])
    assert done.json["removed"] == ["copies/server-20200101T000000Z.db"]
    left = {path.name for path in folder.iterdir()}
    assert left == {"server-20210101T000000Z.db", "server-mine.db", Path(done.json["backup"]).name}


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("arguments", [("copy.db", "--keep", "3"), (".", "--keep", "0"), (".", "--keep", "-1"), ()])
def test_wrong_usage_is_2(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("backup", *arguments).status == 2
    assert not Path("copy.db").exists()


def test_a_restore_says_where_the_former_database_is(run: Run, rows: Rows) -> None:
    assert run("backup", "copy.db").status == 0
    before = rows.path.read_bytes()
    done = run("restore", "copy.db", "--json")
    assert done.status == 0, done.err
    assert re.fullmatch(r"data/server\.db\.before-restore-\d{8}T\d{6}Z", done.json["kept"])
    assert Path(done.json["kept"]).read_bytes() == before
    assert done.json["to_be_migrated"] == []
    assert done.json["key"].startswith("data/server.db.key must be that of the copy's time")


@pytest.mark.usefixtures("rows")
def test_failures_are_one_line(run: Run) -> None:
    Path("diary").write_text("Dear diary, " * 500)
    for arguments, reason in (
        (("restore", "diary"), "not an SQLite database"),
        (("restore", "gone"), "there is no such file"),
        (("backup", "data/server.db"), "a backup does not go there"),
        (("backup", "nowhere/copy.db"), "cannot be written"),
    ):
        done = run(*arguments)
        assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
        assert reason in done.err


@pytest.mark.usefixtures("rows")
def test_both_are_noted_in_the_audit_log(run: Run) -> None:
    run("backup", "copy.db")
    assert [(one["event"], one["detail"]) for one in run("audit", "--json", "--event", "backed_up").json] == [
        ("backed_up", "copy.db")
    ]
    run("restore", "copy.db")
    assert [one["event"] for one in run("audit", "--json").json][-1] == "restored"


@pytest.mark.usefixtures("rows")
def test_without_an_audit_log_neither_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_RETENTION_DAYS", "0")
    run("backup", "copy.db")
    assert run("audit", "--json", "--event", "backed_up").json == []
