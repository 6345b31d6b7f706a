"""The ways of a command's materials: from settings, edition and the repository's own git data, without a connection."""

from urllib.parse import quote, urlsplit

from runner.editions.edition import Edition
from runner.language.model import Batch
from runner.planning.material_routes import WAYS, GitAddress, Routes, WaysAtHand
from runner.requests.request import LocalFile
from runner.settings.environment import child_environment
from runner.settings.settings import Settings, host_of
from runner.store.git_files import Pushed, find_pushed


def routes_of(settings: Settings, edition: Edition, batch: Batch) -> Routes | None:
    """The routes of a batch's materials; None for the free sandbox, which takes every file."""
    if settings.account.free:
        return None
    publish = settings.publish
    return Routes(
        WaysAtHand(
            order=tuple(way for name in publish.ways for way in WAYS if way == name),
            api_host=host_of(settings.base_url),
            has_last_frame=edition.has_last_frame,
            has_uploads=edition.has_uploads or publish.upload,
            store=publish.store,
            store_host=urlsplit(publish.base_url).netloc if publish.base_url else publish.store or "",
            git_host=urlsplit(publish.git_url).netloc if publish.git_url else "",
            git=_git_addresses(settings, batch),
        )
    )


def _git_addresses(settings: Settings, batch: Batch) -> dict[str, GitAddress | str] | None:
    """The public address of a committed file, or why git cannot serve it, by path; None without `git_url`."""
    git_url = settings.publish.git_url
    # Without a way by git nothing is asked of it: that costs a process.
    if git_url is None or "git" not in settings.publish.ways:
        return None
    paths = [
        material.path for shot in batch.shots for material in shot.request.materials if isinstance(material, LocalFile)
    ]
    pushed = find_pushed(settings.root, paths, child_environment())
    return {
        # Quoted: `#` and blanks in a path would end the address.
        path: GitAddress(git_url.replace("{commit}", entry.commit).replace("{path}", quote(path)))
        if isinstance(entry, Pushed)
        else entry
        for path, entry in pushed.items()
    }
