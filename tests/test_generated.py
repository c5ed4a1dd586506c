from pathlib import Path

import pytest
from generate import REGISTRY, Generated, main


@pytest.mark.parametrize("entry", REGISTRY, ids=lambda entry: entry.path)
def test_a_generated_file_is_fresh(entry: Generated) -> None:
    assert entry.stale_content() is None, f"{entry.path} is stale: run `make generate`"


@pytest.mark.parametrize("entry", REGISTRY, ids=lambda entry: entry.path)
def test_generating_twice_gives_the_same(entry: Generated) -> None:
    assert entry.generate() == entry.generate()


def test_no_file_is_generated_twice() -> None:
    paths = [entry.path for entry in REGISTRY]
    assert len(paths) == len(set(paths))


def test_a_stale_file_is_named_and_left_alone_by_check_and_written_without_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = [
        Generated("text", "deep/down/a.txt", lambda: "é\n"),
        Generated("picture", "b.bin", lambda: b"\x00\r\n"),
    ]
    assert main(["--check"], registry, tmp_path) == 1
    assert capsys.readouterr().err.splitlines() == [
        "deep/down/a.txt is stale: run `make generate`",
        "b.bin is stale: run `make generate`",
    ]
    assert list(tmp_path.iterdir()) == []

    assert main([], registry, tmp_path) == 0
    assert (tmp_path / "deep/down/a.txt").read_bytes() == "é\n".encode()
    assert (tmp_path / "b.bin").read_bytes() == b"\x00\r\n"
    assert main(["--check"], registry, tmp_path) == 0

    (tmp_path / "b.bin").write_bytes(b"\x00\n")
    assert main(["--check"], registry, tmp_path) == 1


def test_only_one_name_is_checked_or_written_on_request(tmp_path: Path) -> None:
    registry = [
        Generated("pictures", "a.svg", lambda: "a"),
        Generated("pictures", "b.svg", lambda: "b"),
        Generated("other", "c.txt", lambda: "c"),
    ]
    assert main(["--only", "pictures"], registry, tmp_path) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.svg", "b.svg"]
    assert main(["--check", "--only", "pictures"], registry, tmp_path) == 0
    assert main(["--check", "--only", "other"], registry, tmp_path) == 1


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--only", "nothing"])
    assert exit_.value.code == 2
    assert "nothing" in capsys.readouterr().err


def test_a_later_generator_sees_what_an_earlier_one_wrote(tmp_path: Path) -> None:
    registry = [
        Generated("first", "a.txt", lambda: "a"),
        Generated("second", "b.txt", lambda: (tmp_path / "a.txt").read_text("utf-8") + "b"),
    ]
    assert main([], registry, tmp_path) == 0
    assert (tmp_path / "b.txt").read_text("utf-8") == "ab"
