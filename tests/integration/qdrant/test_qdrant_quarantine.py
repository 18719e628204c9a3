"""Only damage sends a collection to quarantine; what is there is named, and comes back."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import jsonschema
import pytest
from qdrant_server import command, serving, until

from small_disk import MOUNTABLE, resize, small_disk

__all__ = ["small_disk"]

DOT = {"vectors": {"size": 2, "distance": "Dot"}}
SCHEMA = Path(__file__).parents[3] / "docs" / "quarantine.schema.json"


def fill(url: str, *names: str) -> None:
    """Create collections with ten points each."""
    points = [{"id": number, "vector": [1, number], "payload": {"n": number}} for number in range(10)]
    for name in names:
        httpx.put(f"{url}/collections/{name}", json=DOT).raise_for_status()
        httpx.put(f"{url}/collections/{name}/points?wait=true", json={"points": points}).raise_for_status()


def count(url: str, name: str) -> httpx.Response:
    """Count a collection's points."""
    return httpx.post(f"{url}/collections/{name}/points/count", json={}, timeout=60)


def folder_of(data: Path, name: str) -> Path:
    """Return a collection's folder, wherever it is."""
    marks = data.glob("*/*/collection.json")
    return next(mark.parent for mark in marks if json.loads(mark.read_bytes())["name"] == name)


def segment_of(data: Path, name: str) -> Path:
    """Return the description of a collection's first segment."""
    return next(folder_of(data, name).glob("shard/segments/*/segment.json"))


