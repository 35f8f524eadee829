
// The status page: asks the control API once a second, shows what it says, and does what is clicked.

const EVERY_MS = 1000;
const STEPS_MS = [100, 1000, 10000, 60000];
const SPEEDS = ["1/10", "1/2", "1", "2", "5", "10", "60"];
const page = document.getElementById("page");
let token = "";
let timer = 0;
let shown = null;

// ------------------------------------------------------------------------------------------------ the API

async function ask(method, path, body) {
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(`/v1${path}`, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
  const value = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(value.error), { status: answer.status });
  return value;
}

async function act(what, path, body) {
  try {
    const value = await ask("POST", path, body || {});
    tell(typeof what === "function" ? what(value) : what);
  } catch (error) {
    tell(error.message, true);
  }
  refresh();
}

async function refresh() {
  clearTimeout(timer);
  if (!document.hidden) {
    try {
      const state = await ask("GET", "/state");
      if (!shown) shown = build(state);
      shown.show(state);
      document.documentElement.dataset.ready = "yes";
    } catch (error) {
      if (error.status === 401) return enter("This is not the token of the venue that runs now.");
      if (shown) tell(error.status ? error.message : "The venue does not answer.", true);
      else page.replaceChildren(el("p", { class: "note" }, `The venue does not answer: ${error.message}`));
    }
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, EVERY_MS);
}

function tell(text, isBad) {
  if (!shown) return;
  say(shown.told, text);
  dress(shown.told, isBad ? "told bad" : "told");
}

// ------------------------------------------------------------------------------------------------ the token

function enter(why) {
  clearTimeout(timer);
  shown = null;
  const field = el("input", { type: "password", placeholder: "token", "aria-label": "token", autocomplete: "off", required: true });
  const submit = (event) => {
    event.preventDefault();
    keep(field.value.trim());
    refresh();
  };
  page.replaceChildren(el("form", { class: "card enter", onsubmit: submit }, el("h1", {}, "Tidegate venue"),
    el("p", { class: "note" }, why || "Give the token that the venue printed when it opened; it is in the ready file, too."),
    field, el("button", {}, "Show the venue")));
  field.focus();
}

function keep(given) {
  token = given;
  try { sessionStorage.setItem("token", token); } catch { /* it is asked for again after a reload */ }
}

// The token comes with the address; it does not stay there, where it could be seen or copied.
function begin() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token") || new URLSearchParams(location.search).get("token");
  if (given) {
    history.replaceState(null, "", location.pathname);
    keep(given);
  } else {
    try { token = sessionStorage.getItem("token") || ""; } catch { token = ""; }
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden && shown) refresh(); });
  addEventListener("hashchange", () => { if (location.hash.includes("token=")) begin(); });
  if (token) refresh();
  else enter();
}

// ------------------------------------------------------------------------------------------------ words

const clock = (time) => time.slice(11, 23);
const second = (time) => time.slice(11, 19);
const mode = (name) => name.replaceAll("_", " ");
const modeLook = (name) => name === "online" ? "" : name === "maintenance" ? "bad" : "warn";
const plain = (digits) => digits && digits.includes(".") ? digits.replace(/0+$/, "").replace(/\.$/, "") : digits;
const grouped = (digits) => plain(digits).replace(/^-?\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));
const many = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;
const modes = (state) => state.modes.map((name) => [name, mode(name)]);

// ------------------------------------------------------------------------------------------------ the page

function build(state) {
  const parts = [top(state), sessions(), fixSessions(), orders(), books(state), figures(), fills(), faults(state)];
  const [head, lines, fix, open, book, money, done, wrong] = parts;
  page.replaceChildren(head.node, head.bar, el("div", { class: "two" }, lines.node, fix.node), book.node, open.node,
    el("div", { class: "two" }, done.node, wrong.node), el("div", { class: "two even" }, ...money.nodes));
  return { told: head.told, show(now) { for (const part of parts) part.show(now); } };
}

