// How a run differs from its replay: one row for each cause, and the orders that were filled otherwise.

function divergenceSection(run) {
  const { divergence: found } = run;
  const bars = waterfall(found);
  const rows = found.steps.map((step, i) => el("tr", { class: "row" },
    el("td", {}, step.cause), el("td", {}, step.assumed), el("td", {}, step.measured),
    el("td", { class: "n" }, step.net), el("td", { class: "bars" }, bars[i]),
    el("td", { class: "n" }, step.fills), el("td", { class: "n" }, step.turnover)));
  const end = (label, side) => el("tr", { class: "group" }, el("td", { colspan: 3 }, label),
    el("td", { class: "n" }, side.net), el("td", {}), el("td", { class: "n" }, side.fills), el("td", { class: "n" }, side.turnover));
  const table = el("table", { class: "divergence" },
    el("thead", {}, el("tr", {}, el("th", {}, ""), el("th", {}, "assumed"), el("th", {}, "measured"),
      el("th", { class: "n" }, `net P&L, ${run.currency}`), el("th", {}, ""), el("th", { class: "n" }, "fills"),
      el("th", { class: "n" }, `turnover, ${run.currency}`))),
    el("tbody", {}, end(found.label, found.backtest), ...rows, end("the run has", found.run)));
  const parts = [table, ...found.words.map((words) => el("p", { class: "note" }, words))];
  if (found.orders.length) parts.push(otherwise(run, found));
  return card("Why it came out otherwise", found.sub, ...parts);
}

// For each step a bar from what stood before it to what stands after it, all on one scale.
function waterfall(found) {
  const after = [found.backtest.value];
  for (const step of found.steps) after.push(after[after.length - 1] + step.value);
  const low = Math.min(0, ...after);
  const span = Math.max(0, ...after) - low || 1;
  const at = (value) => ((value - low) / span) * 100;
  return found.steps.map((step, i) => {
    const from = Math.min(after[i], after[i + 1]);
    const wide = step.value ? Math.max(0.6, (Math.abs(step.value) / span) * 100) : 0;
    const tone = step.value < 0 ? "--bad" : "--good";
    return el("div", { class: "track" }, el("i", { class: "zero", style: `left:${at(0)}%` }),
      wide ? el("i", { style: `left:${at(from)}%;width:${wide}%;background:var(${tone})` }) : null);
  });
}

function otherwise(run, found) {
  const rows = found.orders.map((order) => el("tr", { class: "row" },
    el("td", { class: "n" }, clock(run.epoch, order.t, 1)), el("td", {}, order.symbol), el("td", {}, order.side),
    el("td", { class: "n" }, order.price), el("td", { class: "n" }, order.run), el("td", { class: "n" }, order.backtest),
    el("td", { class: "n" }, order.value), el("td", {}, order.cause)));
  const names = ["sent, UTC", "pair", "side", "price", "run", "replay", `net P&L, ${run.currency}`, "likely cause"];
  const left = new Set([1, 2, 7]);
  return el("details", { open: true }, el("summary", {}, found.orders_title),
    el("div", { class: "scroll" }, el("table", {},
      el("thead", {}, el("tr", {}, ...names.map((name, i) => el("th", { class: left.has(i) ? "" : "n" }, name)))),
      el("tbody", {}, ...rows))));
}
