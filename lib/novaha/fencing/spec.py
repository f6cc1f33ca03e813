"""The description of a fence agent, and the metadata document made from it."""

from typing import NamedTuple

from novaha.params import Param, as_text, escaped


class Option(NamedTuple):
    """A parameter as stdin and the command line know it.

    letter: of the short option. keys: the names it may come under; the first that has a value
    counts. Metadata advertises the parameter's own name only.
    """

    param: Param[object]
    letter: str
    keys: tuple[str, ...]

    @property
    def getopt(self) -> str:
        """Return the command line's form."""
        return f"-{self.letter}, --{self.param.name}=[{self.param.name}]"


class FenceSpec(NamedTuple):
    """All that a fence agent says about itself; `actions` are those it advertises, in order."""

    name: str
    shortdesc: str
    longdesc: str
    vendor_url: str
    options: tuple[Option, ...]
    actions: tuple[str, ...]

    def metadata(self) -> str:
        """Return the metadata document, valid against fence-agents' lib/metadata.rng."""
        return "\n".join(
            (
                '<?xml version="1.0" encoding="UTF-8"?>',
                f'<resource-agent name="{self.name}" shortdesc="{escaped(self.shortdesc)}">',
                f"<longdesc>{escaped(self.longdesc)}</longdesc>",
                f"<vendor-url>{escaped(self.vendor_url)}</vendor-url>",
                "<parameters>",
                *map(_parameter, self.options),
                "</parameters>",
                "<actions>",
                *(f'<action name="{action}"/>' for action in self.actions),
                "</actions>",
                "</resource-agent>",
                "",
            )
        )


def _parameter(option: Option) -> str:
    param = option.param
    default = "" if not param.default else f' default="{escaped(as_text(param.default))}"'
    return "\n".join(
        (
            f'<parameter name="{param.name}" unique="0" required="{int(param.required)}">',
            f'<getopt mixed="{escaped(option.getopt)}"/>',
            f'<content type="{param.type}"{default}/>',
            f'<shortdesc lang="en">{escaped(param.shortdesc)}</shortdesc>',
            "</parameter>",
        )
    )
