"""Documents at a git ref: as in the work tree, and nothing of the repository is touched."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from engine.documents import git
from engine.documents.files import MAX_BYTES
from engine.documents.git import is_commit, read_at
from engine.documents.load import Loaded, load, load_texts
from engine.errors import EngineError, UsageError

ESTATE = """\
version: 1
kind: estate
name: acme
accounts: {prod: {id: "111111111111", regions: [eu-west-1]}}
"""
POLICY = """\
version: 1
kind: policy
name: gold
select: {identifiers: ["*"]}
snapshots: {schedule: {every: 1d}, retention: {keep: {daily: 35}}}
"""


class Repository:
    """A repository in a folder of its own, by the real program."""

    def __init__(self, top: Path) -> None:
        self.top = top
        top.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", "-C", str(self.top), *who, "-c", "protocol.file.allow=always", *words],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout.strip()

    def write(self, name: str | bytes, text: str | bytes) -> None:
        path = os.path.join(os.fsencode(self.top), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)

    def commit(self, *names: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "what there is", "--allow-empty", *names)
        return self.git("rev-parse", "HEAD")

    def state(self) -> tuple[str, float, list[str]]:
        """What must not change: status, the index, what lies in the work tree."""
        index = (self.top / ".git" / "index").stat().st_mtime_ns
        files = sorted(str(path) for path in self.top.rglob("*") if ".git" not in path.parts)
        return self.git("--no-optional-locks", "status", "--porcelain"), index, files


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Policies under `backups/policies`, committed."""
    made = Repository(tmp_path / "repo")
    made.write("backups/policies/estate.yaml", ESTATE)
    made.write("backups/policies/gold/gold.yml", POLICY)
    made.write("backups/policies/.hidden.yaml", "not: a document")
    made.write("backups/policies/.drafts/x.yaml", "not: a document")
    made.write("backups/policies/README.md", "not a document")
    made.write("elsewhere.yaml", "not: a document")
    made.commit()
    return made


def at(ref: str, *paths: Path) -> Loaded:
    return load_texts(read_at(ref, paths).texts, ref)


def told(ref: str, *paths: Path) -> EngineError:
    with pytest.raises(EngineError) as caught:
        read_at(ref, paths)
    assert caught.value.fix
    return caught.value


def test_a_ref_holds_what_the_folder_held(repository: Repository) -> None:
    policies = repository.top / "backups" / "policies"
    first = repository.git("rev-parse", "HEAD")
    now = load([policies])
    repository.write("backups/policies/gold/gold.yml", POLICY.replace("35", "14"))
    before = repository.state()
    for ref in ("main", "HEAD", first, first[:8], "refs/heads/main", "main@{0}"):
        past = read_at(ref, [policies])
        assert past.commit == first
        assert [name.partition(":")[2] for name in past.texts.by_file] == [
            "backups/policies/estate.yaml",
            "backups/policies/gold/gold.yml",
        ]
        documents = load_texts(past.texts, ref).documents
        assert documents is not None
        assert now.documents is not None
        assert documents.digest == now.documents.digest
    assert repository.state() == before


def test_an_annotated_tag_leads_to_its_commit(repository: Repository) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.git("tag", "-a", "v1", "-m", "the first")
    assert read_at("v1", [repository.top]).commit == first


def test_single_files_and_the_top_of_the_repository_are_read_too(repository: Repository) -> None:
    policies = repository.top / "backups" / "policies"
    loaded = at("main", policies / "estate.yaml", policies / "gold" / "gold.yml")
    assert loaded.documents is not None
    assert set(loaded.documents.policies) == {"gold"}
    (repository.top / "elsewhere.yaml").unlink()
    repository.commit()
    assert at("main", repository.top).documents is not None


def test_a_relative_path_is_one_of_the_current_folder(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository.top / "backups")
    assert at("main", Path("policies")).documents is not None
    assert at("main", Path("policies/estate.yaml")).documents is not None


def test_what_is_wrong_with_old_documents_names_ref_and_line(repository: Repository) -> None:
    repository.write("backups/policies/gold/gold.yml", POLICY.replace("retention", "retntion"))
    repository.write("backups/policies/binary.yaml", b"\xff\xfe")
    repository.write("backups/policies/huge.yaml", b"#" * (MAX_BYTES + 1))
    repository.commit()
    loaded = at("main", repository.top / "backups" / "policies")
    assert loaded.documents is None
    places = {str(each.place).rpartition("/")[2]: each.code.id for each in loaded.diagnostics}
    assert places["gold.yml:5:36"] == "E101"
    assert {"binary.yaml:1:1", "huge.yaml:1:1"} <= places.keys()
    assert str(loaded.diagnostics[0].place).startswith("main:backups/policies/")


def test_a_folder_without_documents_is_told(repository: Repository) -> None:
    repository.write("docs/README.md", "no documents")
    repository.commit()
    loaded = at("main", repository.top / "docs")
    assert [each.code.id for each in loaded.diagnostics] == ["E109"]


