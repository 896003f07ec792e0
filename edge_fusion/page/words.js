// Numbers and times as people read them. Times are seconds since the epoch, ages are seconds.

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const DAY_AND_CLOCK = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const UNITS = { temperature: " °C", humidity: " %" };
const DAY = 86400;

export function age(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < DAY) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / DAY)} d ${Math.floor((s % DAY) / 3600)} h`;
}

export function clock(time, now) {
  return (now - time < DAY / 2 ? CLOCK : DAY_AND_CLOCK).format(time * 1000);
}

export function value(quantity, number) {
  if (number === null || number === undefined) return "–";
  return Number(number).toFixed(quantity === "humidity" ? 0 : 1) + (UNITS[quantity] ?? "");
}

export function score(number) {
  return Number(number ?? 0).toFixed(2);
}

// How far a device's clock is behind (+) or ahead (−) of the box.
export function offset(seconds) {
  const size = Math.abs(seconds);
  const sign = seconds < 0 ? "−" : "+";
  return size < 0.05 ? "±0 s" : sign + (size < 60 ? `${size.toFixed(1)} s` : age(size));
}

// What each input added to a score, the largest first; what added nothing is left out.
export function reason(alert) {
  const shares = Object.entries(alert.contributions).filter(([, share]) => (share ?? 0) >= 0.005);
  shares.sort((a, b) => b[1] - a[1]);
  const said = shares.map(([name, share]) => `${name} +${share.toFixed(2)}`);
  const parts = said.length ? [`because of ${said.join(", ")}`] : [];
  if (alert.missing.length) parts.push(`without ${alert.missing.join(", ")}`);
  return parts.join("; ");
}
