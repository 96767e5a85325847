// Sorts and filters the table of verdicts. Without this script the table is whole, in the order of the paper.
"use strict";
(() => {
  const table = document.querySelector("table.verdicts");
  const tools = document.querySelector("form.tools");
  if (!table || !tools) return;
  const body = table.tBodies[0];
  const inPaperOrder = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const said = document.getElementById("verdicts-said");

  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const value = cell.dataset.value ?? cell.textContent.trim();
    return value === "" || Number.isNaN(Number(value)) ? value : Number(value);
  };
  // Numbers by size, words by letters, and what has no value last in either direction.
  const compare = (one, other, sign) => {
    if (one === "" || other === "") return (one === "") - (other === "");
    if (typeof one === "number" && typeof other === "number") return sign * (one - other);
    return sign * String(one).localeCompare(String(other), "en", { numeric: true });
  };

  const show = () => {
    const head = heads.find((th) => th.hasAttribute("aria-sort"));
    const rows = [...inPaperOrder];
    if (head) {
      const column = heads.indexOf(head);
      const sign = head.getAttribute("aria-sort") === "ascending" ? 1 : -1;
      rows.sort((one, other) => compare(valueOf(one, column), valueOf(other, column), sign));
    }
    body.append(...rows);
    const words = tools.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdict = tools.elements.verdict.value;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const wanted = verdict === "" || row.dataset.words.split(" ").includes(verdict);
      row.hidden = !wanted || !words.every((word) => text.includes(word));
    }
    const shown = rows.filter((row) => !row.hidden).length;
    const named = head && `by ${head.textContent.trim().toLowerCase()}, ${head.getAttribute("aria-sort")}`;
    said.textContent = `${shown} of ${rows.length} claims, ${named ?? "in the order of the paper"}.`;
  };

  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    // Ascending, descending, then back to the order of the paper.
    button.addEventListener("click", () => {
      const next = { null: "ascending", ascending: "descending", descending: null }[head.getAttribute("aria-sort")];
      heads.forEach((th) => th.removeAttribute("aria-sort"));
      if (next) head.setAttribute("aria-sort", next);
      show();
    });
  }
  tools.addEventListener("input", show);
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.hidden = false;
  show();
})();
