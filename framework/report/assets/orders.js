// The order timeline: a list of orders, one order as a swim-lane between strategy and engine, its place in the queue.

const FLAG_WORDS = [
  ["late", "late fill", "bad"], ["inverted", "inverted", "bad"], ["orphan", "no reach", "warn"],
  ["refused", "refused", "warn"], ["lost", "lost", "bad"], ["amended", "amended", ""], ["filled", "filled", ""],
];
const LANE = { strategy: 44, engine: 116, other: 152 };

function sideWord(side) {
  return side === 0 ? "buy" : side === 1 ? "sell" : "order";
}

function sideColour(side) {
  return side === 1 ? "--sell" : "--buy";
}

function firstTime(order) {
  return Math.min(...[order.a, ...order.c.map((c) => c[2]), ...order.f.map((f) => f[0])].filter((t) => t !== null && t !== undefined));
}

// An order that never lived ends with the last that is known of it; one that is open, with the run.
function lastTime(order, span) {
  const end = order.e !== null ? order.e : order.a === null ? firstTime(order) : span;
  return Math.max(end, ...order.c.flatMap((c) => [c[2], c[3], c[4]]).filter((t) => t !== null),
    ...order.f.flatMap((f) => [f[0], f[3]]).filter((t) => t !== null));
}

function badges(flags, bits) {
  return FLAG_WORDS.filter(([name]) => flags & bits[name] && name !== "filled" && name !== "amended")
    .map(([, words, tone]) => el("span", { class: `badge ${tone}` }, words));
}

// What all ids of a run begin with, up to the digits in which they differ.
function commonStart(ids) {
  let start = ids.length > 1 ? ids[0] : "";
  for (const id of ids) while (!id.startsWith(start)) start = start.slice(0, -1);
  return start;
}

function orderSection(run) {
  const { rows, flags: bits, counts, total } = run.orders;
  const replaces = new Map();
  rows.forEach((order, index) => { if (order.w >= 0) replaces.set(order.w, index); });
  const list = el("div", { class: "list", role: "listbox", "aria-label": "orders" });
  const chips = el("div", { class: "chips" });
  const search = el("input", { type: "search", placeholder: "order id", "aria-label": "find an order by its id",
    style: "width:100%;margin-bottom:8px" });
  const detail = el("div", {});
  const listeners = [];
  const start = commonStart(rows.map((order) => order.id));
  const short = (id) => (start.length > 4 ? `…${id.slice(start.length)}` : id);
  let filter = null;
  let chosen = -1;

  function fillList() {
    const text = search.value.trim().toLowerCase();
    const found = [];
    rows.forEach((order, index) => {
      if ((filter === null || order.g & bits[filter]) && order.id.toLowerCase().includes(text)) found.push(index);
    });
    list.replaceChildren(...found.slice(0, 300).map((index) => {
      const order = rows[index];
      return el("button", { role: "option", title: order.id, "data-order": index, class: index === chosen ? "on" : "", onclick: () => select(index) },
        el("span", { class: "dot", style: `background:var(${sideColour(order.s)})` }),
        el("span", { class: "who" }, short(order.id), ...badges(order.g, bits)),
        el("span", { class: "when" }, clock(run.epoch, firstTime(order), 1000)));
    }));
    if (found.length > 300) list.append(el("p", { class: "note", style: "padding:0 9px" }, `${number(found.length - 300)} more: search or filter`));
    if (!found.length) list.append(el("p", { class: "note", style: "padding:0 9px" }, "no order here"));
  }

  function fillChips() {
    const all = [[null, "all", rows.length], ...FLAG_WORDS.map(([name, words]) => [name, words, counts[name]])];
    chips.replaceChildren(...all.filter(([name, , count]) => name === null || count).map(([name, words, count]) =>
      el("button", { class: filter === name ? "on" : "", "data-filter": name || "all",
        onclick: () => { filter = name; fillChips(); fillList(); } }, `${words} ${number(count)}`)));
  }

  function select(index) {
    chosen = index;
    for (const button of list.querySelectorAll("button")) button.classList.toggle("on", Number(button.dataset.order) === index);
    const other = rows[index].w >= 0 ? rows[index].w : replaces.has(index) ? replaces.get(index) : -1;
    showOrder(detail, run, rows[index], other < 0 ? null : rows[other], rows[index].w >= 0, () => select(other));
    for (const listener of listeners) listener(index);
  }

  search.addEventListener("input", fillList);
  const shown = rows.length < total ? `${number(rows.length)} of ${number(total)} orders, those to which something happened first` : `${number(total)} orders`;
  const section = card("Order timeline", `${shown}. Downwards: a command on its way to the engine; dashed upwards: the answer or the news on its way back.`,
    el("div", { class: "orders" }, el("div", {}, chips, search, list), detail));
  fillChips();
  fillList();
  if (rows.length) {
    const pickFirst = (test) => rows.findIndex(test);
    const first = [pickFirst((o) => o.g & bits.inverted && o.w >= 0), pickFirst((o) => o.g & bits.late), pickFirst((o) => o.g & bits.filled), 0]
      .find((index) => index >= 0);
    requestAnimationFrame(() => select(first));
  }
  return { section, select, onSelect(listener) { listeners.push(listener); } };
}

