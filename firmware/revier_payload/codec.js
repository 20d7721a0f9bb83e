// SPDX-FileCopyrightText: 2026 The Revier authors
// SPDX-License-Identifier: EUPL-1.2
// Generated: python tools/payload.py. LoRaWAN payload codec API, TS013-1.0.0.
// One file without imports, for the device profile of a network server. What the fields mean:
// docs/protocol/payload.md. Values are physical; null is no value, and `missing` or `out_of_range`
// names it. An answer has `errors` where nothing could be read; nothing throws.

var REVIER = {
  // name, bits, kind, denominator, minimum, maximum, step, m, names
  uplinks: {
    1: { name: "diagnosis", body: "", extras: 19, lengths: [12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24], fields: [
      ["seq", 32, "counter", 1, 0, 4294967295, 1, 0, []],
      ["reset_cause", 4, "choice", 1, 0, 6, 1, 0, ["power_on", "hard_reset", "watchdog", "deep_sleep", "soft_reset", "brown_out"]],
      ["battery", 12, "linear", 1000, 0, 4093, 1, 0, []],
      ["fw_major", 4, "linear", 1, 0, 13, 1, 0, []],
      ["fw_minor", 6, "linear", 1, 0, 61, 1, 0, []],
      ["fw_patch", 6, "linear", 1, 0, 61, 1, 0, []],
      ["boots", 16, "linear", 1, 0, 65533, 1, 0, []],
      ["error", 8, "linear", 1, 0, 253, 1, 0, []],
      ["status", 8, "flags", 1, 0, 255, 1, 0, ["sensor_fault", "uncalibrated", "clock_unknown", "restarted", "seq_leapt", "f_cnt_leapt", "batches", "settings_reverted"]],
      ["config_hash", 16, "linear", 1, 0, 65533, 1, 0, []],
      ["joins", 8, "linear", 1, 0, 253, 1, 0, []],
      ["battery_tx", 8, "linear", 1000, 2000, 4530, 10, 0, []],
      ["errors_1", 4, "log", 1, 0, 96, 1, 1, []],
      ["errors_2", 4, "log", 1, 0, 96, 1, 1, []],
      ["errors_3", 4, "log", 1, 0, 96, 1, 1, []],
      ["errors_4", 4, "log", 1, 0, 96, 1, 1, []],
      ["join_silent", 4, "log", 1, 0, 96, 1, 1, []],
      ["join_replayed", 4, "log", 1, 0, 96, 1, 1, []],
      ["not_ours", 4, "log", 1, 0, 96, 1, 1, []],
      ["mic_wrong", 4, "log", 1, 0, 96, 1, 1, []],
      ["oversized", 4, "log", 1, 0, 96, 1, 1, []],
      ["downlink_lost", 4, "log", 1, 0, 96, 1, 1, []],
      ["unacknowledged", 4, "log", 1, 0, 96, 1, 1, []],
      ["command_unknown", 4, "log", 1, 0, 96, 1, 1, []],
      ["command_refused", 4, "log", 1, 0, 96, 1, 1, []],
      ["duty", 4, "log", 1, 0, 96, 1, 1, []],
      ["aborted", 4, "log", 1, 0, 96, 1, 1, []],
      ["time_error", 4, "log", 1, 0, 96, 1, 1, []],
    ] },
    3: { name: "configuration_answer", body: "", extras: 0, lengths: [6], fields: [
      ["request_hash", 16, "counter", 1, 0, 65535, 1, 0, []],
      ["config_hash", 16, "linear", 1, 0, 65533, 1, 0, []],
      ["result", 8, "choice", 1, 0, 8, 1, 0, ["applied", "refused_length", "refused_mode", "refused_unknown", "refused_kind", "refused_range", "refused_twice", "refused_order"]],
      ["setting", 8, "linear", 1, 0, 253, 1, 0, []],
    ] },
    5: { name: "backfill", body: "records", extras: 0, lengths: [10], fields: [
      ["seq", 32, "counter", 1, 0, 4294967295, 1, 0, []],
      ["time", 32, "linear", 1, 0, 4294967293, 1, 0, []],
      ["port", 8, "linear", 1, 0, 253, 1, 0, []],
      ["size", 8, "linear", 1, 1, 254, 1, 0, []],
    ] },
    6: { name: "alarm", body: "", extras: 0, lengths: [4], fields: [
      ["seq", 8, "counter", 1, 0, 255, 1, 0, []],
      ["alarm", 4, "flags", 1, 0, 15, 1, 0, ["fire", "tilt", "tamper"]],
      ["temperature", 8, "linear", 1, -40, 213, 1, 0, []],
      ["tilt_angle", 5, "linear", 1, 0, 180, 10, 0, []],
      ["battery", 4, "linear", 1000, 2600, 4225, 125, 0, []],
    ] },
    10: { name: "air", body: "", extras: 0, lengths: [11], fields: [
      ["seq", 9, "counter", 1, 0, 511, 1, 0, []],
      ["pm1", 8, "log", 10, 0, 11712, 3, 5, []],
      ["pm25", 8, "log", 10, 0, 11712, 3, 5, []],
      ["pm4", 8, "log", 10, 0, 11712, 3, 5, []],
      ["pm10", 8, "log", 10, 0, 11712, 3, 5, []],
      ["temperature", 9, "linear", 10, -300, 718, 2, 0, []],
      ["humidity", 7, "linear", 1, 0, 100, 1, 0, []],
      ["pressure", 9, "linear", 10, 8500, 11045, 5, 0, []],
      ["voc", 7, "linear", 1, 0, 500, 4, 0, []],
      ["nox", 6, "log", 1, 0, 512, 1, 3, []],
      ["battery", 4, "linear", 1000, 2600, 4225, 125, 0, []],
      ["status", 5, "flags", 1, 0, 31, 1, 0, ["sensor_fault", "uncalibrated", "clock_unknown", "restarted", "fan_or_laser_fault"]],
    ] },
    11: { name: "air_batch", body: "batch", extras: 0, lengths: [12], fields: [
      ["seq", 32, "counter", 1, 0, 4294967295, 1, 0, []],
      ["time", 22, "linear", 1, 0, 4194301, 1, 0, []],
      ["samples", 4, "linear", 1, 1, 14, 1, 0, []],
      ["interval", 6, "linear", 1, 30, 1860, 30, 0, []],
      ["level", 6, "linear", 1, 0, 61, 1, 0, []],
      ["battery", 4, "linear", 1000, 2600, 4225, 125, 0, []],
      ["status", 5, "flags", 1, 0, 31, 1, 0, ["sensor_fault", "uncalibrated", "clock_unknown", "restarted", "fan_or_laser_fault"]],
      ["channels", 10, "flags", 1, 0, 1023, 1, 0, ["pm1", "pm25", "pm4", "pm10", "temperature", "humidity", "pressure", "voc", "nox", "co2"]],
      ["gaps", 1, "flags", 1, 0, 1, 1, 0, ["gaps"]],
    ] },
    12: { name: "air_co2", body: "", extras: 0, lengths: [11], fields: [
      ["seq", 9, "counter", 1, 0, 511, 1, 0, []],
      ["pm1", 8, "log", 10, 0, 11712, 3, 5, []],
      ["pm25", 8, "log", 10, 0, 11712, 3, 5, []],
      ["pm4", 8, "log", 10, 0, 11712, 3, 5, []],
      ["pm10", 8, "log", 10, 0, 11712, 3, 5, []],
      ["temperature", 9, "linear", 10, -300, 718, 2, 0, []],
      ["humidity", 7, "linear", 1, 0, 100, 1, 0, []],
      ["pressure", 9, "linear", 10, 8500, 11045, 5, 0, []],
      ["co2", 13, "linear", 1, 0, 8189, 1, 0, []],
      ["battery", 4, "linear", 1000, 2600, 4225, 125, 0, []],
      ["status", 5, "flags", 1, 0, 31, 1, 0, ["sensor_fault", "uncalibrated", "clock_unknown", "restarted", "fan_or_laser_fault"]],
    ] },
    20: { name: "parking_event", body: "", extras: 2, lengths: [2, 3, 4], fields: [
      ["seq", 4, "counter", 1, 0, 15, 1, 0, []],
      ["state", 2, "choice", 1, 0, 2, 1, 0, ["vacant", "occupied"]],
      ["confidence", 2, "choice", 1, 0, 2, 1, 0, ["low", "high"]],
      ["dwell", 8, "log", 1, 0, 3904, 1, 5, []],
      ["dwell_2", 8, "log", 1, 0, 3904, 1, 5, []],
      ["dwell_3", 8, "log", 1, 0, 3904, 1, 5, []],
    ] },
    21: { name: "parking_heartbeat", body: "", extras: 1, lengths: [2, 3], fields: [
      ["seq", 4, "counter", 1, 0, 15, 1, 0, []],
      ["state", 2, "choice", 1, 0, 2, 1, 0, ["vacant", "occupied"]],
      ["confidence", 2, "choice", 1, 0, 2, 1, 0, ["low", "high"]],
      ["battery", 4, "linear", 1000, 2600, 4225, 125, 0, []],
      ["status", 4, "flags", 1, 0, 15, 1, 0, ["sensor_fault", "uncalibrated", "clock_unknown", "restarted"]],
      ["lasting", 8, "log", 1, 0, 3904, 1, 5, []],
    ] },
    30: { name: "waste", body: "", extras: 0, lengths: [5], fields: [
      ["seq", 7, "counter", 1, 0, 127, 1, 0, []],
      ["distance", 11, "linear", 1, 0, 6135, 3, 0, []],
      ["temperature", 7, "linear", 1, -40, 85, 1, 0, []],
      ["tilt", 5, "linear", 1, 0, 180, 10, 0, []],
      ["quality", 3, "linear", 1, 0, 5, 1, 0, []],
      ["battery", 4, "linear", 1000, 2600, 4225, 125, 0, []],
      ["flags", 3, "flags", 1, 0, 7, 1, 0, ["fire", "moved", "sensor_fault"]],
    ] },
    31: { name: "waste_emptied", body: "", extras: 0, lengths: [6], fields: [
      ["seq", 7, "counter", 1, 0, 127, 1, 0, []],
      ["distance", 11, "linear", 1, 0, 6135, 3, 0, []],
      ["temperature", 7, "linear", 1, -40, 85, 1, 0, []],
      ["tilt", 5, "linear", 1, 0, 180, 10, 0, []],
      ["quality", 3, "linear", 1, 0, 5, 1, 0, []],
      ["battery", 4, "linear", 1000, 2600, 4225, 125, 0, []],
      ["flags", 3, "flags", 1, 0, 7, 1, 0, ["fire", "moved", "sensor_fault"]],
      ["emptied_from", 8, "linear", 1, 0, 6325, 25, 0, []],
    ] },
  },
  downlinks: {
    2: { name: "configuration", body: "settings", extras: 0, lengths: [1], fields: [
      ["mode", 8, "choice", 1, 0, 2, 1, 0, ["keep", "default"]],
    ] },
    4: { name: "backfill_request", body: "ranges", extras: 0, lengths: [5], fields: [
      ["first", 32, "counter", 1, 0, 4294967295, 1, 0, []],
      ["count", 8, "linear", 1, 1, 254, 1, 0, []],
    ] },
  },
  channels: [
    ["pm1", 8, "log", 10, 0, 11712, 3, 5, []],
    ["pm25", 8, "log", 10, 0, 11712, 3, 5, []],
    ["pm4", 8, "log", 10, 0, 11712, 3, 5, []],
    ["pm10", 8, "log", 10, 0, 11712, 3, 5, []],
    ["temperature", 9, "linear", 10, -300, 718, 2, 0, []],
    ["humidity", 7, "linear", 1, 0, 100, 1, 0, []],
    ["pressure", 9, "linear", 10, 8500, 11045, 5, 0, []],
    ["voc", 7, "linear", 1, 0, 500, 4, 0, []],
    ["nox", 6, "log", 1, 0, 512, 1, 3, []],
    ["co2", 9, "linear", 1, 0, 5090, 10, 0, []],
  ],
  // number, name, lowest, highest, unit, names, as made
  settings: [
    [1, "interval", 60, 43200, " s", [], null],
    [2, "confirmed_every", 0, 1000, "", [], 0],
    [16, "report", 1, 3, "", ["each", "change", "batch"], 1],
    [17, "report_min", 0, 43200, " s", [], 0],
    [18, "report_max", 300, 43200, " s", [], 3600],
    [19, "dead_band", 500, 50000, " ng/m3", [], 2000],
    [20, "dead_band_share", 5, 100, " %", [], 15],
    [32, "occupied_above", 4000, 16000, " nT", [], 7200],
    [33, "vacant_below", 1500, 16000, " nT", [], 4350],
    [34, "empty_bay", 0, 65535, "", [], 0],
    [48, "empty", 300, 4500, " mm", [], 4500],
    [49, "fire_above", 40, 85, " Cel", [], 75],
    [50, "fire_rise", 2, 30, " K/min", [], 5],
    [51, "tilt_above", 20, 90, " deg", [], 30],
    [52, "nearest", 40, 1000, " mm", [], 40],
  ],
  ordered: [[17, 18], [33, 32], [52, 48]],
  settingsMax: 16,
  rangesMax: 8,
  configurationPort: 2,
  backfillRequestPort: 4,
  headBits: 90,
  particles: 4,
  givesWay: [2, 0, 3, 1, 9, 8, 7, 5, 4, 6],
  levelMeans: 61,
  unaryMax: 12,
  escapeBits: 10,
  meanShift: 2,
  validCodeMax: [253, 253, 253, 253, 509, 100, 509, 125, 56, 509]
};

