// One run: tiles, charts over time, order timeline, latencies, events, figures.

const GANTT_LANES = 34;

function runPage(run) {
  const page = el("div", {});
  page.append(el("div", { class: "tiles" }, ...run.tiles.map((tile) => el("div", { class: "tile" },
    el("div", { class: "label" }, tile.label),
    el("div", { class: `value ${tile.tone > 0 ? "good" : tile.tone < 0 ? "bad" : ""}` }, tile.value),
    el("div", { class: "below" }, tile.note)))));
  const orders = orderSection(run);
  if (run.divergence) page.append(divergenceSection(run));
  page.append(marketSection(run, orders), orders.section, latencySection(run), eventSection(run), figureSection(run));
  return page;
}

function marketSection(run, orders) {
  const view = makeView(0, run.span);
  const charts = el("div", {});
  const section = card("Market, position and equity",
    "Drag to zoom, double-click or the button to see all, shift-drag to move, ctrl-wheel to zoom, click a fill or an order to open it below.", charts);
  const head = section.querySelector(".head");
  const body = el("div", {});
  if (run.markets.length > 1) {
    head.append(el("select", { "aria-label": "instrument", onchange: (e) => fill(Number(e.target.value)) },
      ...run.markets.map((market, i) => el("option", { value: i }, market.symbol))));
  }
  head.append(el("button", { onclick: () => view.reset() }, "see all"));
  charts.append(body);
  function fill(index) {
    body.replaceChildren();
    priceChart(body, run, run.markets[index], view, orders);
    seriesChart(body, run, view, run.markets[index].position, { name: `position, ${run.markets[index].base}`, height: 92, colour: "--violet", zero: true });
  }
  fill(0);
  seriesChart(charts, run, view, run.equity, { name: `equity, ${run.currency}`, height: 130, colour: "--accent", zero: true, straight: false, unit: run.currency });
  for (const counter of run.counter) counterChart(charts, run, view, counter);
  ganttChart(charts, run, view, orders);
  return section;
}

function priceChart(parent, run, market, view, orders) {
  const { touch, fills } = market;
  const times = fills.map((f) => f[0]);
  const shown = fills.length < market.fill_total ? `, ${number(fills.length)} of ${number(market.fill_total)} fills` : "";
  parent.append(key(["--band", `best bid to best ask of ${market.symbol}`], ["--buy", "buy"], ["--sell", "sell"],
    ["--bad", "ring: after the cancel was sent"], ["--warn", "ring: while nobody could cancel"],
    ["--down", "a link was down", "outline:1px solid var(--bad)"], ["--orphan", "an order was out of reach", "outline:1px solid var(--warn)"]));
  timeChart(parent, view, {
    height: 270, name: `price, ${market.quote}; fills: full as maker, hollow as taker; dots while there are many${shown}`, epoch: run.epoch, shades: run.shades, top: 22,
    range(lo, hi) {
      const [from, until] = within(times, lo, hi);
      const prices = fills.slice(from, until).filter((f) => f[0] >= lo && f[0] <= hi).map((f) => f[1]);
      const own = prices.length ? [Math.min(...prices), Math.max(...prices)] : [Infinity, -Infinity];
      return joined(rangeOf(touch.t, touch.bid, lo, hi), rangeOf(touch.t, touch.ask, lo, hi), own);
    },
    draw(c, x, y) {
      band(c, x, y, touch, view);
      const [from, until] = within(times, view.lo, view.hi);
      const size = until - from > 150 ? 4 : 5;
      for (let i = from; i < until; i += 1) {
        const [t, price, , side, maker, mark] = fills[i];
        if (until - from > 500) {
          c.fillStyle = colour(mark & 2 ? "--warn" : mark ? "--bad" : sideColour(side));
          c.fillRect(x(t) - 1.2, y(price) - 1.2, 2.4, 2.4);
          continue;
        }
        c.strokeStyle = colour(sideColour(side));
        c.fillStyle = c.strokeStyle;
        c.lineWidth = 1.2;
        triangle(c, x(t), y(price), size, side === 0, maker !== 0);
        if (mark) {
          c.strokeStyle = colour(mark & 2 ? "--warn" : "--bad");
          c.lineWidth = 1.6;
          c.beginPath();
          c.arc(x(t), y(price), size + 3.5, 0, 7);
          c.stroke();
        }
      }
    },
    tips(t, px, py, x, y) {
      const i = lastNotAbove(touch.t, t);
      const rows = i < 0 ? [] : [["--faint", `bid ${number(touch.bid[i], market.decimals)}, ask ${number(touch.ask[i], market.decimals)}`]];
      const fill = nearestFill(fills, times, t, px, py, x, y);
      if (fill) {
        rows.push([sideColour(fill[3]), `${fill[3] === 0 ? "bought" : "sold"} ${number(fill[2])} at ${number(fill[1], market.decimals)}${fill[4] === null ? "" : fill[4] ? ", maker" : ", taker"}`]);
        if (fill[5] & 1) rows.push(["--bad", "after its cancel had been sent"]);
        if (fill[5] & 2) rows.push(["--warn", "while nobody could cancel it"]);
      }
      return rows;
    },
    pick(t, px, py, x, y) {
      const fill = nearestFill(fills, times, t, px, py, x, y);
      if (fill && fill[6] >= 0) orders.select(fill[6]);
    },
  });
}

