# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
import json
import os

import esp32
import machine
import small_world
from runner import raises, run

from revier_node import board, board_check
from revier_node.sx1262 import Sx1262
from revier_node.sx1276 import Sx1276

small_world.mount_flash()
HOST = "/.host" + os.getenv("FIRMWARE") + "/image/boards/"
os.mkdir("/boards")
H, T3, BEAM = "heltec_v3", "lilygo_t3_v1_6_1", "lilygo_t_beam_sx1262"


def described(name, **changes):
    with open(HOST + name + ".json") as source:
        found = json.load(source)
    found.update(changes)
    small_world.write_file("/boards/" + name + ".json", json.dumps(found))
    return name


def parking(pin):
    return {"parking": {"lis2mdl": {"bus": "i2c", "addr": 30, "int": pin}}}


def wrong(name, **changes):
    """What board_check finds in a shipped description with these changes."""
    return board_check.problems(board.load(described(name, **changes)))


def part(name, key, **changes):
    with open(HOST + name + ".json") as source:
        found = json.load(source)[key]
    found.update(changes)
    return {key: found}


def check_all_shipped_descriptions_are_sound():
    names = [name[:-5] for name in os.listdir(HOST) if name.endswith(".json")]
    assert len(names) >= 7
    for name in names:
        assert wrong(name) == [], name
        with open(HOST + name + ".json") as source:
            assert json.load(source)["name"] == name


def check_each_mcu_has_its_own_pins_that_wake():
    for name, wake, others in (
        ("heltec_v3", (1 + 1, 7, 15), (22, 36, 45)),
        ("lilygo_t3_v1_6_1", (4, 14, 36, 39), (1, 5, 16, 19)),
    ):
        for pin in wake:
            assert wrong(name, kinds=parking(pin)) == [], pin
        for pin in others:
            assert wrong(name, kinds=parking(pin)), pin
    text = "parking lis2mdl int: GPIO38 cannot wake the chip"
    assert wrong("heltec_v3", kinds=parking(38)) == [text]
    text = "parking lis2mdl int: GPIO17 cannot wake the chip"
    assert wrong("lilygo_t3_v1_6_1", kinds=parking(17)) == [text]


RULES = (
    (H, "mcu", "esp8266", "unknown mcu esp8266"),
    (H, "sources", [], "no sources: say where each pin is written"),
    (H, "console", "can", "unknown console can"),
    (H, "taken", [22], "taken: the esp32s3 has no GPIO22"),
    (H, "uart", {"tx": 8}, "uart tx: GPIO8 is used by radio cs"),
    (H, "uart", {"rx": 43}, "uart rx: GPIO43 is used by the console"),
    (H, "uart", {"rx": 30}, "uart rx: GPIO30 is used by the flash"),
    (H, "uart", {"rx": 17}, "uart rx: GPIO17 is used by the board itself"),
    (H, "uart", {"rx": 25}, "uart rx: the esp32s3 has no GPIO25"),
    (H, "uart", {"rx": 46}, "uart rx: GPIO46 decides how the chip boots"),
    (H, "uart", {"id": 0}, "uart: 0 is the console's or none"),
    (H, "i2c", {"freq": 400_000}, "air sps30: I2C above 100000 Hz"),
    (H, "i2c", {"freq": 400_001}, "i2c: above 400000 Hz"),
    (H, "i2c", {"id": 2}, "no I2C 2"),
    (H, "battery", {"adc": 15}, "battery adc: GPIO15 is not of ADC1"),
    (H, "battery", {"divider_percent": 99}, "battery: divider of 99 %"),
    (H, "radio", {"chip": "lr1121"}, "no driver for radio lr1121"),
    (H, "radio", {"tcxo_mv": 1_850}, "radio: no TCXO voltage 1850 mV"),
    (H, "radio", {"busy": 8}, "radio busy: GPIO8 is used by radio cs"),
    (T3, "uart", {"tx": 34}, "uart tx: GPIO34 is an input only"),
    (T3, "uart", {"tx": 12}, "uart tx: GPIO12 decides how the chip boots"),
    (T3, "uart", {"rx": 1}, "uart rx: GPIO1 is used by the console"),
    (T3, "battery", {"adc": 4}, "battery adc: GPIO4 is not of ADC1"),
    (BEAM, "i2c", {"sda": 35}, "i2c sda: GPIO35 is an input only"),
    (BEAM, "pmu", {"addr": 118}, "air bme280: address 0x76 is also pmu's"),
    (H, "kinds", {"waste": {"a02yyuw": {"bus": "spi"}}}, "waste a02yyuw: no bus spi"),
    (H, "kinds", {"waste": {"power": {"pin": 36, "on": 2}}}, "waste power: on is 0 or 1"),
)


