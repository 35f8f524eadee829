// A comparison: finding, table, plots over seeds, differences, and one run on each road.

function roadColour(index) {
  return `var(--r${index % 8})`;
}

function comparisonPage(comparison, runs) {
  const page = el("div", {});
  page.append(card("What was found", `${comparison.name}, ${comparison.roads.length} roads, ${comparison.seeds.length} ${comparison.seeds.length === 1 ? "seed" : "seeds"}`,
    el("p", { class: "finding" }, comparison.finding)));
  page.append(plotSection(comparison), pairSection(comparison), tableSection(comparison));
  page.append(runTabs(comparison, runs));
  return page;
}

function tableSection(comparison) {
  const body = el("tbody", {});
  let group = "";
  for (const figure of comparison.figures) {
    if (figure.group !== group) body.append(el("tr", { class: "group" }, el("td", { colspan: comparison.roads.length + 1 }, figure.group)));
    group = figure.group;
    body.append(el("tr", { class: "row" }, el("td", {}, figure.title + (figure.unit ? `, ${figure.unit}` : "")),
      ...figure.rows.map((row, i) => el("td", { class: figure.best === i ? "n best" : "n", title: row.values.map((v, s) => `seed ${comparison.seeds[s]}: ${number(v)}`).join("\n") },
        row.mean === 0 && !row.stdev ? "0" : number(row.mean, figure.decimals[i]), row.stdev === null || (row.mean === 0 && !row.stdev) ? null : el("span", { class: "pm" }, ` ± ${number(row.stdev, figure.decimals[i])}`)))));
  }
  const head = el("thead", {}, el("tr", {}, el("th", {}, ""), ...comparison.roads.map((road, i) => el("th", { class: "n", title: road.name },
    el("span", { style: `color:${roadColour(i)}` }, "■ "), road.title))));
  return card("All figures", "Mean over seeds ± sample standard deviation. ● clearly better than each other road (95 % paired interval leaves out 0).",
    el("div", { class: "wide" }, el("table", {}, head, body)));
}

function light(event) {
  const seed = event.target.dataset.seed;
  const all = event.target.closest("section").querySelectorAll(".seed");
  for (const dot of all) {
    dot.classList.toggle("lit", event.type === "pointerenter" && dot.dataset.seed === seed);
    dot.classList.toggle("dim", event.type === "pointerenter" && dot.dataset.seed !== seed);
  }
}

function dot(x, y, index, seed, text) {
  const node = svg("circle", { class: "seed", cx: x, cy: y, r: 4.2, fill: roadColour(index), "data-seed": seed }, svg("title", {}, text));
  node.addEventListener("pointerenter", light);
  node.addEventListener("pointerleave", light);
  return node;
}

function plotSection(comparison) {
  const plots = comparison.plotted.map((name) => comparison.figures.find((figure) => figure.key === name))
    .filter((figure) => figure.rows.some((row) => row.values.some((v) => v !== null && v !== 0)))
    .map((figure) => dotPlot(comparison, figure));
  const legend = el("div", { class: "key" }, ...comparison.roads.map((road, i) => el("span", {}, el("i", { style: `background:${roadColour(i)}` }), road.title)));
  return card("Over seeds", "A dot is a seed, the bar its road's mean. Point at a dot to see its seed on every road: all roads of a seed saw one market.",
    legend, el("div", { class: "plots" }, ...plots));
}

function scale(values, left, right) {
  let low = Math.min(0, ...values);
  let high = Math.max(0, ...values);
  if (low === high) high = 1;
  const pad = (high - low) * 0.05;
  low = low < 0 ? low - pad : low;
  high = high > 0 ? high + pad : high;
  return { x: (v) => left + ((v - low) / (high - low)) * (right - left), ticks: niceTicks(low, high, 4) };
}

function axis(parent, x, ticks, top, bottom) {
  const step = ticks.length > 1 ? ticks[1] - ticks[0] : 1;
  for (const tick of ticks) {
    parent.append(svg("line", { x1: x(tick), x2: x(tick), y1: top, y2: bottom, style: `stroke:var(${tick === 0 ? "--faint" : "--grid"})` }));
    parent.append(svg("text", { x: x(tick), y: bottom + 14, "text-anchor": "middle" }, axisText(tick, step)));
  }
}

