"""Flags, environment, the user's own file, storyboard.toml, defaults."""

from decimal import Decimal
from pathlib import Path

import pytest

from runner.app.exit_codes import exit_code_of
from runner.diagnostics.failures import Failure
from runner.diagnostics.problem import ExitCode
from runner.editions.edition import NAMES
from runner.settings.environment import child_environment
from runner.settings.file import providers
from runner.settings.schema import keys
from runner.settings.settings import LISTEN, Flags, Settings, Webhook, find_root, host_of, read


def settings(tmp_path: Path, toml: str = "", own: str = "", flags: Flags | None = None, **env: str) -> Settings:
    (tmp_path / "storyboard.toml").write_text(toml)
    folder = tmp_path / "own" / "storyboard"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(own)
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "own"), "STORYBOARD_STATE": str(tmp_path / "state")} | env
    return read(tmp_path, flags or Flags(), environ)


def stopped(tmp_path: Path, toml: str = "", own: str = "", flags: Flags | None = None, **env: str) -> Failure:
    with pytest.raises(Failure) as stop:
        settings(tmp_path, toml, own, flags, **env)
    return stop.value


def test_nothing_said_is_the_free_sandbox(tmp_path: Path) -> None:
    said = settings(tmp_path)
    assert (said.provider, said.edition, said.concurrency, said.account.free) == ("sandbox", "classic", 3, True)
    assert said.output == tmp_path / "renders"


def test_a_flag_is_stronger_than_the_environment_and_that_than_files(tmp_path: Path) -> None:
    assert settings(tmp_path, 'provider = "kinovi"').provider == "kinovi"
    assert settings(tmp_path, 'provider = "kinovi"', STORYBOARD_PROVIDER="sandbox").provider == "sandbox"
    flags = Flags(provider="kinovi")
    assert settings(tmp_path, flags=flags, STORYBOARD_PROVIDER="sandbox").provider == "kinovi"


def test_a_repository_lowers_a_limit_and_never_raises_the_users(tmp_path: Path) -> None:
    low, high = "[budget]\ncredits_per_day = 100\n", "[budget]\ncredits_per_day = 900\n"
    assert settings(tmp_path, low, high).credits_per_day == 100
    assert settings(tmp_path, high, low).credits_per_day == 100


def test_a_repository_never_names_the_host(tmp_path: Path) -> None:
    stop = stopped(tmp_path, '[providers.kinovi]\nbase_url = "https://evil.example"\n')
    assert exit_code_of(stop) is ExitCode.INVALID
    assert "storyboard.toml:2: there is no setting providers.kinovi.base_url" in stop.message


