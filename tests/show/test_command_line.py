"""The command line to type next: what it keeps of the words that were typed, and how a shell reads it."""

import shlex

from runner.show.text.command_line import CommandLine

FLAGS = (
    ("--provider", "kinovi"),
    ("--profile", "draft"),
    ("--select", "quay"),
    ("--exclude", "boat"),
    ("--first-take", None),
)
LINE = CommandLine(("film.yaml",), FLAGS)


def test_files_and_flags_follow_the_command_in_the_order_they_have() -> None:
    words = "film.yaml --provider kinovi --profile draft --select quay --exclude boat --first-take"
    assert LINE.run("--max-credits 160") == f"storyboard run {words} --max-credits 160"
    assert CommandLine().status() == "storyboard status"


def test_a_shell_reads_each_value_as_one_word() -> None:
    line = CommandLine(("my film.yaml",), (("--select", 'scene:"Act 1" $(rm -r .)'),))
    assert shlex.split(line.plan()) == ["storyboard", "plan", "my film.yaml", "--select", 'scene:"Act 1" $(rm -r .)']


def test_a_control_character_in_a_name_is_escaped() -> None:
    assert "\x1b" not in CommandLine(("\x1b[2J.yaml",)).run()


def test_another_selection_stands_where_the_first_stood() -> None:
    twice = CommandLine(("film.yaml",), (("--select", "quay"), ("--select", "boat"), ("--exclude", "inn")))
    assert twice.with_selection("quay boat").plan() == "storyboard plan film.yaml --select 'quay boat' --exclude inn"


def test_another_provider_comes_first() -> None:
    line = CommandLine(("film.yaml",), (("--profile", "draft"),))
    assert line.with_provider("sandbox").run() == "storyboard run film.yaml --provider sandbox --profile draft"
    assert LINE.with_provider("sandbox").flags[0] == ("--provider", "sandbox")


def test_other_commands_get_only_the_flags_that_they_accept() -> None:
    line = LINE.with_inputs_of_all_commands("--provider")
    assert line.status() == "storyboard status film.yaml --provider kinovi --profile draft"


def test_a_run_of_the_rest_has_no_selection_and_orders_nothing_extra() -> None:
    rest = LINE.without_selection().without_extra_orders()
    assert rest.run() == "storyboard run film.yaml --provider kinovi --profile draft"


def test_commands_about_a_shot_stay_at_its_provider_and_its_film() -> None:
    line = CommandLine(("film.yaml",), (("--provider", "kinovi"), ("--profile", "draft"), ("--profile", "tall")))
    draft = line.of_film("draft")
    assert draft.accept("film:quay") == (
        "storyboard fetch film.yaml --provider kinovi --profile draft --accept film:quay"
    )
    assert draft.pick("film:quay") == "storyboard pick film:quay --provider kinovi --profile draft TAKE"
    assert draft.again("quay") == "storyboard run film.yaml --provider kinovi --profile draft --again quay"
    assert line.of_film(None).pick("quay", "2") == "storyboard pick quay --provider kinovi --profile none 2"
    assert CommandLine().of_film(None).pick("quay", "2") == "storyboard pick quay 2"


def test_a_shot_is_settled_at_the_paid_account_whatever_makes_the_clips() -> None:
    assert LINE.settle_found("film:quay") == "storyboard settle film:quay --profile draft --task task_…"
    assert LINE.settle_absent("film:quay") == "storyboard settle film:quay --profile draft --not-charged"


def test_the_list_of_unsettled_attempts_is_of_all_films() -> None:
    line = CommandLine(("film.yaml",), (("--config", "own.toml"), ("--profile", "draft"), ("--profile", "tall")))
    assert line.settle() == "storyboard settle --config own.toml"


def test_a_doubtful_clip_is_accepted_with_flags_that_fetch_has() -> None:
    line = CommandLine(("film.yaml",), (("--concurrency", "3"), ("--retake", "quay"), ("--output", "out")))
    assert line.accept("film:quay#2") == "storyboard fetch film.yaml --accept film:quay#2"


def test_the_number_of_a_take_needs_no_quotation_marks_and_a_blank_does() -> None:
    assert CommandLine().settle("film:quay#2@0123abcd", "…") == "storyboard settle film:quay#2@0123abcd …"
    assert CommandLine().settle("my film:quay#2") == "storyboard settle 'my film:quay#2'"
