"""Puts what was found in the order of the files, and says once what many shots share."""

from dataclasses import replace

from runner.problems import Problem, Problems


def settled(problems: Problems) -> Problems:
    """The same problems sorted by file, line and column; equal ones joined, with all the shots that they touch."""
    joined: dict[tuple[object, ...], Problem] = {}
    for problem in problems:
        key = (problem.code, problem.place, problem.message)
        known = joined.get(key)
        if known is None:
            joined[key] = problem
        elif problem.shots:
            joined[key] = replace(known, shots=tuple(dict.fromkeys((*known.shots, *problem.shots))))
    files = {name: index for index, name in enumerate(problems.sources)}
    problems.found = sorted(
        joined.values(),
        key=lambda one: (files.get(one.place.file, len(files)), one.place.file, one.place.line, one.place.column),
    )
    return problems
