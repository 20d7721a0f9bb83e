// SPDX-FileCopyrightText: 2026 The Revier authors
// SPDX-License-Identifier: EUPL-1.2
// Behind codec.js: what revier_payload/line.py says, of the codec's own decoding.

function linesFields(decoded) {
  return Object.keys(decoded.values).sort().map(function (name) {
    var state = decoded.states[name];
    return " " + name + "=" + (state === "valid" ? decoded.values[name] : state);
  }).join("");
}

function lineOf(decoded) {
  var text = decoded.f_port + " " + decoded.name + linesFields(decoded);
  decoded.rows.forEach(function (row) {
    var time = row.time === null ? "None" : row.time;
    text += " (" + row.name + " t=" + time + linesFields(row) + ")";
  });
  decoded.errors.forEach(function (error) { text += " error: " + error; });
  decoded.warnings.forEach(function (warning) { text += " warning: " + warning; });
  return text;
}

function bytesOf(hex) {
  var bytes = [];
  for (var i = 0; i + 1 < hex.length; i += 2) bytes.push(parseInt(hex.substr(i, 2), 16));
  return bytes;
}

// "up PORT HEX" or "down PORT HEX" on each line of the input; a line for each.
function linesOf(input) {
  return input.split("\n").filter(function (line) { return line; }).map(function (line) {
    var parts = line.split(" ");
    var messages = parts[0] === "up" ? REVIER.uplinks : REVIER.downlinks;
    return lineOf(revierDecode(messages, Number(parts[1]), bytesOf(parts[2])));
  }).join("\n");
}

// The same input through TS013's functions: a line of JSON for each.
function objectsOf(input) {
  return input.split("\n").filter(function (line) { return line; }).map(function (line) {
    var parts = line.split(" ");
    var call = parts[0] === "up" ? decodeUplink : decodeDownlink;
    return JSON.stringify(call({ fPort: Number(parts[1]), bytes: bytesOf(parts[2]) }));
  }).join("\n");
}
