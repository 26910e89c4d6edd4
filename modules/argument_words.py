"""How a text is taken apart into the words of a command line. Old Pythons can read this file, too."""

import os

from modules.errors import EaselError

__all__ = ["split_words", "words_of_environment"]

VARIABLE = "COMMANDLINE_ARGS"
QUOTES = "\"'"


def words_of_environment(environment, windows=os.name == "nt"):
    # type: (Mapping[str, str], bool) -> list[str]
    """The words of COMMANDLINE_ARGS in `environment`. Raises EaselError for a quotation mark without its end."""
    text = environment.get(VARIABLE, "")
    try:
        words = split_words(text, windows)
        if len(words) == 1 and words[0].startswith("-") and "=" not in (words[0].split() or [""])[0]:
            # Some people put quotation marks around the whole line in webui-user.bat.
            words = split_words(words[0], windows)
    except ValueError as error:
        raise EaselError(
            "{} cannot be read: the quotation mark before {} has no end. Close it, or take it away.".format(
                VARIABLE, error
            )
        ) from error
    return words