function dotPlot(comparison, figure) {
  const names = Math.min(92, 14 + 6 * Math.max(...comparison.roads.map((road) => road.name.length)));
  const width = 330;
  const tall = 22;
  const bottom = comparison.roads.length * tall + 6;
  const known = figure.rows.flatMap((row) => row.values).filter((v) => v !== null);
  const { x, ticks } = scale(known, names, width - 12);
  const plot = svg("svg", { viewBox: `0 0 ${width} ${bottom + 22}`, role: "img", "aria-label": figure.title });
  axis(plot, x, ticks, 0, bottom);
  figure.rows.forEach((row, i) => {
    const y = i * tall + 14;
    plot.append(svg("text", { x: names - 10, y: y + 4, "text-anchor": "end" }, comparison.roads[i].name));
    if (row.mean !== null) plot.append(svg("rect", { x: x(row.mean) - 1.5, y: y - 8, width: 3, height: 16, rx: 1, style: `fill:${roadColour(i)};opacity:.55` }));
    row.values.forEach((value, s) => {
      if (value !== null) plot.append(dot(x(value), y, i, comparison.seeds[s], `${comparison.roads[i].title}, seed ${comparison.seeds[s]}: ${number(value)} ${figure.unit}`));
    });
  });
  return el("div", {}, el("h3", {}, figure.title, figure.unit ? el("span", { style: "color:var(--soft);font-weight:400" }, `, ${figure.unit}`) : null), plot);
}

function pairSection(comparison) {
  const rows = comparison.pairs.slice(0, 15);
  if (!rows.length) return el("div", {});
  const names = 190;
  const width = 1290;
  const tall = 26;
  const bottom = rows.length * tall + 6;
  const values = rows.flatMap((row) => [row.mean, row.low, row.high, ...row.values]).filter((v) => v !== null);
  const { x, ticks } = scale(values, names, width - 330);
  const plot = svg("svg", { viewBox: `0 0 ${width} ${bottom + 22}`, role: "img", "aria-label": "paired differences of net P&L" });
  axis(plot, x, ticks, 0, bottom);
  rows.forEach((row, i) => {
    const y = i * tall + 16;
    plot.append(svg("text", { x: names - 14, y: y + 4, "text-anchor": "end" }, `${comparison.roads[row.a].name} − ${comparison.roads[row.b].name}`));
    row.values.forEach((value, s) => {
      if (value !== null) {
        const node = dot(x(value), y, row.a, comparison.seeds[s], `seed ${comparison.seeds[s]}: ${number(value)} ${comparison.currency}`);
        node.setAttribute("r", 3);
        node.style.opacity = 0.65;
        plot.append(node);
      }
    });
    const tone = row.clear ? "var(--ink)" : "var(--faint)";
    if (row.low !== null) plot.append(svg("line", { x1: x(row.low), x2: x(row.high), y1: y, y2: y, style: `stroke:${tone};stroke-width:2` }));
    plot.append(svg("rect", { x: x(row.mean) - 1.5, y: y - 7, width: 3, height: 14, style: `fill:${tone}` }));
    const words = row.low === null ? "one seed" : row.clear ? "clear" : "within the spread";
    plot.append(svg("text", { x: width - 312, y: y + 4 }, `${brief(row.mean)} ${comparison.currency}, higher in ${row.above} of ${row.seeds} seeds, ${words}`));
  });
  return card("Differences of net P&L, seed by seed", `In ${comparison.currency}, the higher road first. Bar: mean, line: 95 % paired t interval, dots: seeds.`,
    el("div", { class: "forest" }, plot));
}

function runTabs(comparison, runs) {
  const host = el("div", {});
  const tabs = el("div", { class: "tabs", role: "tablist" });
  const links = comparison.links.map(([road, seed, address]) => el("a", { href: address, style: "margin-right:12px" }, `${comparison.roads[road].name}, seed ${seed}`));
  const section = el("div", {}, el("section", { class: "card" },
    el("div", { class: "head" }, el("h2", {}, "One run on each road"), el("div", { class: "sub" }, `Seed ${comparison.seed}, whose net P&L is the median of the seeds.`)),
    tabs, links.length ? el("details", {}, el("summary", {}, `Runs with a page of their own: ${links.length}`), el("p", {}, ...links)) : null), host);
  const made = new Map();
  function show(index) {
    for (const button of tabs.children) button.classList.toggle("on", Number(button.dataset.run) === index);
    if (!made.has(index)) made.set(index, runPage(runs[index]));
    host.replaceChildren(made.get(index));
    redrawAll();
  }
  comparison.runs.forEach((index) => tabs.append(el("button", { "data-run": index, role: "tab", onclick: () => show(index) }, runs[index].title)));
  if (comparison.runs.length) show(comparison.runs[0]);
  else host.append(el("p", { class: "note" }, "The folders of the runs are not beside the comparison."));
  return section;
}