def check_each_rule_names_pin_and_reason():
    for name, key, change, text in RULES:
        changed = part(name, key, **change)[key] if isinstance(change, dict) else change
        found = wrong(name, **{key: changed})
        assert text in found, (text, found)
    assert "battery: neither adc nor a power chip" in wrong(H, battery={"pmu": True})


def check_two_parts_of_a_kind_do_not_share_a_pin_but_two_kinds_may():
    both = {"power": {"pin": 6, "on": 0}, "boost": {"pin": 6, "on": 1}}
    assert wrong("heltec_v3", kinds={"air": both}) == ["air power: GPIO6 is used by air boost"]
    one, other = {"power": {"pin": 6, "on": 0}}, {"boost": {"pin": 6, "on": 1}}
    assert wrong("heltec_v3", kinds={"air": one, "waste": other}) == []


def check_a_missing_key_is_said_not_raised():
    for key in ("spi", "cs", "dio1", "tcxo_mv"):
        radio = part("heltec_v3", "radio")["radio"]
        del radio[key]
        found = wrong("heltec_v3", radio=radio)
        assert found, key
        assert key in found[-1] or key in found[0], found
    assert wrong("heltec_v3", kinds={"waste": {"a02yyuw": {}}})


def check_a_file_that_is_no_description_is_refused():
    raises(board.BoardError, board.load, "nowhere")
    small_world.write_file("/boards/torn.json", '{"name": "torn", ')
    raises(board.BoardError, board.load, "torn")
    small_world.write_file("/boards/short.json", '{"mcu": "esp32"}')
    assert raises(board.BoardError, board.load, "short").args == ("short.json lacks radio",)


class PowerChip:
    """AXP192: registers."""

    def __init__(self):
        self.registers = {0x03: 0x03, 0x12: 0x0B, 0x28: 0x00}

    def get(self, register, length):
        return bytes([self.registers.get(register + i, 0) for i in range(length)])

    def put(self, register, data):
        self.registers[register] = data[0]


def check_the_t_beams_radio_is_fed_before_it_is_used():
    machine.spi_chip[0] = Silent()
    machine.devices.clear()
    beam = board.load(described("lilygo_t_beam_sx1262"))
    error = raises(board.BoardError, board.radio, beam)
    assert error.args == ("power chip: no answer",)
    chip = machine.devices[0x34] = PowerChip()
    assert type(board.radio(beam)) is Sx1262
    assert chip.registers[0x12] == 0x07  # DCDC1, DCDC3, LDO2; the GPS is off
    assert chip.registers[0x28] == 0xF0
    chip.registers.update({0x78: 0xBB, 0x79: 0x08})
    assert board.battery_mv(beam) == 0xBB8 * 11 // 10
    chip.registers[0x78] = 0
    assert board.battery_mv(beam) is None
    machine.devices.clear()


def check_the_antenna_switch_turns_with_the_command():
    machine.spi_chip[0] = Silent()
    bus = board.radio(board.load(described("xiao_esp32s3_wio_sx1262")))._bus
    for command, level in ((0x80, 0), (0x82, 1), (0x12, 1), (0x83, 0), (0x82, 1), (0x84, 0)):
        bus.transaction(bytearray((command, 0, 0)))
        assert machine.levels[38] == level, command


def check_chip_select_is_held_in_deep_sleep_on_any_pin():
    board.hold(board.load(described("lilygo_t_beam_sx1262")))
    assert machine.levels[18] == 1
    assert esp32.digital_hold[0]


class Silent:
    def write_readinto(self, out, into):
        pass


def check_the_description_chooses_the_radio():
    machine.spi_chip[0] = Silent()
    assert type(board.radio(board.load(described("heltec_v3")))) is Sx1262
    assert type(board.radio(board.load(described("lilygo_t3_v1_6_1")))) is Sx1276
    found = board.load(described("heltec_v3", radio={"chip": "sx1301"}))
    assert raises(board.BoardError, board.radio, found).args == ("no driver for radio sx1301",)


def check_both_drivers_have_the_same_methods():
    for name in (
        "begin", "standby", "sleep", "prepare_tx", "prepare_rx", "launch", "poll_irq",
        "read_frame", "TX_START_US", "RX_START_US",
    ):  # fmt: skip
        assert hasattr(Sx1262, name), name
        assert hasattr(Sx1276, name), name


run(globals())