function facts(run, order) {
  const market = run.markets[order.y];
  const add = order.c.find((c) => c[0] === "AddOrder");
  const price = add && add[7] !== null ? ` at ${number(add[7], market.decimals)}` : "";
  const life = order.a === null ? "never lived at the engine" : `alive ${duration((order.e === null ? run.span : order.e) - order.a)}${order.e === null ? ", open at the end" : ""}`;
  return `${sideWord(order.s)} ${number(order.q)} ${market.base}${price}, ${life}`;
}

function showOrder(host, run, order, other, isReplaced, goOther) {
  const whole = [firstTime(order), lastTime(order, run.span)];
  if (other) {
    const add = other.c.find((c) => c[0] === "AddOrder");
    if (add) { whole[0] = Math.min(whole[0], add[2]); whole[1] = Math.max(whole[1], ...[add[2], add[3], add[4]].filter((t) => t !== null)); }
  }
  const view = makeView(...whole, 0.05);
  const charts = el("div", {});
  const head = el("div", { class: "head" }, el("h3", {}, order.id), ...badges(order.g, run.orders.flags),
    el("div", { class: "sub" }, facts(run, order)),
    el("button", { onclick: () => view.reset() }, "whole life"),
    other ? el("button", { onclick: goOther }, isReplaced ? `its replacement: ${other.id}` : `it replaces: ${other.id}`) : null);
  host.replaceChildren(head, charts);
  const lanes = [["strategy", LANE.strategy], ["engine", LANE.engine]];
  if (other) lanes.push([isReplaced ? "new order" : "old order", LANE.other]);
  timeChart(charts, view, {
    height: other ? 196 : 160, epoch: run.epoch, lanes, top: 20,
    draw(c, x) {
      if (other) drawLife(c, x, run, other, LANE.other, isReplaced ? "AddOrder" : "CancelOrder");
      drawLife(c, x, run, order, LANE.engine, null);
    },
    tips: (t) => momentTips(run, order, t, view),
  });
  charts.append(key(["--buy", "buy, alive at the engine"], ["--sell", "sell"], ["--add", "new order"], ["--violet", "amend"], ["--warn", "cancel"],
    ["--bad", "late fill, refused, lost"], ["--good", "fill"]));
  queueChart(charts, run, order, makeView(...whole, 0.05));
  charts.append(moments(run, order, view));
  zoomToStory(view, order, other, isReplaced, run.orders.flags);
}

// Show at once what is odd about an order: the race of its cancel, or the fill after it.
function zoomToStory(view, order, other, isReplaced, bits) {
  if (order.g & bits.orphan) return;
  const times = [];
  const cancels = order.c.filter((c) => c[0] === "CancelOrder");
  const take = (...values) => times.push(...values.filter((t) => t !== null && t !== undefined));
  if (order.g & bits.inverted && other) {
    const [old, young] = isReplaced ? [order, other] : [other, order];
    const cancel = old.c.filter((c) => c[0] === "CancelOrder").pop();
    const add = young.c.find((c) => c[0] === "AddOrder");
    if (cancel) take(cancel[2], cancel[3], cancel[4]);
    if (add) take(add[2], add[3], add[4]);
  } else if (order.g & bits.late && cancels.length) {
    take(cancels[0][2], cancels[0][3], cancels[0][4]);
    for (const fill of order.f.filter((f) => f[4])) take(fill[0]);
  }
  if (times.length < 2) return;
  const [low, high] = [Math.min(...times), Math.max(...times)];
  view.set(low - (high - low) * 0.15, high + (high - low) * 0.15);
}

