# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""Where the page's map comes from: `python -m revier_gateway.console.schematic_map FILE`.

A map for orientation, not an official one. Every village and quarter below (position to about
500 m, from common knowledge) claims what is nearest to it (Voronoi); the claims of one town are
joined, those of the neighbouring districts are cut away, and the borders are smoothed once so
that neighbours still share them. No official boundary went into it.
"""

from __future__ import annotations

import json
import math
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

Point = tuple[float, float]  # degrees east, degrees north
Edge = tuple[int, int]  # vertex numbers, the town to the left

FRAME = ((6.60, 51.40), (7.65, 51.40), (7.65, 51.95), (6.60, 51.95))
ASPECT = math.cos(math.radians(51.65))  # one degree east in degrees north
MERGE_DEG = 2e-4
NOTE = (
    "schematisch: aus Ortsteilzentren berechnet, keine amtlichen Grenzen "
    "(schematic: computed from village centres, no official boundaries)"
)

# ags: (name, where its name is written, "longitude latitude" of its places)
TOWNS: dict[str, tuple[str, Point, str]] = {
    "05562004": (
        "Castrop-Rauxel",
        (7.308, 51.590),
        "7.311 51.550, 7.300 51.570, 7.345 51.595, 7.305 51.603, 7.318 51.582, 7.330 51.525, "
        "7.346 51.532, 7.262 51.577, 7.286 51.603, 7.345 51.568, 7.280 51.562, 7.300 51.537",
    ),
    "05562008": (
        "Datteln",
        (7.345, 51.672),
        "7.342 51.654, 7.300 51.690, 7.297 51.627, 7.330 51.640, 7.365 51.680, 7.335 51.675, "
        "7.375 51.655",
    ),
    "05562012": (
        "Dorsten",
        (6.945, 51.697),
        "6.964 51.660, 6.938 51.674, 6.988 51.673, 7.004 51.719, 7.018 51.733, 6.995 51.744, "
        "6.940 51.757, 6.930 51.712, 7.012 51.640, 6.925 51.645, 6.960 51.725, 6.975 51.695, "
        "7.020 51.690, 6.970 51.775, 6.965 51.635, 7.004 51.619",
    ),
    "05562014": (
        "Gladbeck",
        (6.978, 51.588),
        "6.986 51.571, 6.985 51.595, 6.955 51.581, 6.958 51.561, 7.002 51.551, 6.978 51.548, "
        "7.008 51.583",
    ),
    "05562016": (
        "Haltern am See",
        (7.172, 51.764),
        "7.182 51.743, 7.085 51.715, 7.218 51.775, 7.149 51.785, 7.285 51.735, 7.245 51.715, "
        "7.158 51.703, 7.140 51.762, 7.110 51.740, 7.215 51.735, 7.250 51.760, 7.190 51.795, "
        "7.070 51.740, 7.310 51.745",
    ),
    "05562020": (
        "Herten",
        (7.125, 51.611),
        "7.135 51.594, 7.088 51.603, 7.072 51.616, 7.130 51.622, 7.115 51.612, 7.150 51.607, "
        "7.130 51.580",
    ),
    "05562024": (
        "Marl",
        (7.098, 51.672),
        "7.090 51.656, 7.056 51.628, 7.165 51.667, 7.110 51.662, 7.040 51.665, 7.135 51.670, "
        "7.105 51.685, 7.080 51.640, 7.060 51.680, 7.150 51.685",
    ),
    "05562028": (
        "Oer-Erkenschwick",
        (7.245, 51.668),
        "7.250 51.642, 7.235 51.652, 7.268 51.638, 7.230 51.682, 7.255 51.675",
    ),
    "05562032": (
        "Recklinghausen",
        (7.214, 51.599),
        "7.198 51.614, 7.205 51.584, 7.180 51.575, 7.258 51.608, 7.195 51.642, 7.170 51.606, "
        "7.243 51.622, 7.232 51.592, 7.185 51.627",
    ),
    "05562036": (
        "Waltrop",
        (7.402, 51.642),
        "7.397 51.623, 7.372 51.612, 7.420 51.605, 7.418 51.645, 7.390 51.640, 7.435 51.625",
    ),
}
# Places around the district, counter-clockwise from the south-west.
OUTSIDE = (
    "6.928 51.523, 6.943 51.545, 6.905 51.575, 6.922 51.607, 6.962 51.613, 6.972 51.530, "
    "7.455 51.606, 7.030 51.540, 7.020 51.604, 7.055 51.600, 7.050 51.578, 7.103 51.572, "
    "7.060 51.553, 7.100 51.545, 7.140 51.550, 7.163 51.551, 7.200 51.553, 7.225 51.558, "
    "7.220 51.538, 7.250 51.545, 7.263 51.555, 7.270 51.535, 7.300 51.510, 7.365 51.518, "
    "7.385 51.571, 7.390 51.550, 7.345 51.508, 7.440 51.592, 7.400 51.585, 7.515 51.615, "
    "7.470 51.665, 7.460 51.640, 7.415 51.685, 7.380 51.708, 7.330 51.720, 7.390 51.765, "
    "7.440 51.770, 7.350 51.750, 7.280 51.830, 7.250 51.810, 7.300 51.785, 7.200 51.835, "
    "7.140 51.820, 7.090 51.835, 7.050 51.800, 7.045 51.830, 7.030 51.770, 6.935 51.827, "
    "6.985 51.810, 6.900 51.795, 6.833 51.767, 6.868 51.735, 6.878 51.695, 6.870 51.650, "
    "6.890 51.620, 6.880 51.715"
)


def sites() -> list[tuple[str, Point]]:
    """(ags, position); the ags of places around the district is empty."""
    claims = [(ags, places) for ags, (_, _, places) in TOWNS.items()] + [("", OUTSIDE)]
    found = []
    for ags, places in claims:
        for place in places.split(","):
            east, north = place.split()
            found.append((ags, (float(east), float(north))))
    return found


def cell(places: list[Point], own: int) -> list[tuple[Point, int]]:
    """What is nearest to place `own`: corners, each with the neighbour behind the edge it begins.

    The neighbour is an index of `places`, -1 for the frame.
    """
    polygon: list[tuple[Point, int]] = [(corner, -1) for corner in FRAME]
    ox, oy = places[own]
    for other, (px, py) in enumerate(places):
        if other == own:
            continue
        nx, ny = (px - ox) * ASPECT * ASPECT, py - oy
        limit = nx * (px + ox) / 2 + ny * (py + oy) / 2
        polygon = _clip(polygon, (nx, ny, limit), other)
    return polygon


def _clip(
    polygon: list[tuple[Point, int]], half_plane: tuple[float, float, float], neighbour: int
) -> list[tuple[Point, int]]:
    nx, ny, limit = half_plane
    kept: list[tuple[Point, int]] = []
    for index, (start, behind) in enumerate(polygon):
        end = polygon[(index + 1) % len(polygon)][0]
        inside = limit - nx * start[0] - ny * start[1]
        ahead = limit - nx * end[0] - ny * end[1]
        if inside >= 0:
            kept.append((start, behind))
        if (inside >= 0) != (ahead >= 0):
            part = inside / (inside - ahead)
            cut = (start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1]))
            kept.append((cut, neighbour if inside >= 0 else behind))
    return kept


class Vertices:
    """Numbers for points; points closer than MERGE_DEG are one."""

    def __init__(self) -> None:
        self.points: list[Point] = []

    def number(self, point: Point) -> int:
        for index, known in enumerate(self.points):
            if math.dist(known, point) < MERGE_DEG:
                return index
        self.points.append(point)
        return len(self.points) - 1


def borders(vertices: Vertices) -> dict[str, dict[Edge, str]]:
    """For each town its edges, each with the town on the other side."""
    owners = [ags for ags, _ in sites()]
    places = [place for _, place in sites()]
    found: dict[str, dict[Edge, str]] = defaultdict(dict)
    for own, ags in enumerate(owners):
        if not ags:
            continue
        corners = cell(places, own)
        for index, (start, behind) in enumerate(corners):
            end = corners[(index + 1) % len(corners)][0]
            edge = (vertices.number(start), vertices.number(end))
            other = owners[behind] if behind >= 0 else ""
            if other != ags and edge[0] != edge[1]:
                found[ags][edge] = other
    return found


def rings(edges: dict[Edge, str]) -> list[list[Edge]]:
    follow = {start: (start, end) for start, end in edges}
    found = []
    while follow:
        edge = follow.pop(next(iter(follow)))
        ring = [edge]
        while ring[-1][1] in follow:
            ring.append(follow.pop(ring[-1][1]))
        found.append(ring)
    return found


def smooth(line: list[Point]) -> list[Point]:
    """Chaikin's corner cutting, twice; both ends stay, and the reverse gives the reverse."""
    for _ in range(2):
        inner: list[Point] = []
        for (ax, ay), (bx, by) in pairwise(line):
            inner.append((0.75 * ax + 0.25 * bx, 0.75 * ay + 0.25 * by))
            inner.append((0.25 * ax + 0.75 * bx, 0.25 * ay + 0.75 * by))
        line = [line[0], *inner[1:-1], line[-1]]
    return line


