"""What a user agent tells: browser, operating system, kind of device, and whether a person is behind it.

Browsers and systems are those of the uap-core project, by its patterns as ua-parser-rs runs them. A bot is
what these call a spider, what the list of crawler-user-agents knows, what names a URL, as crawlers are asked
to, or a program with its version that is not a browser. All patterns run in linear time, and read a text of
bounded length.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ua_parser.regex import Resolver

DESKTOP, MOBILE, TABLET, TV, BOT = "desktop", "mobile", "tablet", "tv", "bot"
READ_CHARACTERS = 1024  # of an agent; the longest of browsers have some 400
SPIDER = "Spider"
BROWSER_BEGINS = ("Mozilla/", "Opera/")
# The same browser has a name for each kind of device in uap-core; here the device says that.
BROWSERS = {
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chrome Mobile WebView": "Chrome",
    "DuckDuckGo Mobile": "DuckDuckGo",
    "Edge Mobile": "Edge",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "IE Mobile": "IE",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "Safari",
    "Opera Mobile": "Opera",
    "Opera Touch": "Opera",
}
HAND_HELD = {
    "iOS",
    "Android",
    "Windows Phone",
    "BlackBerry OS",
    "Symbian OS",
    "KaiOS",
    "Windows Mobile",
    "Tizen",
}
PROGRAM = re.compile(r"[A-Za-z][^/()]*/v?\d")  # such as GuzzleHttp/7
URL = re.compile(r"https?://", re.IGNORECASE)
TELEVISION = re.compile(
    r"\bTV\b|SMART-?TV|GoogleTV|AppleTV|HbbTV|Web0S|BRAVIA|\bAFT[A-Z]|Roku|CrKey|PlayStation|Xbox|Nintendo"
)
A_TABLET = re.compile(r"iPad|Tablet(?! PC)|PlayBook|Kindle|Silk/")
A_PHONE = re.compile(r"Mobi|Phone|iPod|MIDP|Opera Mini|Symbian|BlackBerry|\bBB10\b|webOS|Nokia|J2ME|UCWEB")


@dataclass(frozen=True, slots=True)
class Agent:
    """What an agent tells; None where it tells nothing."""

    browser: str | None
    os: str | None
    device: str | None
    is_bot: bool


class Patterns:
    """The patterns of both projects, compiled: some 0.1 s, and 30 MB that a process needs but once.

    Half of uap-core's patterns are of devices. They are compiled where an agent needs them.
    """

    def __init__(self) -> None:
        # A worker that meets no new agent needs none of them.
        import re2
        from crawleruseragents import CRAWLER_USER_AGENTS_DATA
        from ua_parser import Domain
        from ua_parser.loaders import load_lazy_builtins
        from ua_parser.regex import Resolver

        browsers, systems, self._devices = load_lazy_builtins()
        family = attrgetter("family")  # of lazy matchers, as Resolver takes it
        spiders = [device for device in self._devices if family(device) == SPIDER]
        self._make_resolver, self._domains = Resolver, Domain
        self._resolver = Resolver((browsers, systems, spiders))
        crawlers = re2.Set.SearchSet()
        for entry in CRAWLER_USER_AGENTS_DATA:
            crawlers.Add(entry["pattern"])
        crawlers.Compile()
        self._match_crawlers: Callable[[str], Sequence[int]] = crawlers.Match

    def parse(self, agent: str) -> Agent:
        """Return what an agent tells."""
        agent = agent[:READ_CHARACTERS]
        result = self._resolver(agent, self._domains.ALL)
        browser = None if result.user_agent is None else result.user_agent.family
        os = None if result.os is None else result.os.family
        is_bot = (
            bool(self._match_crawlers(agent))
            or URL.search(agent) is not None
            or (browser is None and os is None and is_program(agent))
            or ((result.device is not None or SPIDER in agent) and self._is_spider(agent))
        )
        return Agent(
            browser and BROWSERS.get(browser, browser), os, BOT if is_bot else device_of(agent, os), is_bot
        )

    def _is_spider(self, agent: str) -> bool:
        """Return whether a spider is the first of all devices whose pattern fits."""
        device = self._all_devices(agent, self._domains.DEVICE).device
        return device is not None and device.family == SPIDER

    @cached_property
    def _all_devices(self) -> "Resolver":
        return self._make_resolver(([], [], self._devices))


def is_program(agent: str) -> bool:
    """Return whether an agent that no list knows is that of a program, and not a word or an odd browser."""
    return not agent.startswith(BROWSER_BEGINS) and PROGRAM.match(agent) is not None


def device_of(agent: str, os: str | None) -> str | None:
    """Return the kind of device of a person's agent; None if nothing tells it."""
    if TELEVISION.search(agent):
        return TV
    is_phone = A_PHONE.search(agent) is not None
    if A_TABLET.search(agent) or (os == "Android" and not is_phone):  # as Google asks makers of tablets
        return TABLET
    if is_phone or os in HAND_HELD:
        return MOBILE
    return None if os is None else DESKTOP


class AgentParser:
    """Parses agents. The patterns are loaded with the first one: call it in a thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._patterns: Patterns | None = None

    def parse_all(self, agents: Sequence[str]) -> list[Agent]:
        """Return what each agent tells."""
        with self._lock:
            if self._patterns is None:
                self._patterns = Patterns()
        return [self._patterns.parse(agent) for agent in agents]


PARSER = AgentParser()