// Bits ---------------------------------------------------------------------------------------

function revierTake(bytes, at, bits) {
  // Up to 32 bits, the most significant first; zeros behind the end.
  var value = 0;
  while (bits > 0) {
    var room = 8 - (at % 8);
    var n = Math.min(room, bits);
    var part = ((bytes[Math.floor(at / 8)] || 0) >> (room - n)) & ((1 << n) - 1);
    value = value * Math.pow(2, n) + part;
    at += n;
    bits -= n;
  }
  return value;
}

function revierTop(bits) {
  return Math.pow(2, bits) - 1;
}

// Fields: [name, bits, kind, denominator, minimum, maximum, step, mantissa bits, names] --------

function revierValueOf(field, code) {
  if (field[2] === "linear") return field[4] + code * field[6];
  if (field[2] !== "log") return code;
  var exponent = code >> field[7];
  if (exponent < 2) return field[6] * code;
  var mantissa = code & ((1 << field[7]) - 1);
  return field[6] * (mantissa + (1 << field[7])) * Math.pow(2, exponent - 1);
}

function revierDecodeField(field, code, result) {
  var name = field[0];
  var kind = field[2];
  var top = revierTop(field[1]);
  var state = "valid";
  var value = code;
  if (kind === "choice") {
    state = code === 0 ? "missing" : code > field[5] ? "out_of_range" : "valid";
  } else if (kind === "linear" || kind === "log") {
    value = revierValueOf(field, code);
    if (code === top) state = "missing";
    else if (code === top - 1 || value > field[5]) state = "out_of_range";
  }
  result.values[name] = state === "valid" ? value : null;
  result.states[name] = state;
}

