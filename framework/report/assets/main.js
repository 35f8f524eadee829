// The page: header, theme, and what the data holds.

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  redrawAll();
}

function start() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  setTheme(dark.matches ? "dark" : "light");
  dark.addEventListener("change", (event) => setTheme(event.matches ? "dark" : "light"));
  const page = document.getElementById("page");
  const only = data.comparisons.length ? null : data.runs[0];
  const sub = only
    ? `${only.strategy}, seed ${only.seed}, ${only.markets.map((m) => m.symbol).join(", ")}, from ${only.from}, ${duration(only.span)}`
    : "One market, one strategy, several roads to the exchange.";
  page.append(el("header", { class: "top" },
    el("div", {}, el("h1", {}, only ? only.title : "Roads compared"), el("div", { class: "sub" }, sub)),
    el("button", { onclick: () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark") }, "light / dark")));
  if (only) page.append(runPage(only));
  else if (data.comparisons.length === 1) page.append(comparisonPage(data.comparisons[0], data.runs));
  else page.append(...strategies(data));
  page.append(el("footer", {}, "Computed from the run folders alone; times are UTC."));
  document.documentElement.dataset.ready = "yes";
}

function strategies(data) {
  const host = el("div", {});
  const tabs = el("div", { class: "tabs", role: "tablist" });
  const made = new Map();
  function show(index) {
    [...tabs.children].forEach((button, i) => button.classList.toggle("on", i === index));
    if (!made.has(index)) made.set(index, comparisonPage(data.comparisons[index], data.runs));
    host.replaceChildren(made.get(index));
    redrawAll();
  }
  data.comparisons.forEach((comparison, i) => tabs.append(el("button", { role: "tab", onclick: () => show(i) }, comparison.name)));
  show(0);
  return [tabs, host];
}

start();
