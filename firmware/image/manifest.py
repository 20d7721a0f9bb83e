# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
# The application frozen into MicroPython's image for the ESP32 (docs/frozen.md):
# make -C ports/esp32 BOARD=ESP32_GENERIC_S3 FROZEN_MANIFEST=/path/to/firmware/image/manifest.py
# ruff: noqa: F821 (names of makemanifest.py)

# The port's modules but its _boot.py
freeze("$(PORT_DIR)/modules", ("flashbdev.py", "inisetup.py"))
module("_boot.py", base_path="frozen")
module("boot.py")
module("main.py")

package(
    "revier_payload",
    files=(
        "air.py",
        "air_batch.py",
        "air_batch_head.py",
        "air_co2.py",
        "alarm.py",
        "backfill.py",
        "configuration.py",
        "configuration_answer.py",
        "diagnosis.py",
        "edges.py",
        "pack.py",
        "parking.py",
        "settings.py",
        "waste.py",
    ),
    base_path="..",
)
package(
    "revier_mac",
    files=(
        "actions.py",
        "airtime.py",
        "commands.py",
        "counts.py",
        "device.py",
        "frames.py",
        "joining.py",
        "session.py",
        "ts003.py",
        "uplink.py",
    ),
    base_path="..",
)
package(
    "revier_node",
    files=(
        "__init__.py",
        "app.py",
        "app_time.py",
        "battery.py",
        "board.py",
        "board_check.py",
        "clock.py",
        "cold_wait.py",
        "console.py",
        "failure.py",
        "identity_file.py",
        "kinds/__init__.py",
        "kinds/air.py",
        "kinds/parking.py",
        "kinds/waste.py",
        "link_policy.py",
        "news.py",
        "notes.py",
        "parking_change.py",
        "pmu.py",
        "radio.py",
        "radio_bus.py",
        "radio_switch.py",
        "seldom.py",
        "sensors/__init__.py",
        "sensors/a02yyuw.py",
        "sensors/bme280.py",
        "sensors/line.py",
        "sensors/lis2mdl.py",
        "sensors/lis3dh.py",
        "sensors/mmc5603.py",
        "sensors/particles.py",
        "sensors/pms5003.py",
        "sensors/qmc5883l.py",
        "sensors/scd41.py",
        "sensors/scd41_setup.py",
        "sensors/sds011.py",
        "sensors/sen55.py",
        "sensors/sensirion.py",
        "sensors/shdlc.py",
        "sensors/sps30.py",
        "sensors/sps30_uart.py",
        "sensors/vl53l1x.py",
        "store.py",
        "store_rtc.py",
        "store_start.py",
        "sx1262.py",
        "sx1276.py",
        "waiting.py",
    ),
    base_path="..",
)