def outline(ring: list[Edge], edges: dict[Edge, str], points: list[Point]) -> list[Point]:
    """One ring as points, smoothed between the corners where three owners meet."""
    sides = [edges[edge] for edge in ring]
    turn = next((i for i in range(len(ring)) if sides[i - 1] != sides[i]), 0)
    ring, sides = ring[turn:] + ring[:turn], sides[turn:] + sides[:turn]
    arcs: list[list[Point]] = []
    for index, (start, end) in enumerate(ring):
        if index == 0 or sides[index] != sides[index - 1]:
            arcs.append([points[start]])
        arcs[-1].append(points[end])
    line = [point for arc in arcs for point in smooth(arc)[:-1]]
    return [*line, line[0]]


def build_map() -> dict[str, Any]:
    """The district as a GeoJSON FeatureCollection, one feature for each town."""
    vertices = Vertices()
    found = borders(vertices)
    features = []
    for ags, (name, label, _) in TOWNS.items():
        ring = max(rings(found[ags]), key=len)
        line = outline(ring, found[ags], vertices.points)
        features.append(
            {
                "type": "Feature",
                "properties": {"ags": ags, "name": name, "label": list(label)},
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [[[round(x, 5), round(y, 5)] for x, y in line]],
                },
            }
        )
    return {"type": "FeatureCollection", "note": NOTE, "features": features}


def main() -> None:
    text = json.dumps(build_map(), ensure_ascii=False, separators=(",", ":"))
    Path(sys.argv[1]).write_text(text.replace('{"type":"Feature"', '\n{"type":"Feature"') + "\n")


if __name__ == "__main__":
    main()
