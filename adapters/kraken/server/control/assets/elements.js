
// Elements, and tables that are brought up to date row by row, so that what is pointed at or chosen stays. Texts reach
// the page as text nodes only.

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

function say(node, text) {
  const shown = text === null || text === undefined ? "" : String(text);
  if (node.textContent !== shown) node.textContent = shown;
}

function dress(node, classes) {
  if (node.className !== classes) node.className = classes;
}

// Have a parent hold one element for each item, in their order; those of before are kept by their keys.
function reconcile(parent, items, keyOf, make, update) {
  const known = parent.known || (parent.known = new Map());
  const wanted = new Set();
  let place = parent.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    wanted.add(key);
    let node = known.get(key);
    if (!node) known.set(key, node = make(item));
    update(node, item);
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
  for (const [key, node] of known) {
    if (wanted.has(key)) continue;
    node.remove();
    known.delete(key);
  }
}

// A table. columns: [heading, class of its cells, what to say of a row, class of that cell now]; actions: of a row.
function table(columns, keyOf, whenEmpty, actions) {
  const head = columns.map(([name, kind]) => el("th", { class: kind, scope: "col" }, name));
  if (actions) head.push(el("th", { scope: "col" }));
  const body = el("tbody");
  const whole = el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, ...head)), body));
  const empty = el("div", { class: "empty" }, whenEmpty);
  const make = (row) => {
    const cells = columns.map(() => el("td"));
    return el("tr", {}, ...cells, actions ? el("td", { class: "acts" }, ...actions(row)) : null);
  };
  const update = (node, row) => columns.forEach(([, kind, text, colour], i) => {
    const cell = node.children[i];
    say(cell, text(row));
    dress(cell, [kind, colour && colour(row)].filter(Boolean).join(" "));
    if (kind === "long" && cell.title !== cell.textContent) cell.title = cell.textContent;
  });
  return {
    node: el("div", {}, whole, empty),
    show(rows) {
      whole.hidden = rows.length === 0;
      empty.hidden = rows.length !== 0;
      reconcile(body, rows, keyOf, make, update);
    },
  };
}

function select(label, options, onchange) {
  const node = el("select", { "aria-label": label, onchange: () => onchange(node.value) });
  node.append(...options.map(([value, text]) => el("option", { value }, text)));
  return node;
}

// Show a value in a list of choices, unless somebody is choosing right now.
function choose(node, value) {
  if (document.activeElement !== node && node.value !== value) node.value = value;
}

function card(title, ...children) {
  const count = el("span", { class: "count" });
  const extra = children[0] && children[0].isExtra ? children.shift().nodes : [];
  return { node: el("section", { class: "card" }, el("div", { class: "head" }, el("h2", {}, title), count, ...extra), ...children), count };
}

function extra(...nodes) {
  return { isExtra: true, nodes };
}
