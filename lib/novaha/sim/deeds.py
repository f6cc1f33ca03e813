"""What each word of a script does to a world: one deed for each word of sim/words.py."""

from collections.abc import Callable

from novaha.sim.cloud_deeds import CLOUD
from novaha.sim.disarm_deeds import DISARMS
from novaha.sim.drain_deeds import DRAINS
from novaha.sim.node_deeds import NODES
from novaha.sim.own_deeds import OWN

DEEDS: dict[str, Callable[..., None]] = {**NODES, **CLOUD, **DISARMS, **DRAINS, **OWN}
"""Each takes the world and the arguments of the word, as the script has them."""
