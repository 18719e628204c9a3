"""The pin file: what is right is read, what is wrong is refused with key, line, found and expected."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from ragbed.errors import ExitCode, PinFileError
from ragbed.pins import load_stack_pins, stack_file_path

CHECKOUT = Path(__file__).resolve().parents[3]
GOOD = (CHECKOUT / "stack.toml").read_text(encoding="utf-8")


def pin_file(tmp_path: Path, old: str, new: str) -> Path:
    """Write the checkout's pin file with one change; the change must apply."""
    assert old in GOOD
    path = tmp_path / "stack.toml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    return path


def refused(path: Path) -> str:
    """Return the first line of the refusal."""
    with pytest.raises(PinFileError) as caught:
        load_stack_pins(path)
    return caught.value.message


def line_of(path: Path, text: str) -> int:
    """Return the number of the first line that contains the text."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_the_checkouts_own_file_is_right() -> None:
    """All four services are pinned."""
    assert list(load_stack_pins().services) == ["postgres", "redis", "qdrant", "ollama"]


@pytest.mark.parametrize(
    ("old", "new", "key", "found", "expected"),
    [
        pytest.param(
            "port = 5432",
            'port = "5432"',
            "services.postgres.port",
            "'5432'",
            "valid integer",
            id="port-text",
        ),
        pytest.param(
            "port = 5432", "port = true", "services.postgres.port", "True", "valid integer", id="port-bool"
        ),
        pytest.param(
            "port = 5432",
            "port = 0",
            "services.postgres.port",
            "0",
            "greater than or equal to 1",
            id="port-0",
        ),
        pytest.param(
            "port = 5432", "port = 65536", "services.postgres.port", "65536", "equal to 65535", id="port-high"
        ),
        pytest.param("schema = 1", "schema = 2", "schema", "2", "1", id="schema"),
        pytest.param(
            "ready_timeout_s = 30.0",
            'ready_timeout_s = "30"',
            "services.postgres.ready_timeout_s",
            "'30'",
            "valid number",
            id="timeout-text",
        ),
        pytest.param(
            "ready_timeout_s = 30.0",
            "ready_timeout_s = 0",
            "services.postgres.ready_timeout_s",
            "0",
            "greater than 0",
            id="timeout-0",
        ),
        pytest.param(
            "ready_timeout_s = 30.0",
            "ready_timeout_s = inf",
            "services.postgres.ready_timeout_s",
            "inf",
            "finite number",
            id="timeout-inf",
        ),
        pytest.param(
            "memory_mb = 512",
            "memory_mb = 1",
            "services.postgres.limits.memory_mb",
            "1",
            "equal to 16",
            id="memory",
        ),
        pytest.param(
            'postgres = ">=17,<19"',
            'postgres = "17 to 19"',
            "services.postgres.accept.postgres",
            "'17 to 19'",
            "a version range such as '>=18,<19'",
            id="range",
        ),
        pytest.param(
            'postgres = ">=17,<19"',
            'postgres = ""',
            "services.postgres.accept.postgres",
            "''",
            "an empty one would accept every version",
            id="range-empty",
        ),
        pytest.param(
            'postgres = ">=17,<19"',
            'postgress = ">=17,<19"',
            "services.postgres.accept.postgress",
            "'postgress'",
            "one of postgres, redis",
            id="product-unknown",
        ),
        pytest.param(
            'accept = { postgres = ">=17,<19" }',
            "accept = {}",
            "services.postgres.accept",
            "{}",
            "at least one product",
            id="no-product",
        ),
        pytest.param(
            'accept = { postgres = ">=17,<19" }',
            'accept = ">=17"',
            "services.postgres.accept",
            "'>=17'",
            "valid dictionary",
            id="accept-text",
        ),
        pytest.param(
            'version = "18.4"',
            'version = "18.x"',
            "services.postgres.channels.nix.version",
            "'18.x'",
            "one exact version",
            id="version-not-exact",
        ),
        pytest.param(
            'version = "18.4"',
            'version = "latest"',
            "services.postgres.channels.nix.version",
            "'latest'",
            "one exact version",
            id="version-word",
        ),
        pytest.param(
            'version = "18.4"',
            "version = 18.4",
            "services.postgres.channels.nix.version",
            "18.4",
            "valid string",
            id="version-number",
        ),
        pytest.param(
            'version = "18.4"',
            'version = "16.1"',
            "services.postgres.channels.nix.version",
            "'16.1'",
            "a version in postgres >=17,<19",
            id="version-outside-its-range",
        ),
        pytest.param(
            "sha256:9d9c930220cb",
            "sha256:XYZc930220cb",
            "services.postgres.channels.image.digest",
            "'sha256:XYZc930220cb",
            "a digest, sha256: and 64 hexadecimal digits",
            id="digest",
        ),
        pytest.param(
            "h1:CBZ0ffE",
            "h1:",
            "services.ollama.channels.go.sum",
            "'h1:+cxMWRWau5yD5v",
            "a sum as in a go.sum, h1: and 44 signs of base64",
            id="go-sum",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_key_line_found_and_expected(
    tmp_path: Path, *, old: str, new: str, key: str, found: str, expected: str
) -> None:
    """Each kind of wrong value names where it stands, what it is and what it should be."""
    path = pin_file(tmp_path, old, new)

    message = refused(path)

    assert f"{key} (line {line_of(path, new.splitlines()[0])}): found {found}" in message
    assert expected in message.partition("expected ")[2]


@pytest.mark.parametrize(
    ("old", "new", "at", "said"),
    [
        pytest.param(
            "[services.redis]\nport = 6379\n",
            "[services.redis] # the cache\n",
            "[services.redis]",
            "services.redis.port (line {}): found nothing, expected a value",
            id="missing-key",
        ),
        pytest.param(
            "[services.redis]\n",
            "[services.redis]\nprot = 3\n",
            "prot =",
            "services.redis.prot (line {}): found an unknown key, expected none of that name",
            id="unknown-key",
        ),
        pytest.param(
            "[services.redis]\n",
            '[services.redis]\n"prot" = 3\n',
            '"prot" =',
            "services.redis.prot (line {}): found an unknown key",
            id="unknown-quoted-key",
        ),
        pytest.param("schema = 1\n", "", "", "schema: found nothing, expected a value", id="missing-schema"),
        pytest.param(
            'attribute = "redis", ',
            "",
            'nix = { version = "8',
            "services.redis.channels.nix.attribute (line {})",
            id="inline-table",
        ),
    ],
)
def test_a_missing_or_unknown_key_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, at: str, said: str
) -> None:
    """A missing key names the line of its table, an unknown one its own."""
    path = pin_file(tmp_path, old, new)

    assert said.format(line_of(path, at)) in refused(path)


def test_a_misspelt_table_names_both_what_lacks_and_what_is_too_much(tmp_path: Path) -> None:
    """The first problem is the message, the others are the details."""
    path = pin_file(tmp_path, "[services.ollama.channels]", "[services.ollama.chanels]")

    with pytest.raises(PinFileError) as caught:
        load_stack_pins(path)

    assert "services.ollama.channels" in caught.value.message
    assert "services.ollama.chanels" in caught.value.details[0]


def test_a_file_that_is_not_toml_is_refused_with_the_line(tmp_path: Path) -> None:
    """A syntax error names file and line."""
    path = pin_file(tmp_path, "port = 5432", "port = = 5432")

    message = refused(path)

    assert str(path) in message
    assert f"at line {line_of(path, 'port = =')}" in message


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A file that is not UTF-8 is not TOML."""
    path = tmp_path / "stack.toml"
    path.write_bytes(b"schema = \xff\xfe")

    assert "is not TOML" in refused(path)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    """The path is in the message."""
    assert f"cannot read the pin file {tmp_path}/none.toml" in refused(tmp_path / "none.toml")


