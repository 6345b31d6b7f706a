"""The film at the end of a run: the cut and the sheet of each film that got a clip, and where they lie.

Nothing here changes the run's exit code: what cannot be made is a note.
"""

import os
from collections.abc import Iterator

from runner.app.conversation import Conversation
from runner.app.cut_key import NAME, older_cut, stored_key
from runner.app.films import Film, whole_films
from runner.app.session import Session
from runner.attempts.film import FilmName
from runner.attempts.history import History
from runner.diagnostics.problem import CommandError
from runner.engine.run_events import RunResult
from runner.files.reading import reason
from runner.planning.plan import Plan
from runner.show.screens.film_lines import FilmLine
from runner.show.text.format import count, length


def closing_films(
    session: Session, history: History, plan: Plan, result: RunResult, conversation: Conversation
) -> tuple[FilmLine, ...]:
    """Make the films of a run that finished a take; the lines of its closing. `plan` is that of all shots."""
    changed = {take.step.shot.film for take in result.finished}
    lines: list[FilmLine] = []
    for film in whole_films(session.settings, history, plan):
        if film.cut.film in changed and _is_wanted(session, result):
            lines += _new_film(session, film, conversation)
        else:
            lines += older_cut_lines(session, film)
    return tuple(lines)


def older_cut_lines(session: Session, film: Film) -> Iterator[FilmLine]:
    """A note where the film's file shows another edit or other clips."""
    older = older_cut(session.settings, film)
    if older is not None:
        text = f"{os.path.relpath(older)} is older than the clips"
        yield FilmLine("note", text, command=cut_command(session, film))


def film_lines_by_storyboard(session: Session, history: History, plan: Plan) -> dict[FilmName, tuple[FilmLine, ...]]:
    """The place of each storyboard's cut, and whether it is current; empty for storyboards without one."""
    if not any((session.settings.output_folder(film) / NAME).is_file() for film in session.films):
        return {}
    whole = plan if session.selected(history) is None else session.planner.plan(history)
    return {
        film.cut.film: tuple(_state_of_cut(session, film)) for film in whole_films(session.settings, history, whole)
    }


def _state_of_cut(session: Session, film: Film) -> Iterator[FilmLine]:
    path = film.folder / NAME
    older = tuple(older_cut_lines(session, film))
    if not older and stored_key(path) is not None:
        yield FilmLine("watch", os.path.relpath(path))
    yield from older


def cut_command(session: Session, film: Film) -> str:
    """The command that makes the film's cut."""
    line = session.command_line.to_look(session.look_provider)
    if len(session.settings.profiles) > 1:
        line = line.with_flag("--profile", film.cut.profile or "none")
    if not session.settings.account.free:
        line = line.with_flag("--provider", session.settings.provider)
    return line.of_files(os.path.relpath(session.settings.root / film.cut.storyboard)).cut()


def _is_wanted(session: Session, result: RunResult) -> bool:
    """Whether this run ends with a cut: a person watches it, and it was about whole films."""
    display, selection = session.command.display, session.command.selection
    is_part = bool(selection.select or selection.exclude)
    is_for_programs = session.settings.ci or display.as_json or display.quiet
    return not (is_for_programs or is_part or result.interrupted or session.command.execution.no_cut)


def _new_film(session: Session, film: Film, conversation: Conversation) -> Iterator[FilmLine]:
    """The film's cut and sheet; the commands that make them where they were stopped, failed, or take an encoder."""
    command = cut_command(session, film)
    try:
        yield _cut_line(session, film, command, conversation)
        yield _sheet_line(session, film)
    except KeyboardInterrupt:
        yield FilmLine("note", "the cut was stopped", command=command)
        yield from older_cut_lines(session, film)
    except (CommandError, OSError, ValueError, MemoryError) as error:
        text = str(error) if isinstance(error, CommandError) else f"the cut failed: {reason(error)}"
        yield FilmLine("note", text, command=command)
        yield from older_cut_lines(session, film)


def _cut_line(session: Session, film: Film, command: str, conversation: Conversation) -> FilmLine:
    """The cut that was made; of a paid film that would have to be encoded, the command that does."""
    from runner.app.cut import CutOptions, make_cut
    from runner.assembly.parts import CannotCopy

    is_free = session.settings.account.free
    options = CutOptions(quick=is_free, copy_only=not is_free)
    try:
        with conversation.follow_cut() as progress:
            cut = make_cut(session.settings, film, options, progress.tell)
    except CannotCopy as error:
        return FilmLine("watch", command, f"encodes the film, since {error.reason}", is_command=True)
    facts = [length(film.cut.seconds)]
    if cut.missing:
        facts.append(f"{count(len(cut.missing), 'slate')} for missing clips")
    if cut.result is not None and not cut.result.copied:
        facts.append(f"encoded small, since {cut.result.reason}")
    return FilmLine("watch", os.path.relpath(cut.path), " · ".join(facts))


def _sheet_line(session: Session, film: Film) -> FilmLine:
    from runner.app.sheet import make_sheet

    sheet = make_sheet(session.settings, film, None, as_pdf=False)
    return FilmLine("sheet", os.path.relpath(sheet.path))