function commandName(command) {
  if (command[5] === "rejected" || command[5] === "lost") return "--bad";
  return { AddOrder: "--add", AmendOrder: "--violet", EditOrder: "--violet" }[command[0]] || "--warn";
}

// only: of the order that stands beside another, the command that the two have to do with; null for an order by itself.
function drawLife(c, x, run, order, lane, only) {
  const isPale = only !== null;
  const end = order.e === null ? run.span : order.e;
  c.globalAlpha = isPale ? 0.55 : 1;
  if (order.a !== null) {
    c.fillStyle = colour(sideColour(order.s));
    c.fillRect(x(order.a), lane - 5, Math.max(1.5, x(end) - x(order.a)), 10);
    order.r.forEach(([from, reach], i) => {
      const until = Math.min(end, i + 1 < order.r.length ? order.r[i + 1][0] : end);
      if (reach === "" && until > Math.max(from, order.a)) {
        c.fillStyle = colour("--bad");
        c.fillRect(x(Math.max(from, order.a)), lane + 7, Math.max(2, x(until) - x(Math.max(from, order.a))), 4);
      }
    });
  }
  let free = -Infinity;
  for (const command of order.c) {
    const [name, , sent, arrived, learned, outcome] = command;
    if (isPale && name !== only) continue;
    c.strokeStyle = colour(commandName(command));
    c.fillStyle = c.strokeStyle;
    c.lineWidth = 1.6;
    const isLost = arrived === null;
    const reach = isLost ? sent + (x(1) > x(0) ? 14 / (x(1) - x(0)) : 1) : arrived;
    const foot = isLost ? (LANE.strategy + lane) / 2 : lane;
    line(c, x(sent), LANE.strategy, x(reach), foot);
    c.beginPath();
    c.arc(x(sent), LANE.strategy, 3, 0, 7);
    c.fill();
    if (isLost) c.fillText("×", x(reach), foot + 4);
    else arrow(c, x(sent), LANE.strategy, x(reach), foot - 4);
    if (!isLost && learned !== null) back(c, x(arrived), lane, x(learned));
    c.textAlign = "center";
    c.textBaseline = "middle";
    const label = name.replace("Order", "") + (outcome === "rejected" ? " refused" : outcome === "lost" ? " lost" : "");
    const half = c.measureText(label).width / 2;
    const at = LANE.strategy - (isPale ? 28 : 14);
    if (x(sent) - half > free || isPale) {
      c.fillText(label, x(sent), at);
      free = x(sent) + half + 6;
    }
  }
  for (const [ts, , , learned, isLate] of order.f) {
    c.strokeStyle = colour(isLate ? "--bad" : "--good");
    c.fillStyle = c.strokeStyle;
    c.lineWidth = 1.2;
    if (learned !== null && !isPale) back(c, x(ts), lane, x(learned));
    c.strokeStyle = colour("--card");
    diamond(c, x(ts), lane, 6.5);
  }
  c.globalAlpha = 1;
}

function arrow(c, x0, y0, x1, y1) {
  const angle = Math.atan2(y1 - y0, x1 - x0);
  c.beginPath();
  c.moveTo(x1, y1);
  c.lineTo(x1 - 7 * Math.cos(angle - 0.4), y1 - 7 * Math.sin(angle - 0.4));
  c.lineTo(x1 - 7 * Math.cos(angle + 0.4), y1 - 7 * Math.sin(angle + 0.4));
  c.closePath();
  c.fill();
}

function back(c, x0, lane, x1) {
  c.setLineDash([4, 3]);
  line(c, x0, lane - 5, x1, LANE.strategy + 4);
  c.setLineDash([]);
  arrow(c, x0, lane - 5, x1, LANE.strategy + 4);
}

function momentTips(run, order, t, view) {
  const near = (view.hi - view.lo) / 60;
  const rows = [];
  for (const c of order.c) {
    if (c[2] !== null && Math.abs(c[2] - t) < near) rows.push([commandName(c), `${c[0]} sent`]);
    if (c[3] !== null && Math.abs(c[3] - t) < near) rows.push([commandName(c), `${c[0]} arrived, after ${duration(c[3] - c[2])}`]);
    if (c[4] !== null && Math.abs(c[4] - t) < near) rows.push([commandName(c), `${c[0]} ${c[5] || "answered"}, learned`]);
  }
  for (const f of order.f) {
    if (Math.abs(f[0] - t) < near) rows.push([f[4] ? "--bad" : "--good", `filled ${number(f[1])} at ${number(f[2], run.markets[order.y].decimals)}${f[4] ? ", after the cancel was sent" : ""}`]);
    if (f[3] !== null && Math.abs(f[3] - t) < near) rows.push(["--good", `fill learned, after ${duration(f[3] - f[0])}`]);
  }
  return rows.slice(0, 8);
}

