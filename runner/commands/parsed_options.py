"""The options of a command, from its parsed arguments: below the commands nobody knows argparse."""

import argparse

from runner.app.options import (
    CommandOptions,
    DisplayOptions,
    ExecutionOptions,
    InputOptions,
    OrderOptions,
    SelectionOptions,
    SpendingOptions,
)


def command_options(args: argparse.Namespace) -> CommandOptions:
    """The values of all shared flags; a command without a flag has the flag's default."""
    values = vars(args)
    return CommandOptions(
        input=InputOptions(
            files=tuple(values.get("files", ())),
            provider=args.provider,
            # `none` alone is the storyboard without a profile, as without the flag: one name for one output.
            profiles=tuple(args.profile) if tuple(args.profile) != ("none",) else (),
            variables=tuple(args.var),
            variable_files=tuple(args.var_file),
            config=args.config,
            # A command that pays or records reads every file anew; only those that look may take a file for unchanged.
            trusts_unchanged_files=not values.get("verify_files", False),
        ),
        selection=SelectionOptions(
            # Quoted, since the name of a scene may hold blanks and commas.
            select=(*values.get("select", ()), *(f'scene:"{scene}"' for scene in values.get("scenes", ()))),
            exclude=tuple(values.get("exclude", ())),
        ),
        orders=OrderOptions(
            retake=tuple(values.get("retake", ())),
            again=tuple(values.get("again", ())),
            first_take=values.get("first_take", False),
        ),
        spending=SpendingOptions(
            yes=values.get("yes", False),
            max_credits=values.get("max_credits"),
            allow_pull_request=values.get("allow_pull_request", False),
        ),
        execution=ExecutionOptions(
            concurrency=values.get("concurrency"),
            output=values.get("output"),
            no_wait=values.get("no_wait", False),
            fail_fast=values.get("fail_fast", False),
            no_cut=values.get("no_cut", False),
            canary=values.get("canary"),
        ),
        display=DisplayOptions(as_json=args.json, quiet=args.quiet, no_color=args.no_color),
    )
