// The page: holds one setting, and shows all of theory about it whenever it changes.
"use strict";
(() => {
  const TIED = 64 * Number.EPSILON; // of sigma_1: closer values count as equal
  const NEAR = 1e-9; // of m*: closer, rounding may decide which minimizer is found
  const SAME = 1e-9; // of lambda: closer is the grid's
  const MOST_NAMES = 4; // of a direction: dmf.report.directions
  const NAMELESS = 1e-12; // of sigma_1: directions of smaller values are rounding
  const MOST_LETTERS = 40; // of a label
  const MOST_BYTES = 2 ** 20; // of a dropped file
  const LOWEST_DECADE = 4; // the slider of lambda reaches from 10^-4 to 10 times lambda_c(sigma_1)

  const byId = (id) => document.getElementById(id);
  const grid = JSON.parse(byId("grid-targets").textContent);
  const form = byId("setting");
  const fields = form.elements;
  let setting; // {depth, lam, sigma, rows, columns, hidden}: sigma in the order of its sliders
  let top = 1; // right end of the sliders of singular values
  let shown = 0; // the singular value that is drawn, by rank
  let pasted = null; // the last matrix that was pasted, as an entry of grid.targets
  const fromPixel = { branches: () => NaN, trained: () => NaN }; // lambda by drawing

  const element = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const SUPERSCRIPTS = { "-": "⁻", ...Object.fromEntries([..."⁰¹²³⁴⁵⁶⁷⁸⁹"].map((raised, digit) => [digit, raised])) };
  const digits = (value, count) => {
    if (Number.isNaN(value)) return "–";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value).replace("-", "−");
    const [mantissa, exponent] = value.toExponential(count - 1).split("e");
    const power = Number(exponent);
    if (power > -4 && power < 6) return value.toFixed(Math.max(count - 1 - power, 0)).replace("-", "−");
    return `${mantissa.replace("-", "−")} × 10${[...String(power)].map((sign) => SUPERSCRIPTS[sign]).join("")}`;
  };
  // A number with all its digits in `value`, and as many as people read in its text.
  const datum = (name, value, count = 6) => element("data", { value: String(value), "data-of": name }, digits(value, count));
  const cell = (...children) => element("td", { class: "n" }, ...children);
  const subscript = (letter, index) => [element("i", {}, letter), element("sub", {}, String(index))];
  const spoken = (value) => digits(value, 4).replace(/(\.\d*?)0+(?!\d)/, "$1").replace(/\.(?!\d)/, "");

  // Says in one line, next to the field, what is wrong with it; no number stays that is not of what stands there.
  const complain = (error, field) => {
    if (!(error instanceof RangeError)) throw error;
    const complaint = byId("complaint");
    if (field === fields.matrix) {
      field.closest("details").open = true;
      field.after(complaint);
    } else (field?.closest("fieldset") ?? form).append(complaint);
    complaint.textContent = error.message;
    complaint.scrollIntoView({ block: "nearest" });
    field?.setAttribute("aria-invalid", "true");
    field?.setAttribute("aria-describedby", "complaint");
    byId("found").classList.add("refused");
  };
  const accept = () => {
    byId("complaint").textContent = "";
    for (const field of form.querySelectorAll("[aria-invalid]")) {
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
    }
    byId("found").classList.remove("refused");
  };
  // Takes a new setting, or complains of the field that asked for it and keeps the old one.
  const attempt = (make, field) => {
    try {
      setting = settings.checked(make());
      accept();
    } catch (error) {
      complain(error, field);
    }
    show();
  };

  // Whether an entry of grid.targets is what the sliders show. Two may be: the menu's choice then stays.
  const same = (target) =>
    target !== undefined && target !== null && target.rows === setting.rows && target.columns === setting.columns &&
    target.sigma.every((value, i) => value === setting.sigma[i]);

  const niceTop = (largest) => {
    if (!(largest > 0)) return 1;
    const power = 10 ** Math.floor(Math.log10(1.25 * largest));
    return power * [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((factor) => factor * power >= 1.25 * largest);
  };
  const ranks = () => {
    const order = setting.sigma.map((_, i) => i).sort((one, other) => setting.sigma[other] - setting.sigma[one]);
    return setting.sigma.map((_, i) => order.indexOf(i));
  };

  const put = (field, value) => {
    if (document.activeElement !== field || field.type === "range") field.value = value;
  };
  const showSliders = () => {
    const box = byId("sliders");
    if (box.children.length !== setting.sigma.length) {
      box.replaceChildren(...setting.sigma.map((_, i) => element(
        "div", { class: "slider" }, element("span", { class: "name", "aria-hidden": "true" }),
        element("input", { type: "range", min: 0, max: 1, step: "any", "data-index": i }),
        element("input", { type: "number", min: 0, step: "any", "data-index": i }),
      )));
    }
    if (Math.max(...setting.sigma) > top) top = niceTop(Math.max(...setting.sigma));
    const rank = ranks();
    [...box.children].forEach((row, i) => {
      const [name, slider, number] = row.children;
      name.replaceChildren(...subscript("σ", rank[i] + 1));
      slider.setAttribute("aria-label", `Singular value ${rank[i] + 1}`);
      slider.setAttribute("aria-valuetext", spoken(setting.sigma[i]));
      number.setAttribute("aria-label", `Singular value ${rank[i] + 1}, as a number`);
      slider.max = top;
      slider.step = top / 1000;
      put(slider, setting.sigma[i]);
      put(number, setting.sigma[i]);
    });
  };
  const showFields = (critical) => {
    put(fields.depth, setting.depth);
    byId("depth-now").textContent = setting.depth;
    const middle = Math.log10(critical || 1);
    fields.strength.min = middle - LOWEST_DECADE;
    fields.strength.max = middle + 1;
    put(fields.strength, Math.log10(setting.lam));
    fields.strength.setAttribute("aria-valuetext", spoken(setting.lam));
    put(fields.lam, setting.lam);
    const place = same(grid.targets[fields.target.value]) ? fields.target.value : grid.targets.findIndex(same);
    fields.target.value = place < 0 ? "" : place;
    for (const name of ["rows", "columns", "hidden"]) put(fields[name], setting[name]);
  };

  const showNumbers = (numbers) => {
    const all = { ...numbers, slack: numbers.trace - numbers.bound, lambdaRatio: setting.lam / numbers.criticalLambda };
    for (const place of document.querySelectorAll("dd[data-number]")) {
      place.replaceChildren(datum(place.dataset.number, all[place.dataset.number], 10));
    }
    byId("near").hidden = !(numbers.exceptionalDistance < NEAR);
  };
  // What loads most on a direction: of [rows, columns], each [name, loading], by size.
  const loadings = (names) => {
    if (!names) return "";
    const [rows, columns] = names.map((side) => side.map(([name, loading]) => `${name} (${brief(loading)})`).join(", "));
    return rows ? `rows: ${rows}; columns: ${columns}` : "not determined: another value is equal";
  };
  const brief = (value) => String(Number(value.toPrecision(2))).replace("-", "−");
  const namesOf = () => {
    const names = (same(pasted) ? pasted : grid.targets[fields.target.value])?.names ?? [];
    return names.length ? names : null;
  };
  const showValues = (values) => {
    const names = namesOf();
    document.querySelector(".values th.names").hidden = !names;
    byId("values").replaceChildren(...values.map((one, i) => {
      const choice = element("input", { type: "radio", name: "shown", value: i, "aria-label": `Draw singular value ${i + 1}` });
      choice.checked = i === shown;
      const named = (key) => cell(datum(`value-${i}-${key}`, one[key]));
      const fate = one.minimizer > 0 ? "kept" : "collapsed";
      return element(
        "tr", { class: fate }, element("td", {}, choice), element("th", { scope: "row" }, ...subscript("σ", i + 1)),
        ...(names ? [element("td", { class: "names" }, loadings(names[i]))] : []),
        ...["sigma", "minimizer"].map(named), element("td", {}, fate),
        ...["largeRoot", "smallRoot", "criticalLambda", "branchLambda"].map(named),
      );
    }));
  };
  const showLevels = ({ levels, numbers }, sigma) => {
    byId("levels").replaceChildren(...levels.map((level) => {
      const tied = level.kept > 0 && level.kept < sigma.length && sigma[level.kept - 1] - sigma[level.kept] <= TIED * sigma[0];
      const kind = level.kept === numbers.rank ? "global minimum" : level.morseIndex > 0 ? "strict saddle" : tied ? "undecided: equal values" : "spurious minimum";
      const named = (key) => cell(datum(`level-${level.kept}-${key}`, level[key]));
      return element(
        "tr", { class: level.kept === numbers.rank ? "chosen" : "" }, element("th", { scope: "row" }, String(level.kept)),
        named("objective"), cell(datum(`level-${level.kept}-excess`, level.objective - numbers.minimum)),
        element("td", {}, kind), named("morseIndex"), named("lambdaMax"),
      );
    }));
  };

  const KINDS = { global: "global minimum", local: "spurious minimum", other: "no minimum" };
  const showDrawings = (values) => {
    const one = { ...values[shown], depth: setting.depth, lam: setting.lam };
    const points = draw.criticalPoints(one).map(([x, kind]) => `${KINDS[kind]} at x = ${spoken(x)}`).join(", ");
    draw.landscape(byId("landscape"), one);
    fromPixel.branches = draw.branches(byId("branches"), one);
    byId("landscape").setAttribute("aria-label", `g(x) for singular value ${shown + 1}, ${spoken(one.sigma)}: ${points}.`);
    byId("branches").setAttribute(
      "aria-label",
      `Critical points against lambda for singular value ${shown + 1}: lambda_c = ${spoken(one.criticalLambda)}, lambda_s = ${spoken(one.branchLambda)}, lambda is ${spoken(setting.lam)}.`,
    );
    for (const place of document.querySelectorAll(".which")) place.replaceChildren(...subscript("σ", shown + 1), ` = ${spoken(one.sigma)}`);
  };
  // The grid's cells of the setting's target and depth; a text where there are none.
  const cellsHere = () => {
    const target = grid.targets[fields.target.value];
    if (!target?.runs) return "Choose a target of the grid to see its trained runs.";
    const depths = Object.keys(target.runs);
    if (!depths.length) return "There are no trained runs of this target here: the explorer has them where hidden layers have one width, and depth is at most 12.";
    if (setting.hidden !== target.hidden) return `The grid has no runs of this target with hidden width ${setting.hidden}, only with ${target.hidden}.`;
    return target.runs[setting.depth] ?? `The grid has no runs of this target at depth ${setting.depth}, only at ${depths.join(", ")}.`;
  };
  const nearest = (cells) => {
    const far = ([lam]) => Math.abs(Math.log(lam / setting.lam));
    return cells.reduce((best, cell) => (far(cell) < far(best) ? cell : best));
  };
  const isHere = ([lam]) => Math.abs(lam - setting.lam) <= SAME * lam;
  const runWords = (cell, critical) => {
    const [lam, runs, certified, minimal, leftOut, ends] = cell;
    const points = ends.map(([norm, count, least]) => `${spoken(norm)} (${count}${least ? ", minimal" : ""})`).join(", ");
    const more = leftOut ? ` and ${leftOut} more` : "";
    const which = isHere(cell) ? "This is a cell of the grid" : "The grid’s nearest cell";
    const ended = ends.length ? ` Certified runs ended at ‖X‖ = ${points}${more}.` : "";
    const counts = `${runs} ${runs === 1 ? "run" : "runs"}, ${certified} certified, ${minimal} minimal.`;
    return [`${which}, λ = ${spoken(lam)} (${spoken(lam / critical)} λ`, element("sub", {}, "c"), `): ${counts}${ended}`];
  };
  const showRuns = ({ sigma, depth, lam }, critical) => {
    const cells = cellsHere();
    const none = typeof cells === "string";
    byId("runs-drawn").hidden = none;
    byId("runs-words").replaceChildren(...(none ? [cells] : runWords(nearest(cells), critical)));
    if (none) return;
    const { fromX, beyond } = draw.runs(byId("trained"), { sigma, depth, lam, cells });
    fromPixel.trained = fromX;
    byId("runs-beyond").textContent = beyond ? ` ${beyond} of ${cells.length} λ of the grid are to the right of the drawing.` : "";
    document.querySelector(".level-kind").textContent = depth === 2 ? "saddles dotted" : "spurious minima dashed";
    byId("trained").setAttribute("aria-label", `Norm of the product against lambda: levels, and end points of trained runs at ${cells.length} values of lambda. ${byId("runs-words").textContent}`);
    for (const button of document.querySelectorAll("[data-cell]")) button.disabled = !neighbour(cells, Number(button.dataset.cell));
  };
  // The next cell by lambda, up or down; undefined at the end.
  const neighbour = (cells, step) => {
    const others = cells.filter((cell) => !isHere(cell) && Math.sign(cell[0] - setting.lam) === step);
    return step > 0 ? others[0] : others.at(-1);
  };
  const sentence = ({ numbers, levels }) => {
    const spurious = setting.depth === 2 ? 0 : levels.length - 1;
    const others = spurious === 0 ? "no spurious level" : spurious === 1 ? "1 spurious level" : `${spurious} spurious levels`;
    return `Depth ${setting.depth}, λ = ${spoken(setting.lam)}, target ${setting.rows} × ${setting.columns}: the minimizer keeps ${numbers.rank} of ${setting.sigma.length} singular values, F* = ${spoken(numbers.minimum)}, ${others}.`;
  };
  const code = ({ depth, lam, sigma, widths }) => `import numpy as np
from dmf import theory

target = np.zeros((${widths[depth]}, ${widths[0]}))
np.fill_diagonal(target, [${sigma.join(", ")}])
widths, lam = [${widths.join(", ")}], ${lam}

print(theory.minimum_value(target, ${depth}, lam))
print(theory.layer_norm_sq(target, ${depth}, lam))
print(theory.minimizer_hessian_trace(target, widths, lam))
print(theory.trace_lower_bound(target, widths, lam))
print(theory.critical_levels(target, ${depth}, lam))
print(theory.hessian_spectrum(target, widths, lam))`;

  const show = () => {
    const asked = settings.forTheory(setting);
    const found = theory.predict(asked);
    shown = Math.min(shown, asked.sigma.length - 1);
    showSliders();
    showFields(found.numbers.criticalLambda);
    showNumbers(found.numbers);
    showValues(found.values);
    showLevels(found, asked.sigma);
    showDrawings(found.values);
    showRuns(asked, found.numbers.criticalLambda);
    byId("sentence").textContent = sentence(found);
    byId("code").textContent = code(asked);
  };
  // Once a change is complete: the address names it, and it is read out.
  const settle = () => {
    if (byId("complaint").textContent) return;
    history.replaceState(null, "", settings.toLink(setting));
    byId("said").textContent = byId("sentence").textContent;
  };

  const take = (target) => {
    top = niceTop(target.sigma[0]);
    attempt(() => ({ ...setting, sigma: [...target.sigma], rows: target.rows, columns: target.columns, hidden: target.hidden ?? target.sigma.length }));
  };
  // A matrix's entry like those of grid.targets; names of directions where it has labels.
  const entryOf = ({ values, rows, columns }) => {
    const found = svd(values);
    const sigma = found.map((one) => one.sigma);
    const largest = (loadings, labels, side) => loadings
      .map((loading, i) => [(labels[i] ?? `${side} ${i + 1}`).slice(0, MOST_LETTERS), loading])
      .filter(([, loading]) => Math.abs(loading) > NAMELESS)
      .sort(([, one], [, other]) => Math.abs(other) - Math.abs(one)).slice(0, MOST_NAMES);
    const named = found.filter((one) => one.sigma > NAMELESS * sigma[0]).map(({ left, right }, i) => {
      if (sigma.some((value, j) => j !== i && Math.abs(value - sigma[i]) <= NEAR * sigma[0])) return [[], []];
      // Of a pair +-(u, v), the one in which u's largest entry is positive.
      const sign = Math.sign(left.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best)));
      return [largest(left.map((value) => sign * value), rows, "row"), largest(right.map((value) => sign * value), columns, "column")];
    });
    const names = rows.length || columns.length ? named : [];
    return { sigma, rows: values.length, columns: values[0].length, names };
  };
  const listed = (labels) => (labels.length ? labels.map((label) => label.slice(0, MOST_LETTERS)).join(", ") : "without labels");
  const takePasted = () => {
    byId("read").textContent = "";
    let table;
    try {
      table = paste.parse(fields.matrix.value);
    } catch (error) {
      complain(error, fields.matrix);
      return;
    }
    pasted = entryOf(table);
    take(pasted);
    byId("read").textContent = `Read ${pasted.rows} × ${pasted.columns} numbers; rows: ${listed(table.rows)}; columns: ${listed(table.columns)}.`;
  };
  const takeDropped = async (file) => {
    if (file.size > MOST_BYTES) fields.matrix.value = "";
    else fields.matrix.value = await file.text();
    if (file.size > MOST_BYTES) complain(new RangeError(`The file has ${file.size} bytes: expected at most ${MOST_BYTES}, a matrix of up to 12 × 12.`), fields.matrix);
    else takePasted();
    settle();
  };
  const takeLink = () => attempt(() => settings.fromLink(location.hash));

  const edited = {
    depth: (value) => ({ ...setting, depth: value }),
    strength: (value) => ({ ...setting, lam: Number((10 ** value).toPrecision(4)) }),
    lam: (value) => ({ ...setting, lam: value }),
    rows: (value) => settings.reshaped(setting, value, setting.columns),
    columns: (value) => settings.reshaped(setting, setting.rows, value),
    hidden: (value) => ({ ...setting, hidden: value }),
  };
  form.addEventListener("input", ({ target }) => {
    const value = settings.asNumber(target.value ?? "");
    if (target.dataset.index !== undefined) {
      attempt(() => ({ ...setting, sigma: setting.sigma.map((old, i) => (i === Number(target.dataset.index) ? value : old)) }), target);
    } else if (target === fields.matrix) byId("read").textContent = "";
    else if (target === fields.target) take(grid.targets[Number(target.value)]);
    else if (target.name in edited) attempt(() => edited[target.name](value), target);
  });
  form.addEventListener("change", settle);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("click", ({ target }) => {
    const step = target.dataset.times;
    if (step === undefined && target.id !== "use") return;
    if (target.id === "use") takePasted();
    else {
      const { depth, sigma } = settings.forTheory(setting);
      const threshold = target.dataset.of === "s" ? theory.branchLambda : theory.criticalLambda;
      attempt(() => ({ ...setting, lam: Number(step) * threshold(sigma[shown], depth) }));
    }
    settle();
  });
  byId("values").addEventListener("change", ({ target }) => {
    shown = Number(target.value);
    show();
    byId("values").querySelector(`[value="${shown}"]`).focus();
  });

  byId("runs-drawn").addEventListener("click", ({ target }) => {
    const next = target.dataset.cell && neighbour(cellsHere(), Number(target.dataset.cell));
    if (!next) return;
    attempt(() => ({ ...setting, lam: next[0] }));
    settle();
  });
  fields.matrix.addEventListener("dragover", (event) => event.preventDefault());
  fields.matrix.addEventListener("drop", (event) => {
    const [file] = event.dataTransfer.files;
    if (!file) return; // a text that is dragged: the browser puts it in
    event.preventDefault();
    takeDropped(file);
  });

  for (const name of Object.keys(fromPixel)) {
    const drawing = byId(name);
    const drag = (event) => {
      if (!(event.buttons & 1)) return;
      const box = drawing.getBoundingClientRect();
      const lam = fromPixel[name](((event.clientX - box.left) / box.width) * drawing.viewBox.baseVal.width);
      if (lam > 0) attempt(() => ({ ...setting, lam: Number(lam.toPrecision(4)) }));
    };
    drawing.addEventListener("pointerdown", (event) => {
      drawing.setPointerCapture(event.pointerId);
      drag(event);
    });
    drawing.addEventListener("pointermove", drag);
    drawing.addEventListener("pointerup", settle);
  }

  setting = { depth: grid.depth, lam: 1, sigma: [1], rows: 1, columns: 1, hidden: 1 };
  const first = grid.targets[0];
  setting.lam = Number((0.8 * theory.criticalLambda(first.sigma[0], grid.depth)).toPrecision(3));
  take(first);
  if (location.hash) takeLink();
  window.addEventListener("hashchange", takeLink);
  new ResizeObserver(show).observe(byId("branches").parentElement);
})();