function nearestFill(fills, times, t, px, py, x, y) {
  let best = null;
  let least = 14;
  const at = lastNotAbove(times, t);
  for (let i = Math.max(0, at - 60); i < Math.min(fills.length, at + 60); i += 1) {
    const away = Math.hypot(x(fills[i][0]) - px, y(fills[i][1]) - py);
    if (away < least) { least = away; best = fills[i]; }
  }
  return best;
}

function band(c, x, y, touch, view) {
  const [from, until] = within(touch.t, view.lo, view.hi);
  c.fillStyle = colour("--band");
  for (let i = from; i < until; i += 1) {
    if (touch.bid[i] === null || touch.ask[i] === null) continue;
    const next = i + 1 < touch.t.length ? touch.t[i + 1] : touch.t[i];
    c.fillRect(x(touch.t[i]), y(touch.ask[i]), Math.max(0.7, x(next) - x(touch.t[i])), Math.max(0.7, y(touch.bid[i]) - y(touch.ask[i])));
  }
  c.strokeStyle = colour("--faint");
  c.lineWidth = 0.8;
  stepLine(c, x, y, touch.t, touch.bid, view.lo, view.hi, false);
  stepLine(c, x, y, touch.t, touch.ask, view.lo, view.hi, false);
}

function seriesChart(parent, run, view, series, o) {
  timeChart(parent, view, {
    height: o.height, name: o.name, epoch: run.epoch, shades: run.shades, top: 20,
    range(lo, hi) {
      const range = rangeOf(series.t, series.v, lo, hi);
      return joined(range, o.zero ? [0, 0] : range);
    },
    draw(c, x, y, area) {
      c.strokeStyle = colour("--faint");
      c.lineWidth = 1;
      line(c, area.left, y(0), area.right, y(0));
      c.strokeStyle = colour(o.colour);
      c.lineWidth = 1.5;
      stepLine(c, x, y, series.t, series.v, view.lo, view.hi, false);
    },
    tips(t) {
      const value = valueAt(series, t);
      return value === null ? [] : [[o.colour, `${o.name.split(",")[0]} ${number(value)}${o.unit ? ` ${o.unit}` : ""}`]];
    },
  });
}

function counterChart(parent, run, view, counter) {
  timeChart(parent, view, {
    height: 100, name: `rate counter of ${counter.symbol}, % of its threshold (red: refused over it)`, epoch: run.epoch, floor: 0, top: 20,
    range(lo, hi) { return joined([0, 5], rangeOf(counter.t, counter.v, lo, hi)); },
    draw(c, x, y, area) {
      c.setLineDash([5, 4]);
      for (const [share, name] of [[100, "--bad"], [80, "--warn"]]) {
        c.strokeStyle = colour(name);
        line(c, area.left, y(share), area.right, y(share));
      }
      c.setLineDash([]);
      c.strokeStyle = colour("--accent");
      c.lineWidth = 1.3;
      stepLine(c, x, y, counter.t, counter.v, view.lo, view.hi, true);
      c.strokeStyle = colour("--bad");
      const [from, until] = within(counter.refused, view.lo, view.hi);
      for (let i = from; i < until; i += 1) line(c, x(counter.refused[i]), area.bottom - 9, x(counter.refused[i]), area.bottom);
    },
    tips(t) {
      const i = lastNotAbove(counter.t, t);
      if (i < 0) return [];
      const next = Math.min(i + 1, counter.t.length - 1);
      const width = counter.t[next] - counter.t[i];
      const value = width > 0 ? counter.v[i] + ((counter.v[next] - counter.v[i]) * (t - counter.t[i])) / width : counter.v[i];
      return [["--accent", `${number(value, 1)} % of the threshold`]];
    },
  });
}