function top(state) {
  const time = el("span", {}), day = el("span", { class: "day" }), run = el("span"), engine = el("span");
  const told = el("span", { class: "told", role: "status" });
  const pause = el("button", { id: "pause" }, "Pause");
  let isPaused = false;
  pause.addEventListener("click", () => act(isPaused ? "Time goes on." : "Time stands still.", isPaused ? "/time/resume" : "/time/pause"));
  const steps = STEPS_MS.map((ms) => el("button", { onclick: () => act(`Time jumped ${ms / 1000} s ahead.`, "/time/step", { ms }) }, `+${ms / 1000} s`));
  const speed = select("speed of time", SPEEDS.map((text) => [text, `${text}×`]), (value) => act(`Time runs at ${value}×.`, "/time/speed", { speed: value }));
  const engineMode = select("mode of the venue", modes(state), (value) => act(`The venue is in mode ${mode(value)}.`, "/mode", { mode: value }));
  const rollover = el("button", { onclick: () => act((value) => Object.entries(value)
    .map(([name, each]) => `${name}: rolled over; logons are refused until ${second(each.logon_refused_until)}.`).join(" "), "/rollover") }, "FIX rollover");
  return {
    told,
    node: el("header", {}, el("h1", {}, "Tidegate venue"), el("span", { class: "clock" }, time, day), run, engine, told),
    bar: el("section", { class: "card bar" },
      el("div", { class: "group" }, el("span", {}, "Time"), pause, ...steps, speed),
      el("div", { class: "group" }, el("span", {}, "Engine"), engineMode),
      el("div", { class: "group" }, el("span", {}, "Day"), rollover)),
    show(now) {
      isPaused = now.is_paused;
      say(time, now.is_paused ? clock(now.time) : second(now.time));
      say(day, `${now.time.slice(0, 10)} UTC`);
      say(run, now.is_paused ? "paused" : `running at ${now.speed}×`);
      dress(run, now.is_paused ? "badge warn" : "badge");
      say(engine, mode(now.mode));
      dress(engine, `badge ${modeLook(now.mode)}`);
      say(pause, now.is_paused ? "Resume" : "Pause");
      if (!SPEEDS.includes(now.speed) && ![...speed.options].some((option) => option.value === now.speed)) {
        speed.append(el("option", { value: now.speed }, `${now.speed}×`));
      }
      choose(speed, now.speed);
      choose(engineMode, now.mode);
      dress(engineMode, modeLook(now.mode));
    },
  };
}

function sessions() {
  const drop = (number, how) => () => act((value) => `${many(value.dropped.length, "session")} dropped.`, "/sessions/drop",
    number === null ? { all: true, how } : { number, how });
  const button = (label, title, number, how) => el("button", { class: "small", title, onclick: drop(number, how) }, label);
  const rows = table([
    ["#", "n", (row) => row.number],
    ["kind", "", (row) => row.kind],
    ["client", "", (row) => row.address],
    ["account", "long", (row) => row.accounts.join(", ") || "–"],
    ["received", "n", (row) => row.received.toLocaleString("en-US")],
    ["sent", "n", (row) => row.sent.toLocaleString("en-US")],
    ["since", "n", (row) => second(row.opened)],
    ["", "", (row) => row.is_half_open ? "half open" : "", () => "warn"],
  ], (row) => row.number, "Nobody is connected. Requests of REST come and go without a session.", (row) => [
    button("close", "in good order", row.number, "close"),
    button("cut", "without a word", row.number, "abort"),
    button("half open", "stop reading and answering, and leave the line as it is", row.number, "half_open"),
  ]);
  const made = card("Sessions", extra(button("close all", "in good order", null, "close"), button("cut all", "without a word", null, "abort")), rows.node);
  return {
    node: made.node,
    show(now) {
      rows.show(now.sessions.connections);
      const more = now.sessions.count - now.sessions.connections.length;
      say(made.count, more > 0 ? `${now.sessions.count}, the oldest ${now.sessions.connections.length} shown` : now.sessions.count || "");
    },
  };
}

