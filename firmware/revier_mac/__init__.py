# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""LoRaWAN 1.0.4 class A end device for EU868 without I/O (device.py).

Time, randomness and bytes are arguments; what is to be done comes back as actions.

    device = Device(identity, new_aes, session)      # Session() or Session.unpack(record)
    actions = device.join(now_ms, rnd)               # or device.send(...)
    while actions: execute each in order, feed the events it leads to, take the new actions

Construction
    Device(identity, new_aes, session=None, error_us=1000, error_ppm=100)
    identity   Identity(dev_eui, join_eui, app_key, next_dev_nonce), bytes as printed
    new_aes    function key -> object with encrypt(source, target), AES-128 ECB, one block,
               in place allowed: `lambda key: cryptolib.aes(key, 1)`
    session    Session.unpack(record) or None (never joined)
    error_us, error_ppm  what the node's clock may err by at a window: fixed and per delay

Requests (return a list of actions)
    join(now_ms, rnd)                                   rnd: 16 random bits
    send(f_port, data, confirmed, now_ms, rnd)          f_port None: empty uplink, MAC only
    request_link_check(), request_device_time()         go out with the next uplink
Questions
    joined, state, session (.dr is the data rate), deadline_ms(), payload_max(),
    next_tx_ms(now_ms, length)
Settings of the node
    battery (DevStatusAns: 0 external, 1..254, 255 unknown), adr (bool)

Events
    handle(TX_DONE, now_ms)       after Transmit; now_ms = end of the transmission
    received(buffer, length, rssi_dbm, snr_db)   a frame in the open window (it is read
                                  again at FINISH: do not write to the buffer before)
    handle(WINDOW_EMPTY, now_ms)  the window closed without a frame, or its time has passed
    handle(FINISH, now_ms)        after Finish, out of the time-critical part
    handle(TIMER, now_ms)         when deadline_ms() has come
    handle(ABORT, now_ms)         in every state
From TX_DONE to Finish the automaton allocates nothing: it returns one of the lists that it made
before the transmission. An event that the table does not know in a state raises ProtocolError:
that is a bug of the caller, never of the network.

Actions (fields in actions.py)
    ReserveDevNonce  store, then go on (always before the join request's Transmit)
    Save             store the session record, then go on (before Transmit: the counter; before
                     Downlink: its counter)
    Transmit, Window, Finish, Wait   drive the radio
    Joined, Downlink, DeviceTime, LinkCheck   news for the application
    Done, Refused    the end of a request; the state is IDLE again

A join:    [ReserveDevNonce, Save, Transmit] TX_DONE [Window 1] WINDOW_EMPTY [Window 2]
           received [Finish] FINISH [Save, Joined, Done(JOINED)]
An uplink: [Save, Transmit] TX_DONE [Window 1] received [Finish]
           FINISH [Save, Downlink, DeviceTime, Done(SENT)]
Repeats:   FINISH [Wait] TIMER [Save, Transmit] ...
"""
