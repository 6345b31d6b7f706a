"""One file a command: `add(parser)` and `run(args)`; here is their table."""

COMMANDS = {
    "init": "start a content repo: an example storyboard, settings, schema",
    "validate": "say everything that is wrong with storyboards, each with its place",
    "plan": "price the batch, and say what a run would do and why",
    "run": "make the clips that are missing",
    "status": "what is made, what runs, what is unsettled",
    "spend": "the bill: by day, storyboard, scene, tag, shot, model or profile",
    "settle": "list attempts whose outcome nobody knows, and end one",
    "pick": "choose the good take of a shot",
    "fetch": "download again the clips that this machine lacks; pays for nothing",
    "verify": "hold the clips against the manifest's hashes",
    "sandbox": "serve the free local API, for other tools and tests",
    "prices": "the price book",
    "schema": "the JSON schemas",
    "doctor": "is this machine ready",
    "explain": "more about a problem, with an example of wrong and right",
}
"""Every command with its one line; each is a module of `runner.commands`."""
