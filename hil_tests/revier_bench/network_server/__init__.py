# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""A stand-in network server: ChirpStack v4's contract without PostgreSQL, Redis and Docker.

Whatever runs against it runs against a real ChirpStack unchanged. It is a stand-in for a bench:
class A, EU868, LoRaWAN 1.0.x, everything in memory, nothing survives a restart.

Run it as a process::

    python -m revier_bench.network_server --mqtt 127.0.0.1:1883 --grpc 8080 \\
        --clock virtual --seed 1 --qos 1 --json --api-token-file token.txt

* ``--clock wall``: as ChirpStack, 200 ms of deduplication, 100 ms before a downlink.
* ``--clock virtual``: the world publishes gateway messages, then ``revier-bench/step``
  ``{"step": n, "now_us": unix_us, "uplinks": [[gateway_id, uplink_id]], "acks": [[gateway_id,
  downlink_id]]}``; when every PUBACK is in, ``revier-bench/step/finished``
  ``{"step": n, "downlinks": [[gateway_id, downlink_id]]}`` comes back.
* ``revier-bench/network-server/state`` (retained, JSON): ``{"state": "ready"}`` once it listens,
  ``{"state": "offline"}`` as its last will.
* ``revier-bench/fault`` (JSON): see :mod:`revier_bench.network_server.faults`.
* gRPC on ``--grpc`` with ``authorization: Bearer <token>``; the admin token is derived from
  ``--api-secret`` (default: from the seed) by ``revier_bench.network_server.auth.admin_token`` and
  written to ``--api-token-file`` once MQTT and gRPC are served. ``InternalService.Login`` takes
  user admin, password admin.

What it leaves out: classes B and C (a class C device gets its downlinks after uplinks), LoRaWAN
1.1, roaming, relays, multicast, FUOTA, metrics, join servers, other regions. ``state/conn`` is
ignored, as ChirpStack ignores it.

In a process of your own (tests): :class:`core.NetworkServer` is sans-IO, :class:`service.Service`
runs it between MQTT and gRPC.
"""
