# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Mail and MQTT, against servers that are not Apprise's (the webhook: watch/test_keeper.py)."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gateway.tests import mosquitto, support

from revier_bench.broker import free_port
from revier_gateway.alerts.book import Alert
from revier_gateway.alerts.notify import Notifier, addresses
from revier_gateway.config import Alerts, ConfigError

RAISED = Alert("radio-gateway-offline", "0016c001f10000aa", "raised", 0, 0, "15 min")


class _Smtp(socketserver.StreamRequestHandler):
    """RFC 5321, as much as a mail needs."""

    mails: list[bytes]

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                mail = b""
                while (line := self.rfile.readline()) != b".\r\n":
                    mail += line
                self.mails.append(mail)
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


@contextmanager
def smtp() -> Iterator[tuple[int, list[bytes]]]:
    handler = type("_Here", (_Smtp,), {"mails": []})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1], handler.mails  # type: ignore[attr-defined]
        finally:
            server.shutdown()


def tell(settings: Alerts, *alerts: Alert) -> bool:
    return asyncio.run(Notifier(settings, "kreis").tell(alerts))


def test_a_mail_in_german() -> None:
    with smtp() as (port, mails):
        to = f"mailto://127.0.0.1:{port}?from=revier@example.org&to=betrieb@example.org"
        assert tell(Alerts(to=(to,)), RAISED)
    (mail,) = mails
    read = email.message_from_bytes(mail, policy=email.policy.default)
    subject = "Revier kreis: Störung: Funkgateway 0016c001f10000aa hört seit 15 min nichts"
    assert read["subject"] == subject
    body = read.get_body(("plain", "html"))
    assert body is not None
    assert "docs/runbooks/radio-gateway-offline.md" in body.get_content()


@pytest.mark.mosquitto
def test_a_message_by_mqtt(tmp_path: Path) -> None:
    """Apprise speaks 3.1.1, which the embedded broker's MQTT 5 listener does not."""
    with (
        mosquitto.running(tmp_path / "broker", "") as broker,
        support.listening(broker.port, "betrieb/alarm") as listener,
    ):
        address = f"mqtt://127.0.0.1:{broker.port}/betrieb/alarm?qos=1"
        assert tell(Alerts(to=(address,)), RAISED)
        support.wait_until(lambda: bool(listener.messages))
    assert "Funkgateway 0016c001f10000aa" in listener.messages[0][1].decode()


def test_one_way_that_fails_is_not_all_told() -> None:
    with smtp() as (port, mails):
        mail = f"mailto://127.0.0.1:{port}?from=a@example.org&to=b@example.org"
        nobody = f"json://127.0.0.1:{free_port()}/"
        assert not tell(Alerts(to=(mail, nobody)), RAISED)
        assert len(mails) == 1


def test_without_an_address_the_log_is_the_way() -> None:
    assert tell(Alerts(), RAISED)


def test_addresses_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Alerts(to=("json://a",), to_env="REVIER_TEST_TO")
    with pytest.raises(ConfigError, match="REVIER_TEST_TO is not set"):
        addresses(settings)
    monkeypatch.setenv("REVIER_TEST_TO", "json://b json://c")
    assert addresses(settings) == ["json://a", "json://b", "json://c"]
