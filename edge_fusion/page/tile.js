// One site as a tile. All text goes in by textContent: names and values come from the network.

import * as words from "./words.js";
import { want } from "./pictures.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 120;
const HEIGHT = 28;
// The least range a sparkline spans, so that the noise of a sensor does not look like weather.
const LEAST_RANGE = { temperature: 2, humidity: 6 };
const NAMES = { temperature: "Temperature", humidity: "Humidity" };
// An alert that is over is still told of for so long.
const REMEMBERED = 3600;

const MARKS = { firing: "▲", live: "●", quiet: "◐", stale: "○" };

export function stateOf(site, box, now) {
  if (site.alerts.some((alert) => alert.firing)) return "firing";
  if (site.heard === null) return "stale";
  const silence = now - site.heard;
  return silence > box.stale_after ? "stale" : silence > box.quiet_after ? "quiet" : "live";
}

function worst(site) {
  const severities = site.alerts.filter((alert) => alert.firing).map((alert) => alert.severity);
  return ["critical", "warning", "info"].find((severity) => severities.includes(severity)) ?? "";
}

// How near a score is to its alert; a label that never alerts is farther than any other.
function nearness({ label, score }, box) {
  const threshold = box.thresholds[label];
  return threshold === undefined ? (score ?? 0) - 1 : (score ?? 0) / threshold;
}

