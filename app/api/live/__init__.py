"""Live streams, over WebSockets and as server-sent events.

`websocket`, and `view` with `event_stream`, are the two ways in; `streams` counts what is open and asks again who reads it.
A subscription says what is `followed`; `groups` gives each event to all who follow the same, `presses` renders it once
for them, and `frames` and `eager` get it onto many connections cheaply.
"""
