/** How long something lasts: 75 -> "1:15", 3723 -> "1:02:03". @param {number} seconds */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, "0"));
  return whole < 3600 ? `${Number(minutes)}:${rest}` : `${Number(hours)}:${minutes}:${rest}`;
}