function revierDecoded(fPort, name) {
  return {
    f_port: fPort, name: name, values: {}, states: {}, rows: [], errors: [], warnings: [],
    cut: false, time: null
  };
}

function revierDecodeFields(message, bytes, result) {
  var base = message.fields.length - message.extras;
  var length = Math.min(bytes.length, message.lengths[message.lengths.length - 1]);
  result.cut = bytes.length < message.lengths[0];
  var left = length * 8;
  var at = 0;
  var absent = [];
  for (var i = 0; i < message.fields.length; i++) {
    var field = message.fields[i];
    left -= field[1];
    if (left < 0 || (result.cut && i >= base)) {
      if (!(result.cut && i >= base)) absent.push(field[0]);
      result.values[field[0]] = null;
      result.states[field[0]] = "missing";
    } else {
      revierDecodeField(field, revierTake(bytes, at, field[1]), result);
    }
    at += field[1];
  }
  if (absent.length && message.lengths.indexOf(length) < 0) {
    result.warnings.push("ends before " + absent.join(", "));
  }
}

function revierTail(count, result) {
  if (count > 0) result.warnings.push(count + " B after the end were not read");
}

function revierDecode(messages, fPort, bytes) {
  // Whole numbers in the fields' resolutions; never throws.
  var message = messages[fPort];
  var result = revierDecoded(fPort, message ? message.name : "");
  if (!message) {
    result.errors.push("no message on fPort " + fPort);
  } else if (bytes.length * 8 < message.fields[0][1]) {
    result.errors.push("too short to tell what it is: " + bytes.length + " B");
  } else if (message.body === "ranges") {
    revierDecodeRanges(message, bytes, result);
  } else {
    revierDecodeFields(message, bytes, result);
    if (!message.body) {
      revierTail(bytes.length - message.lengths[message.lengths.length - 1], result);
    } else if (result.cut) {
      result.errors.push("ends before its head does: " + bytes.length + " B");
    } else if (message.body === "batch") {
      revierDecodeBatch(bytes, result);
    } else if (message.body === "records") {
      revierDecodeRecords(bytes, result);
    } else {
      revierDecodeSettings(bytes, result);
    }
  }
  if (result.errors.length) {
    result.values = {};
    result.states = {};
    result.rows = [];
    result.warnings = [];
  }
  return result;
}

