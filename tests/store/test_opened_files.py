"""The files of a store on SQLite are looked at before every commit, and mostly by one look at their folder."""

from __future__ import annotations

import os
import time
from shutil import copy2

from svcflow.store.sqlite.opened_files import OpenedFiles


def deleted(file):
    file.unlink()


def renamed(file):
    file.rename(file.with_suffix(".old"))


def replaced(file):
    copy2(file, file.with_suffix(".new"))
    file.with_suffix(".new").replace(file)


def put_back_with_its_folder(file):
    """As a backup is, by a tool that keeps the times of what it copies."""
    of_folder = file.parent.stat()
    replaced(file)
    os.utime(file.parent, ns=(of_folder.st_atime_ns, of_folder.st_mtime_ns))


def opened(folder):
    folder.mkdir()
    for end in ("", "-wal", "-shm"):
        (folder / f"s.db{end}").write_bytes(b"rows")
    return OpenedFiles(folder / "s.db")


def test_a_file_that_is_lost_from_a_folder_long_unchanged_is_told_at_once(tmp_path):
    """That nothing in the folder had changed for a while is no reason to miss what happens now."""
    ways = (deleted, renamed, replaced, put_back_with_its_folder)
    cases = [
        (opened(tmp_path / f"{way.__name__}{end}"), way, tmp_path / f"{way.__name__}{end}" / f"s.db{end}")
        for way in ways
        for end in ("", "-wal", "-shm")
    ]
    time.sleep(0.3)
    for files, way, file in cases:
        assert files.lost() is None
        assert files.lost() is None
        way(file)
        assert files.lost() == str(file)
        assert files.lost() == str(file)


def test_a_folder_that_just_changed_is_not_relied_upon(tmp_path):
    """A second change in the same tick of the file system's clock is seen as well as the first."""
    files, folder = opened(tmp_path / "s"), tmp_path / "s"
    for number in range(200):
        (folder / "other").touch()
        assert files.lost() is None
        (folder / "other").unlink()
        (folder / f"s.db-{number}").touch()
    (folder / "s.db-wal").unlink()
    assert files.lost() == str(folder / "s.db-wal")


def test_a_folder_that_is_moved_away_takes_its_files_with_it(tmp_path):
    """Files are looked for where they were opened, as whoever comes later looks for them."""
    files = opened(tmp_path / "s")
    (tmp_path / "s").rename(tmp_path / "t")
    assert files.lost() == str(tmp_path / "s" / "s.db")
