// SPDX-FileCopyrightText: 2026 The Revier authors
// SPDX-License-Identifier: EUPL-1.2
// The district's map on Leaflet, without tiles: towns, nodes, radio gateways. Each kind has a shape
// of its own; a marker that would cover another is moved aside, with a line to its true place.

const L = globalThis.L;
const SVG = "http://www.w3.org/2000/svg";
const DISTRICT = [[51.52, 6.86], [51.81, 7.44]];
const NODE_PX = 30;
const RADIO_PX = 24;
const APART_PX = 2;
const LEADER_PX = 8; // a marker moved less needs no line
const ROUNDS = 24;

function drawing(kind, text) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 32 32");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#shape-${kind}`);
  const label = document.createElementNS(SVG, "text");
  label.setAttribute("x", "16");
  label.setAttribute("y", "20.7");
  label.textContent = text;
  svg.append(use, label);
  return svg;
}

function line(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

export class DistrictMap {
  constructor(box, words, onSelect) {
    Object.assign(this, { words, onSelect, markers: new Map(), bounds: L.latLngBounds(DISTRICT), signature: "" });
    this.map = L.map(box, {
      zoomSnap: 0.05, zoomDelta: 0.5, minZoom: 8, maxZoom: 15, scrollWheelZoom: false,
      maxBoundsViscosity: 0.8, fadeAnimation: false, zoomAnimation: false,
    });
    this.map.attributionControl.setPrefix("Leaflet").addAttribution(words.map_note);
    this.leaders = L.layerGroup().addTo(this.map);
    this.fit();
    this.map.on("zoomend", () => this.spread(true));
    new ResizeObserver(() => this.fit()).observe(box);
    this.towns();
  }

  fit() {
    this.map.invalidateSize({ animate: false });
    this.map.fitBounds(this.bounds, { animate: false, padding: [8, 8] });
    this.map.setMaxBounds(this.bounds.pad(0.3));
    this.spread(true);
  }

  async towns() {
    const district = await (await fetch("/static/district.geojson")).json();
    const areas = L.geoJSON(district, { className: "town", interactive: false, fillOpacity: 1, color: null });
    areas.addTo(this.map);
    for (const { properties } of district.features) {
      const icon = L.divIcon({ className: "town-name", html: line("span", properties.name), iconSize: null });
      const [lon, lat] = properties.label;
      L.marker([lat, lon], { icon, interactive: false, keyboard: false, zIndexOffset: -1000 }).addTo(this.map);
    }
    this.bounds = areas.getBounds();
    this.fit();
  }

  node(node, lines, isSelected, isFresh) {
    if (node.lon === null || node.lat === null) return;
    const marker = this.place(`node ${node.asset}`, node, NODE_PX, () => this.onSelect(node.asset));
    const classes = [`is-${node.kind}`, `is-${node.mark_state}`];
    if (isSelected) classes.push("is-selected");
    this.dress(marker, node.kind, node.mark, classes, [node.name, ...lines]);
    const element = marker.getElement();
    element.dataset.asset = node.asset;
    element.dataset.status = node.status;
    if (isFresh) requestAnimationFrame(() => element.classList.add("is-fresh"));
  }

  radio(one, text) {
    if (one.lon === null || one.lat === null) return;
    const marker = this.place(`radio ${one.id}`, one, RADIO_PX, () => {});
    this.dress(marker, "radio", "", ["is-radio"], [one.name, this.words.radio_gateway, text]);
  }

  select(asset) {
    for (const [key, { marker }] of this.markers) {
      marker.getElement().classList.toggle("is-selected", key === `node ${asset}`);
    }
  }

  place(key, { lon, lat }, size, onPick) {
    let entry = this.markers.get(key);
    if (!entry) {
      const icon = L.divIcon({ className: "marker", iconSize: [size, size], html: "" });
      const marker = L.marker([lat, lon], { icon, riseOnHover: true }).addTo(this.map);
      marker.bindTooltip(document.createElement("div"), { direction: "top", offset: [0, -size / 2] });
      marker.on("click", onPick).on("keypress", (e) => e.originalEvent.key === "Enter" && onPick());
      entry = { marker, size, drawn: "" };
      this.markers.set(key, entry);
    }
    entry.marker.setLatLng([lat, lon]);
    return entry.marker;
  }

  dress(marker, kind, text, classes, lines) {
    const element = marker.getElement();
    const drawn = `${kind}|${text}`;
    if (element.dataset.drawn !== drawn) element.replaceChildren(drawing(kind, text));
    element.dataset.drawn = drawn;
    for (const name of [...element.classList]) if (name.startsWith("is-")) element.classList.remove(name);
    element.classList.add(...classes);
    element.setAttribute("aria-label", lines.join(", "));
    marker.getTooltip().getContent().replaceChildren(...lines.map((text, i) => line(i ? "span" : "b", text)));
  }

  // Move markers apart, in pixels of the present zoom.
  spread(isForced = false) {
    const signature = [...this.markers.values()].map(({ marker }) => marker.getLatLng()).join();
    if (signature === this.signature && !isForced) return;
    this.signature = signature;
    const spots = [...this.markers.values()].map(({ marker, size }) => {
      const at = this.map.latLngToLayerPoint(marker.getLatLng());
      return { marker, size, at, x: at.x, y: at.y };
    });
    for (let round = 0; round < ROUNDS; round += 1) {
      spots.forEach((one, i) => spots.slice(i + 1).forEach((other) => pushApart(one, other)));
    }
    this.leaders.clearLayers();
    for (const spot of spots) this.settle(spot);
  }

  settle({ marker, size, at, x, y }) {
    const { style } = marker.getElement();
    style.marginLeft = `${x - at.x - size / 2}px`;
    style.marginTop = `${y - at.y - size / 2}px`;
    marker.getTooltip().options.offset = L.point(x - at.x, y - at.y - size / 2);
    if (Math.hypot(x - at.x, y - at.y) < LEADER_PX) return;
    const ends = [marker.getLatLng(), this.map.layerPointToLatLng([x, y])];
    this.leaders.addLayer(L.polyline(ends, { className: "leader", interactive: false, color: null }));
    this.leaders.addLayer(L.circleMarker(ends[0], { className: "true-place", radius: 2.5, interactive: false, color: null }));
  }
}

function pushApart(one, other) {
  const distance = Math.hypot(other.x - one.x, other.y - one.y);
  const missing = (one.size + other.size) / 2 + APART_PX - distance;
  if (missing <= 0) return;
  const [dx, dy] = distance > 0.5 ? [(other.x - one.x) / distance, (other.y - one.y) / distance] : [1, 0];
  one.x -= (dx * missing) / 2;
  one.y -= (dy * missing) / 2;
  other.x += (dx * missing) / 2;
  other.y += (dy * missing) / 2;
}
