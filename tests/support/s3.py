"""A service on loopback that speaks S3, with a bucket and one user who may use it."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any
from urllib.request import Request, urlopen

from tests.support.required import require

REGION = "us-east-1"
BUCKET = "evidence"
POLICY = """{"Version": "2012-10-17",
"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"""


def require_s3() -> None:
    """Skip, or fail where ``MASKSTREAM_REQUIRE`` names it, without what a bucket needs."""
    packages = ("s3fs", "moto", "flask_cors")
    require("s3", all(map(find_spec, packages)), "no S3: pip install maskstream[s3,dev]")


@dataclass
class Bucket:
    """Where it is, and who may use it. Signatures are checked."""

    url: str
    key: str
    secret: str
    away: Callable[[], None]

    def names(self) -> list[str]:
        """What lies in the bucket."""
        found = self._client().list_objects_v2(Bucket=BUCKET)
        return [each["Key"] for each in found.get("Contents", ())]

    def content(self, name: str) -> bytes:
        """What lies there under ``name``."""
        body: bytes = self._client().get_object(Bucket=BUCKET, Key=name)["Body"].read()
        return body

    def _client(self) -> Any:
        return _client("s3", self.url, self.key, self.secret)


@contextmanager
def bucket() -> Iterator[Bucket]:
    """An empty bucket. Its service is gone on leaving, or before, with ``away``."""
    require_s3()
    with _service() as (url, away):
        _tell(url, "reset-auth", "inf")
        _client("s3", url, "anyone", "anything").create_bucket(Bucket=BUCKET)
        users = _client("iam", url, "anyone", "anything")
        users.create_user(UserName="notify")
        users.put_user_policy(UserName="notify", PolicyName="all", PolicyDocument=POLICY)
        key = users.create_access_key(UserName="notify")["AccessKey"]
        _tell(url, "reset-auth", "0")  # from now on it looks who asks
        yield Bucket(url, key["AccessKeyId"], key["SecretAccessKey"], away)


@contextmanager
def _service() -> Iterator[tuple[str, Callable[[], None]]]:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"

    def away() -> None:
        server.shutdown()
        thread.join()
        server.server_close()

    try:
        _tell(url, "reset", "")
        yield url, away
    finally:
        away()


def _client(service: str, url: str, key: str, secret: str) -> Any:
    import boto3

    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )


def _tell(url: str, what: str, value: str) -> None:
    plain = {"content-type": "text/plain"}
    with urlopen(Request(f"{url}/moto-api/{what}", value.encode(), plain)):
        pass
