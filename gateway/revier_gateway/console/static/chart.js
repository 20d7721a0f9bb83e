// SPDX-FileCopyrightText: 2026 The Revier authors
// SPDX-License-Identifier: EUPL-1.2
// A line chart for one quantity: `new Chart(box, legend, locale, words).show(kind, quantity, lines)`.
// A line is {name, unit, decimals, points: [[ms, number or null], ...]}, oldest first. A missing value breaks
// the line; it is never drawn as zero.

const SVG = "http://www.w3.org/2000/svg";
const PAD = { left: 46, right: 10, top: 10, bottom: 22 };
const WIDEST_GAP = 4; // times the usual distance of two readings: the line breaks there
const MINUTE_MS = 60_000;
const TIME_STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((m) => m * MINUTE_MS);

function shape(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((one) => one * power >= rough * 0.999) * power;
}

function valueRange(quantity, values) {
  if (quantity === "occupied") return { low: 0, high: 1, step: 1 };
  if (quantity === "fill") return { low: 0, high: 100, step: 25 };
  const high = Math.max(...values);
  const low = Math.min(...values);
  const from = low >= 0 && low < high * 0.6 ? 0 : low;
  const step = niceStep((high - from || 1) / 4);
  const start = Math.floor(from / step) * step;
  return { low: start, high: Math.max(Math.ceil(high / step) * step, start + step), step };
}

function path(points, x, y, isBinary) {
  const gaps = points.slice(1).map(([t], i) => t - points[i][0]).sort((a, b) => a - b);
  const widest = isBinary ? Infinity : WIDEST_GAP * (gaps[gaps.length >> 1] ?? Infinity);
  let drawn = "";
  let before = null;
  for (const [t, value] of points) {
    if (value === null) {
      before = null;
      continue;
    }
    if (before === null || t - before > widest) drawn += `M${x(t)} ${y(value)}h.1`;
    else drawn += isBinary ? `H${x(t)}V${y(value)}` : `L${x(t)} ${y(value)}`;
    before = t;
  }
  return drawn;
}

export class Chart {
  constructor(box, legend, locale, words) {
    Object.assign(this, { box, legend, words, lines: [], quantity: null });
    Object.assign(this, { locale, hours: new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" }) });
    new ResizeObserver(() => this.draw()).observe(box);
  }

  show(kind, quantity, lines) {
    Object.assign(this, { quantity, lines });
    this.box.dataset.kind = kind;
    this.legend.dataset.kind = kind;
    this.draw();
  }

  say(value, decimals) {
    if (value === null || value === undefined) return "–";
    if (this.quantity === "occupied") return value ? this.words.occupied : this.words.vacant;
    const places = { minimumFractionDigits: decimals ?? 0, maximumFractionDigits: decimals ?? 2 };
    return value.toLocaleString(this.locale, places);
  }

  draw() {
    const known = this.lines.flatMap((line) => line.points.filter(([, value]) => value !== null));
    this.tell();
    if (!known.length) {
      const empty = Object.assign(document.createElement("p"), { className: "empty" });
      empty.textContent = this.words.no_history;
      this.box.replaceChildren(empty);
      return;
    }
    const times = known.map(([t]) => t);
    const start = Math.min(...times);
    const end = Math.max(...times, start + MINUTE_MS);
    this.box.replaceChildren(this.picture({ start, end, ...valueRange(this.quantity, known.map(([, v]) => v)) }));
  }

  picture(range) {
    const { clientWidth: width, clientHeight: height } = this.box;
    const round = (value) => Math.round(value * 10) / 10;
    const inner = { width: width - PAD.left - PAD.right, height: height - PAD.top - PAD.bottom };
    const x = (t) => round(PAD.left + ((t - range.start) / (range.end - range.start)) * inner.width);
    const y = (v) => round(height - PAD.bottom - ((v - range.low) / (range.high - range.low)) * inner.height);
    const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-labelledby": "chart-title chart-legend" });
    this.axes(svg, range, x, y, width, height);
    this.lines.forEach(({ points }, i) => {
      const d = path(points, x, y, this.quantity === "occupied");
      svg.append(shape("path", { class: `series series-${i}`, d }));
    });
    this.hair(svg, range, x, width, height);
    return svg;
  }

  axes(svg, range, x, y, width, height) {
    for (let value = range.low; value <= range.high + range.step / 2; value += range.step) {
      svg.append(shape("line", { class: "grid", x1: PAD.left, x2: width - PAD.right, y1: y(value), y2: y(value) }));
      svg.append(shape("text", { class: "axis", x: PAD.left - 7, y: y(value) + 4, "text-anchor": "end" }, this.say(value)));
    }
    const rough = (range.end - range.start) / Math.max(2, width / 90);
    const step = TIME_STEPS_MS.find((one) => one >= rough) ?? TIME_STEPS_MS.at(-1);
    const zone = new Date(range.end).getTimezoneOffset() * MINUTE_MS;
    for (let t = Math.ceil((range.start - zone) / step) * step + zone; t <= range.end; t += step) {
      if (x(t) > width - 24) continue;
      svg.append(shape("text", { class: "axis", x: x(t), y: height - 4, "text-anchor": "middle" }, this.hours.format(t)));
    }
  }

  hair(svg, range, x, width, height) {
    const hair = shape("line", { class: "hair", y1: PAD.top, y2: height - PAD.bottom, visibility: "hidden" });
    svg.append(hair);
    svg.addEventListener("pointermove", (e) => {
      const share = (e.offsetX - PAD.left) / (width - PAD.left - PAD.right);
      const t = range.start + Math.min(Math.max(share, 0), 1) * (range.end - range.start);
      hair.setAttribute("x1", x(t));
      hair.setAttribute("x2", x(t));
      hair.setAttribute("visibility", "visible");
      this.tell(t);
    });
    svg.addEventListener("pointerleave", () => {
      hair.setAttribute("visibility", "hidden");
      this.tell();
    });
  }

  // The legend says the newest value of each line, or the one under the pointer.
  tell(t = Infinity) {
    this.legend.replaceChildren(...this.lines.map((line, i) => {
      const item = document.createElement("li");
      const key = shape("svg", { viewBox: "0 0 30 8", "aria-hidden": "true" });
      key.append(shape("path", { class: `series series-${i}`, d: "M1 4h28" }));
      const at = line.points.filter(([when]) => when <= t).at(-1) ?? line.points[0];
      const value = document.createElement("b");
      value.textContent = this.say(at?.[1], line.decimals);
      const unit = at?.[1] == null ? "" : ` ${line.unit}`;
      item.append(key, `${line.name} `, value, t === Infinity || !at ? unit : `${unit} · ${this.hours.format(at[0])}`);
      return item;
    }));
  }
}