// Lanes for orders that do not overlap, buys first: an order takes the first lane that is free when it is sent.
function packed(rows, spans) {
  const lanes = new Array(rows.length).fill(-1);
  let used = 0;
  for (const isSell of [false, true]) {
    const ends = [];
    rows.forEach((order, i) => {
      if ((order.s === 1) !== isSell) return;
      let lane = ends.findIndex((end) => end <= spans[i][0]);
      if (lane < 0) lane = ends.length;
      ends[lane] = spans[i][1];
      lanes[i] = used + lane < GANTT_LANES ? used + lane : -1;
    });
    used += ends.length + (isSell ? 0 : 0.5);
  }
  return { lanes, used: Math.min(GANTT_LANES, used), left: lanes.filter((lane) => lane < 0).length };
}

function ganttChart(parent, run, view, orders) {
  const { rows, total, flags: bits } = run.orders;
  if (!rows.length) return;
  const spans = rows.map((o) => [firstTime(o), lastTime(o, run.span)]);
  const { lanes, used, left } = packed(rows, spans);
  const tall = used > 16 ? 9 : 14;
  const top = 22;
  let chosen = -1;
  const middle = (index) => top + (lanes[index] + 0.5) * tall;
  const at = (t, py) => rows.findIndex((o, i) => lanes[i] >= 0 && Math.abs(middle(i) - py) <= tall / 2 && spans[i][0] <= t && spans[i][1] >= t);
  const chart = timeChart(parent, view, {
    height: top + used * tall + 26, name: "own orders, buys above sells", epoch: run.epoch, shades: run.shades, top: 20, lanes: [],
    draw(c, x) {
      const thick = tall > 10 ? 6 : 4;
      const isDense = spans.filter(([from, until]) => from <= view.hi && until >= view.lo).length > 160;
      rows.forEach((order, index) => {
        if (lanes[index] < 0 || spans[index][0] > view.hi || spans[index][1] < view.lo) return;
        const y = middle(index);
        const end = order.e === null ? run.span : order.e;
        c.strokeStyle = colour("--soft");
        c.lineWidth = 1.5;
        line(c, x(spans[index][0]), y, x(order.a === null ? spans[index][1] : order.a), y);
        if (order.a === null) return;
        c.fillStyle = colour(sideColour(order.s));
        c.globalAlpha = index === chosen ? 1 : 0.72;
        const wide = Math.max(1, x(end) - x(order.a));
        c.fillRect(x(order.a), y - thick / 2, wide > 4 ? wide - 1 : wide, thick);
        c.globalAlpha = 1;
        if (order.g & bits.inverted && order.w >= 0) {
          c.fillStyle = colour("--bad");
          c.fillRect(x(end) - 1.5, y - thick / 2 - (isDense ? 0 : 2), isDense ? 1.5 : 3, thick + (isDense ? 0 : 4));
        }
        if (index === chosen) {
          c.strokeStyle = colour("--ink");
          c.strokeRect(x(order.a) - 1.5, y - thick / 2 - 1.5, wide + 3, thick + 3);
        }
        c.fillStyle = colour("--warn");
        if (wide > 8) for (const command of order.c) if (command[0] === "CancelOrder") c.fillRect(x(command[2]) - 1, y - thick / 2 - 1, 2, thick + 2);
        for (const fill of order.f) {
          c.fillStyle = colour(fill[4] ? "--bad" : "--good");
          c.strokeStyle = colour("--card");
          diamond(c, x(fill[0]), y, isDense ? 3.2 : tall > 10 ? 5 : 3.5);
        }
      });
    },
    tips(t, px, py) {
      const order = rows[at(t, py)];
      return order ? [[sideColour(order.s), order.id], [null, facts(run, order)], ...FLAG_WORDS.filter(([name]) => order.g & bits[name]).map(([, words]) => [null, words])] : [];
    },
    pick(t, px, py) { const index = at(t, py); if (index >= 0) orders.select(index); },
  });
  parent.append(key(["--soft", "on its way"], ["--buy", "buy alive at the engine"], ["--sell", "sell"], ["--warn", "its cancel was sent"],
    ["--bad", "red end: its replacement arrived first; red diamond: filled late"], ["--good", "filled"]));
  const hidden = left + total - rows.length;
  if (hidden) parent.append(el("p", { class: "note" }, `${number(total - hidden)} of ${number(total)} orders are drawn.`));
  orders.onSelect((index) => { chosen = index; chart.redraw(); });
}