function fixSessions() {
  const rows = table([
    ["SenderCompID", "long", (row) => row.sender_comp_id],
    ["at", "", (row) => row.target_comp_id],
    ["account", "long", (row) => row.account],
    ["", "", (row) => row.is_logged_on ? "logged on" : "off", (row) => row.is_logged_on ? "good" : "faint"],
    ["next of venue", "n", (row) => row.next_seq_num_venue],
    ["of client", "n", (row) => row.next_seq_num_client],
  ], (row) => `${row.sender_comp_id} ${row.target_comp_id}`, "None.");
  const made = card("FIX sessions", rows.node);
  return { node: made.node, show: (now) => rows.show(now.sessions.fix_sessions) };
}

function orders() {
  const rows = table([
    ["order", "", (row) => row.order_id],
    ["client's id", "long", (row) => row.cl_ord_id || "–"],
    ["account", "long", (row) => row.account],
    ["by", "", (row) => row.protocol],
    ["pair", "", (row) => row.pair],
    ["side", "", (row) => row.side, (row) => row.side],
    ["type", "", (row) => row.type],
    ["price", "n", (row) => row.limit_price || "–"],
    ["trigger", "n", (row) => row.trigger_price || "–"],
    ["quantity", "n", (row) => plain(row.quantity)],
    ["filled", "n", (row) => plain(row.filled)],
    ["since", "n", (row) => second(row.opened)],
    ["until", "n", (row) => row.expires ? second(row.expires) : ""],
  ], (row) => row.order_id, "No order is open.");
  const made = card("Open orders", rows.node);
  return {
    node: made.node,
    show(now) {
      rows.show(now.orders.orders);
      const count = now.orders.count;
      say(made.count, count > now.orders.orders.length ? `${count}, the newest ${now.orders.orders.length} shown` : count || "");
    },
  };
}

function fills() {
  const rows = table([
    ["time", "n", (row) => clock(row.time)],
    ["account", "long", (row) => row.account],
    ["pair", "", (row) => row.pair],
    ["side", "", (row) => row.side, (row) => row.side],
    ["price", "n", (row) => row.price],
    ["quantity", "n", (row) => plain(row.quantity)],
    ["fee", "n", (row) => plain(row.fee)],
    ["", "", (row) => row.liquidity, () => "soft"],
  ], (row) => row.trade_id, "Nothing was filled yet.");
  const made = card("Recent fills", rows.node);
  return { node: made.node, show: (now) => rows.show(now.fills) };
}

function books(state) {
  const all = el("div", { class: "books" });
  const level = (side) => () => el("div", { class: `level ${side}` }, el("i"), ...(side === "bid"
    ? [el("span", { class: "qty" }), el("span", { class: "price" })] : [el("span", { class: "price" }), el("span", { class: "qty" })]));
  const make = (book) => {
    const name = book.pair;
    const choice = select(`mode of ${name}`, modes(state), (value) => act(`${name} is in mode ${mode(value)}.`, "/mode", { mode: value, pair: name }));
    return el("section", { class: "card" }, el("div", { class: "head" }, el("h2", {}, name), el("span", { class: "count n" }), choice),
      el("div", { class: "sides" }, el("div"), el("div")));
  };
  const side = (parent, kind, levels, most) => reconcile(parent, levels.map((each, place) => [place, ...each]), ([place]) => place, level(kind),
    (node, [, price, qty]) => {
      say(node.querySelector(".price"), price);
      say(node.querySelector(".qty"), plain(qty));
      node.querySelector("i").style.width = `${Math.max(1, 100 * Number(qty) / most)}%`;
    });
  return {
    node: all,
    show(now) {
      reconcile(all, now.books, (book) => book.pair, make, (node, book) => {
        const [, count, choice] = node.firstChild.children;
        const [bids, asks] = node.lastChild.children;
        const name = now.pair_modes[book.pair];
        say(count, book.last ? `last ${book.last}` : "");
        choose(choice, name);
        dress(choice, modeLook(name));
        const most = Math.max(...[...book.bids, ...book.asks].map(([, qty]) => Number(qty)), 0) || 1;
        side(bids, "bid", book.bids, most);
        side(asks, "ask", book.asks, most);
      });
    },
  };
}

