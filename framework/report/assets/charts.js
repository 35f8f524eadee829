// Charts over time on canvas. Charts of one view share its window and its cursor.

const redraws = new Set();
const MARGIN = { left: 66, right: 14, top: 8, bottom: 20 };
const STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000,
  10000, 15000, 30000, 60000, 120000, 300000, 600000, 900000, 1800000, 3600000, 7200000, 14400000, 43200000, 86400000];

function redrawAll() {
  for (const redraw of redraws) redraw();
}

function makeView(low, high, margin) {
  const pad = Math.max((high - low) * (margin || 0.004), 0.01);
  const listeners = [];
  const view = {
    min: low - pad, max: high + pad, lo: low - pad, hi: high + pad, cursor: null,
    on(listener) { listeners.push(listener); },
    tell() { for (const listener of listeners) listener(); },
    set(a, b) {
      const width = Math.max(b - a, 0.02);
      view.lo = Math.max(view.min, a);
      view.hi = Math.min(view.max, Math.max(view.lo + width, b));
      view.tell();
    },
    reset() { view.lo = view.min; view.hi = view.max; view.tell(); },
    point(t) { view.cursor = t; view.tell(); },
  };
  return view;
}

// A canvas as wide as its host. draw(context, width, height) is called whenever it must be drawn again.
function surface(host, height, draw) {
  const canvas = el("canvas", {});
  host.append(canvas);
  let wanted = false;
  let tall = height;
  function paint() {
    wanted = false;
    const width = host.clientWidth;
    if (!width || !canvas.isConnected) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(tall * ratio);
    canvas.style.height = `${tall}px`;
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, tall);
    context.font = '11px system-ui, "DejaVu Sans", sans-serif';
    draw(context, width, tall);
  }
  function redraw() {
    if (wanted) return;
    wanted = true;
    requestAnimationFrame(paint);
  }
  new ResizeObserver(redraw).observe(host);
  redraws.add(redraw);
  return { canvas, redraw, resize(to) { tall = to; redraw(); } };
}

// o: height, name, epoch, range(lo, hi) -> [low, high] or null, draw(c, x, y, area), tips(t) -> [[colour, text]],
// yText(value, step), shades [[from, until, kind]], pick(t, px, py, x, y), lanes [[text, y]] in place of a scale.
function timeChart(parent, view, o) {
  const host = el("div", { class: "chart" });
  parent.append(host);
  if (o.name) host.append(el("div", { class: "name" }, o.name));
  const tip = el("div", { class: "tip", hidden: true });
  let drag = null;
  let scaleX = null;
  let scaleY = null;
  const drawn = surface(host, o.height, (c, width, height) => {
    const area = { left: MARGIN.left, right: width - MARGIN.right, top: o.top ?? MARGIN.top, bottom: height - MARGIN.bottom };
    const x = (t) => area.left + ((t - view.lo) / (view.hi - view.lo)) * (area.right - area.left);
    let [low, high] = (o.range && o.range(view.lo, view.hi)) || [0, 1];
    if (!(high > low) && o.floor !== undefined) high = low + 1;
    if (!(high > low)) { const around = Math.abs(low) * 0.001 || 1; low -= around; high += around; }
    const room = (high - low) * 0.08;
    low -= o.floor === undefined ? room : 0;
    high += room;
    const y = (v) => area.bottom - ((v - low) / (high - low)) * (area.bottom - area.top);
    scaleX = x;
    scaleY = y;
    const ink = colour("--faint");
    c.lineWidth = 1;
    c.textBaseline = "middle";
    shade(c, o.shades, x, area);
    c.fillStyle = ink;
    c.strokeStyle = colour("--grid");
    if (o.lanes) {
      c.textAlign = "right";
      for (const [text, at] of o.lanes) {
        c.fillText(text, area.left - 8, at);
        line(c, area.left, at, area.right, at);
      }
    } else {
      const ticks = niceTicks(low, high, Math.max(3, Math.floor((area.bottom - area.top) / 34)));
      const step = ticks.length > 1 ? ticks[1] - ticks[0] : 1;
      c.textAlign = "right";
      for (const tick of ticks) {
        if (y(tick) < area.top - 1 || y(tick) > area.bottom + 1) continue;
        line(c, area.left, y(tick), area.right, y(tick));
        c.fillText((o.yText || axisText)(tick, step), area.left - 8, y(tick));
      }
    }
    timeAxis(c, x, view, area, height, o.epoch, ink);
    c.save();
    c.beginPath();
    c.rect(area.left, 0, area.right - area.left, area.bottom + 1);
    c.clip();
    o.draw(c, x, y, area);
    if (drag && drag.moved) {
      c.fillStyle = colour("--band");
      c.fillRect(Math.min(drag.from, drag.to), 0, Math.abs(drag.to - drag.from), area.bottom);
    }
    if (view.cursor !== null && view.cursor >= view.lo && view.cursor <= view.hi) {
      c.strokeStyle = ink;
      c.setLineDash([3, 3]);
      line(c, x(view.cursor), area.top, x(view.cursor), area.bottom);
      c.setLineDash([]);
    }
    c.restore();
  });
  host.append(tip);
  const canvas = drawn.canvas;
  const timeAt = (px) => {
    const width = host.clientWidth - MARGIN.left - MARGIN.right;
    return view.lo + ((px - MARGIN.left) / width) * (view.hi - view.lo);
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    drag = { from: event.offsetX, to: event.offsetX, moved: false, shift: event.shiftKey, lo: view.lo, hi: view.hi };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const t = timeAt(event.offsetX);
    if (drag) {
      drag.to = event.offsetX;
      drag.moved = drag.moved || Math.abs(drag.to - drag.from) > 4;
      if (drag.shift) {
        const by = ((drag.from - drag.to) / (host.clientWidth - MARGIN.left - MARGIN.right)) * (drag.hi - drag.lo);
        if (drag.lo + by >= view.min && drag.hi + by <= view.max) view.set(drag.lo + by, drag.hi + by);
        return;
      }
    }
    view.point(t);
    showTip(event.offsetX, event.offsetY, t);
  });
  canvas.addEventListener("pointerup", (event) => {
    const was = drag;
    drag = null;
    if (!was || was.shift) return;
    if (was.moved) view.set(...[timeAt(was.from), timeAt(was.to)].sort((a, b) => a - b));
    else if (o.pick) o.pick(timeAt(event.offsetX), event.offsetX, event.offsetY, scaleX, scaleY);
    drawn.redraw();
  });
  canvas.addEventListener("pointercancel", () => { drag = null; drawn.redraw(); });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; view.point(null); });
  canvas.addEventListener("dblclick", () => view.reset());
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const t = timeAt(event.offsetX);
    const factor = event.deltaY > 0 ? 1.25 : 0.8;
    view.set(t - (t - view.lo) * factor, t + (view.hi - t) * factor);
  }, { passive: false });
  function showTip(px, py, t) {
    const rows = o.tips ? o.tips(t, px, py, scaleX, scaleY) : [];
    tip.hidden = !rows || rows.length === 0;
    if (tip.hidden) return;
    const step = (view.hi - view.lo) / 200;
    tip.replaceChildren(el("div", {}, clock(o.epoch, t, Math.min(step, 999))),
      ...rows.map(([name, text]) => el("div", {}, name ? el("i", { style: `background:var(${name})` }) : null, text)));
    const room = host.clientWidth;
    tip.style.left = px + 16 + tip.offsetWidth > room ? `${px - tip.offsetWidth - 12}px` : `${px + 16}px`;
    tip.style.top = `${Math.max(0, Math.min(py - 10, host.clientHeight - tip.offsetHeight))}px`;
  }
  view.on(drawn.redraw);
  return { host, redraw: drawn.redraw, resize: drawn.resize };
}

