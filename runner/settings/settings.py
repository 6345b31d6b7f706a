"""The settings of a command: from flags, then the environment, the user's own file, storyboard.toml, defaults."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runner.attempts.events import Account
from runner.attempts.film import FilmName, storyboard_slug
from runner.diagnostics.failures import KeyUnusable, OptionError, SettingsError
from runner.diagnostics.problem import closest_match
from runner.editions.edition import DEFAULT as DEFAULT_EDITION
from runner.files.reading import CIRCLE
from runner.files.whole_path import whole_path
from runner.hosts import is_https_or_local, is_loopback
from runner.lazy_dataclass import dataclass, field
from runner.paid_providers import ProviderDescription, paid_provider, settings_section
from runner.settings.api_key import ApiKey, KeyVariable, contradiction, key_format_error, read_key
from runner.settings.environment import hide_userinfo
from runner.settings.file import SettingsFile, listening_at, nearest, providers
from runner.settings.publish import PublishSettings, publish_settings
from runner.settings.pull_request import pull_request
from runner.settings.user_folders import absolute_state_folder, state_problem, user_config_file

Files = tuple[SettingsFile, SettingsFile]

FILE = "storyboard.toml"
# The list price; what a credit costs depends on the account's plan, so that it is a setting.
_USD_PER_CREDIT = Decimal("0.005")
_STORYBOARDS_FOLDER = "storyboards"
LISTEN = "127.0.0.1:8788"
"""The default address of the webhook listener."""


@dataclass(frozen=True, slots=True)
class Flags:
    """The settings given as flags; None where a flag is not given."""

    provider: str | None = None
    profiles: tuple[str | None, ...] = (None,)
    output: Path | None = None
    concurrency: int | None = None
    max_credits: Decimal | None = None
    config: Path | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """`[webhook]`: the address that the provider calls, and the address of the listener on this machine."""

    url: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a command; the `repr` hides the key."""

    root: Path
    """The repository's top."""
    provider: str
    profiles: tuple[str | None, ...]
    """The combinations of profiles, each of which is a film of the storyboards; None is the one without a profile."""
    base_url: str
    edition: str
    concurrency: int
    usd_per_credit: Decimal
    server_error: str
    requests_per_second: float
    retries_provider: int
    retries_review: int
    credits_per_day: Decimal | None
    max_credits: Decimal | None
    output: Path
    """A folder in the repository, with a folder for each storyboard."""
    state_or_none: Path | None
    """The state folder; None on a machine that names no home."""
    repo_price_floor: Mapping[str, Decimal] = field(default_factory=dict)
    """Prices of the repository's file: they may raise a quote, never lower it."""
    user_prices: Mapping[str, Decimal] = field(default_factory=dict)
    """Prices of the user's own file: they replace those of the price book."""
    webhook: Webhook | None = None
    publish: PublishSettings = field(default_factory=PublishSettings)
    ci: bool = False
    ci_state: bool = False
    pull_request: str | None = None
    """The CI service of a pull request's job; None in any other job and outside CI."""
    api_key: KeyVariable = field(default_factory=lambda: read_key({}))
    state_problem: str = ""
    """The reason why there is no state folder, with the way out."""

    @property
    def state(self) -> Path:
        """The state folder: ledger, receipts, sandbox, reports of defects; raise `SettingsError` if there is none."""
        if self.state_or_none is None:
            raise SettingsError(self.state_problem)
        return self.state_or_none

    @property
    def account(self) -> Account:
        """The account whose credits are spent; loopback hosts with their port, the embedded sandbox under one name."""
        if self.provider == "sandbox":
            return Account("sandbox", "sandbox", free=True)
        return Account(self.provider, host_of(self.base_url))

    def output_folder(self, film: FilmName) -> Path:
        """The folder of a film's manifest and clips, for this provider."""
        return self.output / storyboard_slug(film.storyboard) / film.folder(self.provider)

    def output_name(self, film: FilmName) -> str:
        """The output folder of a film, from the repository's top."""
        return self.output_folder(film).relative_to(self.root).as_posix()

    def key(self) -> ApiKey:
        """The key of a paid provider; raise `KeyUnusable` without one, `SettingsError` with two."""
        if not self.api_key.text:
            raise KeyUnusable(_NO_KEY.format(host=host_of(self.base_url), key=self.api_key.name))
        if self.api_key.contradicted_by is not None:
            raise SettingsError(contradiction(self.api_key))
        if (error := key_format_error(self.api_key.text)) is not None:
            raise KeyUnusable(f"{self.api_key.name} does not look like a key: {error}; nothing was sent or spent")
        return ApiKey(self.api_key.text)


_NO_KEY = """{host} needs the API key of your account, and {key} is not set; nothing was sent or spent:
  export {key}=…
or draw the film free, without a key:
  storyboard run FILE… --provider sandbox"""


