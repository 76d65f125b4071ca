"""The script of the dashboard: look at /status every second, say what it says and what two looks say together.

The figures are those of `hybridd top` (hybridd/top/figures.py), which a test in a real browser compares.

Knows:     the shape of /status, the places of dashboard_page.py; PLANNED_CAUSES is filled in.
Never:     makes markup of text; looks while nobody sees the page; has two questions under way.
Runs in:   a browser; here a constant.
"""

from __future__ import annotations

from typing import Final

SCRIPT: Final = r"""
"use strict";
const PERIOD = 1000, PATIENCE = 5000;  // milliseconds between looks, and for an answer
const POINTS = 60;                     // looks in a graph: a minute
const CALLS = 15, DEATHS = 10;         // rows of these tables
const STILL = 0.1;                     // seconds of one turn from which on a loop is said to stand still
const PLANNED = new Set(PLANNED_CAUSES);
const MARKS = {running: "good", ready: "good", degraded: "bad", hung: "bad"};

const sum = (list, of) => list.reduce((total, one) => total + of(one), 0);
const known = (list, of) => list.map(of).filter(one => one !== null && one !== undefined);

// -- two looks: what was done between them

// A worker is the same one when its pid is; one that is new has done all that it has done since the look before.
function steps(before, now) {
  const who = one => one.slot + "/" + one.pid;
  const earlier = new Map(before.workers.map(one => [who(one), one]));
  return now.workers.map(one => {
    const then = earlier.get(who(one));
    const since = of => of(one) - (then ? of(then) : 0);
    return {
      requests: since(it => it.requests),
      connections: since(it => it.accepted),
      cpu: since(it => it.cpu_seconds || 0),
      total: since(it => it.duration_sum),
      durations: one.durations.map((_, at) => since(it => it.durations[at])),
    };
  });
}

// null is unknown, or of nothing; p50 and p99 are the upper bounds of buckets, Infinity beyond the last one.
function pace(done, seconds, bounds) {
  const counts = [...bounds, Infinity].map((_, at) => sum(done, one => one.durations[at]));
  const timed = sum(counts, one => one);
  return {
    requests: sum(done, one => one.requests) / seconds,
    connections: sum(done, one => one.connections) / seconds,
    cpu: sum(done, one => one.cpu) / seconds,
    mean: timed ? sum(done, one => one.total) / timed : null,
    p50: quantile(counts, bounds, 0.5),
    p99: quantile(counts, bounds, 0.99),
  };
}

function quantile(counts, bounds, share) {
  const total = sum(counts, one => one);
  let reached = 0;
  const at = counts.findIndex(count => (reached += count) >= share * total);
  return total ? [...bounds, Infinity][at] : null;
}

function paces(before, now) {
  const nothing = {requests: null, connections: null, cpu: null, mean: null, p50: null, p99: null};
  if (!before) return {all: nothing, each: now.workers.map(() => nothing)};
  const seconds = now.uptime - before.uptime, done = steps(before, now);
  return {
    all: pace(done, seconds, now.duration_bounds),
    each: done.map(one => pace([one], seconds, now.duration_bounds)),
  };
}

// -- figures as people read them

const or = (value, text) => value === null || value === undefined ? "-" : text(value);
const rate = value => or(value, it => it > 0 && it < 9.95 ? it.toFixed(1) : Math.round(it).toLocaleString("en"));
const percent = value => or(value, it => (it * 100).toFixed(it < 0.1 ? 1 : 0) + " %");
const size = value => or(value, it => (it / 1048576).toFixed(it < 10 * 1048576 ? 1 : 0) + " MiB");
const span = seconds => seconds >= 1 ? +seconds.toPrecision(3) + " s" : +(seconds * 1000).toPrecision(2) + " ms";
const mean = value => or(value, span);
const bound = value => or(value, it => it === Infinity ? "> 10 s" : "≤ " + span(it));

function age(seconds) {
  if (seconds < 10) return seconds.toFixed(1) + " s";
  if (seconds < 60) return Math.floor(seconds) + " s";
  const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  if (hours < 1) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

// Invisible characters are named: what a client has asked for must not turn the text around it.
const INVISIBLE = /[^\P{C}\n]|[\u2028\u2029]/gu;
const clean = text => String(text).replace(INVISIBLE, it => `\\u{${it.codePointAt(0).toString(16)}}`);

// -- the page: what has not changed is left alone, so that it can be selected

const place = id => document.getElementById(id);

function say(element, text, mark = "") {
  const words = clean(text);
  if (element.textContent !== words) element.textContent = words;
  if (element.className !== mark) element.className = mark;
}

// Rows are lists of cells, a cell is a text or [text, class].
function fill(id, rows) {
  const body = place(id);
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((cells, at) => {
    const row = body.rows[at] || body.insertRow();
    cells.forEach((cell, column) => say(row.cells[column] || row.insertCell(), ...[cell].flat()));
  });
}

const past = {};  // the points of each graph

function tile(id, text, note, point) {
  const [figure, small, path] = ["strong", ".note", "path"].map(it => place(id).querySelector(it));
  say(figure, text);
  say(small, note, "note");
  const points = past[id] = [...(past[id] || []), point || 0].slice(-POINTS);
  const top = Math.max(...points) || 1;
  const corners = points.map((it, at) => `${POINTS - points.length + at + 1} ${(29 - 27 * it / top).toFixed(1)}`);
  path.setAttribute("d", `M${POINTS - points.length + 1} 31L${corners.join("L")}L${POINTS + 1} 31`);
}

function showHead(now) {
  say(place("what"), now.application);
  say(place("state"), now.state, "badge " + (MARKS[now.state] || "warning"));
  say(place("who"), `hybridd ${now.version}, ${now.pattern}, pid ${now.pid}, up ${age(now.uptime)}`, "note");
  say(place("sentence"), now.status);
  document.title = clean(`${now.state} - ${now.application}`);
  document.body.className = "";
}

function showTiles(now, all) {
  const workers = now.workers, running = sum(workers, one => one.calls_running);
  const queued = sum(workers, one => one.calls_queued), threads = sum(workers, one => one.threads);
  const queues = known(now.listeners, one => one.accept_queue);
  const rss = sum(known(workers, one => one.rss), one => one), shares = known(workers, one => one.pss);
  const whole = shares.length === workers.length;  // else it would look like little memory
  tile("requests", rate(all.requests), `${rate(all.connections)} new connections/s`, all.requests);
  tile("latency", bound(all.p99), `median ${bound(all.p50)}, mean ${mean(all.mean)}`, all.mean);
  tile("calls", running, `of ${threads} at once, ${queued} queued`, running + queued);
  tile("connections", sum(workers, one => one.connections).toLocaleString("en"),
    queues.length ? `${sum(queues, one => one)} not yet accepted` : "", sum(workers, one => one.connections));
  tile("cpu", percent(all.cpu), "of one CPU", all.cpu);
  const memory = whole ? sum(shares, one => one) : rss;
  tile("memory", size(memory), whole ? `shared parts once, RSS ${size(rss)}` : "RSS", memory);
}

function showWorkers(now, each) {
  fill("workers", now.workers.map((one, at) => [
    one.slot, one.pid || "-", one.generation,
    [one.state + (one.why ? ` (${one.why})` : ""), "words " + (MARKS[one.state] || "warning")],
    one.calls_running, [one.calls_queued, one.calls_queued ? "warning" : ""], one.connections,
    rate(each[at].requests), mean(each[at].mean), bound(each[at].p99), percent(each[at].cpu),
    size(one.pss || one.rss), age(one.uptime),
  ]));
}

function showCalls(now) {
  const calls = now.workers.flatMap(one => {
    const named = one.calls.map(call => ({slot: one.slot, ...call}));
    const still = one.busy_for >= STILL && !named.some(call => call.state === "running");
    return still ? [...named, {slot: one.slot, state: "on the loop", age: one.busy_for, method: "", path: ""}] : named;
  }).sort((one, other) => other.age - one.age);
  fill("running", calls.slice(0, CALLS).map(call => [
    age(call.age), [call.state, "words"], [`${call.method} ${call.path}`, "words long"], call.slot,
  ]));
  const more = calls.length - CALLS;
  say(place("more"), more > 0 ? `and ${more} more` : calls.length ? "" : "none that takes long", "note");
}

function showChanges(now) {
  say(place("reload"), ...reloaded(now));
  say(place("upgrade"), ...upgraded(now.upgrade));
  const causes = Object.entries(now.deaths.by_cause).map(([cause, count]) => `${cause} ${count}`);
  say(place("causes"), causes.join(", ") || "none");
  say(place("listeners"), now.listeners.map(one => `${one.address} ${one.words}`.trim()).join(", "));
  fill("deaths", now.deaths.kept.slice(-DEATHS).reverse().map(one => [
    age(one.age), [one.cause, "words" + (PLANNED.has(one.cause) ? "" : " bad")], [one.what, "words long"],
  ]));
}

function reloaded(now) {
  const {successful, reason, age: ago} = now.reload;
  if (!now.generation) return ["none yet: nobody serves so far"];
  const serves = `generation ${now.generation} serves`;
  if (now.trial) return [`generation ${now.trial} is on trial, ${serves}`, "warning"];
  if (!successful) return [`refused ${age(ago || 0)} ago, ${serves}: ${reason}`, "bad"];
  return ago === null ? [`none yet: ${serves}`] : [`${age(ago)} ago: ${serves}`, "good"];
}

function upgraded(upgrade) {
  if (upgrade.successor) return [`to pid ${upgrade.successor.pid}: ${upgrade.successor.state}`, "warning"];
  return upgrade.failure ? [`failed ${age(upgrade.age)} ago: ${upgrade.failure}`, "bad"] : ["none under way"];
}

function show(before, now) {
  const {all, each} = paces(before, now);
  showHead(now);
  showTiles(now, all);
  showWorkers(now, each);
  showCalls(now);
  showChanges(now);
}

// -- looking

let last = null;      // the look before
let answered = null;  // when that was
let asking = false, timer = 0;

function forget() {
  last = null;
  for (const id in past) delete past[id];
}

// Lost: the last figures stay, faint, and the page says since when they are old.
function lose(error) {
  const since = answered === null ? "" : ` for ${age((Date.now() - answered) / 1000)}; what stands below is as old`;
  forget();
  say(place("state"), "no answer", "badge bad");
  say(place("sentence"), `The master has not answered${since} (${error.message}).`);
  document.title = "no answer - hybridd";
  document.body.className = "lost";
}

async function ask() {
  const answer = await fetch("status", {cache: "no-store", signal: AbortSignal.timeout(PATIENCE)});
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.json();
}

async function look() {
  if (asking || document.hidden) return;
  asking = true;
  try {
    const now = await ask().catch(lose);
    if (!now) return;
    if (last && (last.pid !== now.pid || last.uptime >= now.uptime)) forget();
    show(last, now);
    [last, answered] = [now, Date.now()];
  } finally {
    asking = false;
    clearTimeout(timer);
    timer = setTimeout(look, PERIOD);
  }
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  forget();  // what was between is no interval to show
  look();
});
look();
""".lstrip()
