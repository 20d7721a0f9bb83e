# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The board's programs on the real MicroPython interpreter behind a pseudo-terminal."""

from __future__ import annotations

import hashlib
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from revier_provision import BoardError, BoardState, ReplBoard, open_board
from revier_provision.board.raw_repl import BoardSilentError, RawRepl
from revier_provision.identity import seq_start

MAC = "240ac4112233"
KEY = bytes(range(0xA0, 0xB0))
DEV_EUI, JOIN_EUI = "240ac4fffe112233", "0" * 16
NODE_JSON: dict[str, object] = {"kind": "air", "board": "heltec_v3", "interval_s": 900}


def test_identity_and_settings_are_written_and_read_back(pty_board: Any) -> None:
    with open_board(pty_board.path, reset=False) as board:
        assert board.factory_mac().hex() == MAC
        assert board.state() == BoardState()
        assert board.app_key_digest(b"challenge") is None
        board.write_identity(DEV_EUI, JOIN_EUI, KEY)
        board.write_node_json(NODE_JSON)
        assert board.state() == BoardState(
            dev_eui=DEV_EUI, join_eui=JOIN_EUI, has_app_key=True, node_json=NODE_JSON
        )
        expected = hashlib.sha256(b"challenge" + KEY).digest()
        assert board.app_key_digest(b"challenge") == expected
        board.write_identity(DEV_EUI, JOIN_EUI, KEY[::-1])
        assert board.app_key_digest(b"challenge") != expected
    for secret in (KEY.hex(), KEY[::-1].hex()):
        assert secret.encode() not in pty_board.wire.lower(), "the board printed the key"


def test_the_old_session_goes_with_the_old_key_and_the_leases_stay(pty_board: Any) -> None:
    with open_board(pty_board.path, reset=False) as board:
        repl = board._repl
        repl.run(
            "import esp32, machine\nnvs = esp32.NVS('lorawan')\n"
            "nvs.set_blob('session', b'old')\nnvs.set_blob('lease', b'kept')\n"
            "machine.RTC().memory(b'old session')"
        )
        board.write_identity(DEV_EUI, JOIN_EUI, KEY)
        left = repl.run("print(sorted(k for _, k in esp32._store), machine.RTC().memory())")
    assert left.strip() == "['app_key', 'dev_eui', 'join_eui', 'lease', 'seq_lease'] b''"


def test_the_sequence_begins_where_no_reading_was_before_and_goes_on_where_it_is_known(
    pty_board: Any,
) -> None:
    lease = "import esp32\nprint(esp32.NVS('lorawan').get_i32('seq_lease'))"
    before = seq_start(time.time())
    with open_board(pty_board.path, reset=False) as board:
        board.write_identity(DEV_EUI, JOIN_EUI, KEY)
        first = int(board._repl.run(lease))
        assert before <= first <= seq_start(time.time())
        board._repl.run("nvs = esp32.NVS('lorawan')\nnvs.set_i32('seq_lease', 128)\nnvs.commit()")
        board.write_identity(DEV_EUI, JOIN_EUI, KEY)
        assert int(board._repl.run(lease)) == 128


def test_a_file_that_knows_the_sequence_goes_before(pty_board: Any) -> None:
    with open_board(pty_board.path, reset=False) as board:
        board._repl.run("open('/identity.alt', 'w').write('whole or not: the node reads it')")
        board.write_identity(DEV_EUI, JOIN_EUI, KEY)
        left = board._repl.run("import esp32\nprint(sorted(k for _, k in esp32._store))")
    assert "seq_lease" not in left


def test_the_sequence_begins_at_the_seconds_since_2025() -> None:
    assert seq_start(datetime(2025, 1, 1, tzinfo=UTC).timestamp()) == 0
    assert seq_start(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) == 365 * 86_400
    assert seq_start(0) == 0
    assert seq_start(1e12) == 0x7FFFFFFF


def test_torn_settings_read_as_none_and_are_replaced(pty_board: Any) -> None:
    with open_board(pty_board.path, reset=False) as board:
        board._repl.run("open('/node.json', 'w').write('{\"kind\": ')")
        assert board.state().node_json is None
        board.write_node_json(NODE_JSON)
        assert board.state().node_json == NODE_JSON
        listing = board._repl.run("import os, json\nprint(json.dumps(os.listdir('/')))")
    assert json.loads(listing) == ["node.json"]


def test_a_full_flash_is_said_in_words(pty_board: Any) -> None:
    with open_board(pty_board.path, reset=False) as board:
        board._repl.run(
            "try:\n  for i in range(999):\n    with open('/%d' % i, 'w') as f: f.write('x' * 3000)"
            "\nexcept OSError: pass"
        )
        with pytest.raises(BoardError, match=r"could not write /node.json.*flash --erase"):
            board.write_node_json(NODE_JSON | {"note": "x" * 5000})


def test_a_port_that_is_not_there_is_said_in_words() -> None:
    with pytest.raises(BoardSilentError, match="dialout"), open_board("/dev/ttyNOWHERE"):
        pass


def test_answers_in_unknown_form_are_errors() -> None:
    class Odd(RawRepl):
        def run(self, source: str, limit_s: float = 10.0) -> str:
            return "something else"

    board = ReplBoard(Odd(stream=None))  # type: ignore[arg-type]
    for call in (board.factory_mac, board.state, lambda: board.app_key_digest(b"c")):
        with pytest.raises(BoardError, match="unknown form"):
            call()