def host_of(base_url: str) -> str:
    """The account's host; on loopback with its port."""
    parts = urlsplit(base_url)
    # `host.` is the same host: written so it would be another account, which has paid for nothing yet.
    host = (parts.hostname or "").lower().rstrip(".")
    return f"{host}:{parts.port}" if parts.port and is_loopback(host) else host


def read(root: Path, flags: Flags, environ: Mapping[str, str] | None = None, files: Iterable[Path] = ()) -> Settings:
    """The settings of a repository, or of the storyboards `files` in it; raise `SettingsError` or `OptionError`."""
    env = os.environ if environ is None else environ
    repo_path = flags.config or nearest(files, root, FILE)
    if flags.config is not None and not os.path.isfile(flags.config):
        raise OptionError(f"--config {flags.config}: there is no such file")
    repo = SettingsFile.read(repo_path, root, is_user_file=False)
    user = _user_file(env, root)
    sources = (user, repo)
    provider = _provider(flags, env, sources)
    section = settings_section()
    return Settings(
        root=root,
        provider=provider,
        profiles=flags.profiles,
        # From the environment alone: a file of a cloned repository would send the key to its own host.
        base_url=base_url(env, paid_provider(provider)),
        edition=_first_set(sources, f"{section}.edition") or DEFAULT_EDITION,
        # The lowest of the limits that the provider's pages name: 50, 5 and 3.
        concurrency=flags.concurrency or _minimum(sources, f"{section}.concurrency") or 3,
        usd_per_credit=_usd_per_credit(user, repo),
        # Of a 500 the provider's pages say to retry later; each repeat counts as charged.
        server_error=_first_set(sources, f"{section}.server_error") or "retry",
        requests_per_second=float(_minimum(sources, f"{section}.requests_per_second") or 5),
        # A task that the provider failed is free, and so tried again; one that failed review, if the user says so.
        retries_provider=_minimum(sources, "retries.provider", default=2),
        retries_review=_minimum(sources, "retries.review", default=0),
        credits_per_day=_least_credits(sources, "budget.credits_per_day"),
        max_credits=_max_credits(flags, env),
        output=_output(root, flags, sources),
        state_or_none=absolute_state_folder(env),
        repo_price_floor=repo.prices(),
        user_prices=user.prices(),
        webhook=_webhook(sources),
        publish=publish_settings(lambda key: _first_set(sources, key)),
        # CI=false is how a shell says that it is in no job.
        ci=env.get("CI", "").lower() not in ("", "0", "false"),
        ci_state=bool(env.get("STORYBOARD_STATE")),
        pull_request=pull_request(env),
        api_key=read_key(env, paid_provider(provider)),
        state_problem=state_problem(env),
    )


def _user_file(env: Mapping[str, str], root: Path) -> SettingsFile:
    path = user_config_file(env)
    return SettingsFile(Path("config.toml"), {}) if path is None else SettingsFile.read(path, root, is_user_file=True)


def no_color(environ: Mapping[str, str] | None = None) -> bool:
    """Whether `NO_COLOR` is set and not empty, or the terminal is a dumb one."""
    env = os.environ if environ is None else environ
    return bool(env.get("NO_COLOR")) or is_dumb_terminal(env)


def is_dumb_terminal(environ: Mapping[str, str] | None = None) -> bool:
    """Whether the terminal cannot move its cursor."""
    return (os.environ if environ is None else environ).get("TERM") == "dumb"


def find_root(start: Path) -> Path:
    """The repository's top: the git work tree, else the folder of storyboard.toml, else the storyboard's own folder.

    A folder `storyboards` is no top, its parent is: the same files have the same top from every working folder.
    Raise `SettingsError` if the working folder was deleted.
    """
    try:
        start = whole_path(start)
    except FileNotFoundError as error:
        raise SettingsError("the working folder was deleted: change to another folder") from error
    folder = start if os.path.isdir(start) else start.parent
    folders = [folder, *folder.parents]
    # The work tree before a nearer storyboard.toml: manifests name clips from the top of what is committed.
    for marker in (".git", FILE):
        if (root := _nearest(folders, marker)) is not None:
            return root.resolve()
    return (folder.parent if folder.name == _STORYBOARDS_FOLDER else folder).resolve()


def has_git(folder: Path) -> bool:
    """Whether a folder lies in a git work tree."""
    return _nearest([folder.absolute(), *folder.absolute().parents], ".git") is not None


def _nearest(folders: Sequence[Path], marker: str) -> Path | None:
    """The first of the folders that has a file or folder of this name."""
    return next((folder for folder in folders if os.path.exists(folder / marker)), None)


# -- each setting -----------------------------------------------------------------------------------------


def _provider(flags: Flags, env: Mapping[str, str], files: Files) -> str:
    provider = flags.provider or env.get("STORYBOARD_PROVIDER") or _first_set(files, "provider") or "sandbox"
    if provider not in providers():
        source = "--provider" if flags.provider else "STORYBOARD_PROVIDER"
        raise OptionError(f"{source}: {_unknown_choice(provider, providers(), 'provider')}")
    return str(provider)


