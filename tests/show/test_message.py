"""Messages on standard error: whole lines in a file, lines wrapped by words on a terminal."""

from runner.show.text.message import message_lines

MESSAGE = (
    "kinovi.ai needs the API key of your account, and SEEDANCE_API_KEY is not set; nothing was sent or spent:\n"
    "  export SEEDANCE_API_KEY=…\n"
    "  or leave --provider kinovi out: the sandbox is free and needs no key, and draws the film on this machine\n"
    "    storyboard run storyboards/a-film-with-a-long-name.yaml --provider sandbox --profile draft --select quay"
)


def test_a_line_is_whole_where_no_terminal_shows_it() -> None:
    assert message_lines(MESSAGE, None) == f"storyboard: {MESSAGE}".splitlines()


def test_on_a_terminal_lines_break_between_words_and_commands_stay_whole() -> None:
    assert message_lines(MESSAGE, 60) == [
        "storyboard: kinovi.ai needs the API key of your account,",
        "  and SEEDANCE_API_KEY is not set; nothing was sent or",
        "  spent:",
        "  export SEEDANCE_API_KEY=…",
        "  or leave --provider kinovi out: the sandbox is free and",
        "    needs no key, and draws the film on this machine",
        MESSAGE.splitlines()[-1],
    ]


def test_control_characters_are_escaped() -> None:
    assert "\x1b" not in "".join(message_lines("\x1b[31mred", 80))


def test_an_empty_message_is_one_line() -> None:
    assert message_lines("", 80) == ["storyboard: "]
