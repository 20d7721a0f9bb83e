# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Mosquitto with the shipped files, a ChirpStack that publishes as the shipped file says."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from gateway.tests import mosquitto, support
from gateway.tests.certificates import Authority
from paho.mqtt.enums import CallbackAPIVersion

from revier_bench.broker import free_port
from revier_gateway.config import Config, load

DEPLOY = Path(__file__).parents[2] / "deploy"
PASSWD = shutil.which("mosquitto_passwd")
PASSWORD = "secret-of-a-test"
USERS = ("revier-gateway", "chirpstack", "platform", support.AGS, support.OTHER_AGS)


class Site:
    """One machine: the broker with both listeners, and the gateway's configuration.

    change: applied to the text of mosquitto.conf before it is used; acl: to that of revier.acl.
    """

    def __init__(
        self, folder: Path, change: Callable[[str], str], days: float, acl: Callable[[str], str]
    ) -> None:
        self.folder = folder
        self.port, self.tls_port = free_port(), free_port()
        (folder / "conf.d").mkdir()
        (folder / "store").mkdir()
        Authority(folder).issue("broker", days)
        self._write_users()
        access = (DEPLOY / "mosquitto" / "revier.acl").read_text()
        (folder / "revier.acl").write_text(acl(access))
        self.conf = folder / "mosquitto.conf"
        text = change((DEPLOY / "mosquitto" / "mosquitto.conf").read_text())
        self.conf.write_text(self._here(text) + "\nuser root\n")
        listeners = (DEPLOY / "mosquitto" / "listeners.conf").read_text()
        (folder / "conf.d" / "listeners.conf").write_text(self._here(listeners))
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def _here(self, text: str) -> str:
        """The same settings with this folder's files and free ports."""
        text = text.replace("/etc/mosquitto/certs", str(self.folder))
        text = text.replace("/etc/mosquitto", str(self.folder))
        text = text.replace("/var/lib/mosquitto/", f"{self.folder}/store/")
        text = re.sub(r"^listener 1883\b", f"listener {self.port}", text, flags=re.MULTILINE)
        return re.sub(
            r"^listener 8883\b", f"listener {self.tls_port} 127.0.0.1", text, flags=re.MULTILINE
        )

    def _write_users(self) -> None:
        assert PASSWD is not None
        file = self.folder / "revier.passwd"
        file.write_text("".join(f"{user}:{PASSWORD}\n" for user in USERS))
        subprocess.run([PASSWD, "-U", str(file)], check=True)

    def start(self) -> None:
        log = (self.folder / "mosquitto.log").open("ab")
        # Without persistence_location its database goes where it was started
        self._process = subprocess.Popen(
            [mosquitto.program(), "-c", str(self.conf)], stdout=log, stderr=log, cwd=self.folder
        )
        log.close()
        support.wait_until(lambda: support.answers(self.port), what="Mosquitto answers")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def config(self) -> Config:
        secret = f'username = "revier-gateway"\npassword = "{PASSWORD}"'
        path = support.gateway_toml(
            self.folder,
            self.port,
            self.tls_port,
            source=secret,
            feed=f'{secret}\n[feed.tls]\nca_file = "{self.folder}/ca.pem"',
        )
        return load(path)

    def client(self, user: str) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        client.username_pw_set(user, PASSWORD)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        return client


Sites = Callable[..., Site]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Sites]:
    """Make one; where Mosquitto is not there the test is skipped, with what brings it."""
    mosquitto.program()
    if PASSWD is None:
        pytest.skip(support.MOSQUITTO_MISSING)
    made: list[Site] = []

    def make(
        change: Callable[[str], str] = lambda text: text,
        days: float = 90,
        acl: Callable[[str], str] = lambda text: text,
    ) -> Site:
        made.append(Site(tmp_path, change, days, acl))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def chirpstack_toml(without: str = "") -> str:
    """The shipped file, less the lines of one key."""
    text = (DEPLOY / "chirpstack" / "chirpstack.toml").read_text()
    return without_key(text, without)


def without_key(text: str, key: str) -> str:
    if not key:
        return text
    less = re.sub(rf"^[ \t]*{key}\b.*\n", "", text, flags=re.MULTILINE)
    assert less != text, key
    return less


@contextlib.contextmanager
def chirpstack(site: Site, settings: str, ahead_s: float = 0.0) -> Iterator[None]:
    """Publishes an uplink every 0.2 s with the QoS of its file; without one, ChirpStack's 0."""
    mqtt = tomllib.loads(settings)["integration"]["mqtt"]
    client = site.client(mqtt["username"])
    end = threading.Event()

    def work() -> None:
        f_cnt = 0
        while not end.wait(0.2):
            f_cnt += 1
            at = datetime.now(UTC) + timedelta(seconds=ahead_s)
            event = support.uplink(support.air_payload(f_cnt), f_cnt=f_cnt, at=at)
            client.publish(support.topic(), support.to_bytes(event), qos=mqtt.get("qos", 0))

    thread = threading.Thread(target=work, name="chirpstack", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
        client.disconnect()
        client.loop_stop()


def pause(seconds: float) -> None:
    time.sleep(seconds)