def quarantine(*words: str) -> subprocess.CompletedProcess[str]:
    """Run `ragbed qdrant quarantine`."""
    run = [sys.executable, "-m", "ragbed", "qdrant", "quarantine", *words]
    return subprocess.run(run, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def damaged(made: tuple[Path, bytes], tmp_path: Path) -> tuple[Path, bytes]:
    """A data folder with `good` and `bad`, which a server has set aside, and the part that `bad` lacks."""
    return shutil.copytree(made[0], tmp_path / "data"), made[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """The same, once for all tests."""
    data = tmp_path_factory.mktemp("damaged") / "data"
    with serving(data) as server:
        fill(server.url, "good", "bad")
        alias = {"create_alias": {"alias_name": "other", "collection_name": "bad"}}
        httpx.post(f"{server.url}/collections/aliases", json={"actions": [alias]}).raise_for_status()
    part = segment_of(data, "bad").read_bytes()
    segment_of(data, "bad").write_text("{")
    with serving(data) as server:
        assert count(server.url, "bad").status_code >= 400
    return data, part


def test_the_404_and_the_start_name_what_is_in_quarantine(damaged: tuple[Path, bytes]) -> None:
    """And how it comes back; by its alias too."""
    data, _ = damaged
    with serving(data) as server:
        for name in ("bad", "other"):
            answer = count(server.url, name)
            told = answer.json()["status"]["error"]
            assert (answer.status_code, f"Collection `{name}` doesn't exist!" in told) == (404, True)
            assert f"ragbed qdrant quarantine restore bad --data {data}" in told
        assert "quarantine" not in count(server.url, "never").text
    assert "1 collection is in quarantine as damaged (`bad`)" in data.with_name("data.log").read_text()


def test_what_is_in_quarantine_is_listed(damaged: tuple[Path, bytes]) -> None:
    """Name, time, reason and size; as JSON by its schema."""
    data, _ = damaged

    listed = quarantine("list", "--data", str(data))
    report = json.loads(quarantine("list", "--data", str(data), "--json").stdout)

    assert listed.returncode == 0
    assert "bad" in listed.stdout
    jsonschema.validate(report, json.loads(SCHEMA.read_bytes()))
    (entry,) = report["collections"]
    assert (entry["name"], entry["aliases"]) == ("bad", ["other"])
    assert entry["size_bytes"] > 0
    assert entry["why"]


def test_an_empty_quarantine_says_so(tmp_path: Path) -> None:
    """Also where there is no data folder yet."""
    assert "no collection" in quarantine("list", "--data", str(tmp_path / "none")).stdout


def test_what_is_still_damaged_stays_in_quarantine(damaged: tuple[Path, bytes]) -> None:
    """Exit code 1, and why."""
    data, _ = damaged

    refused = quarantine("restore", "bad", "--data", str(data))

    assert (refused.returncode, "is still damaged" in refused.stderr) == (1, True)
    assert folder_of(data, "bad").parent.name == "damaged"


@pytest.mark.parametrize("running", [True, False], ids=["server runs", "server stopped"])
def test_a_repaired_collection_comes_back(damaged: tuple[Path, bytes], *, running: bool) -> None:
    """With its points and aliases, and without a restart where the server runs."""
    data, part = damaged
    segment_of(data, "bad").write_bytes(part)

    def restored() -> int:
        done = quarantine("restore", "bad", "--data", str(data))
        assert (done.returncode, "restored bad" in done.stdout) == (0, True), done.stderr
        return 0

    if not running:
        restored()
    with serving(data) as server:
        if running:
            assert count(server.url, "bad").status_code == 404
            restored()
        assert count(server.url, "bad").json()["result"] == {"count": 10}
        assert count(server.url, "other").json()["result"] == {"count": 10}
        names = httpx.get(f"{server.url}/collections").json()["result"]["collections"]
        assert [found["name"] for found in names] == ["bad", "good"]
    assert json.loads(quarantine("list", "--data", str(data), "--json").stdout)["collections"] == []


def test_a_name_that_is_taken_is_refused_unless_another_is_given(damaged: tuple[Path, bytes]) -> None:
    """The collection that has it is left alone."""
    data, part = damaged
    segment_of(data, "bad").write_bytes(part)
    with serving(data) as server:
        httpx.put(f"{server.url}/collections/bad", json=DOT).raise_for_status()

        refused = quarantine("restore", "bad", "--data", str(data))
        done = quarantine("restore", "bad", "--data", str(data), "--as", "bad-2")

        assert (refused.returncode, "--as bad-restored" in refused.stderr) == (2, True)
        assert done.returncode == 0
        assert count(server.url, "bad").json()["result"] == {"count": 0}
        assert count(server.url, "bad-2").json()["result"] == {"count": 10}


def test_a_name_that_is_not_in_quarantine_is_wrong_usage(damaged: tuple[Path, bytes]) -> None:
    """What is there is named."""
    refused = quarantine("restore", "none", "--data", str(damaged[0]))

    assert (refused.returncode, "in quarantine is: bad" in refused.stderr) == (2, True)


def test_want_of_memory_is_not_damage(tmp_path: Path) -> None:
    """503, which says so; every collection is where it was, and opens without the limit."""
    data, names = tmp_path / "data", [f"c{number}" for number in range(6)]
    with serving(data) as server:
        fill(server.url, *names)
    limit_mb = 500
    answers: list[httpx.Response] = []
    while not any(answer.status_code == 200 for answer in answers) and limit_mb < 1500:
        answers += _under(resource.RLIMIT_AS, limit_mb << 20, data, names)
        limit_mb += 100

    wanting = [answer for answer in answers if answer.status_code != 200]
    assert {answer.status_code for answer in wanting} <= {503}
    assert all(answer.text.count("want of") == 1 for answer in wanting)
    with serving(data) as server:
        assert [count(server.url, name).json()["result"]["count"] for name in names] == [10] * 6


def _under(limit: int, most: int, data: Path, names: list[str]) -> list[httpx.Response]:
    """Count every collection's points on a server under a limit of the system; none where it does not start."""
    script = "import resource, sys, runpy; which, most = map(int, sys.argv[1:3]); "
    script += "resource.setrlimit(which, (most, most)); sys.argv[1:] = sys.argv[3:]; "
    script += "runpy.run_module('ragbed.qdrant', run_name='__main__')"
    run = [sys.executable, "-P", "-s", "-c", script, str(limit), str(most), *command(data)[5:]]
    with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            return [count(line.split()[-1], name) for name in names] if line else []
        except httpx.TransportError:
            return []  # the engine ends the process where it cannot go on
        finally:
            process.terminate()


@MOUNTABLE
def test_a_disk_that_became_read_only_is_not_damage(small_disk: Path) -> None:
    """503 while it is, and the same points once it can be written again, on the same server."""
    resize(small_disk, 400 * 1024)
    data = small_disk / "data"
    with serving(data) as server:
        fill(server.url, "a", "b")
    store = str(data / "collections")
    with serving(data) as server:
        subprocess.run(["mount", "--bind", store, store], check=True)
        subprocess.run(["mount", "-o", "remount,ro,bind", store], check=True)
        answers = [count(server.url, name) for name in ("a", "b", "a")]
        created = httpx.put(f"{server.url}/collections/c", json=DOT)
        subprocess.run(["umount", "-l", store], check=True)

        assert {answer.status_code for answer in [*answers, created]} == {503}
        assert all("read-only" in answer.text for answer in [*answers, created])
        assert [count(server.url, name).json()["result"] for name in ("a", "b")] == [{"count": 10}] * 2
        assert not (data / "damaged").exists()


def test_a_mark_that_cannot_be_read_now_is_not_damage(tmp_path: Path) -> None:
    """The collection is named as unreadable, not as missing, and its name is not given to another."""
    data = tmp_path / "data"
    with serving(data) as server:
        fill(server.url, "a", "b")
        alias = {"create_alias": {"alias_name": "other", "collection_name": "a"}}
        httpx.post(f"{server.url}/collections/aliases", json={"actions": [alias]}).raise_for_status()
    mark = folder_of(data, "a") / "collection.json"
    away = mark.with_name("away")
    mark.rename(away)
    mark.symlink_to(mark.name)  # a loop: root too cannot read it

    with serving(data) as server:
        assert count(server.url, "b").status_code == 200
        assert count(server.url, "a").status_code == 503
        assert httpx.put(f"{server.url}/collections/a", json=DOT).status_code == 503
        mark.unlink()
        away.rename(mark)

        assert count(server.url, "a").json()["result"] == {"count": 10}
        assert count(server.url, "other").json()["result"] == {"count": 10}
    assert not (data / "damaged").exists()


def test_a_collection_copied_beside_itself_is_set_aside(damaged: tuple[Path, bytes]) -> None:
    """Of two with one name, the one that is there stays; the other is in quarantine, and says why."""
    data, _ = damaged
    with serving(data) as server:
        shutil.copytree(folder_of(data, "good"), data / "collections" / "zz")
        httpx.get(f"{server.url}/collections").raise_for_status()

        assert count(server.url, "good").json()["result"] == {"count": 10}
    assert until(lambda: "exists already" in quarantine("list", "--data", str(data)).stdout, within_s=5)
