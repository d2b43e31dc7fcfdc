"""What schemathesis needs to know to make good requests: how a picture looks.

Loaded by its command (``SCHEMATHESIS_HOOKS``).
"""

import base64

import schemathesis
from hypothesis import strategies as st

from tests.support.build import picture
from tests.support.encoded import jpeg, png

_boxes = st.tuples(
    st.integers(0, 20), st.integers(0, 20), st.integers(21, 64), st.integers(21, 48)
).map(picture)
_pngs = _boxes.map(png)

schemathesis.openapi.media_type("image/png", _pngs)
schemathesis.openapi.media_type("image/jpeg", _boxes.map(jpeg))
schemathesis.openapi.format("picture", _pngs.map(lambda body: base64.b64encode(body).decode()))
