import ssl

import pytest

from gateway.tls.trust import trusting
from gateway.uplinks.http_door import HttpDoor
from kit.clock import SystemClock


def test_without_a_file_the_systems_authorities_count():
    context = trusting(None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("content", [None, "no certificate\n"])
def test_a_file_that_is_missing_or_none_is_named_also_by_the_uplinks_that_use_it(tmp_path, content):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    for opened in (trusting, lambda path: HttpDoor(1000, path, SystemClock())):
        with pytest.raises(OSError, match=r".") as caught:
            opened(file)
        assert caught.value.filename == str(file)
        assert caught.value.strerror
