"""`[publish]`: how local files and frames get the public addresses that the API needs; the keys and their checks."""

from collections.abc import Callable
from typing import Any

from runner.diagnostics.failures import SettingsError
from runner.lazy_dataclass import dataclass
from runner.lazy_pattern import lazy_pattern

WAYS = ("vendor", "git", "store", "upload")
"""All ways, in the default order."""
# Characters of an address; a longer one is a mistake, and would fill the screen of its message.
_MAX_LENGTH = 1000
# Names of buckets and containers in all three clouds, and no character that an address would have to escape.
_STORE = lazy_pattern(r"(?:s3|gs|az)://[a-z0-9][a-z0-9._-]{1,253}(?:/[A-Za-z0-9._~-]+)*/?")
# Not `file://`, whose next part would be a host.
_FOLDER = lazy_pattern(r"file:(?!//)[^\x00-\x1f\\?#]+")
_COMMIT, _PATH = "{commit}", "{path}"


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """`[publish]` with its defaults: the edition's uploads and the provider's own links, and nothing of the user's."""

    ways: tuple[str, ...] = WAYS
    upload: bool = False
    """Use the provider's uploads also where the edition does not document them."""
    check: bool = True
    """Fetch each address once before it is used."""
    git_url: str | None = None
    """The address of a committed file, with `{commit}` and `{path}`."""
    store: str | None = None
    """`s3://bucket/folder`, `gs://…`, `az://container/folder` or `file:folder`."""
    base_url: str | None = None
    """The public address of the store's folder, without a slash at its end."""


def publish_settings(first_set: Callable[[str], Any]) -> PublishSettings:
    """`[publish]` from the files' values; raise `SettingsError` if two keys do not fit together."""
    ways, check, base_url = first_set("publish.ways"), first_set("publish.check"), first_set("publish.base_url")
    store = first_set("publish.store")
    if store is not None and store.startswith("file:") and base_url is None:
        raise SettingsError(
            "[publish] store = file:… needs `base_url`, the public address under which the folder is served",
        )
    if base_url is not None and store is None:
        raise SettingsError("[publish] `base_url` needs `store`: the place whose objects it serves")
    return PublishSettings(
        ways=WAYS if ways is None else tuple(ways),
        upload=bool(first_set("publish.upload")),
        check=True if check is None else check,
        git_url=first_set("publish.git_url"),
        store=None if store is None else store.rstrip("/"),
        base_url=None if base_url is None else base_url.rstrip("/"),
    )


def check_store(value: Any) -> str | None:
    """The error of `store` in a repository's file, whose folders must lie in the repository; None if there is none."""
    message = check_user_store(value)
    if message is None and value.startswith("file:"):
        folder = value.removeprefix("file:")
        if folder.startswith(("/", "~", ".")) or ".." in folder.split("/"):
            return "only your own config.toml may name a folder outside this repository, or a hidden one"
    return message


def check_user_store(value: Any) -> str | None:
    """The error of `store` in the user's own file, which may name any folder of this machine; None if there is none."""
    message = 'use "s3://bucket/folder", "gs://bucket/folder", "az://container/folder" or "file:folder"'
    if not isinstance(value, str) or len(value) > _MAX_LENGTH:
        return message
    if "@" in value or "?" in value:
        return "leave credentials out: they come from the cloud's own variables, like AWS_ACCESS_KEY_ID"
    return None if _STORE.fullmatch(value) or _FOLDER.fullmatch(value) else message


def git_url_check(is_public_address: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
    """The check of `git_url`; `is_public_address` judges the address with both parts filled in."""

    def check(value: Any) -> str | None:
        message = 'use an https address with {commit} and {path}: "https://raw.example.com/acme/film/{commit}/{path}"'
        if not isinstance(value, str) or value.count(_COMMIT) != 1 or value.count(_PATH) != 1:
            return message
        filled = value.replace(_COMMIT, "0" * 40).replace(_PATH, "file.png")
        # `{commit}` in the name of the host would send each commit to a host of its own.
        if "{" in filled or "}" in filled or _COMMIT in value.partition("//")[2].partition("/")[0]:
            return message
        # Some forges take the commit from the query, which an address of callbacks may not have.
        return is_public_address(filled.partition("?")[0])

    return check