// Bodies ---------------------------------------------------------------------------------------

function revierDecodeSettings(bytes, result) {
  if ((bytes.length - 1) % 3) {
    result.errors.push("settings of 3 B each and a rest: " + bytes.length + " B");
  }
  if (bytes.length > 1 + 3 * REVIER.settingsMax) {
    result.errors.push("more settings than a node takes");
  }
  if (result.errors.length) return;
  for (var at = 1; at < bytes.length; at += 3) {
    var setting = null;
    for (var i = 0; i < REVIER.settings.length; i++) {
      if (REVIER.settings[i][0] === bytes[at]) setting = REVIER.settings[i];
    }
    var value = bytes[at + 1] * 256 + bytes[at + 2];
    var good = setting !== null && setting[2] <= value && value <= setting[3];
    var row = revierDecoded(result.f_port, setting ? setting[1] : "");
    row.values = { number: bytes[at], value: good ? value : null };
    row.states = { number: "valid", value: good ? "valid" : "out_of_range" };
    if (!setting) result.warnings.push("unknown setting " + bytes[at]);
    result.rows.push(row);
  }
}

function revierDecodeRanges(message, bytes, result) {
  if (bytes.length % 5) {
    result.errors.push("ranges of 5 B each and a rest: " + bytes.length + " B");
  }
  if (bytes.length > 5 * REVIER.rangesMax) {
    result.errors.push("more ranges than a node takes");
  }
  if (result.errors.length) return;
  for (var at = 0; at < bytes.length; at += 5) {
    var row = revierDecoded(result.f_port, message.name);
    row.values.first = revierTake(bytes, at * 8, 32);
    row.states.first = "valid";
    revierDecodeField(message.fields[1], bytes[at + 4], row);
    result.rows.push(row);
  }
}

