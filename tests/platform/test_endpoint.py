import subprocess
import sys
import traceback

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from splus_session._errors import ConfigurationError
from splus_session._secrets import ApiKey
from splus_session.platform import REGIONS, Endpoint
from splus_session.platform._endpoint import wrap_api_key

pytestmark = pytest.mark.requirement("CLIENT-1")


def test_the_default_region_is_singapore() -> None:
    assert Endpoint() == Endpoint.region() == Endpoint.region("sg")
    assert Endpoint().origin == "https://apix.sg.amity.co"


@pytest.mark.parametrize("region", ["sg", "eu", "us"])
def test_each_region_has_its_origin(region: str) -> None:
    assert Endpoint.region(region).origin == f"https://apix.{region}.amity.co" == REGIONS[region]


def test_an_unknown_region_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no region 'mars'; there are sg, eu, us"):
        Endpoint.region("mars")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://social.example.com", "https://social.example.com"),
        ("HTTPS://Social.Example.COM:443/", "https://social.example.com"),
        ("https://social.example.com:8443", "https://social.example.com:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1:80/", "http://127.0.0.1"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
        ("https://[2001:DB8::1]", "https://[2001:db8::1]"),
    ],
)
def test_a_custom_endpoint_is_its_origin_in_one_spelling(url: str, origin: str) -> None:
    assert Endpoint(url).origin == origin
    assert Endpoint(url) == Endpoint(origin)
    assert hash(Endpoint(url)) == hash(Endpoint(origin))
    assert repr(Endpoint(url)) == f"Endpoint({origin!r})"


@pytest.mark.requirement("SECRET-2")
@pytest.mark.parametrize(
    "url",
    [
        "http://social.example.com",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://[2001:db8::1]",
    ],
)
def test_plain_http_beyond_this_machine_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="use https"):
        Endpoint(url)


@pytest.mark.requirement("SECRET-2")
@pytest.mark.parametrize(
    "url",
    [
        "",
        "social.example.com",
        "ftp://social.example.com",
        "https://",
        "https://user:CANARY@social.example.com",
        "https://CANARY@social.example.com",
        "https://social.example.com/CANARY",
        "https://social.example.com?CANARY",
        "https://social.example.com/?CANARY=1",
        "https://social.example.com#CANARY",
        "https://social.example.com\\@CANARY.example.com",
        "https://social.example.com:0",
        "https://social.example.com:65536",
        "https://social.example.com:port",
        "https://social..example.com",
        "https://-social.example.com",
        "https://[::CANARY]",
        "https://[::1",
        "https://[1:2:3]",
        "https://social.example.com\n",
        "https://social.ex\tample.com",
        "https://sociäl.example.com",
    ],
)
def test_what_is_more_or_less_than_an_origin_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Endpoint(url)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in shown.stack if "splus_session" in frame.filename]
    assert ours
    assert "CANARY" not in str(caught.value)
    assert "CANARY" not in str([frame.locals for frame in ours])


@given(
    st.from_regex(r"(?i)https?://([a-z0-9_.-]{1,20}|\[[0-9a-f:.]{2,20}\])(:[0-9]{1,5})?/?", fullmatch=True)
)
def test_every_accepted_url_is_an_origin_to_httpx2_too(url: str) -> None:
    try:
        origin = Endpoint(url).origin
    except ConfigurationError:
        return
    assert Endpoint(origin).origin == origin
    assert httpx2.URL(origin).origin == httpx2.URL(url).origin


@pytest.mark.parametrize("key", ["", " ", "a b", "key\n", "ключ", "k" * 20_000])
@pytest.mark.requirement("SECRET-1")
def test_an_api_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        wrap_api_key(key)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in shown.stack if "splus_session" in frame.filename]
    assert ours
    assert repr(key) not in str([frame.locals for frame in ours])


def test_an_api_key_is_wrapped_once() -> None:
    key = wrap_api_key("the-key")
    assert wrap_api_key(key) is key
    assert key == ApiKey("the-key")
    assert "the-key" not in repr(key)


def test_what_the_package_names_is_to_be_had_without_an_http_library() -> None:
    code = "import sys, splus_session.platform; print(*({'anyio', 'httpx2'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.split() == []
