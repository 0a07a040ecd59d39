"""The normal form of URLs: each page is one text, and what differs stays different."""

import re
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from page_urls import decode_segment, normal_url, text_of_log

PIECES = (
    *("%", "%2", "%d1%8f", "%D1", "%8F", "%2F", "%2e", "%7e", "%00", "%25", "%41", "\\xD1", "\\x8f"),
    *("\\x22", '\\"', "\\\\", "\\", "/", "/", ".", "..", "?", "#", ":", "@", "[", "я", "Я", "a", "Z", "2F"),
    *(" ", '"', "\N{NO-BREAK SPACE}", "\u200b", "\ud800", "\udcff", "\U0010ffff", "http://", "HTTPS://"),
    *("Shop.Example", ":80", ":443", "cart", "&", "=", "+", "~"),
)
urls = st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join))
letters = st.text(st.characters(categories=("L", "Nd")), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"say \x22hi\x22 \x5C \xD1\x8F", 'say "hi" \\ я'),  # nginx
        (r"a\tb\n\"\\t", 'a\tb\n"\\t'),  # Apache
        (r"a\tb \u0001\"\\u0001", 'a\tb \x01"\\u0001'),  # nginx by escape=json
        (r"C:\Shop\x", "C:\\Shop\\x"),
    ],
)
def test_a_text_of_a_log_is_as_the_client_sent_it(written: str, text: str) -> None:
    assert text_of_log(written) == text


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("/fresh_fish/salmon/?a=1&b[]=2#top", "/fresh_fish/salmon/?a=1&b[]=2#top"),
        ("/%D1%80%D1%8B%D0%B1%D0%B0/", "/рыба/"),
        ("/%d1%80%D1%8b%d0%b1%d0%b0/", "/рыба/"),
        (r"/\xD1\x80\xD1\x8B\xD0\xB1\xD0\xB0/", "/рыба/"),
        (r"/\xd1\x80\xd1\x8b\xd0\xb1\xd0\xb0/", "/рыба/"),
        (r"/%D1\x8F/", "/я/"),
        ("/%66resh%5Ffish/%7e%2D", "/fresh_fish/~-"),
        ("/a%2fb%3f%23%26", "/a%2Fb%3F%23%26"),
        ("/?q=%d1%8f%2f+%20", "/?q=я%2F+%20"),
        (r"/a\x22b/a\"b/a%22b", "/a%22b/a%22b/a%22b"),
        (r"/a\x5Cb/a\\b/a\b/a%5cb", "/a%5Cb/a%5Cb/a%5Cb/a%5Cb"),
        (r"/\xFF\xfe/%ff/%D1", "/%FF%FE/%FF/%D1"),
        ("/a b/a%20b/<x>|^", "/a%20b/a%20b/%3Cx%3E%7C%5E"),
        ("/100%/%zz/%25", "/100%25/%25zz/%25"),
        ("/%250A/%0a/%00", "/%250A/%0A/%00"),
        ("/%c2%a0/%e2%80%ae/\u200b", "/%C2%A0/%E2%80%AE/%E2%80%8B"),
        ("/%ed%a0%80/\ud800", "/%ED%A0%80/%ED%A0%80"),
        ("/a/b/../c/./d/..", "/a/c/"),
        ("/%2e%2E/../a/.", "/a/"),
        ("/a//../b", "/a/b"),
        ("/.well-known/..x/...", "/.well-known/..x/..."),
        ("/a?b=/../c#/../d", "/a?b=/../c#/../d"),
        ("//a/..//b", "///b"),
        ("HTTPS://Shop.EXAMPLE:443/A", "https://shop.example/A"),
        ("http://Us%65r@H:80?q", "http://User@h/?q"),
        ("http://h:8080", "http://h:8080/"),
        ("https://[2001:DB8::1]:443/", "https://[2001:db8::1]/"),
        ("https://h%ff.%41/", "https://h%FF.a/"),
        ("", ""),
        ("what?", "what?"),
    ],
)
def test_a_url_has_one_normal_form(url: str, normal: str) -> None:
    assert normal_url(url) == normal


@given(urls)
def test_a_normal_form_is_its_own_and_can_be_stored(url: str) -> None:
    normal = normal_url(url)
    assert normal_url(normal) == normal
    assert normal.encode().decode() == normal  # no lone surrogate
    assert not re.search(r"[\s\x00-\x20\"\\<>^`{|}\x7f-\xa0]", normal)
    assert not re.search(r"%(?![0-9A-F]{2})", normal)


@given(letters, st.sampled_from(("%{:02X}", "%{:02x}", r"\x{:02X}", r"\x{:02x}")))
def test_letters_are_the_same_however_they_are_encoded(name: str, escape: str) -> None:
    encoded = "".join(escape.format(byte) for byte in name.encode())
    assert normal_url(f"/{encoded}/?q={encoded}") == normal_url(f"/{name}/?q={name}")


@given(st.text(st.characters(codec="utf-8")))
def test_a_segment_is_decoded_to_the_name_that_it_encodes(name: str) -> None:
    segment = normal_url(f"/x{quote(name, safe='')}/").split("/")[1]
    assert decode_segment(segment) == f"x{name}"


@given(st.binary(), st.binary())
def test_different_bytes_are_different_pages(one: bytes, other: bytes) -> None:
    first, second = (normal_url("/?" + "".join(f"%{byte:02x}" for byte in data)) for data in (one, other))
    assert (first == second) == (one == other)
    assert unquote_to_bytes(first.removeprefix("/?")) == one


def test_a_name_keeps_bytes_that_are_no_utf_8_encoded() -> None:
    assert decode_segment("a%FF%2Fb%20я") == "a%FF/b я"