function revierDecodeRecords(bytes, result) {
  var port = result.values.port;
  var message = REVIER.uplinks[port === null ? 0 : port];
  if (!message || message.body || message.fields[0][0] !== "seq" || port === 1) {
    result.errors.push("records of no reading: fPort " + (port === null ? "None" : port));
    return;
  }
  var size = result.values.size;
  if (size === null || bytes.length < 10 + size) {
    result.errors.push("ends before its first record does");
    return;
  }
  var seq = result.values.seq;
  var time = result.values.time;
  var notes = [];
  for (var at = 7; at + 3 + size <= bytes.length; at += 3 + size) {
    if (at > 7) {
      var after = bytes[at + 1] * 256 + bytes[at + 2];
      seq = (seq + bytes[at]) % 4294967296;
      time = time === null || after === 65535 ? null : time + after;
    }
    var row = revierDecode(REVIER.uplinks, port, bytes.slice(at + 3, at + 3 + size));
    if (row.errors.length || row.values.seq !== seq % Math.pow(2, message.fields[0][1])) {
      result.errors.push("a record is not of its sequence: " + seq);
      return;
    }
    row.values.seq = seq;
    row.time = time;
    result.rows.push(row);
    for (var i = 0; i < row.warnings.length; i++) {
      if (notes.indexOf(row.warnings[i]) < 0) notes.push(row.warnings[i]);
    }
  }
  revierTail(bytes.length - at, result);
  for (var j = 0; j < notes.length; j++) {
    if (result.warnings.indexOf(notes[j]) < 0) result.warnings.push(notes[j]);
  }
}