function axisText(value, step) {
  const decimals = Math.max(0, Math.min(8, -Math.floor(Math.log10(step) + 1e-9)));
  return number(value, step * 10 ** decimals % 1 > 1e-9 ? decimals + 1 : decimals);
}

function timeAxis(c, x, view, area, height, epoch, ink) {
  const wanted = (view.hi - view.lo) / Math.max(2, (area.right - area.left) / 120);
  const step = STEPS.find((s) => s >= wanted) || STEPS[STEPS.length - 1];
  c.textAlign = "center";
  c.fillStyle = ink;
  const offset = step >= 1000 ? epoch % 86400000 % step : 0;
  for (let t = Math.ceil((view.lo + offset) / step) * step - offset; t <= view.hi; t += step) {
    c.strokeStyle = colour("--grid");
    line(c, x(t), area.top, x(t), area.bottom);
    const half = 30;
    if (x(t) > area.left + half - 20 && x(t) < area.right - half + 20) c.fillText(clock(epoch, t, step), x(t), height - 8);
  }
}

function shade(c, shades, x, area) {
  for (const [from, until, kind] of shades || []) {
    c.fillStyle = colour(kind === "down" ? "--down" : "--orphan");
    const left = Math.max(area.left, x(from));
    const right = Math.min(area.right, Math.max(x(until), x(from) + 1));
    if (right > left) c.fillRect(left, area.top, right - left, area.bottom - area.top);
  }
}

function line(c, x0, y0, x1, y1) {
  c.beginPath();
  c.moveTo(x0, y0);
  c.lineTo(x1, y1);
  c.stroke();
}

// Points of a series within a window, one before and one after it included.
function within(times, lo, hi) {
  return [Math.max(0, lastNotAbove(times, lo)), Math.min(times.length, lastNotAbove(times, hi) + 2)];
}

function stepLine(c, x, y, times, values, lo, hi, straight) {
  const [from, until] = within(times, lo, hi);
  c.beginPath();
  let open = false;
  for (let i = from; i < until; i += 1) {
    if (values[i] === null) { open = false; continue; }
    if (!open) c.moveTo(x(times[i]), y(values[i]));
    else {
      if (!straight) c.lineTo(x(times[i]), y(values[i - 1]));
      c.lineTo(x(times[i]), y(values[i]));
    }
    open = true;
  }
  c.stroke();
}

function rangeOf(times, values, lo, hi) {
  const [from, until] = within(times, lo, hi);
  let low = Infinity;
  let high = -Infinity;
  for (let i = from; i < until; i += 1) {
    if (values[i] === null) continue;
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  return [low, high];
}

function joined(...ranges) {
  const low = Math.min(...ranges.map((r) => r[0]));
  const high = Math.max(...ranges.map((r) => r[1]));
  return Number.isFinite(low) && Number.isFinite(high) ? [low, high] : null;
}

function valueAt(series, t) {
  const i = lastNotAbove(series.t, t);
  return i < 0 ? null : series.v[i];
}

function triangle(c, x, y, size, isUp, isFull) {
  c.beginPath();
  const tip = isUp ? -size : size;
  c.moveTo(x, y + tip);
  c.lineTo(x - size, y - tip * 0.8);
  c.lineTo(x + size, y - tip * 0.8);
  c.closePath();
  if (isFull) c.fill();
  c.stroke();
}

function diamond(c, x, y, size) {
  c.beginPath();
  c.moveTo(x, y - size);
  c.lineTo(x + size, y);
  c.lineTo(x, y + size);
  c.lineTo(x - size, y);
  c.closePath();
  c.fill();
  c.stroke();
}
