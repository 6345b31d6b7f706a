"""How a run ended: what was made and where, what it cost, what is in doubt, and what to type next."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from decimal import Decimal

from runner.engine.news import Fate, Outcome
from runner.history import Attempt, State
from runner.language.board import Shot
from runner.plan import Action, Plan
from runner.problems import ExitCode
from runner.show.advice import Places, advice, nowhere, pointed
from runner.show.amounts import count, credits_text, dollars, lasting, length
from runner.show.bill import amounts
from runner.show.cells import left
from runner.show.cells import width as cells
from runner.show.clean import clean, words
from runner.show.ink import Ink
from runner.show.names import clip_path, full_name, several_boards, shot_name, take_names, title
from runner.show.notes import commands, flow, labelled
from runner.values import dataclass

_LABEL = 9
_WIDE = 120
_MOST_PATHS = 12
_MOST_NAMED = 10
_MOST_ADVISED = 6

_ENDINGS = {
    ExitCode.FAILED: "some takes did not come out",
    ExitCode.UNFIT: "it could not go on",
    ExitCode.DECLINED: "no further task was created",
    ExitCode.KEY: "the key was refused",
    ExitCode.UNSETTLED: "somebody has to settle what nobody knows",
    ExitCode.LOCKED: "another run holds this output",
    ExitCode.WAITING: "something waits; run again to go on",
    ExitCode.INTERRUPTED: "interrupted; run again to go on",
}


@dataclass(frozen=True, slots=True)
class After:
    """What the closing says beside the outcome."""

    typed: str = ""
    """Files and flags as the user typed them."""
    files: str = ""
    """The files with what was typed of profile, variables and settings: what other commands take, too."""
    provider: str = ""
    """The flag for the provider, where it was typed."""
    chosen: str = ""
    """The flags of the selection."""
    everything: str = ""
    """What was typed without them: for a run of the rest."""
    run: str = ""
    """The run that ended: what bears another's name was ordered by an earlier one; empty when nobody asks."""
    whole: Plan | None = None
    """What a run of everything would do now: all shots, whatever was selected; None when nobody asks."""
    prefix: str = ""
    """The repository's top seen from where the user stands: what paths of clips are told from."""
    quiet: bool = False
    """Only what went wrong is wanted."""
    took: float = 0.0
    """Seconds that the run took."""
    asks: str = "kinovi"
    built: frozenset[str] = frozenset({"run", "plan", "status"})
    """Commands that may be named."""
    to_commit: tuple[str, ...] = ()
    """Manifests with paid clips that are not committed."""
    zone: tzinfo | None = None
    """Of the reader; None is the machine's own."""
    places: Places = nowhere
    """Where a shot's fields are said, for what the provider says of single ones."""


