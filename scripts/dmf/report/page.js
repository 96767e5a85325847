// Every table sorts, filters and downloads, and commands are copied. Without this script the page is whole.
"use strict";
(() => {
  const element = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  // The cells of a table by row and column, each in all places that it spans.
  const grid = (rows) => {
    const places = rows.map(() => []);
    rows.forEach((row, r) => {
      let c = 0;
      for (const cell of row.cells) {
        while (places[r][c]) c += 1;
        for (let down = 0; down < cell.rowSpan && r + down < rows.length; down += 1) {
          for (let right = 0; right < cell.colSpan; right += 1) places[r + down][c + right] = cell;
        }
      }
    });
    return places;
  };
  // What a cell says in plain letters: 5.55 × 10⁻¹⁵ is 5.55e-15, and 1,344 is 1344.
  const plain = (cell) => {
    const copy = cell.cloneNode(true);
    for (const hidden of copy.querySelectorAll("[aria-hidden]")) hidden.remove();
    for (const power of copy.querySelectorAll("sup")) power.replaceWith(`^${power.textContent}`);
    for (const part of copy.querySelectorAll("span")) part.before(" ");
    return copy.textContent.replaceAll("−", "-").replace(/\s+/g, " ").trim()
      .replace(/(\d) × 10\^(-?\d+)/g, "$1e$2").replace(/^10\^(-?\d+)$/, "1e$1").replace(/(?<=\d),(?=\d{3}(?!\d))/g, "");
  };
  const written = (cell) => cell?.dataset.value ?? (cell ? plain(cell) : "");
  const sorted = (cell) => cell?.dataset.sort ?? written(cell);
  // Numbers by size, words by letters, and what has no value last in either direction.
  const compare = (one, other, sign, numeric) => {
    if (one === "" || other === "") return (one === "") - (other === "");
    if (numeric) return sign * (Number.parseFloat(one) - Number.parseFloat(other));
    return sign * one.localeCompare(other, "en", { numeric: true });
  };
  const csv = (texts) => texts.map((text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(",");

  const equip = (table) => {
    const label = table.closest("[aria-label]")?.getAttribute("aria-label") ?? "table";
    const heads = grid([...table.tHead.rows]).at(-1);
    const above = grid([...table.tHead.rows])[0];
    const names = heads.map((head, i) => (above[i] === head ? plain(head) : `${plain(above[i])}: ${plain(head)}`));
    const inOrder = [...table.tBodies].flatMap((body) => [...body.rows]);
    const cellsOf = new Map(inOrder.map((row) => [row, grid([row])[0]]));
    const textOf = new Map(inOrder.map((row) => [row, plain(row).toLowerCase()]));
    const words = element("input", { type: "search", autocomplete: "off", size: 12 });
    const said = element("p", { role: "status" });
    const download = element("button", { type: "button", "aria-label": `Download ${label} as CSV` }, "CSV");
    const tools = element("form", { class: "tools", "aria-label": `Filter and download: ${label}` }, element("label", {}, "Words ", words));
    let verdict = { value: "" };
    if (inOrder.some((row) => row.dataset.words)) {
      const choices = [["", "all"], ["confirmed"], ["violated"], ["inconclusive"], ["missed", "control missed"]];
      verdict = element("select", {}, ...choices.map(([value, text]) => new Option(text ?? value, value)));
      tools.append(element("label", {}, "Verdict ", verdict));
    }
    tools.append(download, said);

    const shown = () => {
      const head = heads.find((th) => th.hasAttribute("aria-sort"));
      const rows = [...inOrder];
      if (head) {
        const column = heads.indexOf(head);
        const sign = head.getAttribute("aria-sort") === "ascending" ? 1 : -1;
        const keys = new Map(rows.map((row) => [row, sorted(cellsOf.get(row)[column])]));
        const given = [...keys.values()].filter(Boolean);
        const numbers = given.filter((key) => !Number.isNaN(Number.parseFloat(key)));
        const numeric = 2 * numbers.length > given.length; // more are: "none" and "no level" come last
        if (numeric) for (const [row, key] of keys) if (Number.isNaN(Number.parseFloat(key))) keys.set(row, "");
        rows.sort((one, other) => compare(keys.get(one), keys.get(other), sign, numeric));
      }
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const row of rows) {
        const fits = verdict.value === "" || row.dataset.words.split(" ").includes(verdict.value);
        row.hidden = !fits || !wanted.every((word) => textOf.get(row).includes(word));
      }
      return { rows, head };
    };
    const show = () => {
      const { rows, head } = shown();
      table.tBodies[0].append(...rows);
      const named = head && `by ${plain(head).toLowerCase()}, ${head.getAttribute("aria-sort")}`;
      said.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows, ${named ?? "in the order of the report"}.`;
    };

    heads.forEach((head, i) => {
      const button = element("button", { type: "button" }, ...head.childNodes);
      head.append(button);
      // Ascending, descending, then back to the order of the report.
      button.addEventListener("click", () => {
        const next = { null: "ascending", ascending: "descending", descending: null }[head.getAttribute("aria-sort")];
        heads.forEach((th) => th.removeAttribute("aria-sort"));
        if (next) head.setAttribute("aria-sort", next);
        show();
      });
      for (const row of inOrder) cellsOf.get(row)[i]?.setAttribute("data-label", names[i]);
    });
    download.addEventListener("click", () => {
      const { rows } = shown();
      const lines = [names, ...rows.filter((row) => !row.hidden).map((row) => names.map((_, i) => written(cellsOf.get(row)[i])))];
      const file = URL.createObjectURL(new Blob([`${lines.map(csv).join("\n")}\n`], { type: "text/csv" }));
      element("a", { href: file, download: `${label.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.csv` }).click();
      URL.revokeObjectURL(file);
    });
    tools.addEventListener("input", show);
    tools.addEventListener("submit", (event) => event.preventDefault());
    table.classList.add("cards");
    (table.closest(".scroll") ?? table).before(tools);
  };
  document.querySelectorAll("main table").forEach(equip);

  for (const code of document.querySelectorAll("code.command")) {
    const button = element("button", { type: "button", class: "copy", "aria-label": "Copy the command" }, "Copy");
    button.addEventListener("click", async () => {
      getSelection().selectAllChildren(code); // where the clipboard is refused, the keys copy what is selected
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Selected: press Ctrl+C";
      }
    });
    code.after(" ", button);
  }

  // A link into what is closed opens it, and so does paper.
  const openTo = () => {
    const goal = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!goal) return;
    for (let box = goal; box; box = box.parentElement) if (box.tagName === "DETAILS") box.open = true;
    const more = goal.querySelector(":scope > p + details"); // of a section or a claim
    if (more) more.open = true;
    goal.scrollIntoView();
  };
  addEventListener("hashchange", openTo);
  openTo();
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const box of closed) box.open = true;
  });
  addEventListener("afterprint", () => closed.forEach((box) => (box.open = false)));
})();