function revierReader(bytes, at) {
  return {
    at: at,
    take: function (bits) {
      var value = revierTake(bytes, this.at, bits);
      this.at += bits;
      return value;
    },
    rice: function (k) {
      var ones = 0;
      while (ones < REVIER.unaryMax && this.take(1)) ones += 1;
      if (ones === REVIER.unaryMax) return this.take(REVIER.escapeBits);
      return ones * Math.pow(2, k) + this.take(k);
    }
  };
}

function revierShifts(channels, level) {
  var order = REVIER.givesWay.filter(function (c) { return channels.indexOf(c) >= 0; });
  return channels.map(function (c) {
    if (level === REVIER.levelMeans) return 0;
    var more = order.indexOf(c) < level % order.length ? 1 : 0;
    return Math.min(Math.floor(level / order.length) + more, REVIER.channels[c][1] - 2);
  });
}

function revierColumn(reader, count, width, told) {
  // The coarse codes, or null where one cannot be.
  var codes = [];
  if (!count) return codes;
  var byNeighbour = told !== null && reader.take(1) === 1;
  var k = reader.take(3);
  var value = byNeighbour ? 0 : reader.take(width);
  for (var i = 0; i < count; i++) {
    if (k !== 7 && (byNeighbour || i)) {
      var folded = reader.rice(k);
      value += folded % 2 ? -(folded + 1) / 2 : folded / 2;
    }
    var code = byNeighbour ? value + told[i] : value;
    if (code < 0 || code > revierTop(width)) return null;
    codes.push(code);
  }
  return codes;
}

function revierGone(reader, width, count, gone) {
  // Fills gone: sample -> its code, missing or out of range. How many there are.
  var found = 0;
  if (reader.take(1)) return found;
  for (var i = 0; i < count; i++) {
    if (!reader.take(1)) {
      gone[i] = reader.take(1) ? revierTop(width) - 1 : revierTop(width);
      found += 1;
    }
  }
  return found;
}

function revierColumns(reader, channels, count, level, gaps, end) {
  var columns = {};
  var before = null;
  var shifts = revierShifts(channels, level);
  for (var j = 0; j < channels.length; j++) {
    var c = channels[j];
    var shift = shifts[j];
    var scale = Math.pow(2, shift);
    var gone = {};
    var lost = gaps ? revierGone(reader, REVIER.channels[c][1], count, gone) : 0;
    var told = null;
    if (before !== null && !lost && channels.indexOf(c - 1) >= 0 && c > 0 && c < REVIER.particles) {
      told = before.map(function (code) { return code >> shift; });
    }
    var coarse = revierColumn(reader, count - lost, REVIER.channels[c][1] - shift, told);
    if (coarse === null || reader.at > end) return null;
    before = lost ? null : coarse.map(function (code) { return code * scale; });
    var codes = [];
    for (var i = 0, next = 0; i < count; i++) {
      if (gone.hasOwnProperty(i)) codes.push(gone[i]);
      else codes.push(Math.min(coarse[next++] * scale, REVIER.validCodeMax[c]));
    }
    columns[c] = codes;
  }
  return columns;
}

