"""The table of transports."""

import sys

import pytest

from connectors import open_transport
from stream.errors import ConfigError
from tests.support.kafka_transport import kafka_settings


def test_a_transport_that_is_not_installed_is_told_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [each for each in sys.modules if each.startswith("connectors.kafka")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aiokafka", None)
    expected = r"kafka://127\.0\.0\.1:9; needs aiokafka: pip install maskstream\[kafka\]"
    with pytest.raises(ConfigError, match=expected):
        open_transport(kafka_settings("127.0.0.1:9"))
