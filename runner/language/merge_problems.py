"""The order of problems by position, and the joining of equal problems of many shots into one."""

from runner.diagnostics.problem import Place, Problem, Problems
from runner.lazy_dataclass import replace
from runner.lazy_pattern import lazy_pattern

# Of a message, a hint and a path: a screen of 25 lines.
_MAX_CHARACTERS = 2_000
# Numbers alone, no part of a name or mention: `shot2` and `@image1` stay apart.
_NUMBER = lazy_pattern(r"(?<![\w@])\d[\d,.]*(?!\w)")


def merge(problems: Problems) -> Problems:
    """Sort problems by file, line and column, and join equal ones, with all the shots that they touch.

    A consequence of another problem is told at its first place alone. Messages of shots that differ by a number alone
    count as equal: every shot of a matrix has its own prompt length.
    """
    joined: dict[tuple[object, ...], Problem] = {}
    # Dicts as ordered sets: shots and related places keep their order, each once.
    shots: dict[tuple[object, ...], dict[str, None]] = {}
    related: dict[tuple[object, ...], dict[tuple[Place, str], None]] = {}
    for problem in problems:
        place = problem.place
        message = _NUMBER.sub("#", problem.message) if problem.shots else problem.message
        at = (place.line, place.column) if problem.cause is None else problem.cause
        key = (problem.code, place.file, at, message)
        joined.setdefault(key, problem)
        shots.setdefault(key, {}).update(dict.fromkeys(problem.shots))
        related.setdefault(key, {}).update(dict.fromkeys(problem.related))
    items = [_with_shots(item, tuple(shots[key]), tuple(related[key])) for key, item in joined.items()]
    # In the order of reading: a storyboard stands before its includes.
    files = {name: index for index, name in enumerate(problems.sources)}
    items.sort(
        key=lambda item: (files.get(item.place.file, len(files)), item.place.file, item.place.line, item.place.column)
    )
    problems.items = items
    return problems


def _with_shots(problem: Problem, shots: tuple[str, ...], related: tuple[tuple[Place, str], ...]) -> Problem:
    """A problem with its shots and related places; texts are cut, since a name in a file can have a megabyte."""
    place, texts = problem.place, (problem.message, problem.hint)
    if max(map(len, (place.path, *texts))) > _MAX_CHARACTERS:
        message, hint = (text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}…" for text in texts)
        place = place._replace(path=place.path[:_MAX_CHARACTERS])
        problem = replace(problem, message=message, hint=hint, place=place)
    return replace(problem, shots=shots, related=related)
