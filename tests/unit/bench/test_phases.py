from race.phases import phases_in

LOG = """\
Nov 25 18:35:57.081 controller-3 pacemaker-controld  [34] (controld_execute_fence_action) 	notice: Requesting fencing (reboot) of node compute-1 | action=5 timeout=60000
Nov 25 18:35:57.313 controller-2 pacemaker-fenced    [32] (log_async_result) 	notice: Operation 'off' [380] targeting compute-1 using fence-ipmi-compute-1 returned 0 | call 57 from pacemaker-controld.34
Nov 25 18:35:57.425 controller-3 pacemaker-fenced    [30] (log_async_result) 	notice: Operation 'off' [12976] targeting compute-1 using fence-nova returned 0 | call 57 from pacemaker-controld.34
Nov 25 18:35:57.881 controller-2 pacemaker-fenced    [32] (log_async_result) 	notice: Operation 'on' [386] targeting compute-1 using fence-ipmi-compute-1 returned 0 | call 57 from pacemaker-controld.34
Nov 25 18:35:57.973 controller-3 pacemaker-fenced    [30] (log_async_result) 	notice: Operation 'on' [13001] targeting compute-1 using fence-nova returned 0 | call 57 from pacemaker-controld.34
Nov 25 18:35:57.973 controller-2 pacemaker-fenced    [32] (finalize_op) 	notice: Operation 'reboot' targeting compute-1 by controller-3 for pacemaker-controld.34@controller-3: OK (complete) | id=7bdf638b
Nov 25 18:35:58.313 controller-2 pacemaker-fenced    [32] (log_async_result) 	notice: Operation 'off' [381] targeting compute-4 using fence-ipmi-compute-4 returned 1 | call 58 from pacemaker-controld.34
"""  # noqa: E501 - as Pacemaker 2.1.5 writes it


def test_every_part_of_a_fencing_is_found() -> None:
    found = list(phases_in(LOG, "compute-1"))
    names = [name for name, _ in found]
    assert names == ["fencing begun", "powered off", "receipt", "powered on", "fenced"]
    times = [at_s for _, at_s in found]
    assert [round(at_s - times[0], 3) for at_s in times] == [0.0, 0.232, 0.344, 0.8, 0.892]


def test_other_nodes_and_failures_are_none() -> None:
    assert list(phases_in(LOG, "compute-4")) == []
    assert list(phases_in(LOG, "compute")) == []