function latencySection(run) {
  const rows = run.latencies;
  const host = el("div", { class: "chart" });
  const section = card("How long things took", "Distributions on a logarithmic scale; full line: median, dashed: 99 %. Fills: from the engine to the strategy.",
    key(["--accent", "sent to arrived at the engine"], ["--violet", "from the engine to learned"]), host);
  if (!rows.length) {
    host.append(el("p", { class: "note" }, "Nothing was sent."));
    return section;
  }
  const legs = rows.flatMap((row) => row.legs);
  const low = Math.floor(Math.min(...legs.map((l) => l.lo)) * 2) / 2;
  const high = Math.ceil(Math.max(...legs.map((l) => l.hi)) * 2) / 2;
  const tall = 46;
  const names = 168;
  surface(host, rows.length * tall + 24, (c, width, height) => {
    const right = width - 230;
    const x = (v) => names + ((v - low) / (high - low || 1)) * (right - names);
    c.textBaseline = "middle";
    const parts = high - low > 4 ? [1] : [1, 2, 5];
    for (let power = Math.floor(low); power <= high; power += 1) {
      for (const part of parts) {
        const at = power + Math.log10(part);
        if (at < low || at > high) continue;
        c.strokeStyle = colour("--grid");
        line(c, x(at), 0, x(at), height - 20);
        c.fillStyle = colour("--faint");
        c.textAlign = "center";
        c.fillText(duration((part * 10 ** power) / 1000).replace(".0 ", " "), x(at), height - 8);
      }
    }
    rows.forEach((row, i) => {
      const base = (i + 1) * tall - 4;
      c.fillStyle = colour("--ink");
      c.textAlign = "left";
      c.fillText(row.name, 0, base - 24);
      c.fillStyle = colour("--faint");
      c.fillText(`${row.link}, ${number(Math.max(...row.legs.map((l) => l.n)))}`, 0, base - 9);
      c.strokeStyle = colour("--line");
      line(c, names, base, right, base);
      row.legs.forEach((leg) => {
        const tone = colour(leg.leg === "out" ? "--accent" : "--violet");
        const most = Math.max(...leg.bins);
        const wide = (leg.hi - leg.lo) / leg.bins.length;
        c.fillStyle = tone;
        c.strokeStyle = tone;
        c.globalAlpha = 0.28;
        leg.bins.forEach((count, b) => {
          const tallness = (count / most) * (tall - 12);
          c.fillRect(x(leg.lo + b * wide), base - tallness, Math.max(1, x(leg.lo + (b + 1) * wide) - x(leg.lo + b * wide)), tallness);
        });
        c.globalAlpha = 1;
        c.lineWidth = 1.6;
        line(c, x(Math.log10(leg.p50)), base, x(Math.log10(leg.p50)), base - tall + 12);
        c.setLineDash([2, 2]);
        line(c, x(Math.log10(leg.p99)), base, x(Math.log10(leg.p99)), base - tall + 20);
        c.setLineDash([]);
        const at = base - (leg.leg === "out" ? 24 : 9);
        c.fillText(`${duration(leg.p50 / 1000)}, 99 % ${duration(leg.p99 / 1000)}`, right + 14, at);
      });
    });
  });
  return section;
}

function eventSection(run) {
  const { rows, total } = run.events;
  const body = el("tbody", {});
  const names = [...new Set(rows.map((row) => row[2]))].sort();
  function fill(name) {
    body.replaceChildren(...rows.filter((row) => name === "" || row[2] === name).map((row) => el("tr", { class: "row" },
      el("td", { class: "n" }, clock(run.epoch, row[0], 1)), el("td", {}, row[2]), el("td", {}, row[3] || ""), el("td", {}, row[4] || ""), el("td", { class: "text" }, row[5]))));
  }
  const pick = el("select", { "aria-label": "kind of event", onchange: (e) => fill(e.target.value) },
    el("option", { value: "" }, "all"), ...names.map((name) => el("option", { value: name }, name)));
  fill("");
  const shown = rows.length < total ? `${number(rows.length)} of ${number(total)}, evenly chosen` : `${number(total)} in all`;
  const section = card("Sessions, and what the desk concluded", shown, el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, ...["UTC", "event", "link", "order", ""].map((name, i) => el("th", { class: i ? "" : "n" }, name)))), body)));
  section.querySelector(".head").append(pick);
  return section;
}

function figureSection(run) {
  const body = el("tbody", {});
  let group = "";
  for (const [where, title, unit, value] of run.figures) {
    if (where !== group) body.append(el("tr", { class: "group" }, el("td", { colspan: 3 }, where)));
    group = where;
    body.append(el("tr", { class: "row" }, el("td", {}, title), el("td", { class: "n" }, number(value)), el("td", {}, unit)));
  }
  return el("section", { class: "card" },
    el("details", {}, el("summary", {}, "All figures of this run"), el("table", { style: "max-width:640px" }, body)),
    el("details", {}, el("summary", {}, "All inputs of this run (run.toml)"), el("pre", {}, run.inputs)));
}
