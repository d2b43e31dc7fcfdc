"""The section ``web``: who may be served, and with what token."""

from pathlib import Path

import pytest

from stream.config import Settings, bearer_token, check_text, parse
from stream.errors import ConfigError

TOKEN = "a-token-that-is-long-enough"
HEAD = "model: {weights: yolo.pt}\ncameras: [{id: hall, url: a.mp4}]\n"


def settings(web: str, token: str = TOKEN) -> Settings:
    return parse(f"{HEAD}web: {web}\n", "/srv/c.yaml", env={"TOKEN": token})


def faults(web: str, token: str = TOKEN) -> str:
    with pytest.raises(ConfigError) as error:
        settings(web, token)
    return str(error.value)


def test_without_a_word_it_is_served_on_loopback_and_to_nobody_else() -> None:
    web = settings("{}").web
    assert web is not None
    assert (web.host, web.port, web.token, web.segment) == ("127.0.0.1", 8080, None, False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_loopback_takes_no_token(host: str) -> None:
    assert settings(f"{{host: '{host}'}}").web is not None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "masks.example"])
def test_an_address_that_others_reach_takes_one(host: str) -> None:
    assert f'c.yaml:3: web.host: given "{host}"' in faults(f"{{host: '{host}'}}")
    assert settings(f"{{host: '{host}', token: {{env: TOKEN}}}}").web is not None


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("short", "given 5 characters; allowed: at least 24 letters, digits and -._~+/="),
        ("with a space and long enough", "holds what no header takes; allowed: at least 24"),
        ("ünïcode-and-long-enough-too", "holds what no header takes"),
    ],
)
def test_a_weak_token_is_refused_and_not_shown(token: str, said: str) -> None:
    told = faults("{token: {env: TOKEN}}", token)
    assert f"web.token: {said}" in told
    assert token not in told.replace("characters", "")


def test_a_token_that_is_not_there_is_told_at_the_start_and_by_check() -> None:
    assert "web.token: environment variable NONE is not set" in faults("{token: {env: NONE}}")


def test_a_token_in_a_file_ends_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    source = settings(f"{{token: {{file: {tmp_path}/token}}}}").web
    assert source is not None
    assert source.token is not None
    assert bearer_token(source.token, {}).get_secret_value() == TOKEN


@pytest.mark.parametrize("name", ["masks.example:8080", "https://masks.example", "Masks.Example"])
def test_a_name_is_a_name_alone(name: str) -> None:
    assert "allowed: a host's name or address in lower case" in faults(f"{{hosts: ['{name}']}}")


def test_a_printed_configuration_names_where_the_token_is() -> None:
    printed = check_text(settings("{token: {env: TOKEN}}"))
    assert "TOKEN" in printed
    assert TOKEN not in printed