def test_own_prices_are_kept_apart_from_the_repositorys(tmp_path: Path) -> None:
    said = settings(
        tmp_path,
        '[providers.kinovi.prices]\n"seedance-20 720p" = "42"\n',
        '[providers.kinovi.prices]\n"seedance-20 1080p" = "70"\n',
    )
    assert said.repo_price_floor == {"seedance-20 720p": Decimal(42)}
    assert said.user_prices == {"seedance-20 1080p": Decimal(70)}


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('\nprovidr = "kinovi"\n', ":2: there is no setting providr; did you mean provider?"),
        ('provider = "acme"\n', ":1: provider = 'acme': use one of sandbox, kinovi"),
        ("[providers.kinovi]\nconcurrency = 0\n", ":2: providers.kinovi.concurrency = 0: use a whole number"),
        ('[publish]\nstore = "ftp://film"\n', ":2: publish.store = 'ftp://film': use \"s3://bucket/folder\""),
        ('[publish]\nstore = "s3://key@film"\n', ":2: publish.store = 's3://key@film': leave credentials out"),
        ('[publish]\nstore = "file:../refs"\n', "only your own config.toml may name a folder outside this repository"),
        ('[publish]\nstore = "file:refs"\n', "store = file:… needs `base_url`"),
        ('[publish]\nbase_url = "https://refs.example.com"\n', "`base_url` needs `store`"),
        ('[publish]\nways = ["ftp"]\n', "use a list of vendor, git, store, upload, each once"),
        ('[publish]\nways = ["git", "git"]\n', "use a list of vendor, git, store, upload, each once"),
        ('[publish]\nupload = "yes"\n', ":2: publish.upload = 'yes': use true or false"),
        ('[publish]\ngit_url = "https://raw.example.com/{path}"\n', "use an https address with {commit} and {path}"),
        ('[publish]\ngit_url = "http://raw.example.com/{commit}/{path}"\n', "use a public https address"),
        ('[ledger]\nurl = "postgresql://x/y"\n', ":2: [ledger] is not supported yet; leave it out"),
        ('[providers.kinovi.prices]\n"seedance-20 720p" = "free"\n', ":2: 'seedance-20 720p': use a number above 0"),
        ("retries = 3\n", ":1: retries is a table: write [retries]"),
        ("provider = \n", "storyboard.toml: Invalid value"),
        ('output = "/tmp/elsewhere"\n', ":1: output = '/tmp/elsewhere': use the path of a folder in this repository"),
        ('output = "../elsewhere"\n', "is outside the repository"),
    ],
)
def test_an_unfit_setting_is_named_with_its_line(tmp_path: Path, toml: str, words: str) -> None:
    stop = stopped(tmp_path, toml)
    assert exit_code_of(stop) is ExitCode.INVALID
    assert words in stop.message


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[retries]\nprovider = 11\n", ":2: retries.provider = 11: use a whole number from 0 to 10"),
        ("[retries]\nprovider = 2.0\n", ":2: retries.provider = 2.0: use a whole number from 0 to 10"),
        ("[retries]\nprovider = true\n", ":2: retries.provider = True: use a whole number from 0 to 10"),
        ("[retries]\nprovider = 2026-01-01\n", ":2: retries.provider = datetime.date(2026, 1, 1): use a whole"),
        ("[providers.kinovi]\nrequests_per_second = 0\n", ":2: providers.kinovi.requests_per_second = 0: use a number"),
        ("[providers.kinovi]\nserver_error = 'ignore'\n", ": use one of retry, settle"),
        ("[providers.kinovi]\nusd_per_credit = '0'\n", "= '0': use a number above 0, best in quotes"),
        ("[providers.kinovi]\nusd_per_credit = 0\n", "= 0: use a number above 0, best in quotes"),
        ("[budget]\ncredits_per_day = '1e12'\n", "= '1e12': use a number above 0"),
        ("[budget]\ncredits_per_day = inf\n", "= inf: use a number above 0"),
        ('output = "a\\u202eb"\n', "use the path of a folder in this repository"),
        (f'output = "{"é" * 101}"\n', "use the path of a folder in this repository"),
    ],
)
def test_the_published_schema_gives_type_range_and_way_out(tmp_path: Path, toml: str, words: str) -> None:
    stop = stopped(tmp_path, toml)
    assert exit_code_of(stop) is ExitCode.INVALID
    assert words in stop.message


@pytest.mark.parametrize("amount", ["5", "0.5", ".5", "5.", "1e3", "+5"])
def test_an_amount_may_be_a_text_of_exact_decimals(tmp_path: Path, amount: str) -> None:
    assert settings(tmp_path, f"[budget]\ncredits_per_day = '{amount}'\n").credits_per_day == Decimal(amount)


def test_the_schema_names_the_providers_and_editions_of_the_program() -> None:
    assert keys().values["provider"]["enum"] == list(providers())
    assert keys().values["providers.kinovi.edition"]["enum"] == list(NAMES)


def test_the_defaults_of_the_schema_are_those_of_the_program(tmp_path: Path) -> None:
    said = settings(tmp_path)
    read = {
        "provider": said.provider,
        "output": said.output.name,
        "providers.kinovi.edition": said.edition,
        "providers.kinovi.concurrency": said.concurrency,
        "providers.kinovi.usd_per_credit": str(said.usd_per_credit),
        "providers.kinovi.server_error": said.server_error,
        "providers.kinovi.requests_per_second": said.requests_per_second,
        "retries.provider": said.retries_provider,
        "retries.review": said.retries_review,
        "webhook.listen": LISTEN,
        "publish.ways": list(said.publish.ways),
        "publish.upload": said.publish.upload,
        "publish.check": said.publish.check,
    }
    assert {key: node["default"] for key, node in keys().values.items() if "default" in node} == read


def test_every_unfit_setting_is_said_at_once(tmp_path: Path) -> None:
    stop = stopped(tmp_path, 'provider = "acme"\n[retries]\nreview = 99\n')
    assert len(stop.message.splitlines()) == 2


