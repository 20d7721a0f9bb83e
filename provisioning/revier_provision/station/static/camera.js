// SPDX-FileCopyrightText: 2026 The Revier authors
// SPDX-License-Identifier: EUPL-1.2
// The phone's camera: QR codes live where the browser can read them, and photos made small.

const LOOK_EVERY_MS = 200;
const EDGE_MAX = 1600;
const QUALITY = 0.82;

export async function canScan() {
  if (!("BarcodeDetector" in globalThis) || !navigator.mediaDevices?.getUserMedia) return false;
  return (await BarcodeDetector.getSupportedFormats().catch(() => [])).includes("qr_code");
}

// The first text that `wanted` takes; null when `stopped` settles first.
export async function scan(video, wanted, stopped) {
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  let isStopped = false;
  stopped.then(() => { isStopped = true; });
  try {
    video.srcObject = stream;
    await video.play();
    while (!isStopped) {
      for (const code of await detector.detect(video).catch(() => [])) {
        if (wanted(code.rawValue)) return code.rawValue;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    return null;
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  }
}

// A JPEG of at most EDGE_MAX pixels a side; what cannot be drawn is sent as it is.
export async function shrunk(file) {
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, EDGE_MAX / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no blob"))), "image/jpeg", QUALITY);
    });
  } catch {
    return file;
  }
}