def test_ragbed_root_names_the_pin_file_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout's pin file wins over the package's."""
    path = pin_file(tmp_path, "port = 5432", "port = 15432")
    monkeypatch.setenv("RAGBED_ROOT", str(tmp_path))

    assert stack_file_path() == path
    assert load_stack_pins()["postgres"].port == 15432


@pytest.mark.parametrize(
    ("service", "product", "version", "accepted"),
    [
        pytest.param("redis", "redis", "7.2.4", True, id="redis-in-range"),
        pytest.param("redis", "valkey", "7.2.4", False, id="valkey-has-its-own-range"),
        pytest.param("redis", "valkey", "9.1.2", True, id="valkey-in-range"),
        pytest.param("redis", "redis", "9.1.2", False, id="redis-is-not-valkey"),
        pytest.param("redis", "keydb", "8.0.0", False, id="a-product-without-range"),
        pytest.param("postgres", "postgres", "18beta1", True, id="a-beta-between-the-bounds"),
        pytest.param("postgres", "postgres", "19devel", False, id="a-development-build-of-the-next-major"),
        pytest.param("qdrant", "embedded-qdrant", "1.20.1-dev", True, id="embedded"),
        pytest.param("postgres", "postgres", "", False, id="no-version"),
    ],
)
def test_ranges_are_per_product(service: str, product: str, version: str, accepted: bool) -> None:
    """A product is held against its own range, and none other."""
    assert load_stack_pins()[service].accepts(product, version) is accepted


def ragbed_pins(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `ragbed pins` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "ragbed", "pins", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )


def test_ragbed_pins_json_is_the_file_in_force() -> None:
    """The JSON holds every service with what was read from the file."""
    shown = json.loads(ragbed_pins("--json").stdout)

    assert shown == {name: asdict(service) for name, service in load_stack_pins().services.items()}


def test_ragbed_pins_shows_each_channel_and_the_file() -> None:
    """The table has a row per way to get a service, and says where it was read."""
    shown = ragbed_pins().stdout

    assert "\twheel\t18.6\t" in shown
    assert f"from {stack_file_path()}" in shown


def test_ragbed_pins_file_judges_another_file(tmp_path: Path) -> None:
    """A wrong file given by --file exits 2, with the key on the first line and nothing on stdout."""
    path = pin_file(tmp_path, "port = 5432", "port = 0")

    answer = ragbed_pins("--file", str(path))

    assert (answer.returncode, answer.stdout) == (ExitCode.USAGE, "")
    assert answer.stderr.startswith(f"ragbed: {path} is wrong: services.postgres.port (line 6)")
