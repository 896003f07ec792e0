// The page: what the daemon tells (see document.py), kept by site; tiles that can be seen are drawn.

import { Tile, each, make, put, silenced, stateOf, timeOf } from "./tile.js";
import * as words from "./words.js";

const LOST_AFTER = 4000;
const RETRY = 5000;
const STUCK_AFTER = 10;
const POINTS = 120;
const MANY = 12;
const SHOWN = {
  all: ["firing", "live", "quiet", "stale"],
  firing: ["firing"],
  silent: ["quiet", "stale"],
};

const sites = new Map(); // name -> what the daemon said of it last
const traces = new Map();
const tiles = new Map();
const stale = new Set(); // names of sites that changed since their tile was drawn
let box = null;
let step = 5;
let tracedTo = 0;
let turned = 0;
let skew = 0; // the clock of the box less ours, in seconds
let heardAt = performance.now();
let lostAt = null;
let refusal = "";
let density = memory()?.getItem("density") ?? null;

const $ = (id) => document.getElementById(id);
const now = () => performance.now() / 1000 + skew;
const collator = new Intl.Collator(undefined, { numeric: true });

// ---- what the daemon says

function connect() {
  const source = new EventSource("live");
  source.addEventListener("all", (event) => hear(event, takeAll));
  source.addEventListener("some", (event) => hear(event, takeSome));
  source.addEventListener("tick", (event) => hear(event, (told) => { turned = told.turned; }));
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return; // else the browser tries again by itself
    askWhy();
    setTimeout(connect, RETRY);
  };
}

// An EventSource does not tell why it was refused.
async function askWhy() {
  const alive = await fetch("healthz").then((answer) => answer.ok, () => false);
  refusal = alive ? "The daemon lives, but does not let this page watch: others do already. " : "";
}

function hear(event, take) {
  const told = JSON.parse(event.data);
  skew = told.now - performance.now() / 1000;
  heardAt = performance.now();
  refusal = "";
  take(told);
  sample(told.now);
  showSoon();
}

function takeAll(told) {
  const names = new Set(told.sites.map((site) => site.site));
  for (const name of sites.keys()) if (!names.has(name)) forget(name);
  traces.clear();
  for (const [name, of] of Object.entries(told.traces)) traces.set(name, of);
  step = told.step;
  tracedTo = told.traced_to;
  take(told, false);
}

function takeSome(told) {
  told.gone.forEach(forget);
  take(told, true);
}

function take(told, aloud) {
  box = told.box;
  turned = told.now;
  for (const site of told.sites) {
    if (aloud) announce(sites.get(site.site), site);
    sites.set(site.site, site);
    stale.add(site.site);
  }
}

function forget(name) {
  sites.delete(name);
  traces.delete(name);
  const tile = tiles.get(name);
  if (tile) {
    seen.unobserve(tile.element);
    tile.element.remove();
    tiles.delete(name);
  }
}

// For those who listen to the page instead of looking at it.
function announce(before, site) {
  const known = new Set(before?.alerts.filter((alert) => alert.firing).map((alert) => alert.id));
  for (const alert of site.alerts) {
    if (alert.firing && !known.has(alert.id)) put($("said"), `${alert.label} fires at ${site.site}`);
  }
}

// A point of every trace when it is time for one, as the daemon does it (board.py).
function sample(time) {
  const at = Math.floor(time / step) * step;
  if (at <= tracedTo) return;
  const missed = Math.min(POINTS, Math.round((at - tracedTo) / step) - 1);
  tracedTo = at;
  for (const [name, site] of sites) {
    const of = traces.get(name) ?? {};
    for (const [quantity, value] of Object.entries(site.values)) {
      const fresh = site.heard !== null && time - site.heard <= box.stale_after;
      const trace = [...(of[quantity] ?? []), ...Array(missed).fill(null), fresh ? value : null];
      of[quantity] = trace.slice(-POINTS);
    }
    traces.set(name, of);
    stale.add(name);
  }
}

// ---- what is shown

let soon = false;

function showSoon() {
  if (soon) return;
  soon = true;
  requestAnimationFrame(() => {
    soon = false;
    show();
  });
}

function show() {
  if (!box) return;
  const time = now();
  addTiles();
  const counts = { alerts: 0, firing: 0, live: 0, quiet: 0, stale: 0 };
  for (const [name, tile] of tiles) {
    const site = sites.get(name);
    counts[tile.showState(site, box, time)] += 1;
    counts.alerts += site.alerts.filter((alert) => alert.firing).length;
    if (tile.visible && stale.delete(name)) tile.show(site, traces.get(name), box, time);
  }
  showBox(counts);
  showFiring(time);
  choose();
}

// What only time changes: ages. Also when nothing comes any more.
function showAges() {
  const time = now();
  showTrouble(time);
  if (!box) return;
  for (const tile of tiles.values()) if (tile.visible) stale.add(tile.name);
  showSoon();
}

