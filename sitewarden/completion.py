"""Completion scripts for shells, made from the command line's own parser.

In: the whole parser. Out: a script that completes commands, their commands and their options. Files complete as usual.
"""

import argparse
from collections.abc import Mapping

_BASH = """_sitewarden() {{
  local words
  case "${{COMP_WORDS[1]}}" in
{cases}
    *) words="{commands}" ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="{commands}"
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _sitewarden sitewarden"""


def completion_script(shell: str, parser: argparse.ArgumentParser) -> str:
    """The script to source. `shell`: bash, zsh or fish."""
    words = _words(parser)
    if shell == "fish":
        return "\n".join(_fish(words))
    cases = "\n".join(f'    {name}) words="{" ".join(rest)}" ;;' for name, rest in words.items())
    script = _BASH.format(cases=cases, commands=" ".join(words))
    return script if shell == "bash" else f"autoload -U +X bashcompinit && bashcompinit\n{script}"


def _fish(words: Mapping[str, list[str]]) -> list[str]:
    lines = [f"complete -c sitewarden -n __fish_use_subcommand -a {name}" for name in words]
    for name, rest in words.items():
        lines += [f"complete -c sitewarden -n '__fish_seen_subcommand_from {name}' -a '{word}'" for word in rest]
    return lines


def _words(parser: argparse.ArgumentParser) -> dict[str, list[str]]:
    return {name: sorted(_own_words(sub)) for name, sub in _commands(parser).items()}


def _own_words(parser: argparse.ArgumentParser) -> set[str]:
    """Options of a command, its commands, and their options."""
    words = {text for action in parser._actions for text in action.option_strings if text.startswith("--")}
    for name, sub in _commands(parser).items():
        words |= {name} | _own_words(sub)
    return words


def _commands(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found: Mapping[str, argparse.ArgumentParser] = action.choices
            return found
    return {}
