"""The contenders, made for one heat each."""

from collections.abc import Callable

from . import masakari, search
from .contender import Contender
from .driven import Classic, Floor
from .masakari import Masakari
from .ours import Ours
from .stage import Stage


def made(stage: Stage, name: str, in_flight: int) -> Contender:
    """Return a contender by a name of the line-up or the search; in_flight is for the floor."""
    makers: dict[str, Callable[[], Contender]] = {
        "floor": lambda: Floor(stage, in_flight),
        "nova-ha": lambda: Ours(stage),
        "classic": lambda: Classic(stage),
        "masakari": lambda: Masakari(stage, {}),
        "masakari-tuned": lambda: Masakari(stage, masakari.TUNED),
        "masakari-helped": lambda: Masakari(stage, masakari.HELPED, helped=True),
    }
    return makers["floor" if search.number_of(name) else name]()
