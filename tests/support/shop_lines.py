"""A few lines of the shop's own log."""

LINES = [
    "shop_api      | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 8.8.8.8 https://shop.example/frozen_fish/",
    "shop_api      | 2018-08-01 03:01:36 [YQ3J8G5B] INFO: 8.8.8.8 https://shop.example/fresh_fish/",
    "shop_api      | 2018-08-01 13:01:37 [YQ3J8G5C] INFO: 8.8.4.4 https://shop.example/frozen_fish/",
    "shop_api      | 2018-08-01 14:01:38 [YQ3J8G5D] INFO: 8.8.4.4 https://shop.example/frozen_fish/",
    "this line is a reject",
]
LOG = "".join(f"{line}\n" for line in LINES)


def one_line(text: str) -> str:
    assert len(text.splitlines()) == 1, text
    return text
