/**
 * Draws what the events say. Whatever they say becomes text and numbers of
 * nodes, never markup; nodes stay, so that focus and open parts do.
 */
export const SCRIPT = String.raw`
"use strict";
const SVG = "http://www.w3.org/2000/svg";
const $ = (id) => document.getElementById(id);
const base = location.pathname.replace(/\/?$/, "/");
for (const id of ["stats", "metrics"]) $(id).href = base + id;

/* Nodes. */
function el(name, attributes, ...children) {
  const node = document.createElement(name);
  return fill(node, attributes, children);
}
function svg(name, attributes, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}
function fill(node, attributes, children) {
  for (const key in attributes) set(node, key, attributes[key]);
  node.append(...children);
  return node;
}
function set(node, key, value) {
  if (node.getAttribute(key) !== String(value)) node.setAttribute(key, value);
}
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
function show(node, isShown) {
  node.hidden = !isShown;
}

/* Words. */
const many = (n) => n.toLocaleString("en").replaceAll(",", "\u202f");
function time(ms) {
  if (ms === undefined || ms === null) return "–";
  if (ms < 0.95) return Number(ms.toFixed(2)) + " ms";
  if (ms < 9.5) return Number(ms.toFixed(1)) + " ms";
  if (ms < 999.5) return Math.round(ms) + " ms";
  if (ms < 9950) return (ms / 1000).toFixed(1) + " s";
  if (ms < 120000) return Math.round(ms / 1000) + " s";
  if (ms < 7200000) return Math.round(ms / 60000) + " min";
  return (ms / 3600000).toFixed(1) + " h";
}

/* Slots: a shape and a colour for each state, one path for all of a state. */
const CELL = 14;
const SHAPES = {
  used: (x, y) => "M" + x + " " + y + "h11v11h-11z",
  overdue: (x, y) => "M" + (x + 5.5) + " " + (y - 1) + "l6.5 12.5h-13z",
  creating: (x, y) => "M" + (x + 5.5) + " " + (y - 1) + "l6.5 6.5l-6.5 6.5l-6.5 -6.5z",
  destroying: (x, y) => "M" + (x + 1.5) + " " + (y + 1.5) + "l8 8m0 -8l-8 8",
  idle: (x, y) => "M" + (x + 1) + " " + (y + 1) + "h9v9h-9z",
  spare: (x, y) => "M" + (x + 4) + " " + (y + 4) + "h3v3h-3z",
};
const STATES = Object.keys(SHAPES);
function slotsOf(stripe) {
  const { idle, used, creating, overdue, destroying, max } = stripe;
  const spare = Math.max(0, max - idle - used - creating - destroying);
  return { used, overdue, creating: creating - overdue, destroying, idle, spare };
}
function inWords(slots) {
  const words = STATES.filter((state) => slots[state] > 0);
  return words.map((state) => slots[state] + " " + state).join(", ");
}
function stripePicture() {
  const paths = Object.fromEntries(STATES.map((state) => [
    state,
    svg("path", { class: state }),
  ]));
  const picture = svg("svg", { role: "img" }, ...Object.values(paths));
  const caption = el("figcaption", {});
  return {
    node: el("figure", {}, picture, caption),
    draw(slots, name) {
      const words = inWords(slots);
      say(caption, name);
      if (picture.getAttribute("aria-label") === name + ": " + words) return;
      set(picture, "aria-label", name + ": " + words);
      const n = STATES.reduce((sum, state) => sum + slots[state], 0);
      const columns = n <= 20 ? n : n <= 250 ? 25 : 50;
      const width = columns * CELL;
      const height = Math.ceil(n / columns) * CELL;
      set(picture, "viewBox", "-1 -2 " + (width + 2) + " " + (height + 3));
      set(picture, "width", (width + 2) * (n <= 20 ? 1.6 : 1));
      let at = 0;
      for (const state of STATES) {
        let d = "";
        for (let i = 0; i < slots[state]; i++, at++) {
          const x = at % columns * CELL;
          d += SHAPES[state](x + 1, Math.floor(at / columns) * CELL + 1);
        }
        set(paths[state], "d", d);
      }
    },
  };
}
function legend() {
  const counts = {};
  const items = STATES.map((state) => {
    counts[state] = el("span", {});
    const shape = svg("svg", { width: 14, height: 14, viewBox: "-1 -2 15 16", "aria-hidden": "true" },
      svg("path", { class: state, d: SHAPES[state](1, 1) }));
    return el("li", {}, shape, counts[state]);
  });
  return {
    node: el("ul", { class: "key" }, ...items),
    draw(slots) {
      for (const state of STATES) say(counts[state], many(slots[state]) + " " + state);
    },
  };
}

/* The line: a bar for each who came first, as high as it has waited. */
function linePicture() {
  const bars = svg("path", { class: "wait" });
  const axis = svg("path", { class: "axis", d: "M0 60.5H400" });
  const picture = svg("svg", { role: "img", viewBox: "0 0 400 61", width: 400 }, axis, bars);
  const caption = el("figcaption", {});
  return {
    node: el("figure", {}, picture, caption),
    draw(waits, pending) {
      const longest = waits[0] ?? 0;
      const more = pending - waits.length;
      const words = pending === 0
        ? "Nobody waits."
        : many(pending) + (pending === 1 ? " waits" : " wait") +
          (waits.length > 0 ? ", the first for " + time(longest) : "") +
          (waits.length > 1 ? ", the last " + (more > 0 ? "of those shown " : "") + "for " + time(waits.at(-1)) : "") +
          (waits.length > 0 && more > 0 ? "; " + many(more) + " come after" : "") + ".";
      say(caption, words);
      picture.toggleAttribute("hidden", waits.length === 0);
      set(picture, "aria-label", "The line. " + words);
      const d = waits.map((wait, i) => {
        const height = Math.max(2, longest > 0 ? 58 * wait / longest : 2);
        return "M" + (i * 4) + " 60v" + (-height).toFixed(1) + "h3v" + height.toFixed(1) + "z";
      });
      set(bars, "d", d.join(""));
    },
  };
}

/* A histogram: a column for each doubling, and where p50 and p99 are. */
function chart(title) {
  const bars = svg("path", { class: "bar" });
  const axis = svg("path", { class: "axis", d: "M0 90.5H320" });
  const marks = ["p50", "p99"].map((name) => ({
    name,
    line: svg("path", { class: name }),
    text: svg("text", { class: name, y: 9 }),
  }));
  const labels = Array.from({ length: 5 }, () => svg("text", { y: 104 }));
  const picture = svg("svg", { role: "img", viewBox: "0 0 320 108", width: 320 },
    axis, bars, ...marks.flatMap(({ line, text }) => [line, text]), ...labels);
  const caption = el("figcaption", {});
  const past = course(title);
  return {
    node: el("figure", {}, el("h3", {}, title), picture, caption, past.node),
    draw(times) {
      past.draw(times.trend);
      const { count, columns } = times;
      const words = count === 0 ? "None in 5 minutes." :
        many(count) + " in 5 minutes: half within " + time(times.p50) + ", 99 % within " + time(times.p99) + ".";
      say(caption, words);
      set(picture, "aria-label", title + ". " + words);
      if (count === 0) {
        for (const node of [bars, ...marks.map(({ line }) => line)]) set(node, "d", "");
        for (const node of [...marks.map(({ text }) => text), ...labels]) say(node, "");
        return;
      }
      // Eight columns at least, so that few do not look like all.
      let low = Math.round(Math.log2(columns[0].upTo)) - 1;
      let high = low + columns.length;
      while (high - low < 8) (high - low) % 2 ? low-- : high++;
      const width = 320 / (high - low);
      const most = Math.max(...columns.map((column) => column.count));
      const at = (ms) => (Math.log2(ms) - low) * width;
      set(bars, "d", columns.map(({ upTo, count: n }) => {
        const height = n === 0 ? 0 : Math.max(1.5, 74 * n / most);
        return "M" + (at(upTo) - width + 1).toFixed(1) + " 90v" + (-height).toFixed(1) +
          "h" + (width - 2).toFixed(1) + "v" + height.toFixed(1) + "z";
      }).join(""));
      const near = Math.abs(at(times.p99) - at(times.p50)) < 40;
      marks.forEach(({ name, line, text }, i) => {
        const x = at(times[name]);
        set(line, "d", "M" + x.toFixed(1) + " 12V90");
        const isEnd = near ? i === 0 : x > 290;
        set(text, "x", (x + (near ? (i === 0 ? -2 : 2) : 0)).toFixed(1));
        set(text, "text-anchor", isEnd ? "end" : near ? "start" : x < 30 ? "start" : "middle");
        say(text, name);
      });
      const step = Math.ceil((high - low) / labels.length);
      labels.forEach((label, i) => {
        const power = low + i * step;
        const isIn = power < high;
        set(label, "x", (isIn ? (power - low) * width : 0).toFixed(1));
        set(label, "text-anchor", i === 0 ? "start" : "middle");
        say(label, isIn ? time(2 ** power) : "");
      });
    },
  };
}

/* How p50 and p99 went in those minutes: a step for each quarter of one. */
function course(title) {
  const lines = ["p50", "p99"].map((name) => ({ name, line: svg("path", { class: "trend " + name }) }));
  const top = svg("text", { y: 9, x: 320, "text-anchor": "end" });
  const picture = svg("svg", { role: "img", viewBox: "0 0 320 76", width: 320 },
    svg("path", { class: "axis", d: "M0 60.5H320" }), ...lines.map(({ line }) => line), top,
    svg("text", { y: 74 }, "5 min ago"), svg("text", { y: 74, x: 320, "text-anchor": "end" }, "now"));
  return {
    node: picture,
    draw(steps) {
      const known = steps.flatMap(({ p99 }) => p99 ?? []);
      const most = Math.max(0, ...known);
      // One step tells of no course.
      picture.toggleAttribute("hidden", known.length < 2);
      for (const { name, line } of lines) {
        let isDown = false;
        set(line, "d", steps.map((step, i) => {
          const ms = step[name];
          const d = ms === undefined ? "" : (isDown ? "V" : "M" + i * 16 + " ") + (60 - 46 * ms / most).toFixed(1) + "h16";
          isDown = ms !== undefined;
          return d;
        }).join(""));
      }
      say(top, "solid p50, dashed p99: up to " + time(most));
      set(picture, "aria-label", title + ", by quarters of a minute: 99 % within " + time(most) +
        " at most, within " + time(known.at(-1)) + " in the last.");
    },
  };
}

/* The last two minutes of used and waiting, as this page saw them. */
function trend() {
  const used = svg("path", { class: "trend", stroke: "var(--used)" });
  const waiting = svg("path", { class: "trend", stroke: "var(--waiting)", "stroke-dasharray": "5 3" });
  const axis = svg("path", { class: "axis", d: "M0 60.5H360" });
  const picture = svg("svg", { role: "img", viewBox: "0 0 360 62", width: 360 }, axis, used, waiting);
  const caption = el("figcaption", {});
  const seen = [];
  const node = el("figure", {}, el("h3", {}, "Used and waiting, last 2 minutes"), picture, caption);
  return {
    node,
    draw(stats) {
      seen.push({ used: stats.used, waiting: stats.pending });
      if (seen.length > 120) seen.shift();
      show(node, seen.length >= 10);
      const peak = (key) => Math.max(...seen.map((one) => one[key]));
      const line = (key, top) => seen.map((one, i) =>
        (i ? "L" : "M") + (360 - (seen.length - 1 - i) * 3) + " " + (60 - 57 * one[key] / Math.max(1, top)).toFixed(1)
      ).join("");
      set(used, "d", line("used", stats.max));
      set(waiting, "d", line("waiting", peak("waiting")));
      const words = "Solid: used, at most " + many(peak("used")) + " of " + many(stats.max) +
        ". Dashed: waiting, at most " + many(peak("waiting")) + ".";
      say(caption, words);
      set(picture, "aria-label", words);
    },
  };
}

/* Who holds longest. */
function holders() {
  const body = el("tbody", {});
  const rows = [];
  const row = () => {
    const age = el("td", {});
    const where = el("span", {});
    const stack = el("pre", {});
    const summary = el("summary", {});
    const more = el("details", {}, summary, stack);
    const node = el("tr", {}, age, el("td", {}, where, more));
    body.append(node);
    return { node, age, where, stack, summary, more };
  };
  const table = el("table", {}, el("caption", {}, "Leases held longest"),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "For"), el("th", { scope: "col" }, "Acquired at"))), body);
  const none = el("p", { class: "note" }, "No lease is held.");
  return {
    node: el("div", { class: "wide" }, table, none),
    draw(held) {
      while (rows.length < held.length) rows.push(row());
      rows.forEach(({ node, age, where, stack, summary, more }, i) => {
        const one = held[i];
        show(node, one !== undefined);
        if (one === undefined) return;
        say(age, time(one.age) + (one.isTold ? " – leaked?" : ""));
        set(age, "class", one.isTold ? "long" : "");
        const isKnown = one.stack !== undefined;
        say(where, "not known: the option “leaks” would tell");
        say(summary, one.where ?? "");
        say(stack, one.stack ?? "");
        show(where, !isKnown);
        show(more, isKnown);
      });
      show(table, held.length > 0);
      show(none, held.length === 0);
    },
  };
}

/* A pool. */
const FIGURES = {
  "Used": ({ used, max }) => many(used) + " of " + many(max),
  "Waiting": ({ pending }) => many(pending),
  "Longest wait": ({ lines }) => {
    const waits = lines.flatMap((line) => line.waits.slice(0, 1));
    return waits.length ? time(Math.max(...waits)) : "–";
  },
  "Wait p50 / p99": ({ waits }) => time(waits.p50) + " / " + time(waits.p99),
  "Use p50 / p99": ({ uses }) => time(uses.p50) + " / " + time(uses.p99),
  "Served": ({ acquires }) => many(acquires.served),
};
/* So many stripes are drawn, and so many sentences said, of a pool of many. */
const DRAWN = 64;
const SAID = 4;
const WORST = ["closed", "paused", "outage", "leaking", "saturated", "waiting", "healthy"];

function poolView(index) {
  const name = el("h2", { id: "pool" + index });
  const badge = el("span", { class: "badge" });
  const says = el("div", {});
  const figures = Object.keys(FIGURES).map((title) => {
    const value = el("dd", {});
    return { title, value, node: el("div", {}, el("dt", {}, title), value) };
  });
  const stripes = el("div", { class: "stripes" });
  const pictures = [];
  const rest = el("p", { class: "note" });
  const key = legend();
  const line = linePicture();
  const past = trend();
  const waits = chart("How long acquires waited");
  const uses = chart("How long leases were held");
  const creates = el("p", {});
  const failed = el("p", { class: "failure" });
  const outage = el("p", { class: "failure" });
  const refused = el("p", {});
  const destroyed = el("p", {});
  const held = holders();
  const node = el("section", { class: "pool", "aria-labelledby": "pool" + index },
    el("div", { class: "top" }, name, badge), says,
    el("dl", {}, ...figures.map((figure) => figure.node)),
    el("div", { class: "parts" },
      el("div", { class: "wide" }, el("h3", {}, "Slots"), stripes, rest, key.node),
      el("div", {}, el("h3", {}, "The line"), line.node), past.node, waits.node, uses.node,
      el("div", {}, el("h3", {}, "Creates"), outage, creates, failed),
      el("div", {}, el("h3", {}, "Ends"), destroyed, refused), held.node));
  let state;
  const counts = (record) => Object.entries(record).map(([what, n]) => many(n) + " " + what).join(", ");
  return {
    node,
    draw(pool) {
      set(node, "data-state", pool.state);
      say(name, pool.name);
      say(badge, pool.state);
      if (state !== undefined && state !== pool.state) say($("news"), pool.name + ": " + pool.state);
      state = pool.state;
      const worst = pool.lines.slice().sort((a, b) => WORST.indexOf(a.state) - WORST.indexOf(b.state));
      const told = worst.slice(0, SAID).map((one) =>
        (pool.lines.length > 1 ? "Stripe " + one.stripes[0] + ": " : "") + one.sentence + ".");
      while (says.childElementCount > told.length) says.lastChild.remove();
      while (says.childElementCount < told.length) says.append(el("p", { class: "say" }));
      told.forEach((text, i) => say(says.children[i], text));
      for (const { title, value } of figures) say(value, FIGURES[title](pool));
      const drawn = pool.stripes.slice(0, DRAWN);
      while (pictures.length > drawn.length) pictures.pop().node.remove();
      while (pictures.length < drawn.length) {
        const picture = stripePicture();
        pictures.push(picture);
        stripes.append(picture.node);
      }
      drawn.forEach((stripe, i) => pictures[i].draw(slotsOf(stripe), "Stripe " + i));
      const left = pool.stripes.length - drawn.length;
      show(rest, left > 0);
      say(rest, "And " + many(left) + " stripes more; the counts are of all.");
      const sum = pool.stripes.map(slotsOf).reduce((all, one) => {
        for (const state of STATES) all[state] += one[state];
        return all;
      }, Object.fromEntries(STATES.map((state) => [state, 0])));
      key.draw(sum);
      const first = pool.lines.flatMap((one) => one.waits).sort((a, b) => b - a);
      line.draw(first.slice(0, 100), pool.pending);
      past.draw(pool);
      waits.draw(pool.waits);
      uses.draw(pool.uses);
      const { made, failed: lost, last } = pool.creates;
      say(creates, many(made) + " made, " + many(lost) + " failed.");
      show(failed, last !== undefined);
      if (last) say(failed, "Last failure, " + time(last.ago) + " ago: " + last.message);
      const down = pool.lines.find((one) => one.outage);
      show(outage, down !== undefined);
      if (down) {
        const { since, nextTry } = down.outage;
        say(outage, "Outage for " + time(since) + (nextTry === undefined ? ", a try is under way." :
          ", next try in " + time(nextTry) + "."));
      }
      say(destroyed, "Destroyed: " + (counts(pool.destroyed) || "none") + "." +
        (pool.detached ? " Detached: " + many(pool.detached) + "." : ""));
      say(refused, "Acquires that failed: " + (counts(pool.acquires.failed) || "none") + "." +
        (pool.leaked ? " Leases told of as leaked: " + many(pool.leaked) + "." : ""));
      held.draw(pool.lines.flatMap((one) => one.holders).sort((a, b) => b.age - a.age).slice(0, 10));
    },
  };
}

/* The page. */
const views = [];
let newest;
let isDue = false;
function draw() {
  isDue = false;
  const { pools } = newest;
  while (views.length > pools.length) views.pop().node.remove();
  while (views.length < pools.length) {
    const view = poolView(views.length);
    views.push(view);
    $("pools").append(view.node);
  }
  pools.forEach((pool, i) => views[i].draw(pool));
  show($("none"), pools.length === 0);
  const troubles = pools.filter(({ state }) => state !== "healthy").length;
  const title = troubles ? "(" + troubles + ") Pools" : "Pools";
  if (document.title !== title) document.title = title;
}

/* Events, and what becomes of the page when none come. */
const SILENCE = 5000;
let heardAt = 0;
let source;
let isHeld = false;
function link(text, isLost) {
  say($("link"), text);
  $("link").toggleAttribute("data-lost", isLost);
  $("pools").classList.toggle("old", isLost);
}
function connect() {
  source?.close();
  source = new EventSource(base + "events");
  heardAt = Date.now();
  source.onmessage = ({ data }) => {
    heardAt = Date.now();
    if (isHeld) return;
    newest = JSON.parse(data);
    link("Live", false);
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(draw);
  };
  source.onerror = lost;
}
function lost() {
  if (isHeld) return;
  link(newest
    ? "The server is gone; this is how it was at " + new Date(newest.at).toLocaleTimeString() + ". Trying again …"
    : "The server does not answer, or lets nobody more listen. Trying again …", true);
}
setInterval(() => {
  const isSilent = Date.now() - heardAt > SILENCE;
  if (isSilent) lost();
  if (isSilent || source.readyState === EventSource.CLOSED) connect();
}, 1000);
$("hold").onclick = () => {
  isHeld = !isHeld;
  set($("hold"), "aria-pressed", isHeld);
  if (isHeld) link("Paused", false);
  else link("Live", false);
};
connect();
`;
