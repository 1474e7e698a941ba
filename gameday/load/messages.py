"""What the master and the workers of one load say to each other, as custom messages of Locust's own connection.

The master of a load sends nothing itself. Locust tells its workers which users to run; everything else is here.

    HELLO   worker   ready to be started: its `name`
    PING    master   its clock now, `t1`
    PONG    worker   `t1`, and when that came and this left by the worker's clock: `t2`, `t3`
    BEGIN   master   the `part` of the schedule; when that begins by the worker's clock: `began_ns`; and how far to set
                 back the clock that times are recorded by, for it to be the bundle's: `set_back_ns`
    ROWS    worker   the next `piece` of its stream of a `table`; it sends no other before
    TAKEN   master   the piece was passed on
    STOP    master   no more arrivals
    DONE    worker   nothing is in flight, and every row was written, or sent
"""

from __future__ import annotations

HELLO = "gameday-hello"
PING = "gameday-ping"
PONG = "gameday-pong"
BEGIN = "gameday-begin"
ROWS = "gameday-rows"
TAKEN = "gameday-taken"
STOP = "gameday-stop"
DONE = "gameday-done"
