// What the reader can do with a report: choose the theme, sort and filter tables, copy commands,
// point at a mark for its numbers. Without it the page says the same.
"use strict";

const root = document.documentElement;
const all = (selector, of = document) => Array.from(of.querySelectorAll(selector));
const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

// A page opened from a file may have no storage; then the choice holds until it is closed.
const stored = {
  get: () => { try { return localStorage.getItem("pmtaq-theme"); } catch { return null; } },
  set: (theme) => { try { localStorage.setItem("pmtaq-theme", theme); } catch { /* no storage */ } },
};

function themes() {
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const show = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Change to the ${isDark() ? "light" : "dark"} theme`);
  };
  const known = stored.get();
  if (known === "dark" || known === "light") root.dataset.theme = known;
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    stored.set(root.dataset.theme);
    show();
  });
  system.addEventListener("change", show);
  show();
}

// Numbers and moments by their value, texts by theirs; what is empty comes last either way.
function compare(a, b, at, sign) {
  const [x, y] = [a.cells[at], b.cells[at]];
  const [p, q] = [x.dataset.v, y.dataset.v];
  if (p !== undefined && q !== undefined) return sign * (p - q);
  const [s, t] = [x.textContent, y.textContent];
  if ((s === "") !== (t === "")) return s === "" ? 1 : -1;
  return sign * s.localeCompare(t, "en", { numeric: true });
}

function sortable(figure) {
  const body = figure.querySelector("tbody");
  const rows = Array.from(body.rows);
  const seen = Number(figure.dataset.seen);
  const filter = figure.querySelector(".filter");
  const more = make("button", { type: "button", className: "more" });
  const said = make("span", { className: "said-rows" });
  said.setAttribute("role", "status");
  let open = rows.length <= seen + 3;
  let order = rows;

  const lay = () => {
    const words = filter ? filter.value.toLowerCase().split(/\s+/).filter(Boolean) : [];
    const fits = (row) => words.every((word) => row.textContent.toLowerCase().includes(word));
    const kept = order.filter(fits);
    for (const row of rows) row.hidden = true;
    kept.forEach((row, n) => { row.hidden = !open && n >= seen; });
    body.append(...order);
    more.hidden = open || kept.length <= seen;
    more.textContent = `Show all ${kept.length} rows`;
    said.textContent = words.length > 0 ? `${kept.length} of ${rows.length} rows` : "";
  };

  all("thead th", figure).forEach((head, at) => {
    const button = make("button", { type: "button" });
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const was = head.getAttribute("aria-sort");
      // Who sorts by a number looks for the largest.
      const first = head.classList.contains("n") ? "descending" : "ascending";
      const next = was === "ascending" ? "descending" : was === "descending" ? "ascending" : first;
      for (const other of all("thead th", figure)) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", next);
      const sign = next === "ascending" ? 1 : -1;
      order = rows.slice().sort((a, b) => compare(a, b, at, sign));
      lay();
    });
  });
  if (filter) {
    filter.hidden = false;
    filter.after(said);
    filter.addEventListener("input", lay);
  }
  more.addEventListener("click", () => { open = true; lay(); });
  figure.querySelector(".wide").append(more);
  lay();
}

function copies() {
  if (!navigator.clipboard) return;
  for (const button of all(".copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(button.previousElementSibling.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(button.previousElementSibling);
      }
    });
  }
}

// What the browser would show late, and never on a phone.
function tips() {
  const tip = make("div", { id: "tip", hidden: true });
  document.body.append(tip);
  const told = (target) => {
    const mark = target instanceof Element && target.closest("svg [data-tip], svg :has(> title), td[title], td[data-tip]");
    if (!mark) return null;
    if (!mark.dataset.tip) {
      const title = mark.querySelector(":scope > title");
      mark.dataset.tip = title ? title.textContent : mark.getAttribute("title");
      if (title) title.remove();
      mark.removeAttribute("title");
    }
    return mark.dataset.tip;
  };
  const follow = (event) => {
    const text = told(event.target);
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    const { width, height } = tip.getBoundingClientRect();
    const x = Math.min(event.clientX + 12, innerWidth - width - 8);
    const y = event.clientY + 16 + height > innerHeight ? event.clientY - height - 10 : event.clientY + 16;
    tip.style.left = `${Math.max(8, x)}px`;
    tip.style.top = `${y}px`;
  };
  addEventListener("pointermove", follow);
  addEventListener("pointerdown", follow);
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
}

themes();
all(".sortable").forEach(sortable);
copies();
tips();
