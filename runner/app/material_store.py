"""The store of `[publish]`, opened for a run with the cloud's own variables."""

from datetime import timedelta

from runner.clock import SystemClock
from runner.editions.edition import Edition
from runner.publish.object_store import ObjectStore
from runner.settings.cloud_variables import cloud_variables
from runner.settings.settings import Settings


def open_store(settings: Settings, edition: Edition) -> ObjectStore | None:
    """The store of a paid run; None without one. Nothing is opened before the first object."""
    publish = settings.publish
    if publish.store is None or settings.account.free:
        return None
    life = timedelta(seconds=edition.task_life)
    return ObjectStore(publish.store, publish.base_url, cloud_variables(), settings.root, SystemClock(), life)
