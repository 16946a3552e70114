"use strict";
// Everything is there without this script: it filters, folds, and opens what a link leads to.
(() => {
  const tools = document.querySelector(".tools");
  if (!tools) return;
  tools.hidden = false;
  const folds = () => document.querySelectorAll("main details");
  const setAll = (open) => folds().forEach((one) => { one.open = open; });
  document.getElementById("unfold").addEventListener("click", () => setAll(true));
  document.getElementById("fold").addEventListener("click", () => setAll(false));

  const reveal = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (!target) return;
    for (let one = target; one; one = one.parentElement) {
      if (one.tagName === "DETAILS") one.open = true;
    }
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  reveal();

  let printed = [];
  window.addEventListener("beforeprint", () => {
    printed = [...folds()].filter((one) => !one.open);
    printed.forEach((one) => { one.open = true; });
  });
  window.addEventListener("afterprint", () => printed.forEach((one) => { one.open = false; }));

  const input = document.getElementById("filter");
  const status = document.getElementById("filtered");
  const said = (element) => ({ element, text: element.textContent.toLowerCase() });
  const all = (selector, within) => [...within.querySelectorAll(selector)].map(said);
  const sections = all("main section", document).map(({ element }) => ({
    element,
    entries: all(":scope > ul > li, :scope > details > ul > li, li.fold, .item", element),
    tables: [...element.querySelectorAll("tbody")].map((body) => ({
      // A fold that is found by its own words keeps all of its steps.
      folded: body.closest("li.fold") !== null, rows: all("tr", body),
    })),
  }));
  const filter = () => {
    const wanted = input.value.trim().toLowerCase();
    let found = 0;
    for (const { element, entries, tables } of sections) {
      let hits = 0;
      for (const entry of entries) {
        entry.element.hidden = !entry.text.includes(wanted);
        hits += !entry.element.hidden;
      }
      for (const { folded, rows } of tables) {
        const fitting = rows.filter((row) => row.text.includes(wanted));
        const shown = new Set(folded && fitting.length === 0 ? rows : fitting);
        rows.forEach((row) => { row.element.hidden = !shown.has(row); });
        hits += folded ? 0 : shown.size;
      }
      element.hidden = wanted !== "" && hits === 0;
      found += !element.hidden;
    }
    status.textContent = wanted ? `found in ${found} of ${sections.length} sections` : "";
  };
  let waiting = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });
})();