export class Tile {
  constructor(name) {
    const template = document.getElementById("tile").content.cloneNode(true);
    this.element = template.querySelector("article");
    this.element.id = `site-${name}`;
    this.name = name;
    this.visible = false;
    this.button = this.find(".name");
    this.button.textContent = name;
    this.button.addEventListener("click", () => this.open(!this.isOpen));
    this.element.setAttribute("aria-label", name);
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  get isOpen() {
    return this.element.hasAttribute("data-open");
  }

  open(open) {
    this.element.toggleAttribute("data-open", open);
    this.button.setAttribute("aria-expanded", String(open));
  }

  // The state, which also tiles out of sight have: they may be chosen by it.
  showState(site, box, now) {
    const state = stateOf(site, box, now);
    this.element.dataset.state = state;
    this.element.dataset.severity = worst(site);
    const silence = site.heard === null ? "never heard" : `${state} ${words.age(now - site.heard)}`;
    put(this.find(".state"), `${MARKS[state]} ${state === "quiet" || state === "stale" ? silence : state}`);
    return state;
  }

  // All of it; only when it can be seen.
  show(site, traces, box, now) {
    this.element.toggleAttribute("data-drawn", true);
    this.showState(site, box, now);
    this.showCameras(site, box, now);
    this.showValues(site, traces);
    this.showScores(site, box);
    this.showAlerts(site, box, now);
    this.showDevices(site, box, now);
  }

  showCameras(site, box, now) {
    each(this.find(".cameras"), site.cameras, () => {
      const figure = make("figure");
      figure.append(make("img"), make("figcaption"));
      return figure;
    }, (figure, camera) => {
      const image = figure.firstChild;
      const silence = now - camera.arrival;
      image.alt = `${camera.camera} at ${this.name}`;
      figure.toggleAttribute("data-old", silence > box.quiet_after);
      put(figure.lastChild, `${camera.camera} · ${words.age(silence)}`);
      want(image, address("frame", this.name, camera.camera, camera.time));
    });
    this.element.toggleAttribute("data-blind", site.cameras.length === 0);
  }

  showValues(site, traces) {
    each(this.find(".values"), Object.entries(site.values), () => {
      const block = make("div");
      block.append(make("b"), sparkline(), make("small"));
      return block;
    }, (block, [quantity, value]) => {
      const [shown, line, range] = block.children;
      block.dataset.quantity = quantity;
      const said = words.value(quantity, value);
      put(shown, said);
      const span = draw(line, quantity, traces?.[quantity] ?? []);
      put(range, span ?? (value === null ? `no ${quantity}` : ""));
      line.setAttribute("aria-label", `${NAMES[quantity] ?? quantity} ${said}${span ? `, ${span} in ten minutes` : ""}`);
    });
  }

  showScores(site, box) {
    const nearest = site.scores.reduce((best, each) => nearness(each, box) > nearness(best, box) ? each : best, site.scores[0]);
    each(this.find(".scores"), site.scores, () => {
      const row = make("li");
      const bar = make("span", "bar");
      bar.append(make("i", "fill"), make("i", "mark"));
      row.append(make("span", "label"), bar, make("span", "number"), make("span", "unseen"));
      return row;
    }, (row, { label, score, camera }) => {
      const threshold = box.thresholds[label];
      const [name, bar, number, rest] = row.children;
      const [fill, mark] = bar.children;
      put(name, label);
      put(number, words.score(score));
      fill.style.inlineSize = `${Math.min(1, Math.max(0, score ?? 0)) * 100}%`;
      mark.hidden = threshold === undefined;
      if (threshold !== undefined) mark.style.insetInlineStart = `${threshold * 100}%`;
      const seen = camera === null ? "" : `, seen by ${camera}`;
      const said = threshold === undefined ? "never alerts" : `alerts from ${words.score(threshold)}`;
      put(rest, `${said}${seen}`);
      row.title = `${label} ${words.score(score)}, ${said}${seen}`;
      row.toggleAttribute("data-high", threshold !== undefined && score >= threshold);
      row.dataset.severity = site.alerts.find((alert) => alert.firing && alert.label === label)?.severity ?? "";
      row.toggleAttribute("data-top", label === nearest.label);
    });
  }

  showAlerts(site, box, now) {
    const told = site.alerts.filter((alert) => alert.firing || now - alert.ended_at < REMEMBERED);
    told.sort((a, b) => Number(b.firing) - Number(a.firing) || b.started_at - a.started_at);
    each(this.find(".site-alerts"), told, () => {
      const row = make("li");
      const text = make("div");
      text.append(make("b"), make("span", "when"), make("span", "why"));
      const link = make("a");
      link.target = "_blank";
      link.rel = "noopener";
      link.append(make("img"));
      row.append(text, link);
      return row;
    }, (row, alert) => {
      const [text, link] = row.children;
      const [what, when, why] = text.children;
      row.toggleAttribute("data-firing", alert.firing);
      row.dataset.severity = alert.severity;
      put(what, alert.firing ? `▲ ${alert.label} ${words.score(alert.score)}` : `✓ ${alert.label}`);
      put(when, timeOf(alert, now) + silenced(box, this.name, alert.label, now));
      put(why, words.reason(alert));
      link.hidden = alert.picture === null;
      if (alert.picture !== null) {
        link.href = address("snapshot", this.name, alert.label);
        link.firstChild.alt = `The picture that ${alert.label} rests on`;
        want(link.firstChild, address("snapshot", this.name, alert.label, alert.picture));
      }
    });
  }

  showDevices(site, box, now) {
    const count = site.devices.length + site.more_devices;
    const silent = site.devices.filter((device) => now - device.heard > box.quiet_after).length;
    put(this.find("summary"), `${count} ${count === 1 ? "device" : "devices"}${silent ? `, ${silent} silent` : ""}`);
    const rows = site.more_devices ? [...site.devices, null] : site.devices;
    each(this.find(".devices ul"), rows, () => {
      const row = make("li");
      row.append(make("span", "device"), make("span", "heard"), make("span", "clock"), make("span", "said"));
      return row;
    }, (row, device) => {
      const [name, heard, clock, said] = row.children;
      put(name, device ? device.device : `and ${site.more_devices} more`);
      put(heard, device ? `heard ${words.age(now - device.heard)} ago` : "");
      put(clock, device ? `clock ${words.offset(device.offset)}` : "");
      const values = Object.entries(device?.values ?? {});
      const text = values.map(([quantity, value]) =>
        quantity in NAMES ? words.value(quantity, value) : `${quantity} ${words.value(quantity, value)}`);
      put(said, device?.is_camera ? "camera" : text.join(" · "));
      row.toggleAttribute("data-silent", device !== null && now - device.heard > box.quiet_after);
    });
  }
}

export function timeOf(alert, now) {
  if (alert.firing) return `since ${words.clock(alert.started_at, now)}, for ${words.age(now - alert.started_at)}`;
  return `resolved ${words.age(now - alert.ended_at)} ago, fired at ${words.clock(alert.started_at, now)}`;
}

export function silenced(box, site, label, now) {
  const found = box.silences.find((each) => each.site === site && each.label === label && each.until > now);
  return found ? `, silenced until ${words.clock(found.until, now)}` : "";
}

// As many children as there are items, made once and filled each time: no flicker, no lost focus.
export function each(parent, items, makeOne, fill) {
  while (parent.children.length > items.length) parent.lastElementChild.remove();
  while (parent.children.length < items.length) parent.append(makeOne());
  items.forEach((item, place) => fill(parent.children[place], item));
}

export function make(tag, name = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  return element;
}

export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function address(kind, site, name, time) {
  const path = `${kind}/${encodeURIComponent(site)}/${encodeURIComponent(name)}`;
  return time === undefined ? path : `${path}?t=${time}`;
}

function sparkline() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.append(document.createElementNS(SVG, "path"));
  return svg;
}

// Draws a line with gaps where nobody knew; returns its range in words, or null without a line.
function draw(svg, quantity, trace) {
  const known = trace.filter((value) => value !== null);
  const path = svg.firstChild;
  svg.toggleAttribute("data-empty", known.length < 2);
  if (known.length < 2) {
    path.setAttribute("d", "");
    return null;
  }
  const low = Math.min(...known);
  const high = Math.max(...known);
  const range = Math.max(high - low, LEAST_RANGE[quantity] ?? 1);
  const bottom = (low + high - range) / 2;
  const right = Math.max(trace.length - 1, 1);
  let pen = "M";
  let line = "";
  trace.forEach((value, place) => {
    if (value === null) {
      pen = "M";
      return;
    }
    const x = (WIDTH * place) / right;
    const y = HEIGHT - 2 - ((HEIGHT - 4) * (value - bottom)) / range;
    line += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  });
  path.setAttribute("d", line);
  const digits = quantity === "humidity" ? 0 : 1;
  return `${low.toFixed(digits)} – ${high.toFixed(digits)}`;
}
