# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Whether a board description can be true: each pin can do what it is to do, and only that.

Run over all descriptions when an image is built, and on the board by revier-provision before it
writes /node.json. The node itself never imports this: its strings would stay in the heap.

S3 = ESP32-S3 datasheet, tables 2-4, 2-5 and 2-8, errata ADC-177; E32 = ESP32 datasheet, table of
pins, 2.4 strapping pins, ESP-IDF: ext1 of the ESP32 wakes on ANY_HIGH or ALL_LOW only, so the
interrupts of all parts are active high.
"""

# mcu: (pins in all, flash, inputs only, strapping, ADC1, USB, UART0, RTC: these alone can wake)
_MCUS = {
    "esp32": (
        tuple(range(24)) + (25, 26, 27) + tuple(range(32, 40)),
        range(6, 12),
        range(34, 40),
        (0, 2, 5, 12, 15),
        range(32, 40),
        (),
        (1, 3),
        (0, 2, 4, 12, 13, 14, 15, 25, 26, 27, 32, 33, 34, 35, 36, 37, 38, 39),
    ),
    "esp32s3": (
        tuple(range(22)) + tuple(range(26, 49)),
        range(26, 33),
        (),
        (0, 3, 45, 46),
        range(1, 11),
        (19, 20),
        (43, 44),
        range(22),
    ),
}
_RADIOS = {  # chip: (pins it needs, settings it needs, SPI clock at most)
    "sx1262": (
        ("cs", "busy", "reset", "dio1"),
        ("tcxo_mv", "tcxo_start_us", "dio2_rf_switch", "dcdc"),
        16_000_000,
    ),
    "sx1276": (("cs", "reset", "dio0", "dio1"), ("tcxo",), 10_000_000),
}
_TCXO_MV = (0, 1600, 1700, 1800, 2200, 2400, 2700, 3000, 3300)  # SX1261/2 datasheet table 13-35
# parts that want I2C at 100 kHz at most (Sensirion)
_SLOW = ("sps30", "sen55")
_I2C_MAX_HZ = 400_000
_DIVIDER_PERCENT = (100, 2_000)


def problems(board: dict) -> list:
    """What is wrong, each as a sentence that names the pin or key; empty if nothing is.

    board: the description as board.load() gives it.
    """
    check = _Check(board)
    try:
        check.whole()
    except (KeyError, TypeError, AttributeError) as error:
        check.found.append("a key or value is missing or of the wrong type: %s" % error)
    return check.found


class _Check:
    def __init__(self, board: dict) -> None:
        self.found: "list[str]" = []
        self._board = board
        self._used: dict = {}

    def whole(self) -> None:
        board = self._board
        if board["mcu"] not in _MCUS:
            self._wrong("unknown mcu " + board["mcu"])
            return
        self._mcu = _MCUS[board["mcu"]]
        if not board.get("sources"):
            self._wrong("no sources: say where each pin is written")
        self._reserve()
        self._radio(board["radio"])
        self._battery(board.get("battery"))
        self._buses()
        common = dict(self._used)
        for kind, wiring in board["kinds"].items():
            self._used = dict(common)
            self._kind(kind, wiring)

    def _wrong(self, text: str) -> None:
        self.found.append(text)

    def _reserve(self) -> None:
        pins, flash, _, _, _, usb, uart0, _ = self._mcu
        for pin in flash:
            self._used[pin] = "the flash"
        console = self._board.get("console", "uart0")
        if console not in ("uart0", "usb") or (console == "usb" and not usb):
            self._wrong("unknown console %s" % console)
        for pin in usb if console == "usb" else uart0:
            self._used[pin] = "the console"
        for pin in self._board.get("taken", ()):
            if pin not in pins:
                self._wrong("taken: the %s has no GPIO%s" % (self._board["mcu"], pin))
            self._used[pin] = "the board itself"

    def _pin(self, pin: int, what: str, output: bool, carrier: bool) -> None:
        """One line. carrier: not soldered by the board's maker, who knows his strapping pins."""
        pins, _, inputs, strapping = self._mcu[:4]
        if type(pin) is not int or pin not in pins:
            self._wrong("%s: the %s has no GPIO%s" % (what, self._board["mcu"], pin))
            return
        if pin in self._used:
            self._wrong("%s: GPIO%d is used by %s" % (what, pin, self._used[pin]))
        self._used[pin] = what
        if output and pin in inputs:
            self._wrong("%s: GPIO%d is an input only" % (what, pin))
        if carrier and pin in strapping:
            self._wrong("%s: GPIO%d decides how the chip boots" % (what, pin))

    def _radio(self, radio: dict) -> None:
        if radio["chip"] not in _RADIOS:
            self._wrong("no driver for radio " + radio["chip"])
            return
        pins, settings, clock_max_hz = _RADIOS[radio["chip"]]
        for name in settings + ("antenna_gain_dbi",):
            if name not in radio:
                self._wrong("radio lacks " + name)
        spi = radio["spi"]
        for name in ("sck", "mosi", "miso"):
            self._pin(spi[name], "radio " + name, name != "miso", False)
        for name in pins:
            self._pin(radio[name], "radio " + name, name in ("cs", "reset"), False)
        if "rx_enable" in radio:
            self._pin(radio["rx_enable"], "radio rx_enable", True, False)
        if spi["id"] not in (1, 2):
            self._wrong("radio: no SPI %s" % spi["id"])
        if not 0 < spi["baudrate"] <= clock_max_hz:
            self._wrong("radio: SPI clock above %d Hz" % clock_max_hz)
        if radio.get("tcxo_mv", 0) not in _TCXO_MV:
            self._wrong("radio: no TCXO voltage %s mV" % radio["tcxo_mv"])

    def _battery(self, battery: "dict | None") -> None:
        if not battery:
            return
        if "adc" not in battery:
            if "pmu" not in self._board:
                self._wrong("battery: neither adc nor a power chip")
            return
        self._pin(battery["adc"], "battery adc", False, True)
        if battery["adc"] not in self._mcu[4]:
            self._wrong("battery adc: GPIO%s is not of ADC1" % battery["adc"])
        low, high = _DIVIDER_PERCENT
        if not low <= battery["divider_percent"] <= high:
            self._wrong("battery: divider of %s %%" % battery["divider_percent"])
        if "enable" in battery:
            self._switch(battery["enable"], "battery enable", False)

    def _switch(self, switch: dict, what: str, carrier: bool) -> None:
        self._pin(switch["pin"], what, True, carrier)
        if switch["on"] not in (0, 1):
            self._wrong("%s: on is 0 or 1" % what)

    def _buses(self) -> None:
        board = self._board
        onboard = "pmu" in board
        if "i2c" in board:
            for name in ("sda", "scl"):
                self._pin(board["i2c"][name], "i2c " + name, True, not onboard)
            if board["i2c"]["id"] not in (0, 1):
                self._wrong("no I2C %s" % board["i2c"]["id"])
            if not 0 < board["i2c"]["freq"] <= _I2C_MAX_HZ:
                self._wrong("i2c: above %d Hz" % _I2C_MAX_HZ)
        elif onboard:
            self._wrong("a power chip without i2c")
        if "uart" in board:
            self._pin(board["uart"]["tx"], "uart tx", True, True)
            self._pin(board["uart"]["rx"], "uart rx", False, True)
            if board["uart"]["id"] not in (1, 2):
                self._wrong("uart: %s is the console's or none" % board["uart"]["id"])

    def _kind(self, kind: str, wiring: dict) -> None:
        addresses = {self._board["pmu"]["addr"]: "pmu"} if "pmu" in self._board else {}
        uart = None
        for name in sorted(wiring):
            part = wiring[name]
            what = kind + " " + name
            if name in ("power", "boost"):
                self._switch(part, what, True)
                continue
            if name == "thermostat":
                self._interrupt(part["int"], what)
                continue
            if part["bus"] not in ("i2c", "uart"):
                self._wrong("%s: no bus %s" % (what, part["bus"]))
            elif part["bus"] not in self._board:
                self._wrong("%s: the board has no %s" % (what, part["bus"]))
            elif part["bus"] == "uart":
                if uart:
                    self._wrong("%s: the uart is used by %s" % (what, uart))
                uart = what
            else:
                self._on_i2c(name, part, what, addresses)
            if "int" in part:
                self._interrupt(part["int"], what)

    def _on_i2c(self, name: str, part: dict, what: str, addresses: dict) -> None:
        address = part["addr"]
        if not 0x08 <= address <= 0x77:
            self._wrong("%s: no I2C address %s" % (what, address))
        if address in addresses:
            self._wrong("%s: address 0x%02x is also %s's" % (what, address, addresses[address]))
        addresses[address] = name
        if name in _SLOW and self._board["i2c"]["freq"] > 100_000:
            self._wrong("%s: I2C above 100000 Hz" % what)

    def _interrupt(self, pin: int, what: str) -> None:
        self._pin(pin, what + " int", False, True)
        if pin not in self._mcu[7]:
            self._wrong("%s int: GPIO%s cannot wake the chip" % (what, pin))
