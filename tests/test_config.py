"""Settings: where they come from, what they take, and the message about a wrong one."""

import os
import re
from pathlib import Path

import pytest

from config import SettingsError, SettingsSchema, read_settings
from config.unknown_names import OF_COMPOSE, unknown_names
from tests.support.command_line import PROJECT
from tests.support.settings import read, refusal

SECRET = "0123456789abcdef0123456789abcdef"


def test_nothing_set_gives_the_documented_defaults() -> None:
    settings = read()
    assert (settings.host, settings.port, settings.debug) == ("127.0.0.1", 8000, False)
    assert settings.workers == len(os.sched_getaffinity(0))
    assert settings.data_dir == Path("var").absolute()
    assert (settings.database_url, settings.database_replica_url, settings.redis_url) == (None, None, None)
    assert (settings.secret, settings.jwt_algorithm, settings.access_token_expire_minutes) == (
        None,
        "HS256",
        30,
    )
    assert (settings.registration, settings.admin_login, settings.admin_password) == ("open", None, None)
    assert (settings.rate_limit_per_minute, settings.ingest_rate_limit_per_minute) == (100, 1000)
    assert (settings.keys_max, settings.tasks_max, settings.favourites_max) == (50, 10_000, 10_000)
    assert settings.streams_max == 20
    assert (settings.logs_file, settings.logs_dir) == (Path("logs.txt"), None)
    assert (settings.logs_timezone, settings.log_level, settings.log_format) == ("UTC", "INFO", None)
    assert settings.retention_days is None
    assert (settings.cors_origins, settings.proxies_count, settings.real_ip_header) == ((), 0, None)


@pytest.mark.parametrize("name", ["PORT", "port", "Port", "pOrT"])
def test_names_are_taken_in_any_letter_case(name: str) -> None:
    assert read(**{name: "8123", "SUPPORT": "1"}).port == 8123


@pytest.mark.parametrize(
    ("alias", "field", "value"),
    [
        ("POSTGRES_URL", "database_url", "postgresql://a@b/c"),
        ("SECRET_KEY", "secret", SECRET),
        ("jwt_secret_key", "secret", SECRET),
        ("ALGORITHM", "jwt_algorithm", "HS512"),
        ("JWT_ACCESS_TOKEN_EXPIRE_MINUTES", "access_token_expire_minutes", "7"),
    ],
)
def test_aliases_set_what_they_stand_for(alias: str, field: str, value: str) -> None:
    assert str(getattr(read(**{alias: value}), field)) == value


def test_the_name_itself_goes_before_its_alias() -> None:
    assert read(ALGORITHM="HS512", JWT_ALGORITHM="HS384").jwt_algorithm == "HS384"


@pytest.mark.parametrize(
    ("name", "value", "field", "read_as"),
    [
        ("JWT_ALGORITHM", "hs384", "jwt_algorithm", "HS384"),
        ("LOG_LEVEL", "warning", "log_level", "WARNING"),
        ("REGISTRATION", "CLOSED", "registration", "closed"),
        ("LOG_FORMAT", "Console", "log_format", "console"),
        ("DEBUG", "TRUE", "debug", True),
        ("WORKERS", " 3 ", "workers", 3),
        (
            "CORS_ORIGINS",
            "https://a.example, http://b:81,",
            "cors_origins",
            ("https://a.example", "http://b:81"),
        ),
    ],
)
def test_values_are_taken_as_people_write_them(name: str, value: str, field: str, read_as: object) -> None:
    assert getattr(read(**{name: value}), field) == read_as