function addTiles() {
  if (tiles.size === sites.size) return;
  const names = [...sites.keys()].sort(collator.compare);
  let before = null;
  for (const name of names) {
    if (!tiles.has(name)) {
      const tile = new Tile(name);
      tiles.set(name, tile);
      tile.open(!isCompact());
      if (before) before.after(tile.element);
      else $("sites").prepend(tile.element);
      seen.observe(tile.element);
    }
    before = tiles.get(name).element;
  }
  setDensity();
}

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const tile = tiles.get(entry.target.id.slice("site-".length));
    if (!tile) continue;
    tile.visible = entry.isIntersecting;
    if (tile.visible) stale.add(tile.name);
  }
  showSoon();
}, { rootMargin: "200px" });

function showBox(counts) {
  put($("box"), box.box);
  document.title = `${counts.alerts ? `▲ ${counts.alerts} · ` : ""}edge-fusion ${box.box}`;
  const off = Object.entries(box.connected).filter(([, connected]) => !connected).map(([name]) => name);
  const facts = [
    off.length ? ["bad", `✕ broker: ${off.join(" and ")} not connected`] : ["good", "● broker connected"],
    counts.alerts ? ["bad", `▲ ${counts.alerts} firing`] : null,
    counts.quiet ? ["odd", `◐ ${counts.quiet} quiet`] : null,
    counts.stale ? ["odd", `○ ${counts.stale} stale`] : null,
    box.catching_up ? ["odd", "… catching up"] : null,
    box.trouble ? ["bad", `✕ nothing is kept: ${box.trouble}`] : null,
    ["", `model ${box.model}`],
  ].filter(Boolean);
  each($("facts"), facts, () => make("li"), (item, [kind, text]) => {
    item.dataset.kind = kind;
    put(item, text);
  });
}

function showFiring(time) {
  const firing = [...sites.values()].flatMap((site) =>
    site.alerts.filter((alert) => alert.firing).map((alert) => ({ site: site.site, alert })));
  firing.sort((a, b) => b.alert.started_at - a.alert.started_at);
  $("calm").hidden = firing.length > 0;
  put($("calm"), sites.size ? "Nothing. All sites are below their thresholds." : "No site has been heard of yet.");
  each($("firing"), firing, () => {
    const row = make("li");
    row.append(make("a"), make("b"), make("span", "when"), make("span", "why"));
    return row;
  }, (row, { site, alert }) => {
    const [link, what, when, why] = row.children;
    row.dataset.severity = alert.severity;
    put(link, site);
    link.href = `#site-${site}`;
    put(what, `▲ ${alert.label} ${words.score(alert.score)} (${alert.severity})`);
    put(when, timeOf(alert, time) + silenced(box, site, alert.label, time));
    put(why, words.reason(alert));
  });
}

function showTrouble(time) {
  const lost = performance.now() - heardAt > LOST_AFTER;
  lostAt = lost ? lostAt ?? Date.now() / 1000 - LOST_AFTER / 1000 : null;
  document.body.toggleAttribute("data-lost", lost);
  let text = "";
  if (lost) {
    text = `${refusal || "Connection to the daemon lost. "}Nothing new since ${words.clock(lostAt, Date.now() / 1000)}; trying again.`;
  } else if (box && time - turned > STUCK_AFTER) {
    text = `The daemon answers, but its pipeline has not moved for ${words.age(time - turned)}.`;
  }
  $("trouble").hidden = !text;
  put($("trouble"), text);
}

// ---- what is chosen

function choose() {
  const wanted = $("filter").value.trim().toLowerCase();
  const kind = $("show").value;
  let shown = 0;
  for (const [name, tile] of tiles) {
    const state = stateOf(sites.get(name), box, now());
    const hidden = !(SHOWN[kind].includes(state) && name.toLowerCase().includes(wanted));
    if (tile.element.hidden !== hidden) tile.element.hidden = hidden;
    shown += hidden ? 0 : 1;
  }
  $("sites").style.setProperty("--tiles", Math.max(1, shown));
  put($("count"), shown === tiles.size ? `${shown}` : `${shown} of ${tiles.size}`);
  $("none").hidden = shown > 0 || tiles.size === 0;
  put($("none"), "No site is like that.");
}

function isCompact() {
  return density === null ? sites.size > MANY : density === "compact";
}

// A browser may be told to let pages keep nothing.
function memory() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

function setDensity() {
  const compact = isCompact();
  if ($("sites").hasAttribute("data-compact") === compact) return;
  $("sites").toggleAttribute("data-compact", compact);
  $("density").setAttribute("aria-pressed", String(compact));
  for (const tile of tiles.values()) tile.open(!compact);
}

$("density").addEventListener("click", () => {
  density = isCompact() ? "detailed" : "compact";
  memory()?.setItem("density", density);
  setDensity();
});
$("filter").addEventListener("input", showSoon);
$("show").addEventListener("change", showSoon);
$("choice").addEventListener("submit", (event) => event.preventDefault());

// Arrows go from tile to tile, so that two hundred of them need not be tabbed through.
$("sites").addEventListener("keydown", (event) => {
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!by || !event.target.classList.contains("name")) return;
  const buttons = [...document.querySelectorAll(".tile:not([hidden]) .name")];
  const next = buttons[buttons.indexOf(event.target) + by];
  if (!next) return;
  event.preventDefault();
  next.focus();
});

setInterval(showAges, 1000);
connect();