def _usd_per_credit(user: SettingsFile, repo: SettingsFile) -> Decimal:
    """The price of a credit: the user's, or the repository's if higher: a file cannot stretch a budget in dollars."""
    key = f"{settings_section()}.usd_per_credit"
    if key in user.values:
        return Decimal(str(user.values[key]))
    return max(_USD_PER_CREDIT, Decimal(str(repo.values.get(key, _USD_PER_CREDIT))))


def base_url(env: Mapping[str, str], provider: ProviderDescription) -> str:
    """The host of a provider: the one that the environment names, else its own; raise `SettingsError` if unusable."""
    variable = provider.base_url_variable
    url = env.get(variable, "").rstrip("/")
    if not url:
        return provider.base_url
    address = hide_userinfo(url)
    try:
        parts = urlsplit(url)
        is_valid = bool(parts.hostname) and parts.port != 0 and not (parts.query or parts.fragment)
    except ValueError:  # a port beyond 65535, brackets that hold no number
        is_valid = False
    # urlsplit drops tabs and line ends: it would judge another address than the written one.
    if not is_valid or re.search(r"[\s\x00-\x20]", url):
        raise SettingsError(f"{variable} is not the address of a host: {address!r}; an example: {provider.base_url}")
    if "@" in parts.netloc:
        raise SettingsError(
            f"{variable} has a user name or password, which would be sent in place of the key: {address!r}; "
            "leave out what stands before the @",
        )
    if not is_https_or_local(url):
        raise SettingsError(
            f"{variable} must be https, since the key is sent there: {address!r}; http is for loopback only",
        )
    return url


def _max_credits(flags: Flags, env: Mapping[str, str]) -> Decimal | None:
    if flags.max_credits is not None:
        return flags.max_credits
    if not (text := env.get("STORYBOARD_MAX_CREDITS")):
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or value < 0:
        raise OptionError(f"STORYBOARD_MAX_CREDITS: {text!r} is not a number of credits")
    return value


def _output(root: Path, flags: Flags, files: Files) -> Path:
    """The output folder: below the repository's top, and neither hidden nor in a hidden folder like `.git`."""
    if flags.output is not None:
        # A path of the command line starts at the working folder, one of a file at the top.
        written, source = flags.output.absolute(), "--output"
    else:
        written, source = root / str(_first_set(files, "output") or "renders"), f"{FILE}: output"
    try:
        chosen = written.resolve()
    except RuntimeError as error:
        raise SettingsError(f"{source}: {written} is not a path: {CIRCLE}") from error
    except (OSError, ValueError) as error:
        raise SettingsError(f"{source}: {written} is not a path: {error}") from error
    if not chosen.is_relative_to(root):
        raise SettingsError(f"{source}: {chosen} is outside the repository {root}")
    # Both spellings count: a link with a plain name may lead into a hidden folder, and the other way round.
    lexical = Path(os.path.abspath(written))
    names = [
        *chosen.relative_to(root).parts,
        *(lexical.relative_to(root).parts if lexical.is_relative_to(root) else ()),
    ]
    if chosen == root:
        raise SettingsError(f"{source}: clips are not written into the top of the repository: choose a folder below it")
    if (hidden := next((name for name in names if name.startswith(".")), None)) is not None:
        raise SettingsError(
            f"{source}: clips are not written into the hidden folder {hidden}: choose a folder without a leading dot",
        )
    return chosen


def _webhook(files: Files) -> Webhook | None:
    if (url := _first_set(files, "webhook.url")) is None:
        # Only the repository's: `listen` alone in the user's own file is a default for all repositories.
        if "webhook.listen" in files[1].values:
            raise SettingsError(
                f"{files[1].path}: [webhook] has `listen` but no `url`: add the address that the provider calls",
            )
        return None
    host, port = listening_at(_first_set(files, "webhook.listen") or LISTEN) or ("", 0)
    return Webhook(url.rstrip("/"), host, port)


def _first_set(files: Files, key: str) -> Any:
    return next((file.values[key] for file in files if key in file.values), None)


def _minimum(files: Files, key: str, default: int | None = None) -> Any:
    """The lower value of both files: a repository may lower the user's limit, never raise it."""
    values = [file.values[key] for file in files if key in file.values]
    return min(values) if values else default


def _least_credits(files: Files, key: str) -> Decimal | None:
    least = _minimum(files, key)
    return None if least is None else Decimal(str(least))


def _unknown_choice(value: object, choices: tuple[str, ...], noun: str) -> str:
    suggestion = closest_match(str(value), choices)
    hint = f"; did you mean {suggestion!r}?" if suggestion else ""
    return f"there is no {noun} {value!r}: use one of {', '.join(choices)}{hint}"