def test_a_key_is_never_shown(tmp_path: Path) -> None:
    said = settings(tmp_path, SEEDANCE_API_KEY="made-up-canary-key")
    assert "canary" not in repr(said)
    assert "canary" not in repr(said.key())
    assert said.key().secret == "made-up-canary-key"


def test_the_vendors_own_variable_holds_the_key_where_ours_is_not_set(tmp_path: Path) -> None:
    assert settings(tmp_path, KINOVI_API_KEY="made-up-canary-key").key().secret == "made-up-canary-key"
    assert settings(tmp_path, SEEDANCE_API_KEY="", KINOVI_API_KEY="made-up-canary-key").key().secret == (
        "made-up-canary-key"
    )


def test_the_same_key_in_both_variables_is_one_key(tmp_path: Path) -> None:
    key = "made-up-canary-key"
    assert settings(tmp_path, SEEDANCE_API_KEY=key, KINOVI_API_KEY=key).key().secret == key


def test_two_different_keys_are_refused_and_not_shown(tmp_path: Path) -> None:
    said = settings(tmp_path, SEEDANCE_API_KEY="made-up-canary-key", KINOVI_API_KEY="another-canary-key")
    with pytest.raises(Failure) as stop:
        said.key()
    assert exit_code_of(stop.value) is ExitCode.INVALID
    assert "SEEDANCE_API_KEY and KINOVI_API_KEY hold different keys" in stop.value.message
    assert "canary" not in stop.value.message + repr(said)


def test_a_misshapen_key_is_named_by_its_variable(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="KINOVI_API_KEY does not look like a key"):
        settings(tmp_path, KINOVI_API_KEY="short").key()


def test_a_missing_key_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(Failure) as stop:
        settings(tmp_path).key()
    assert exit_code_of(stop.value) is ExitCode.KEY
    assert "export SEEDANCE_API_KEY=" in stop.value.message


@pytest.mark.parametrize("length", [7, 513])
def test_a_key_has_8_to_512_characters(tmp_path: Path, length: int) -> None:
    with pytest.raises(Failure, match=f"it has {length} characters, and keys have 8 to 512"):
        settings(tmp_path, SEEDANCE_API_KEY="k" * length).key()


@pytest.mark.parametrize("length", [8, 512])
def test_every_text_that_is_taken_as_a_key_is_hidden_from_child_processes(tmp_path: Path, length: int) -> None:
    key = ("k0" * 256)[:length]
    assert settings(tmp_path, SEEDANCE_API_KEY=key).key().secret == key
    assert child_environment({"SEEDANCE_API_KEY": key, "A": f"x {key} y", "PATH": "/bin"}) == {"PATH": "/bin"}


@pytest.mark.parametrize("key", ["short", '"quoted-key-123"', "Bearer made-up-key", "made up key", "schlüssel-12345"])
def test_a_misshapen_key_is_told_and_not_shown(tmp_path: Path, key: str) -> None:
    with pytest.raises(Failure) as stop:
        settings(tmp_path, SEEDANCE_API_KEY=key).key()
    assert exit_code_of(stop.value) is ExitCode.KEY
    assert key not in stop.value.message


@pytest.mark.parametrize(
    ("base", "fits"),
    [
        ("https://kinovi.ai", True),
        ("http://127.0.0.1:8787", True),
        ("http://kinovi.ai", False),
        ("kinovi.ai", False),
        ("ftp://kinovi.ai", False),
    ],
)
def test_the_key_goes_over_tls_or_loopback_only(tmp_path: Path, base: str, fits: bool) -> None:
    if fits:
        assert settings(tmp_path, SEEDANCE_BASE_URL=base).base_url == base
    else:
        assert exit_code_of(stopped(tmp_path, SEEDANCE_BASE_URL=base)) is ExitCode.INVALID


@pytest.mark.parametrize("start", ["me:secret@", "me@", ":secret@", "me%3asecret@", "@", ":@", "secret@evil.example@"])
@pytest.mark.parametrize("base", ["https://{}kinovi.ai", "http://{}127.0.0.1:8787", "http://{}[::1]:8787"])
def test_an_address_with_a_name_or_password_is_refused_without_showing_it(
    tmp_path: Path, base: str, start: str
) -> None:
    stop = stopped(tmp_path, SEEDANCE_BASE_URL=base.format(start))
    assert exit_code_of(stop) is ExitCode.INVALID
    assert "SEEDANCE_BASE_URL" in stop.message
    assert "secret" not in stop.message
    assert "user name or password" in stop.message