def test_what_is_empty_is_not_set(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("PORT=8111\nHOST=\n")
    settings = read_settings({"PORT": "", "WORKERS": "  "}, dotenv)
    assert (settings.port, settings.host) == (8111, "127.0.0.1")
    assert settings.workers == read().workers


def test_the_environment_goes_before_the_file_also_under_an_alias(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("# a comment\nexport port=8111\nHOST='10.0.0.1'\nJWT_ALGORITHM=HS512\nUNKNOWN=1\n")
    settings = read_settings({"PORT": "8222", "ALGORITHM": "HS384"}, dotenv)
    assert (settings.port, settings.host, settings.jwt_algorithm) == (8222, "10.0.0.1", "HS384")


def test_the_logs_folder_is_that_of_the_log_unless_it_is_set() -> None:
    assert read(LOGS_FILE="/srv/logs/shop.txt").logs_dir is None
    assert read(LOGS_FILE="/srv/logs/shop.txt", LOGS_DIR="/srv/old").logs_dir == Path("/srv/old")


WRONG = [
    ("PORT", "0"),
    ("PORT", "65536"),
    ("PORT", "8_000"),
    ("PORT", "\N{ARABIC-INDIC DIGIT EIGHT}"),
    ("PORT", "80.0"),
    ("WORKERS", "-1"),
    ("WORKERS", "many"),
    ("DEBUG", "perhaps"),
    ("JWT_ALGORITHM", "none"),
    ("ACCESS_TOKEN_EXPIRE_MINUTES", "0"),
    ("REGISTRATION", "ajar"),
    ("RATE_LIMIT_PER_MINUTE", "-5"),
    ("INGEST_RATE_LIMIT_PER_MINUTE", "1e3"),
    ("LOGS_TIMEZONE", "Europe/Atlantis"),
    ("LOGS_TIMEZONE", "europe/berlin"),
    ("LOGS_TIMEZONE", "localtime"),
    ("LOGS_TIMEZONE", "posixrules"),
    ("LOGS_TIMEZONE", "Factory"),
    ("LOGS_TIMEZONE", "posix/UTC"),
    ("LOGS_TIMEZONE", "right/Europe/Berlin"),
    ("RETENTION_DAYS", "0"),
    ("RETENTION_DAYS", "36501"),
    ("GEOIP_PATH", "/no/such.mmdb"),
    ("KINOPOISK_URL", "ftp://films.example"),
    ("CORS_ORIGINS", "https://a.example/path"),
    ("CORS_ORIGINS", "*"),
    ("ALLOWED_HOSTS", "https://shop.example"),
    ("ALLOWED_HOSTS", "shop.example:8000"),
    ("ALLOWED_HOSTS", "*"),
    ("BASE_PATH", "trawl"),
    ("BASE_PATH", "/a//b"),
    ("BASE_PATH", "/../a"),
    ("BASE_PATH", "/a?b"),
    ("BASE_PATH", "https://shop.example/a"),
    ("PROXIES_COUNT", "one"),
    ("REAL_IP_HEADER", "X Real IP"),
    ("LOG_LEVEL", "Loud"),
    ("LOG_FORMAT", "xml"),
    ("POSTGRES_PORT", "x"),
    ("ADMIN_LOGIN", "ab"),
    ("MAIL_FROM", "shop"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_the_message_about_a_wrong_value_is_one_line_with_the_value_and_what_the_setting_takes(
    name: str, value: str
) -> None:
    message = refusal(**{name: value})
    assert message.startswith(f"{name} is {value!r}; it takes ")
    assert len(message.splitlines()) == 1
    assert not message.endswith("takes ")


@pytest.mark.parametrize("name", ["ADMIN_LOGIN", "ADMIN_PASSWORD"])
def test_half_an_admin_is_refused(name: str) -> None:
    assert "go together" in refusal(**{name: "long enough"})


def test_the_example_file_names_exactly_the_settings_with_their_defaults() -> None:
    lines = (PROJECT / ".env.example").read_text(encoding="utf-8").splitlines()
    examples = dict(
        line.removeprefix("# ").split("=", 1)
        for line in lines
        if "=" in line and line.removeprefix("# ").split("=", 1)[0].replace("_", "").isupper()
    )
    fields = SettingsSchema().fields
    assert set(examples) == set(fields)
    for name, field in fields.items():
        default = field.load_default
        written = "" if default is None or callable(default) else str(default)
        assert examples[name] == (written.lower() if isinstance(default, bool) else written), name


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_variables_of_a_log_format_are_those_of_nginx_and_no_settings(tmp_path: Path, quote: str) -> None:
    file = tmp_path / ".env"
    log_format = "${remote_addr} [${time_local}] $request"
    file.write_text(f"LOGS_FORMAT={quote}{log_format}{quote}\nHOST=10.0.0.1\nDATA_DIR=/srv/${{HOST}}\n")
    settings = read_settings({}, file)
    assert (settings.logs_format, str(settings.data_dir)) == (log_format, "/srv/10.0.0.1")


def test_names_of_a_file_that_are_no_settings_are_told_with_what_may_be_meant(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "port=8001\nRATE_LIMIT_PER_MINUT=5\nzebra=1\nSECRET_KEY=a\nGRAFANA_PASSWORD=b\nCOMPOSE_FILE=c\n"
    )
    assert unknown_names(file) == ["RATE_LIMIT_PER_MINUT (RATE_LIMIT_PER_MINUTE?)", "zebra"]
    assert unknown_names(tmp_path / "none") == []
    assert unknown_names(PROJECT / ".env.example") == []


def test_variables_of_compose_alone_are_known() -> None:
    texts = [(PROJECT / name).read_text() for name in ("compose.yaml", "compose.dev.yaml")]
    names = set(re.findall(r"\$\{([A-Z_]+)", "".join(texts)))
    assert names - set(SettingsSchema().fields) == OF_COMPOSE


def test_the_example_file_sets_nothing() -> None:
    assert read_settings({}, PROJECT / ".env.example") == read()


@pytest.mark.parametrize("line", ['ADMIN_LOGIN="root', "PORT 9000"])
def test_a_line_of_the_file_that_sets_nothing_is_named(tmp_path: Path, line: str) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"LOG_FORMAT=json\n{line}\n")
    with pytest.raises(SettingsError, match=r"\.env, line 2: write NAME=value") as refusal:
        read_settings({}, dotenv)
    assert "ADMIN_LOGIN" not in str(refusal.value)  # nor its value, which may be secret
