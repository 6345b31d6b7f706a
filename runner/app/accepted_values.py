"""The values that a storyboard takes from a shot list: those of the language, and of the default edition."""

from runner.editions.edition import DEFAULT, load
from runner.editions.model import short_side
from runner.language import schema_files
from runner.shot_lists.shot_list import AcceptedValues


def accepted_values() -> AcceptedValues:
    """The values of the fields that have a choice, and the most takes of a shot."""
    edition, definitions = load(DEFAULT), schema_files.load()["definitions"]
    resolutions = {resolution for model in edition.model_rows for resolution in edition.resolutions(model)}
    return AcceptedValues(
        {
            "resolution": tuple(sorted(resolutions, key=short_side)),
            "aspect_ratio": tuple(definitions["aspect_ratio_value"]["enum"]),
            # The models' own names first, then their other spellings.
            "model": tuple(dict.fromkeys((*edition.model_rows, *edition.models))),
        },
        definitions["takes_value"]["maximum"],
    )