def test_a_loopback_account_is_told_apart_by_its_port(tmp_path: Path) -> None:
    flags = Flags(provider="kinovi")
    assert settings(tmp_path, flags=flags, SEEDANCE_BASE_URL="http://127.0.0.1:8787").account.host == "127.0.0.1:8787"
    assert settings(tmp_path, flags=flags).account.host == "kinovi.ai"


def test_the_repository_is_the_git_work_tree_else_the_settings_folder_else_the_storyboards(tmp_path: Path) -> None:
    boards = tmp_path / "film" / "storyboards"
    boards.mkdir(parents=True)
    file = boards / "a.yaml"
    file.touch()
    assert find_root(file) == tmp_path / "film"
    assert find_root(tmp_path / "film" / "lone.yaml") == tmp_path / "film"
    (tmp_path / "film" / "storyboard.toml").touch()
    assert find_root(file) == tmp_path / "film"
    (tmp_path / ".git").mkdir()
    assert find_root(file) == tmp_path


def test_webhooks_have_a_public_base_and_are_heard_on_this_machine(tmp_path: Path) -> None:
    assert settings(tmp_path).webhook is None
    said = settings(tmp_path, '[webhook]\nurl = "https://hooks.example.com/storyboard/"\n')
    assert said.webhook == Webhook("https://hooks.example.com/storyboard", "127.0.0.1", 8788)
    said = settings(tmp_path, '[webhook]\nurl = "http://127.0.0.1:9000"\nlisten = "[::1]:9000"\n')
    assert said.webhook == Webhook("http://127.0.0.1:9000", "::1", 9000)


def test_the_users_own_webhook_is_stronger_than_a_repositorys(tmp_path: Path) -> None:
    toml, own = (f'[webhook]\nurl = "https://{name}.example.com"\n' for name in ("theirs", "mine"))
    said = settings(tmp_path, toml, own).webhook
    assert said is not None
    assert said.url == "https://mine.example.com"


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('\nurl = "http://hooks.example.com"', ":3: webhook.url = 'http://hooks.example.com': use a public https"),
        ('url = "https://10.0.0.1/hooks"', ":2: webhook.url"),
        ('url = "https://me:secret@hooks.example.com"', ":2: webhook.url"),
        ('url = "https://hooks.example.com/?a=1"', ":2: webhook.url"),
        ('url = "https://hooks.example.com:99999"', ":2: webhook.url"),
        ('url = "https://intranet"', ":2: webhook.url"),
        ("url = 8788", ":2: webhook.url"),
        ('urls = "https://hooks.example.com"', ":2: there is no setting webhook.urls; did you mean webhook.url?"),
        ('listen = "127.0.0.1"', ":2: webhook.listen = '127.0.0.1': use an address and port"),
        ('listen = "127.0.0.1:0"', ":2: webhook.listen"),
        ('listen = "127.0.0.1:8788"', "[webhook] has `listen` but no `url`"),
        ('listen = "0.0.0.0:8788"', ":2: webhook.listen = '0.0.0.0:8788': only your own config.toml may"),
    ],
)
def test_an_unfit_webhook_is_named_with_its_line(tmp_path: Path, toml: str, words: str) -> None:
    stop = stopped(tmp_path, f"[webhook]\n{toml}\n")
    assert exit_code_of(stop) is ExitCode.INVALID
    assert words in stop.message


def test_only_the_users_own_file_opens_this_machine_to_others(tmp_path: Path) -> None:
    own = '[webhook]\nurl = "https://hooks.example.com"\nlisten = "0.0.0.0:8788"\n'
    said = settings(tmp_path, "", own).webhook
    assert said is not None
    assert (said.host, said.port) == ("0.0.0.0", 8788)


@pytest.mark.parametrize(
    "url", ["https://kinovi.ai", "https://KINOVI.AI:443/", "https://kinovi.ai./", "https://kinovi.ai."]
)
def test_a_host_is_one_account_however_it_is_spelled(url: str) -> None:
    assert host_of(url) == "kinovi.ai"
