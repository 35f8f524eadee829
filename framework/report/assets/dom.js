// Elements, numbers and times. Texts reach the page as text nodes only.

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function card(title, sub, ...children) {
  const head = el("div", { class: "head" }, el("h2", {}, title), sub ? el("div", { class: "sub" }, sub) : null);
  return el("section", { class: "card" }, head, ...children);
}

function key(...entries) {
  return el("div", { class: "key" }, ...entries.map(([colour, text, style]) =>
    el("span", {}, el("i", { style: `background:var(${colour});${style || ""}` }), text)));
}

function number(value, decimals) {
  if (value === null || value === undefined) return "–";
  const d = decimals === undefined ? digitsFor(Math.abs(value)) : decimals;
  const text = Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: d, maximumFractionDigits: d });
  return (value < 0 && /[1-9]/.test(text) ? "−" : "") + text;
}

function digitsFor(size) {
  if (size === 0 || Number.isInteger(size)) return 0;
  return Math.max(0, Math.min(8, 3 - Math.floor(Math.log10(size))));
}

// A number with three significant digits.
function brief(value) {
  return number(value, Number.isInteger(value) ? 0 : Math.max(0, Math.min(8, 2 - Math.floor(Math.log10(Math.abs(value))))));
}

function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  const size = Math.abs(ms);
  if (size >= 7200000) return `${number(ms / 3600000, 1)} h`;
  if (size >= 120000) return `${number(ms / 60000, 1)} min`;
  if (size >= 1000) return `${number(ms / 1000, size >= 10000 ? 1 : 2)} s`;
  if (size >= 1) return `${number(ms, size >= 100 ? 0 : 1)} ms`;
  return `${number(ms * 1000, 0)} µs`;
}

// A time of a run in UTC, with as many decimals as a step of the axis needs.
function clock(epoch, ms, step) {
  const micros = Math.round(ms * 1000);
  const whole = Math.floor(micros / 1000);
  const text = new Date(epoch + whole).toISOString().slice(11, 23);
  if (step >= 60000) return text.slice(0, 5);
  if (step >= 1000) return text.slice(0, 8);
  return step >= 1 ? text : text + String(micros - whole * 1000).padStart(3, "0");
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Index of the last of the ascending numbers that is not above a value; -1 if all are.
function lastNotAbove(values, value) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function niceTicks(low, high, count) {
  const span = high - low;
  if (!(span > 0)) return [low];
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= raw) || raw;
  const ticks = [];
  for (let i = Math.ceil(low / step); i * step <= high + step * 1e-9; i += 1) ticks.push(i * step);
  return ticks;
}