function revierDecodeBatch(bytes, result) {
  var values = result.values;
  if (values.samples === null || values.interval === null || values.level === null) {
    result.errors.push("a block without samples, interval or level");
    return;
  }
  var channels = [];
  for (var c = 0; c < REVIER.channels.length; c++) {
    if ((values.channels >> c) & 1) channels.push(c);
  }
  var reader = revierReader(bytes, REVIER.headBits);
  var end = bytes.length * 8;
  var columns = revierColumns(reader, channels, values.samples, values.level, values.gaps, end);
  if (columns === null || reader.at > end) {
    result.errors.push("the block is damaged");
    return;
  }
  for (var i = 0; i < values.samples; i++) {
    var row = revierDecoded(result.f_port, "sample");
    row.values.seq = (values.seq + i) % 4294967296;
    row.states.seq = "valid";
    row.time = i * values.interval;
    for (c = 0; c < REVIER.channels.length; c++) {
      var field = REVIER.channels[c];
      revierDecodeField(field, columns[c] ? columns[c][i] : revierTop(field[1]), row);
    }
    result.rows.push(row);
  }
  revierMeans(bytes.slice(Math.ceil(reader.at / 8)), channels, result);
}

function revierMeans(rest, channels, result) {
  var bits = 4;
  channels.forEach(function (c) { bits += REVIER.channels[c][1] - REVIER.meanShift; });
  var size = Math.ceil(bits / 8);
  if (rest.length >= size && channels.length) {
    var reader = revierReader(rest, 0);
    var row = revierDecoded(result.f_port, "means_before");
    row.values.samples = reader.take(4);
    row.states.samples = "valid";
    channels.forEach(function (c) {
      var field = REVIER.channels[c];
      var width = field[1] - REVIER.meanShift;
      var coarse = reader.take(width);
      var code = coarse * Math.pow(2, REVIER.meanShift);
      code = coarse === revierTop(width) ? revierTop(field[1]) : Math.min(code, REVIER.validCodeMax[c]);
      revierDecodeField(field, code, row);
    });
    result.rows.push(row);
    rest = rest.slice(size);
  }
  revierTail(rest.length, result);
}

// Physical values ------------------------------------------------------------------------------

function revierNames(names, bits) {
  var found = [];
  for (var i = 0; i < 32; i++) {
    if ((bits >>> i) & 1) found.push(names[i] || "bit" + i);
  }
  return found;
}

function revierPhysical(field, value) {
  if (field[2] === "flags") return revierNames(field[8], value);
  if (value === null) return null;
  if (field[2] === "choice") return field[8][value - 1];
  return value / field[3];
}

function revierObject(fields, decoded) {
  var data = {};
  var missing = [];
  var outOfRange = [];
  fields.forEach(function (field) {
    var name = field[0];
    if (!decoded.states.hasOwnProperty(name)) return;
    data[name] = revierPhysical(field, decoded.values[name]);
    if (decoded.states[name] === "missing") missing.push(name);
    if (decoded.states[name] === "out_of_range") outOfRange.push(name);
  });
  if (missing.length) data.missing = missing;
  if (outOfRange.length) data.out_of_range = outOfRange;
  return data;
}

function revierRows(message, decoded, data) {
  var rows = decoded.rows;
  if (message.body === "settings") {
    data.settings = {};
    rows.forEach(function (row) {
      var found = revierSetting(row.name);
      var value = row.values.value;
      if (found && value !== null && found[5].length) value = found[5][value - found[2]];
      data.settings[row.name || "setting_" + row.values.number] = value;
    });
  } else if (message.body === "ranges") {
    data.ranges = rows.map(function (row) { return revierObject(message.fields, row); });
  } else if (message.body === "records") {
    data.readings = rows.map(function (row) {
      var reading = revierObject(REVIER.uplinks[row.f_port].fields, row);
      reading.time = row.time;
      return reading;
    });
  } else if (message.body === "batch") {
    data.readings = [];
    rows.forEach(function (row) {
      var before = row.name === "means_before";
      var head = before ? message.fields[2] : message.fields[0];
      var one = revierObject([head].concat(REVIER.channels), row);
      if (before) data.means_before = one;
      else {
        one.after = row.time;
        data.readings.push(one);
      }
    });
  }
}