def closing(outcome: Outcome, width: int, color: bool, after: After) -> str:
    """The last screen of a run, at so many columns; empty when only trouble is wanted, and there is none."""
    ink, width = Ink(color), min(width, _WIDE)
    if after.quiet:
        troubles = _troubles(outcome, width, ink, after)
        lines = [_headline(outcome, width, ink, after), *troubles]
        return "" if outcome.exit_code is ExitCode.DONE else "\n".join(lines) + "\n"
    blocks = [
        [_headline(outcome, width, ink, after)],
        _money(outcome, width, ink, after),
        _clips(outcome, width, ink, after),
        _troubles(outcome, width, ink, after),
        _film(outcome, width, ink, after),
        _next(outcome, width, ink, after),
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def _headline(outcome: Outcome, width: int, ink: Ink, after: After) -> str:
    made = len(outcome.made)
    facts = f"{count(made, 'clip')} made in {lasting(after.took)}" if made else "no new clip"
    code = outcome.exit_code
    end = "" if code is ExitCode.DONE else f"exit {int(code)}: {_ending(outcome, code)}"
    name = title(outcome.plan)
    room = width - cells(name) - 3 - cells(facts) - cells(end)
    line = f"{ink(name, 'strong')}   {ink(facts, 'good' if made else 'plain')}"
    if not end:
        return line
    painted = ink(end, "warn" if code in (ExitCode.WAITING, ExitCode.INTERRUPTED) else "strong bad")
    return f"{line}{' ' * room}{painted}" if room >= 3 else f"{line}\n{painted}"


def _ending(outcome: Outcome, code: ExitCode) -> str:
    if code is ExitCode.UNSETTLED:
        number = len(outcome.unsettled)
        return f"{'one is' if number == 1 else f'{number} are'} unsettled"
    return _ENDINGS.get(code, "")


# -- money ------------------------------------------------------------------------------------------------


def _money(outcome: Outcome, width: int, ink: Ink, after: After) -> list[str]:
    plan, money = outcome.plan, outcome.money
    made = _attempts(outcome.made)
    if plan.play:
        credits = sum((attempt.intended.quoted for attempt in made), Decimal(0))
        if not credits:
            return []
        usd = dollars(plan.usd(credits))
        text = f"free; on {clean(after.asks)} {credits_text(credits)} credits, {usd}"
        return ["  " + ink(text, "strong good")]
    doubt = [*outcome.unsettled, *outcome.perhaps]
    rows = []
    if made or money.billed:
        rows.append(("billed", _billed(outcome, after), _difference(outcome, after)))
    if doubt:
        rows.append(("perhaps", max(money.perhaps, _quoted(doubt)), ", ".join(_named(doubt, plan))))
    if money.running:
        rows.append(("running", money.running, ""))
    if outcome.refused:
        rows.append(("refused", Decimal(0), f"{', '.join(_named(outcome.refused, plan))}, free"))
    return amounts(rows, plan, width, ink)


def _attempts(fates: Iterable[Fate]) -> list[Attempt]:
    """The attempts behind some takes, each once: takes that share a request share its bill."""
    return list({fate.attempt.id: fate.attempt for fate in fates if fate.attempt is not None}.values())


def _earlier(outcome: Outcome, after: After) -> Decimal:
    """The bill of what this run brought home and an earlier one had ordered."""
    found = (attempt for attempt in _attempts(outcome.made) if after.run and attempt.intended.run != after.run)
    return sum((attempt.billed for attempt in found), Decimal(0))


def _billed(outcome: Outcome, after: After) -> Decimal:
    """What this run's tasks were billed, and those of earlier runs whose clips it made."""
    return outcome.money.billed + _earlier(outcome, after)


def _difference(outcome: Outcome, after: After) -> str:
    """The bill beside the quote of the same attempts, and how much of it an earlier run had ordered."""
    made = _attempts(outcome.made)
    if not made:
        return ""
    billed = sum((attempt.billed for attempt in made), Decimal(0))
    quoted = sum((attempt.intended.quoted for attempt in made), Decimal(0))
    said = "as quoted"
    if billed != quoted:
        more = "more" if billed > quoted else "less"
        said = f"quoted {credits_text(quoted)}: {credits_text(abs(billed - quoted))} {more}"
    if earlier := _earlier(outcome, after):
        part = "all" if earlier == _billed(outcome, after) else credits_text(earlier)
        said += f"; {part} of it by an earlier run"
    return said


def _quoted(fates: Iterable[Fate]) -> Decimal:
    return sum((fate.step.price.credits or Decimal(0) for fate in fates), Decimal(0))


def _named(fates: Sequence[Fate], plan: Plan) -> list[str]:
    names = take_names([fate.step for fate in fates], several_boards(plan))
    return names if len(names) <= _MOST_NAMED else [*names[:_MOST_NAMED], f"and {len(names) - _MOST_NAMED} more"]


# -- clips ------------------------------------------------------------------------------------------------


def _clips(outcome: Outcome, width: int, ink: Ink, after: After) -> list[str]:
    """Where the new clips are: each by its path while they are few, else the folders."""
    paths = [
        clip_path(fate.attempt, fate.step, after.prefix) for fate in outcome.made if fate.attempt and fate.attempt.clip
    ]
    if not paths:
        return []
    if len(paths) > _MOST_PATHS:
        places = dict.fromkeys(f"{path.split('/clips/')[0]}/clips" for path in paths)
        text = f"{len(paths)} new ones in {', '.join(places)}"
        return labelled("clips", text, width, ink, "good", _LABEL)
    first, *rest = paths
    return [f"  {ink(left('clips', _LABEL), 'good')}  {first}", *(f"  {' ' * _LABEL}  {path}" for path in rest)]


# -- what did not go well ---------------------------------------------------------------------------------


def _troubles(outcome: Outcome, width: int, ink: Ink, after: After) -> list[str]:
    plan, lines = outcome.plan, list[str]()
    if outcome.halt is not None:
        for at, line in enumerate(outcome.halt.words.splitlines()):
            lines += labelled("stopped" if at == 0 else "", clean(line), width, ink, "strong bad", _LABEL)
    lines += _unsettled(outcome.unsettled, plan, width, ink, after)
    for fate in outcome.perhaps:
        text = f"{_name(fate, plan)}  the server failed and it was tried again; counted as charged"
        lines += labelled("perhaps", text, width, ink, "bad", _LABEL)
    for label, fates, way_out in (
        ("refused", outcome.refused, ""),
        ("failed", outcome.failed, ""),
        ("gone", outcome.gone, "paid, and the provider no longer has the clip"),
    ):
        lines += _bad(label, fates, way_out, plan, width, ink, after)
    lines += _blocked(outcome, width, ink)
    lines += _waiting(outcome, width, ink, after)
    return lines + _left(outcome, width, ink)


def _name(fate: Fate, plan: Plan) -> str:
    take = f" take {fate.step.take}" if fate.step.shot.takes > 1 or fate.step.take > 1 else ""
    return shot_name(fate.step, several_boards(plan)) + take


def _said(fate: Fate) -> str:
    """The vendor's words, or ours."""
    said = fate.words or (fate.attempt.words if fate.attempt is not None else "")
    return words(said or fate.step.reason, 400)


def _unsettled(fates: Sequence[Fate], plan: Plan, width: int, ink: Ink, after: After) -> list[str]:
    """Each with what happened and when; the way out once, for the first."""
    lines: list[str] = []
    for fate in fates:
        sent = fate.attempt.sent_at or fate.attempt.intended_at if fate.attempt is not None else None
        time = f" ({sent.astimezone(after.zone):%H:%M:%S})" if sent is not None else ""
        text = f"{_name(fate, plan)}  {_said(fate)}{time}; nobody knows the outcome"
        lines += labelled("unsettled", text, width, ink, "strong bad", _LABEL)
    if not fates:
        return []
    one = "it" if len(fates) == 1 else "each"
    if "settle" not in after.built:
        advice = f"look for {one} on the vendor's page; what is in doubt is counted, and never sent again by itself"
        return [*lines, *labelled("", advice, width, ink, "plain", _LABEL)]
    margin, shot = " " * (_LABEL + 4), full_name(fates[0].step)
    ways = (
        (f"storyboard settle {shot} --task task_…", "it is there: take it, no new charge"),
        (f"storyboard settle {shot} --not-charged", "it is not: the next run makes it"),
    )
    lead = f"{margin}look for {one} on the vendor's page, then one of"
    return [*lines, lead, *commands(ways, width, ink, margin + "  ")]


def _bad(label: str, fates: Sequence[Fate], way_out: str, plan: Plan, width: int, ink: Ink, after: After) -> list[str]:
    """Takes that ended alike, by the words that they ended with: what many share is said once."""
    by_words: dict[str, list[Fate]] = {}
    for fate in fates:
        by_words.setdefault(_said(fate), []).append(fate)
    lines: list[str] = []
    for said, alike in by_words.items():
        for (told, *about), found in _advised(alike, way_out, plan, after).items():
            place = found[0].step.shot.place
            where = f" ({clean(place.file)}:{place.line})" if len(found) == 1 and place.file else ""
            quoted = f'"{said}"' if said else "no word about why"
            text = f"{'  '.join(_named(found, plan))}{where}  {quoted}; {told}"
            lines += labelled(label, text, width, ink, "bad", _LABEL)
            lines += [line for each in about for line in labelled("", each, width, ink, "plain", _LABEL)]
    return lines


def _advised(fates: Sequence[Fate], way_out: str, plan: Plan, after: After) -> dict[tuple[str, ...], list[Fate]]:
    """The same words by what to do about them: fields and materials are named, unless that would be a long list."""
    found: dict[tuple[str, ...], list[Fate]] = {}
    for fate in fates:
        about = pointed(fate.attempt, fate.step.shot, plan.edition, after.places)
        found.setdefault((way_out or advice(fate.attempt, fate.step.shot), *about), []).append(fate)
        if len(found) > _MOST_ADVISED:
            return {(way_out or advice(fate.attempt),): list(fates)}
    return found


def _blocked(outcome: Outcome, width: int, ink: Ink) -> list[str]:
    by_cause: dict[str, list[Fate]] = {}
    for fate in outcome.blocked:
        by_cause.setdefault(_said(fate), []).append(fate)
    lines: list[str] = []
    for cause, found in by_cause.items():
        lines += labelled("blocked", f"{'  '.join(_named(found, outcome.plan))}  {cause}", width, ink, "bad", _LABEL)
    return lines


def _waiting(outcome: Outcome, width: int, ink: Ink, after: After) -> list[str]:
    picks = [fate for fate in outcome.waits if fate.step.later]
    running = [fate for fate in outcome.waits if _runs(fate)]
    others = [fate for fate in outcome.waits if fate not in picks and fate not in running]
    lines: list[str] = []
    if picks:
        roots = dict.fromkeys(clean(root) for fate in picks for root in fate.step.blockers)
        price = f"   {credits_text(_quoted(picks))} credits" if not outcome.plan.play else ""
        text = f"{'  '.join(_named(picks, outcome.plan))}  pick a take of {' '.join(roots)}{price}"
        lines += labelled("waiting", text, width, ink, "warn", _LABEL)
    if running:
        text = f"{'  '.join(_named(running, outcome.plan))}  at the provider; the next run collects it, no new charge"
        lines += labelled("running", text, width, ink, "warn", _LABEL)
    for fate in others[:_MOST_NAMED]:
        lines += labelled("waiting", f"{_name(fate, outcome.plan)}  {_said(fate)}", width, ink, "warn", _LABEL)
    return lines


def _runs(fate: Fate) -> bool:
    return fate.attempt is not None and fate.attempt.state is State.RUNNING


def _left(outcome: Outcome, width: int, ink: Ink) -> list[str]:
    if not outcome.left:
        return []
    price = "" if outcome.plan.play else f", {credits_text(_quoted(outcome.left))} credits"
    text = f"{count(len(outcome.left), 'take')}{price}: {'  '.join(_named(outcome.left, outcome.plan))}"
    return labelled("not begun", text, width, ink, "warn", _LABEL)


# -- the film, and what comes next ------------------------------------------------------------------------


def _film(outcome: Outcome, width: int, ink: Ink, after: After) -> list[str]:
    """How much of the film has a clip, and what to commit."""
    plan = after.whole or outcome.plan
    made = {step.key[:2] for step in plan.steps if step.action is Action.KEEP}
    made |= {fate.step.key[:2] for fate in outcome.made}
    wanted = [shot for shot in plan.batch.shots if not shot.skip]
    have: list[Shot] = [shot for shot in wanted if (shot.storyboard, shot.id) in made]
    film = length(sum(shot.request.seconds for shot in have))
    facts = [f"{len(have)} of {count(len(wanted), 'shot')}, {film}"]
    lines = labelled("film", flow(facts, width)[0], width, ink, "plain", _LABEL)
    billed = _billed(outcome, after)
    worth = f" (worth {credits_text(billed)} credits)" if billed else ""
    for path in after.to_commit:
        lines += labelled("commit", f"{clean(path)}{worth}", width, ink, "plain", _LABEL)
    return lines


def _next(outcome: Outcome, width: int, ink: Ink, after: After) -> list[str]:
    found = list(_ways(outcome, after))
    if not found:
        return []
    margin = " " * (_LABEL + 4)
    first, *rest = commands(found, width, ink, margin)
    return [f"  {left('next', _LABEL)}  {first[len(margin) :]}", *rest]


def _ways(outcome: Outcome, after: After) -> Iterable[tuple[str, str]]:
    """What to type next, each with what it does; only commands that exist."""
    typed, files = clean(after.typed), clean(after.files or after.typed)
    same, chosen = _joined(files, after.provider), _joined(files, after.chosen)
    unfinished = outcome.exit_code is not ExitCode.DONE
    if outcome.made and "dailies" in after.built:
        yield f"storyboard dailies {same} --serve", "look, and pick"
    if any(fate.step.later for fate in outcome.waits) and "pick" in after.built:
        yield "storyboard pick SHOT TAKE", "choose the good take"
    if unfinished:
        yield f"storyboard run {typed}".rstrip(), _goes_on(outcome)
        return
    if (rest := _rest(outcome, after)) is not None:
        yield f"storyboard run {clean(after.everything) or same}".rstrip(), rest
    if outcome.plan.play:
        yield f"storyboard plan {chosen} --provider {clean(after.asks)}", "the real price; needs no key"
        if all(shot.private is None for shot in outcome.plan.shots):
            yield f"storyboard run {chosen} --provider {clean(after.asks)}", "the real clips; asks first"
    elif "dailies" not in after.built:
        yield f"storyboard status {same}".rstrip(), "what is made, and what it cost"


def _joined(*words: str) -> str:
    return " ".join(clean(word) for word in words if word)


def _rest(outcome: Outcome, after: After) -> str | None:
    """What a run without the selection would order beside it: its price; None when there is nothing, or none can be."""
    whole = after.whole
    found = [step for step in whole.steps if step.orders] if whole is not None else []
    if whole is None or not found or (not whole.play and any(step.shot.private is not None for step in found)):
        return None
    credits = whole.totals.credits
    return "the rest" if whole.play or credits is None else f"the rest, {credits_text(credits)} credits"


def _goes_on(outcome: Outcome) -> str:
    """What the same command would do again."""
    waits = any(not fate.step.later for fate in outcome.waits)
    if outcome.interrupted or outcome.left or outcome.failed or waits or not (outcome.unsettled or outcome.refused):
        return "goes on" if outcome.plan.play else "goes on; pays for nothing twice"
    return "goes on once that is settled" if outcome.unsettled else "goes on once that is changed"
