"""What agents tell: browser, system, device, and whether they are bots."""

import time

import pytest

from clients.agents import PARSER, Agent

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "browser", "os", "device"),
    [
        (f"{WINDOWS} Chrome/117.0.0.0 Safari/537.36", "Chrome", "Windows", "desktop"),
        (
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 16_3 like Mac OS X) AppleWebKit/605.1.15 "
                "(KHTML, like Gecko) Version/16.3 Mobile/15E148 Safari/604.1"
            ),
            "Safari",
            "iOS",
            "mobile",
        ),
        (
            (
                "Mozilla/5.0 (iPad; CPU OS 16_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                "CriOS/116.0 Mobile/15E148 Safari/604.1"
            ),
            "Chrome",
            "iOS",
            "tablet",
        ),
        (
            (
                "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/116.0.0.0 Safari/537.36"
            ),
            "Chrome",
            "Android",
            "tablet",
        ),
        (
            (
                "Mozilla/5.0 (Linux; Android 5.1; CUBOT_NOTE_S) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/72.0.3626.121 Mobile Safari/537.36"
            ),
            "Chrome",
            "Android",
            "mobile",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
            "Firefox",
            "Linux",
            "desktop",
        ),
        (
            (
                "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/538.1 (KHTML, like Gecko) "
                "Version/6.0 TV Safari/538.1"
            ),
            "Safari",
            "Tizen",
            "tv",
        ),
        (  # uap-core's last spider fits this, and devices before it
            "Mozilla/5.0 (Linux; U; Android 4.0.3; en-us; KFTT Build/IML74K) Silk/3.4 Mobile Safari/535.19",
            "Amazon Silk",
            "Android",
            "tablet",
        ),
        ("Mozilla/5.0", None, None, None),
        ("agent", None, None, None),
        ("123", None, None, None),
    ],
)
def test_an_agent_of_a_person_tells_browser_system_and_device(
    agent: str, browser: str | None, os: str | None, device: str | None
) -> None:
    assert PARSER.parse_all([agent]) == [Agent(browser, os, device, is_bot=False)]


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "curl/8.5.0",
        "python-requests/2.31",
        "Mozilla/5.0 (X11; Linux x86_64) htdig",  # known to uap-core alone, as the last of its devices
        "Mozilla/5.0 (Linux; Android 9; Spider Build/PPR1) Chrome/80.0 Mobile Safari/537.36",
        "GuzzleHttp/7",  # known to no list: a program that is not a browser
        "Mozilla/5.0 (compatible; NewScanner/1.0; +https://scanner.example/)",  # the same: it names a URL
        f"{WINDOWS} HeadlessChrome/117.0.0.0 Safari/537.36",
    ],
)
def test_a_crawler_or_a_program_is_a_bot(agent: str) -> None:
    [parsed] = PARSER.parse_all([agent])
    assert (parsed.is_bot, parsed.device) == (True, "bot")


def test_no_agent_can_hang_the_parser() -> None:
    agents = [
        "Mozilla/5.0 (" + "; " * 30_000 + ")",
        "a" * 60_000,
        "Mozilla/5.0 (Linux; Android 9; " + "x Build/" * 8_000,
        "1.1" * 20_000,
        "Opera/9 " + "(;" * 30_000,
        "\x00\ufffd" * 1000,
    ]
    start = time.process_time()
    PARSER.parse_all(agents)
    assert time.process_time() - start < 10  # some 5 ms, and what the patterns cost once
