# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The demo's fleet: twelve nodes in the ten towns of Kreis Recklinghausen, three radio gateways.

Places are real and public (town halls, stations, markets, a spoil tip, two towers' hills); the
devices are invented. Coordinates are WGS 84, good to some ten metres. AGS: Destatis,
Gemeindeverzeichnis. Radio gateways' heights are those of the antenna above the land around:
Halde Hoheward 152.5 m above sea level in a plain of some 50 m; Fernmeldeturm Haltern, its 67 m
platform, on the Waldbeerenberg (145 m); Halde Schwerin 147 m in a plain of some 60 m.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from revier_bench.world.air import Position
from revier_inventory import Asset, Inventory, Owner, RadioGateway, Site

Kind = Literal["air", "parking", "waste"]

OWNERS: dict[str, str] = {
    "05562004": "Castrop-Rauxel",
    "05562008": "Datteln",
    "05562012": "Dorsten",
    "05562014": "Gladbeck",
    "05562016": "Haltern am See",
    "05562020": "Herten",
    "05562024": "Marl",
    "05562028": "Oer-Erkenschwick",
    "05562032": "Recklinghausen",
    "05562036": "Waltrop",
}
DISTRICT_AGS = "05562032"  # the radio gateways are the district's: its seat is Recklinghausen

INTERVAL_S = {"air": 300, "parking": 3600, "waste": 1800}
HEIGHT_M = {"air": 3.0, "parking": 1.0, "waste": 1.5}
MAC_PREFIX = bytes.fromhex("025245560000")[:4]  # locally administered: no real board has it


@dataclass(frozen=True, slots=True)
class FleetNode:
    """One node and the asset that it serves."""

    number: int
    asset: str
    kind: Kind
    ags: str
    name: str
    lon: float
    lat: float
    empty_mm: int | None = None
    full_mm: int | None = None
    volume_l: int | None = None
    waste_kind: str | None = None
    site: str | None = None
    bay: str | None = None
    interval_s: int | None = None
    board: str = "heltec_v3"
    report: str | None = None  # of an air node: fixed, change, batch

    @property
    def mac(self) -> bytes:
        return MAC_PREFIX + self.number.to_bytes(2, "big")

    @property
    def reading_interval_s(self) -> int:
        return self.interval_s or INTERVAL_S[self.kind]

    @property
    def position(self) -> Position:
        return Position(self.lon, self.lat, HEIGHT_M[self.kind])

    def to_asset(self) -> Asset:
        return Asset(
            asset=self.asset,
            kind=self.kind,
            ags=self.ags,
            name=self.name,
            lon=self.lon,
            lat=self.lat,
            site=self.site,
            bay=self.bay,
            empty_mm=self.empty_mm,
            full_mm=self.full_mm,
            volume_l=self.volume_l,
            waste_kind=self.waste_kind,
        )


@dataclass(frozen=True, slots=True)
class FleetRadioGateway:
    """A radio gateway on a high place."""

    gateway_id: str
    name: str
    lon: float
    lat: float
    height_m: float
    altitude_m: float
    gain_dbi: float = 8.0

    @property
    def position(self) -> Position:
        return Position(self.lon, self.lat, self.height_m, self.gain_dbi)

    def to_record(self) -> RadioGateway:
        return RadioGateway(
            gateway_id=self.gateway_id,
            name=self.name,
            lon=self.lon,
            lat=self.lat,
            altitude_m=self.altitude_m,
        )


@dataclass(frozen=True, slots=True)
class Fleet:
    """Who takes part in a run."""

    nodes: tuple[FleetNode, ...]
    radio_gateways: tuple[FleetRadioGateway, ...]
    sites: tuple[Site, ...] = ()

    def inventory(self) -> Inventory:
        """Owners, sites and assets; devices and radio gateways come with provisioning."""
        owners = tuple(Owner(ags=ags, name=name) for ags, name in OWNERS.items())
        assets = tuple(node.to_asset() for node in self.nodes)
        return Inventory(owners=owners, sites=self.sites, assets=assets)

    def only(self, count: int) -> Fleet:
        """A smaller fleet: the first `count` nodes, kinds in turn."""
        return Fleet(self.nodes[:count], self.radio_gateways, self.sites)


def _air(number: int, asset: str, ags: str, name: str, lon: float, lat: float) -> FleetNode:
    return FleetNode(number, asset, "air", ags, name, lon, lat)


def _bay(
    number: int, asset: str, ags: str, name: str, lon: float, lat: float, bay: str
) -> FleetNode:
    site = asset.rsplit("-", 1)[0]
    return FleetNode(number, asset, "parking", ags, name, lon, lat, site=site, bay=bay)


def _container(
    number: int, asset: str, ags: str, name: str, lon: float, lat: float, waste_kind: str
) -> FleetNode:
    return FleetNode(number, asset, "waste", ags, name, lon, lat, 1500, 250, 3000, waste_kind)


NODES = (
    _air(
        1, "recklinghausen-rathausplatz", "05562032", "Rathausplatz Recklinghausen", 7.1942, 51.6131
    ),
    _bay(
        2,
        "herten-zeche-ewald-p1",
        "05562020",
        "Parkplatz Zeche Ewald Herten, Bucht 1",
        7.1480,
        51.5722,
        "1",
    ),
    _container(
        3, "dorsten-markt-glas", "05562012", "Glascontainer Markt Dorsten", 6.9646, 51.6602, "glass"
    ),
    _air(4, "marl-creiler-platz", "05562024", "Creiler Platz Marl", 7.0905, 51.6565),
    _bay(
        5,
        "castrop-rauxel-halde-schwerin-p1",
        "05562004",
        "Wanderparkplatz Halde Schwerin, Bucht 1",
        7.3345,
        51.5440,
        "1",
    ),
    _container(
        6,
        "waltrop-kirchplatz-papier",
        "05562036",
        "Papiercontainer Kirchplatz Waltrop",
        7.3962,
        51.6238,
        "paper",
    ),
    _air(
        7, "gladbeck-willy-brandt-platz", "05562014", "Willy-Brandt-Platz Gladbeck", 6.9853, 51.5716
    ),
    _bay(
        8,
        "castrop-rauxel-altstadtmarkt-p1",
        "05562004",
        "Parkplatz Altstadtmarkt Castrop-Rauxel, Bucht 1",
        7.3122,
        51.5498,
        "1",
    ),
    _container(
        9,
        "oer-erkenschwick-berliner-platz-glas",
        "05562028",
        "Glascontainer Berliner Platz Oer-Erkenschwick",
        7.2510,
        51.6424,
        "glass",
    ),
    _air(10, "datteln-neumarkt", "05562008", "Neumarkt Datteln", 7.3414, 51.6540),
    _bay(
        11,
        "recklinghausen-sued-p1",
        "05562032",
        "P+R Bahnhof Recklinghausen Süd, Bucht 1",
        7.1895,
        51.5706,
        "1",
    ),
    _container(
        12,
        "haltern-markt-papier",
        "05562016",
        "Papiercontainer Markt Haltern am See",
        7.1868,
        51.7427,
        "paper",
    ),
)

RADIO_GATEWAYS = (
    FleetRadioGateway("0252455600ff0001", "Halde Hoheward, Herten", 7.1670, 51.5670, 105.0, 157.0),
    FleetRadioGateway("0252455600ff0002", "Fernmeldeturm Haltern", 7.1103, 51.7835, 150.0, 212.0),
    FleetRadioGateway(
        "0252455600ff0003", "Halde Schwerin, Castrop-Rauxel", 7.3373, 51.5460, 90.0, 151.0
    ),
)

SITES = (
    Site(
        site="herten-zeche-ewald",
        ags="05562020",
        name="Parkplatz Zeche Ewald",
        lon=7.1480,
        lat=51.5722,
        capacity=150,
    ),
    Site(
        site="castrop-rauxel-halde-schwerin",
        ags="05562004",
        name="Wanderparkplatz Halde Schwerin",
        lon=7.3345,
        lat=51.5440,
        capacity=24,
    ),
    Site(
        site="castrop-rauxel-altstadtmarkt",
        ags="05562004",
        name="Parkplatz Altstadtmarkt",
        lon=7.3122,
        lat=51.5498,
        capacity=45,
    ),
    Site(
        site="recklinghausen-sued",
        ags="05562032",
        name="P+R Bahnhof Recklinghausen Süd",
        lon=7.1895,
        lat=51.5706,
        capacity=40,
    ),
)

DEMO_FLEET = Fleet(NODES, RADIO_GATEWAYS, SITES)
