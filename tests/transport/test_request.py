import pytest

from transport.request import parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1:8080 ", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[2001:DB8::1]:443", "2001:db8::1"),
        ("2001:db8:0:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", None),
        ("unknown", None),
        ("_hidden", None),
        ("192.0.2.1, 192.0.2.2", None),
        ("192.0.2.256", None),
        ("\udcff", None),
        ("1" * 5000, None),
    ],
)
def test_an_address_has_one_form(text: str, address: str | None) -> None:
    assert parse_address(text) == address
