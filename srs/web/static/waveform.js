// The recorder's peaks (rtp/peaks.py): read, searched for silence, drawn.

const LOUD = 2; // of 127; below it nothing is said
const LONG = 0.8; // seconds of silence that are worth skipping

/** Read peaks. @param {ArrayBuffer} data */
export function outline(data) {
  const head = new DataView(data);
  const channels = head.getUint16(6, true);
  const seconds = head.getUint32(12, true) / head.getUint32(8, true);
  return { channels, seconds, values: new Int8Array(data, 24) };
}

/** Lowest and highest of a channel in some buckets. */
function extremes(peaks, channel, from, to) {
  let low = 0;
  let high = 0;
  for (let bucket = from; bucket < to; bucket++) {
    const at = 2 * (bucket * peaks.channels + channel);
    low = Math.min(low, peaks.values[at] ?? 0);
    high = Math.max(high, peaks.values[at + 1] ?? 0);
  }
  return [low, high];
}

/** For how many seconds from `at` on nobody says anything; 0 if that is not long. */
export function quiet(peaks, at) {
  const count = peaks.values.length / 2 / peaks.channels;
  const start = Math.floor(at / peaks.seconds);
  let bucket = start;
  while (bucket < count && Array.from({ length: peaks.channels }, (_, channel) => extremes(peaks, channel, bucket, bucket + 1)).every(([low, high]) => high < LOUD && low > -LOUD)) bucket++;
  const seconds = (bucket - start) * peaks.seconds;
  return seconds > LONG ? seconds - 0.2 : 0;
}

/** Draw lanes, marks and the place that is played. */
export function drawing(canvas, peaks, marks, at, duration) {
  const scale = globalThis.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth * scale, canvas.clientHeight * scale];
  if (!width || !height) return;
  if (canvas.width !== Math.round(width) || canvas.height !== Math.round(height)) Object.assign(canvas, { width, height });
  const style = getComputedStyle(canvas);
  const paint = canvas.getContext("2d");
  paint.clearRect(0, 0, width, height);
  const lane = height / peaks.channels;
  const perPixel = duration / peaks.seconds / width;
  for (let channel = 0; channel < peaks.channels; channel++) {
    paint.fillStyle = style.getPropertyValue(channel === 1 ? "--right" : "--left");
    const middle = lane * (channel + 0.5);
    for (let x = 0; x < width; x++) {
      const from = Math.floor(x * perPixel);
      const [low, high] = extremes(peaks, channel, from, Math.max(from + 1, Math.floor((x + 1) * perPixel)));
      const top = middle - (high / 128) * lane * 0.48;
      paint.fillRect(x, top, 1, Math.max(1, middle - (low / 128) * lane * 0.48 - top));
    }
  }
  for (const mark of marks) drawMark(paint, mark, { style, lane, width, height, duration, scale });
  paint.fillStyle = style.getPropertyValue("--ink");
  paint.fillRect((at / duration) * width, 0, 2 * scale, height);
}

function drawMark(paint, mark, { style, lane, width, height, duration, scale }) {
  const x = (mark.at / duration) * width;
  const [top, tall] = mark.channel === null ? [0, height] : [lane * mark.channel, lane];
  const colour = { loss: "--loss", pause: "--pause", withheld: "--ink", key: "--key", notice: "--good" }[mark.kind] ?? "--accent";
  paint.fillStyle = style.getPropertyValue(colour);
  if (mark.kind === "pause" || mark.kind === "withheld") {
    paint.globalAlpha = 0.35;
    paint.fillRect(x, top, Math.max(2 * scale, (mark.length / duration) * width), tall);
    paint.globalAlpha = 1;
  } else {
    const tick = mark.kind === "event" ? tall : 8 * scale;
    paint.fillRect(x, top + tall - tick, Math.max(2 * scale, (mark.length / duration) * width), tick);
  }
}