def test_odd_names_are_read_as_they_are(repository: Repository) -> None:
    folder = repository.top / "*[a] :(top)\n\t'$(x)"
    names = [b"-x.yaml", b"a b.yaml", b"line\nbreak.yaml", b"caf\xe9.yaml", b'"q".yaml']
    for number, name in enumerate(names):
        text = POLICY.replace("gold", f"gold-{number}")
        repository.write(os.fsencode(folder.name) + b"/" + name, text)
    repository.write(os.fsencode(folder.name) + b"/estate.yaml", ESTATE)
    repository.commit()
    loaded = at("main", folder)
    assert loaded.documents is not None
    assert set(loaded.documents.policies) == {f"gold-{number}" for number in range(len(names))}


def test_links_are_followed_within_the_repository_only(repository: Repository) -> None:
    policies = repository.top / "backups" / "policies"
    (policies / "gold" / "gold.yml").unlink()
    repository.write("shared/silver.yaml", POLICY.replace("gold", "silver"))
    (policies / "silver.yaml").symlink_to("../../shared/silver.yaml")
    repository.commit()
    loaded = at("main", policies)
    assert loaded.documents is not None
    assert set(loaded.documents.policies) == {"silver"}
    (policies / "passwords.yaml").symlink_to("/etc/passwd")
    (policies / "nowhere.yaml").symlink_to("nothing")
    (policies / "line\nbreak.yaml").symlink_to("estate.yaml")
    repository.commit()
    loaded = at("main", policies)
    assert [each.code.id for each in loaded.diagnostics] == ["E108"] * 3
    assert "root:" not in "".join(read_at("main", [policies]).texts.by_file.values())


def test_a_submodule_is_told(repository: Repository, tmp_path: Path) -> None:
    other = Repository(tmp_path / "other")
    other.write("x.yaml", POLICY)
    other.commit()
    policies = repository.top / "backups" / "policies"
    repository.git("submodule", "add", "-q", str(other.top), "backups/policies/team.yaml")
    repository.commit()
    loaded = at("main", policies)
    assert [each.summary for each in loaded.diagnostics] == [
        "this is a submodule: its files are in another repository"
    ]


def test_a_link_to_a_large_file_is_too_large(repository: Repository) -> None:
    repository.write("shared/huge.txt", b"#" * (MAX_BYTES + 1))
    policies = repository.top / "backups" / "policies"
    (policies / "huge.yaml").symlink_to("../../shared/huge.txt")
    repository.commit()
    assert [each.code.id for each in at("main", policies).diagnostics] == ["E107"]


def test_a_ref_that_is_not_there_is_told_with_a_way_out(repository: Repository) -> None:
    policies = repository.top / "backups" / "policies"
    for ref in ("nothing", "HEAD:backups", "main~7", "a b", "main..main", "$(id)", "deadbeef"):
        error = told(ref, policies)
        assert error.what == f"git knows no commit {ref}"
        assert "-against DIR" in (error.fix or "")
        assert not is_commit(ref, [policies])
    assert is_commit("main", [policies])


@pytest.mark.parametrize("ref", ["", "-x", "--output=/tmp/x", "--all"])
def test_a_ref_that_looks_like_an_option_is_wrong_usage(repository: Repository, ref: str) -> None:
    with pytest.raises(UsageError, match="no git ref"):
        read_at(ref, [repository.top])
    assert not is_commit(ref, [repository.top])


def test_a_shallow_clone_says_how_to_fetch_the_ref(repository: Repository, tmp_path: Path) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.commit()
    clone = tmp_path / "clone"
    repository.git("clone", "-q", "--depth=1", f"file://{repository.top}", str(clone))
    error = told(first, clone / "backups")
    assert "shallow" in (error.why or "")
    assert f"git fetch --depth=1 origin {first}" in (error.fix or "")


def test_a_path_that_was_not_there_is_told_with_a_way_out(repository: Repository) -> None:
    repository.write("new policies/estate.yaml", ESTATE)
    error = told("main", repository.top / "new policies")
    assert error.what == "new policies was not there at main"
    assert "git worktree add" in (error.fix or "")


def test_a_folder_outside_any_repository_is_told(tmp_path: Path) -> None:
    error = told("main", tmp_path)
    assert error.what == "this lies in no work tree of a git repository"
    assert "not a git repository" in (error.why or "")
    assert not is_commit("main", [tmp_path])


def test_paths_in_two_repositories_are_told(repository: Repository, tmp_path: Path) -> None:
    other = Repository(tmp_path / "other")
    other.write("x.yaml", ESTATE)
    other.commit()
    assert "more than one git repository" in told("main", repository.top, other.top).what


def test_a_machine_without_git_is_told(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(repository.top))
    error = told("main", repository.top)
    assert error.what.startswith("git cannot be run")
    assert not is_commit("main", [repository.top])


def test_a_git_that_does_not_answer_is_not_waited_for(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("bin/git", "#!/bin/sh\nexec sleep 60\n")
    (repository.top / "bin" / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{repository.top / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr(git, "PATIENCE", 0.2)
    assert "gave no answer in 0.2 s" in told("main", repository.top).what


def test_objects_that_are_missing_are_told(repository: Repository) -> None:
    repository.write("backups/policies/gold/gold.yml", POLICY.replace("35", "14"))
    commit = repository.commit()
    tree = repository.git("rev-parse", f"{commit}:backups/policies/gold")
    (repository.top / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    error = told("main", repository.top / "backups")
    assert error.what == "git could not read the commit"
    assert error.why


def test_the_repository_of_a_hook_is_not_that_of_the_policies(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.top / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.top))
    assert at("main", repository.top / "backups").documents is not None
