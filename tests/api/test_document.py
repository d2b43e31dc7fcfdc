"""The document of the API: it says what is so, and a stranger who goes by it meets no surprise."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from tests.support.api import running, with_token

TOKEN = "a-token-that-is-long-enough"
EXAMPLES = 8
ROOT = Path(__file__).parents[2]


@pytest.fixture
def token(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text(TOKEN)
    return str(path)


async def test_schemathesis_finds_nothing_that_the_document_does_not_say(
    token: str, tmp_path: Path
) -> None:
    spec = with_token(token).model_copy(update={"queue": 64, "max_bytes": 100_000})
    async with running(spec=spec) as api:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()",
            "run", f"{api.url}/v1/openapi.json", "--max-examples", str(EXAMPLES),
            "--generation-deterministic", "--phases", "coverage,fuzzing", "--no-color",
            "--header", f"Authorization: Bearer {TOKEN}",
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks",
            },
            cwd=tmp_path,  # it keeps what it found in a folder of its own
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        assert "Tested: 3" in said.decode()
        answered = {status: api.answered(status) for status in ("200", "400", "415", "500")}
    assert answered["500"] == 0
    assert min(answered["200"], answered["400"]) > EXAMPLES / 2, answered


async def test_the_document_names_the_labels_of_the_model_and_the_token(token: str) -> None:
    async with running(spec=with_token(token)) as api:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with api.client.get("/v1/openapi.json", headers=headers) as answer:
            document = await answer.json()
        async with api.client.get("/v1/openapi.json") as answer:
            assert answer.status == 401
    parameters = document["paths"]["/v1/segment"]["post"]["parameters"]
    assert parameters[1]["schema"]["items"]["enum"] == ["red", "white"]
    assert document["security"] == [{"token": []}]
    assert "401" in document["paths"]["/v1/cameras"]["get"]["responses"]


async def test_the_page_for_people_says_the_same_and_runs_no_script() -> None:
    async with running() as api:
        async with api.client.get("/v1/openapi.json") as answer:
            document = await answer.json()
            assert "security" not in document
        async with api.client.get("/v1/") as answer:
            page = await answer.text()
            assert answer.content_type == "text/html"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        async with api.client.get("/static/plain.css") as answer:
            assert answer.status == 200
    assert not re.search(r"<script|https?://|style=", page)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert f"{method.upper()} {path}" in page
            assert all(each["name"] in page for each in operation["parameters"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/segment", 405),
        ("POST", "/v1/cameras", 405),
        ("OPTIONS", "/v1/segment", 405),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1", 404),
    ],
)
async def test_what_is_not_there_is_a_problem_too(method: str, path: str, status: int) -> None:
    async with running() as api, api.client.request(method, path) as answer:
        assert (answer.status, answer.content_type) == (status, "application/problem+json")
        assert (await answer.json(content_type=None))["status"] == status
        assert ("Allow" in answer.headers) == (status == 405)


async def test_no_other_site_may_read_what_is_answered() -> None:
    headers = {"Origin": "https://evil.example"}
    async with running() as api:
        for path in ("/v1/cameras", "/v1/openapi.json", "/v1/"):
            async with api.client.get(path, headers=headers) as answer:
                assert answer.status == 403
            async with api.client.get(path) as answer:
                assert not [name for name in answer.headers if name.startswith("Access-Control")]
