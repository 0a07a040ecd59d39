"""Settings that are secret: never shown, addresses among them whole, the one that is generated private."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from config import SettingsError, load_secret, read_settings
from config.schema import SECRETS
from config.settings import ALIASES
from tests.support.command_line import PROJECT
from tests.support.settings import read, refusal


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET", "hunter2-is-short"),
        ("DATABASE_URL", "mysql://root:hunter2@db/shop"),
        ("DATABASE_URL", "postgresql://root:hunter2@db:x/shop"),
        ("DATABASE_REPLICA_URL", "hunter2"),
        ("REDIS_URL", "http://hunter2@cache"),
        ("SENTRY_DSN", "hunter2"),
        ("ADMIN_PASSWORD", "hunter2"),
        ("METRICS_TOKEN", "hunter2 in two words"),
        ("SMTP_URL", "smtp://trawl:hunter2@mail.example?tls=maybe"),
        ("SMTP_URL", "smtp://trawl:hunter2@mail.example?ca=no-such.pem"),
    ],
)
def test_a_wrong_secret_is_named_but_never_shown(name: str, value: str) -> None:
    message = refusal(**{name: value})
    assert message.startswith(f"{name} is not what it must be; it takes ")
    assert "hunter2" not in message


@pytest.mark.parametrize("name", [*sorted(SECRETS - {"POSTGRES_PASSWORD"}), "SECRET_KEY"])
def test_a_secret_of_spaces_alone_is_refused(name: str) -> None:
    assert refusal(**{name: "  "}).startswith(f"{ALIASES.get(name, name)} is not what it must be; it takes ")


def test_the_blanks_of_a_password_are_a_part_of_it(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("ADMIN_LOGIN=root\nADMIN_PASSWORD=' correct horse '\n")
    assert read_settings({}, dotenv).admin_password == " correct horse "
    assert read(POSTGRES_PASSWORD=" p ", POSTGRES_HOST=" db ").database_url == (
        "postgresql://postgres:%20p%20@db:5432/postgres"
    )
    assert read(ADMIN_LOGIN=" root ", ADMIN_PASSWORD="a line of a file\r\n").admin_password == (
        "a line of a file"
    )


def test_a_secret_is_measured_in_bytes() -> None:
    assert "at least 32 bytes" in refusal(SECRET="x" * 31)
    assert read(SECRET="ж" * 16).secret == "ж" * 16


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_REPLICA_URL"])
def test_every_form_of_a_database_url_becomes_the_plain_one(scheme: str, name: str) -> None:
    settings = read(**{name: f"{scheme}://u:p%40x@db:5433/shop?sslmode=require"})
    assert getattr(settings, name.lower()) == "postgresql://u:p%40x@db:5433/shop?sslmode=require"


@pytest.mark.parametrize("scheme", ["redis", "rediss", "unix"])
def test_every_form_of_a_redis_url_is_taken_as_it_is(scheme: str) -> None:
    assert read(REDIS_URL=f"{scheme}:///run/cache").redis_url == f"{scheme}:///run/cache"


@pytest.mark.parametrize("part", ["p@ss/w:rd?#%&+ ü", "%40", "a b"])
def test_postgres_parts_are_quoted_so_that_they_come_back_whole(part: str) -> None:
    settings = read(POSTGRES_USER=part, POSTGRES_PASSWORD=part, POSTGRES_DB=part, POSTGRES_HOST="db")
    assert settings.database_url is not None
    url = make_url(settings.database_url)
    assert (url.username, url.password, url.host, url.port) == (part, part, "db", 5432)
    assert settings.database_url.endswith(":5432/" + settings.database_url.split("@")[0].split(":")[-1])


def test_one_postgres_part_is_enough_and_the_others_have_defaults() -> None:
    assert read(POSTGRES_DB="shop").database_url == "postgresql://postgres@localhost:5432/shop"
    assert read(postgres_user="ann").database_url == "postgresql://ann@localhost:5432/ann"


def test_a_database_url_goes_before_the_parts() -> None:
    settings = read(DATABASE_URL="postgres://a@b/c", POSTGRES_USER="x", POSTGRES_PASSWORD="y")
    assert settings.database_url == "postgresql://a@b/c"


def test_the_text_of_the_settings_holds_no_secrets() -> None:
    url = "postgresql://u:hunter2@db/shop"
    urls = dict.fromkeys(("DATABASE_URL", "DATABASE_REPLICA_URL"), url)
    keys = dict.fromkeys(("SECRET", "ADMIN_PASSWORD", "IPINFO_TOKEN", "KINOPOISK_API_KEY"), "hunter2" * 5)
    addresses = {"REDIS_URL": "redis://:hunter2@cache", "SENTRY_DSN": "https://hunter2@sentry.example/1"}
    settings = read(**urls, **keys, **addresses, ADMIN_LOGIN="root", HOST="10.1.2.3")
    assert settings.secret == "hunter2" * 5
    assert "hunter2" not in repr(settings)
    assert "10.1.2.3" in repr(settings)


def test_the_generated_secret_is_private_long_and_stays_the_same(tmp_path: Path) -> None:
    data_dir = tmp_path / "not" / "there"
    secret = load_secret(data_dir)
    assert len(secret.encode()) >= 32
    assert (data_dir / "secret").stat().st_mode & 0o777 == 0o600
    assert load_secret(data_dir) == secret
    assert [path.name for path in data_dir.iterdir()] == ["secret"]
    assert load_secret(tmp_path / "another") != secret


def test_a_secret_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("short")
    with pytest.raises(SettingsError, match=f"{tmp_path}/secret is cut short"):
        load_secret(tmp_path)


def test_processes_that_make_the_secret_at_once_agree_on_it(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from config import load_secret\n"
        "print('ready', flush=True); sys.stdin.readline(); print(load_secret(Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "var")]
    racers = [
        subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    printed = [racer.communicate()[0].strip() for racer in racers]
    assert printed == [load_secret(tmp_path / "var")] * 2
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret"]