function queueChart(parent, run, order, view) {
  if (!order.k.length) {
    parent.append(el("p", { class: "note" }, "Its place in the queue was not sampled: it did not rest, or not for long enough."));
    return;
  }
  const times = order.k.map((k) => k[0]);
  const ahead = order.k.map((k) => k[1]);
  const level = order.k.map((k) => k[2]);
  const end = order.e === null ? run.span : order.e;
  const unit = run.markets[order.y].base;
  timeChart(parent, view, {
    height: 120, name: `quantity ahead of it in the queue, ${unit} (pale: all at its price)`, epoch: run.epoch, floor: 0, top: 20,
    range: () => [0, Math.max(...level, ...ahead)],
    draw(c, x, y, area) {
      const stretched = [...times, Math.max(end, times[times.length - 1])];
      for (const [values, name, alpha] of [[level, "--faint", 0.22], [ahead, sideColour(order.s), 0.35]]) {
        const all = [...values, values[values.length - 1]];
        c.fillStyle = colour(name);
        c.globalAlpha = alpha;
        c.beginPath();
        c.moveTo(x(stretched[0]), area.bottom);
        all.forEach((v, i) => {
          if (i) c.lineTo(x(stretched[i]), y(all[i - 1]));
          c.lineTo(x(stretched[i]), y(v));
        });
        c.lineTo(x(stretched[stretched.length - 1]), area.bottom);
        c.fill();
        c.globalAlpha = 1;
      }
      c.strokeStyle = colour(sideColour(order.s));
      c.lineWidth = 1.6;
      stepLine(c, x, y, stretched, [...ahead, ahead[ahead.length - 1]], -Infinity, Infinity, false);
      for (const f of order.f) {
        c.fillStyle = colour(f[4] ? "--bad" : "--good");
        c.strokeStyle = colour("--card");
        diamond(c, x(f[0]), area.bottom - 7, 5.5);
      }
    },
    tips(t) {
      const i = lastNotAbove(times, t);
      return i < 0 || t > end ? [] : [[sideColour(order.s), `ahead ${number(ahead[i])} ${unit}`], ["--faint", `at its price ${number(level[i])} ${unit}`]];
    },
  });
}

function moments(run, order, view) {
  const rows = [
    ...order.c.map((c) => ({ t: c[2], cells: [c[0], c[1] || "", clock(run.epoch, c[2], 1), c[3] === null ? "never" : duration(c[3] - c[2]),
      c[4] === null || c[3] === null ? "never" : duration(c[4] - c[3]), [c[5] || "unknown", c[6]].filter(Boolean).join(": ")], span: [c[2], c[3], c[4]] })),
    ...order.f.map((f) => ({ t: f[0], cells: [f[4] ? "fill, late" : "fill", "", clock(run.epoch, f[0], 1), "",
      f[3] === null ? "never" : duration(f[3] - f[0]), `${number(f[1])} at ${number(f[2], run.markets[order.y].decimals)}`], span: [f[0], f[3]] })),
    ...order.r.map((r) => ({ t: r[0], cells: ["reach", "", clock(run.epoch, r[0], 1), "", "", r[1] === "" ? "no link can cancel it" : r[1]], span: [r[0]] })),
  ].sort((a, b) => a.t - b.t);
  const body = el("tbody", {}, ...rows.map((row) => {
    const times = row.span.filter((t) => t !== null);
    const [low, high] = [Math.min(...times), Math.max(...times)];
    const pad = Math.max((high - low) * 0.25, 0.5);
    const go = () => view.set(low - pad, high + pad);
    return el("tr", { class: "pick", tabindex: 0, onclick: go, onkeydown: (e) => { if (e.key === "Enter") go(); } },
      ...row.cells.map((text, i) => el("td", { class: i > 1 && i < 5 ? "n" : "text" }, text)));
  }));
  const names = ["what", "link", "sent or made, UTC", "to the engine", "until learned", "outcome"];
  return el("div", { class: "scroll", style: "max-height:190px" }, el("table", {},
    el("thead", {}, el("tr", {}, ...names.map((name, i) => el("th", { class: i > 1 && i < 5 ? "n" : "" }, name)))), body));
}
