"""The user's folders: of the ledger, and of the user's own settings; a relative one is refused."""

import os
from collections.abc import Mapping
from pathlib import Path

from runner.diagnostics.failures import SettingsError
from runner.settings.environment import home_folder, is_too_long, xdg_folder


def state_folder(environ: Mapping[str, str] | None = None) -> Path | None:
    """The folder of the ledger: `STORYBOARD_STATE`, else the platform's state folder; None without a home."""
    env = os.environ if environ is None else environ
    if folder := env.get("STORYBOARD_STATE"):
        return Path(folder).absolute()
    base, home = env.get("XDG_STATE_HOME", ""), home_folder(env)
    if (folder := xdg_folder(base, home or "", ".local/state")) is not None:
        return Path(folder)
    if home is None:
        return None
    import platformdirs

    return platformdirs.user_state_path("storyboard", appauthor=False)


def state_problem(env: Mapping[str, str]) -> str:
    reason = (
        f"HOME={env['HOME']} is a relative path"
        if env.get("HOME")
        else "HOME is not set, and this user has no home in the password file"
    )
    return (
        f"{reason}: there is no place for the ledger, without which clips would be paid twice. "
        "Name a folder that stays:\n  export STORYBOARD_STATE=/path/to/that/folder"
    )


def absolute_state_folder(environ: Mapping[str, str]) -> Path | None:
    """The state folder; raise `SettingsError` if it is relative to the working folder."""
    name = next((variable for variable in ("STORYBOARD_STATE", "XDG_STATE_HOME") if environ.get(variable)), "")
    if name and not os.path.isabs(environ[name]):
        # In quotes the shell leaves a ~ as it stands, and nothing behind it reads one.
        absolute = environ[name].replace("~", "$HOME", 1) if environ[name].startswith("~") else f"$PWD/{environ[name]}"
        raise SettingsError(
            f"{name}={environ[name]} is a relative path: from another folder it names another ledger, and clips "
            f'would be paid twice. Use the absolute path:\n  export {name}="{absolute}"',
        )
    folder = state_folder(environ)
    if folder is not None and is_too_long(folder):
        raise SettingsError(
            f"{name or 'HOME'}={str(folder)[:40]}… is longer than a path may be: no ledger can stand there. "
            "Name a folder that stays:\n  export STORYBOARD_STATE=/path/to/that/folder",
        )
    return folder


def user_config_folder(environ: Mapping[str, str] | None = None) -> Path | None:
    """The folder of the user's own `config.toml`; None without a home."""
    env = os.environ if environ is None else environ
    if folder := env.get("XDG_CONFIG_HOME"):
        return Path(folder) / "storyboard"
    home = home_folder(env)
    if (folder := xdg_folder("", home or "", ".config")) is not None:
        return Path(folder)
    if home is None:
        return None
    import platformdirs

    return platformdirs.user_config_path("storyboard", appauthor=False)


def user_config_file(environ: Mapping[str, str] | None = None) -> Path | None:
    """The user's own `config.toml`; None without a home. Raise `SettingsError` if its folder is a relative path."""
    env = os.environ if environ is None else environ
    folder = user_config_folder(env)
    if folder is not None and not folder.is_absolute():
        raise SettingsError(
            f"XDG_CONFIG_HOME={env['XDG_CONFIG_HOME']} is a relative path: from another folder it names other "
            f'settings. Use the absolute path:\n  export XDG_CONFIG_HOME="$PWD/{env["XDG_CONFIG_HOME"]}"',
        )
    return None if folder is None else folder / "config.toml"
