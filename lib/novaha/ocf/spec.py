"""The description of an OCF agent, and the metadata document made from it."""

from typing import NamedTuple

from novaha.params import Param, as_text, escaped


class Operation(NamedTuple):
    """One operation as advertised. timeout_s, interval_s: seconds; depth: OCF_CHECK_LEVEL."""

    name: str
    timeout_s: int
    interval_s: int | None = None
    depth: int | None = None


class AgentSpec(NamedTuple):
    """All that an agent says about itself."""

    name: str
    shortdesc: str
    longdesc: str
    params: tuple[Param[object], ...]
    operations: tuple[Operation, ...]

    def timeout_s(self, operation: str) -> float:
        """Return the advertised timeout of an operation; 20 s for one that has none."""
        return next(
            (float(each.timeout_s) for each in self.operations if each.name == operation), 20.0
        )

    def metadata(self) -> str:
        """Return the metadata document.

        It is valid against the OCF 1.1 RNG, resource-agents' metadata.rng and ra-api-1.dtd, which
        ocf-tester asks for by the DOCTYPE. That DTD knows neither `reload-agent` nor `reloadable`,
        and none of the three but metadata.rng knows the type `second`.
        """
        return "\n".join(
            (
                '<?xml version="1.0" encoding="UTF-8"?>',
                '<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">',
                f'<resource-agent name="{self.name}">',
                "<version>1.1</version>",
                _described("longdesc", self.longdesc),
                _described("shortdesc", self.shortdesc),
                "<parameters>",
                *map(_parameter, self.params),
                "</parameters>",
                "<actions>",
                *map(_action, self.operations),
                "</actions>",
                "</resource-agent>",
                "",
            )
        )


def _described(tag: str, text: str) -> str:
    return f'<{tag} lang="en">{escaped(text)}</{tag}>'


def _parameter(param: Param[object]) -> str:
    type_ = "integer" if param.type == "second" else param.type
    default = "" if param.default is None else f' default="{escaped(as_text(param.default))}"'
    return "\n".join(
        (
            f'<parameter name="{param.name}" required="{int(param.required)}">',
            _described("longdesc", param.longdesc),
            _described("shortdesc", param.shortdesc),
            f'<content type="{type_}"{default}/>',
            "</parameter>",
        )
    )


def _action(operation: Operation) -> str:
    interval = "" if operation.interval_s is None else f' interval="{operation.interval_s}s"'
    depth = "" if operation.depth is None else f' depth="{operation.depth}"'
    return f'<action name="{operation.name}" timeout="{operation.timeout_s}s"{interval}{depth}/>'
