"""Checks of `--profile` and `--var` against the storyboards of a command."""

from collections.abc import Iterable, Sequence

from runner.diagnostics.failures import ProfileError, VariableError
from runner.diagnostics.problem import closest_match
from runner.language.compile_options import CompileOptions
from runner.language.sections import Sections, default_layers, profile_layers, profile_names
from runner.language.yaml.document import NodeRef


def check_options(all_sections: Sequence[Sections], options: CompileOptions) -> None:
    """Raise `ProfileError` or `VariableError` for a profile or variable that no storyboard of the command has."""
    profiles = {name for sections in all_sections for name in sections.profiles}
    for name in profile_names(options.profile):
        if name not in profiles:
            raise ProfileError(_unknown_name_message("profile", name, profiles))
    for name in options.variables:
        # One storyboard of the command is enough: the others need not know the variable.
        if not any(
            name in sections.variables and not _overrides(sections, name, options.profile) for sections in all_sections
        ):
            raise VariableError(_variable_message(name, all_sections, options.profile))


def _overrides(sections: Sections, name: str, profile: str | None) -> NodeRef | None:
    """The variable of `defaults` or of the profile that wins over the storyboard's own, for all its shots."""
    layers = (*default_layers(sections.files), *profile_layers(sections, profile))
    holders = (layer.origin / "vars" / name for layer in layers)
    return next((node for node in holders if node.value is not None), None)


def _variable_message(name: str, all_sections: Sequence[Sections], profile: str | None) -> str:
    """Say why `--var` cannot set a variable: one of the defaults, the profile or the shots wins, or it is unknown."""
    for sections in all_sections:
        if (node := _overrides(sections, name, profile)) is not None:
            place = node.key_place()
            return (
                f"--var {name} would change nothing: {place.path} ({place.file}:{place.line}) wins over it. "
                f"Move `{name}` from there to the `vars` of the storyboard, which --var sets"
            )
    from runner.language.unknown_fields import variable_names

    used_names = {name for sections in all_sections for file in sections.files for name in variable_names(file.root)}
    if name in used_names:
        return (
            f"--var {name} sets no variable of the storyboard: `{name}` stands in the `vars` or the `matrix` of shots, "
            f"or in templates alone. Define it in the `vars` of the storyboard, which --var sets"
        )
    return _unknown_name_message("variable", name, {name for sections in all_sections for name in sections.variables})


def _unknown_name_message(kind: str, name: str, candidates: Iterable[str]) -> str:
    suggestion = closest_match(name, candidates)
    listed = ", ".join(sorted(candidates)) or "none"
    return f"no {kind} is named {name}" + (f"; did you mean {suggestion}?" if suggestion else f"; available: {listed}")