function revierAnswer(messages, input) {
  var bytes = input && input.bytes;
  var fPort = input && input.fPort;
  if (!bytes || !bytes.length || !fPort) return { data: {} };
  var decoded = revierDecode(messages, fPort, bytes);
  if (decoded.errors.length) return { errors: decoded.errors };
  var message = messages[fPort];
  var data = message.body === "ranges" ? {} : revierObject(message.fields, decoded);
  data.message = message.name;
  if (message.body) revierRows(message, decoded, data);
  return decoded.warnings.length ? { data: data, warnings: decoded.warnings } : { data: data };
}

// TS013 ----------------------------------------------------------------------------------------

function decodeUplink(input) {
  return revierAnswer(REVIER.uplinks, input);
}

function decodeDownlink(input) {
  return revierAnswer(REVIER.downlinks, input);
}

function encodeDownlink(input) {
  var data = (input && input.data) || {};
  if (data.message === "backfill_request" || (!data.message && data.ranges)) {
    return revierEncodeRanges(data.ranges);
  }
  if (data.message === "configuration" || (!data.message && data.settings)) {
    return revierEncodeSettings(data);
  }
  return { errors: ["data.message is none of configuration, backfill_request"] };
}

function revierWhole(value, low, high) {
  return typeof value === "number" && Math.floor(value) === value && low <= value && value <= high;
}

function revierSetting(name) {
  return REVIER.settings.filter(function (one) { return one[1] === name; })[0];
}

function revierBounds(setting) {
  if (setting[5].length) return "one of " + setting[5].join(", ");
  return setting[2] + " to " + setting[3] + setting[4];
}

function revierEncodeSettings(data) {
  var mode = data.mode === undefined || data.mode === null ? "keep" : data.mode;
  var names = Object.keys(data.settings || {});
  var errors = [];
  var entries = [];
  var given = {};
  var named = {};
  if (mode !== "keep" && mode !== "default") errors.push("mode must be keep or default");
  if (names.length > REVIER.settingsMax) errors.push("at most " + REVIER.settingsMax + " settings");
  names.forEach(function (name) {
    var found = revierSetting(name);
    var value = data.settings[name];
    if (found && found[5].indexOf(value) >= 0) value = found[2] + found[5].indexOf(value);
    if (!found) errors.push("unknown setting " + name);
    else if (!revierWhole(value, found[2], found[3])) {
      errors.push(name + " must be " + revierBounds(found));
    } else {
      given[found[0]] = value;
      entries.push([found[0], Math.floor(value / 256), value % 256]);
    }
  });
  REVIER.settings.forEach(function (one) {
    if (mode === "default" && given[one[0]] === undefined) given[one[0]] = one[6];
    named[one[0]] = one[1];
  });
  REVIER.ordered.forEach(function (pair) {
    if (given[pair[0]] > given[pair[1]]) {
      errors.push(named[pair[0]] + " must not exceed " + named[pair[1]]);
    }
  });
  if (errors.length) return { errors: errors };
  entries.sort(function (a, b) { return a[0] - b[0]; });
  var bytes = [mode === "default" ? 2 : 1];
  entries.forEach(function (entry) { bytes = bytes.concat(entry); });
  return { fPort: REVIER.configurationPort, bytes: bytes };
}

function revierEncodeRanges(ranges) {
  if (!Array.isArray(ranges) || !ranges.length || ranges.length > REVIER.rangesMax) {
    return { errors: ["1 to " + REVIER.rangesMax + " ranges"] };
  }
  var bytes = [];
  for (var i = 0; i < ranges.length; i++) {
    var one = ranges[i] || {};
    if (!revierWhole(one.first, 0, 4294967295) || !revierWhole(one.count, 1, 254)) {
      return { errors: ["a range is a sequence of 32 bits and 1 to 254 readings"] };
    }
    for (var shift = 24; shift >= 0; shift -= 8) bytes.push((one.first >>> shift) & 255);
    bytes.push(one.count - 1);
  }
  return { fPort: REVIER.backfillRequestPort, bytes: bytes };
}