function figures() {
  const counters = el("tbody"), balances = el("tbody");
  const counter = ([, , value]) => {
    const share = Number(value.points) / Number(value.limit);
    return [share, share >= 1 ? "meter bad" : share >= 0.75 ? "meter warn" : "meter"];
  };
  const head = (...names) => el("thead", {}, el("tr", {}, ...names.map(([name, kind]) => el("th", { scope: "col", class: kind }, name))));
  const nodes = [
    card("Rate counters", el("div", { class: "scroll" }, el("table", {}, head(["account"], ["counter"], ["points", "n"], ["limit", "n"], [""]), counters))).node,
    card("Balances", el("div", { class: "scroll" }, el("table", {}, head(["account"], ["asset"], ["total", "n"], ["held by orders", "n"]), balances))).node,
  ];
  return {
    nodes,
    show(now) {
      const points = Object.entries(now.counters).flatMap(([name, all]) => [
        ...Object.entries(all.engine).map(([pair, value]) => [name, pair, value]),
        ...Object.entries(all.calls).map(([label, value]) => [name, `calls, ${label}`, value]),
      ]);
      reconcile(counters, points, ([name, what]) => `${name} ${what}`,
        () => el("tr", {}, el("td"), el("td"), el("td", { class: "n" }), el("td", { class: "n" }), el("td", {}, el("div", {}, el("i")))),
        (row, each) => {
          const [name, what, value] = each;
          const [share, look] = counter(each);
          [name, what, Number(value.points).toFixed(2), value.limit].forEach((text, i) => say(row.children[i], text));
          dress(row.lastChild.firstChild, look);
          row.lastChild.firstChild.firstChild.style.width = `${Math.min(100, 100 * share)}%`;
        });
      const money = Object.entries(now.balances).flatMap(([name, assets]) => Object.entries(assets).map(([asset, value]) => [name, asset, value]));
      reconcile(balances, money, ([name, asset]) => `${name} ${asset}`,
        () => el("tr", {}, el("td"), el("td"), el("td", { class: "n" }), el("td", { class: "n" })),
        (row, [name, asset, value]) => [name, asset, grouped(value.total), grouped(value.held)].forEach((text, i) => say(row.children[i], text)));
    },
  };
}

function faults(state) {
  const what = select("what goes wrong", [...Object.keys(linksOf(state)).map((name) => [`drop ${name}`, `drop ${name}`]),
    ...state.modes.filter((name) => name !== "online").map((name) => [`mode ${name}`, mode(name)])], () => {});
  const seconds = el("input", { class: "short", type: "number", min: "0", step: "0.1", value: "5", "aria-label": "seconds" });
  const submit = (event) => {
    event.preventDefault();
    const [kind, name] = what.value.split(" ");
    act("The fault has begun.", "/faults", { kind, [kind === "drop" ? "link" : "mode"]: name, for_s: Number(seconds.value) });
  };
  const rows = table([
    ["what", "", (row) => row.kind === "drop" ? `drop ${row.link || "all"}` : `${mode(row.mode)}${row.symbol ? ` of ${row.symbol}` : ""}`],
    ["begins", "n", (row) => second(row.begins)],
    ["ends", "n", (row) => row.ends ? second(row.ends) : "–"],
    ["", "", (row) => row.state, (row) => row.state === "lasts" ? "warn" : "faint"],
  ], (row) => row.number, "None was planned.");
  const made = card("Faults", el("form", { class: "group", onsubmit: submit }, what, el("span", {}, "for"), seconds, el("span", {}, "s"), el("button", {}, "Begin now")), rows.node);
  return { node: made.node, show: (now) => rows.show([...now.faults].reverse()) };
}

function linksOf(state) {
  return Object.fromEntries(["all", ...state.protocols].map((name) => [name, name]));
}

begin();
