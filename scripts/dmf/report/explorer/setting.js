// A setting of the explorer: checked, read from a link, and written as one.
"use strict";
const settings = (() => {
  const MOST_VALUES = 12;
  const MOST_DEPTH = 12;
  const MOST_WIDTH = 10000;
  const LEAST_LAMBDA = 1e-12;
  const LARGEST = 1e12;
  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

  const refuse = (message) => {
    throw new RangeError(message);
  };
  // Text as a number, or NaN: unlike Number(), which takes "" for 0 and knows hexadecimal.
  const asNumber = (text) => (NUMBER.test(text.trim()) ? Number(text) : NaN);
  const isWidth = (value, least) => Number.isInteger(value) && value >= least && value <= MOST_WIDTH;

  // Returns {depth, lam, sigma, rows, columns, hidden} as it is; RangeError with one line for what theory cannot take.
  const checked = (setting) => {
    const { depth, lam, sigma, rows, columns, hidden } = setting;
    if (!(Number.isInteger(depth) && depth >= 2 && depth <= MOST_DEPTH)) {
      refuse(`Depth ${depth}: expected an integer from 2 to ${MOST_DEPTH}.`);
    }
    if (!(lam >= LEAST_LAMBDA && lam <= LARGEST)) refuse(`λ = ${lam}: expected a number from 1e-12 to 1e12.`);
    for (const [name, width] of [["Rows", rows], ["Columns", columns]]) {
      if (!isWidth(width, 1)) refuse(`${name} ${width}: expected an integer from 1 to ${MOST_WIDTH}.`);
    }
    const values = Math.min(rows, columns);
    if (values > MOST_VALUES) refuse(`${rows} × ${columns}: expected at most ${MOST_VALUES} rows or at most ${MOST_VALUES} columns.`);
    if (!isWidth(hidden, values)) {
      refuse(`Hidden width ${hidden}: expected an integer from min(d₀, d_L) = ${values} to ${MOST_WIDTH}.`);
    }
    if (sigma.length !== values) refuse(`${sigma.length} singular values: expected ${values} for ${rows} × ${columns}.`);
    for (const value of sigma) {
      if (!(value >= 0 && value <= LARGEST)) refuse(`Singular value ${value}: expected a number from 0 to 1e12.`);
    }
    return setting;
  };

  // Another shape for a setting: values are dropped from the end or added as zeros; the narrowest width stays so.
  const reshaped = (setting, rows, columns) => {
    const [before, after] = [setting.sigma.length, Math.min(rows, columns)];
    const kept = setting.sigma.slice(0, after);
    const sigma = after <= MOST_VALUES ? [...kept, ...Array(after - kept.length).fill(0)] : setting.sigma;
    const hidden = setting.hidden === before ? after : Math.max(setting.hidden, after);
    return checked({ ...setting, rows, columns, hidden, sigma });
  };

  // Singular values in order and the list of widths, as theory takes them.
  const forTheory = ({ depth, lam, sigma, rows, columns, hidden }) => ({
    depth,
    lam,
    sigma: [...sigma].sort((one, other) => other - one),
    widths: [columns, ...Array(depth - 1).fill(hidden), rows],
  });

  const toLink = ({ depth, lam, sigma, rows, columns, hidden }) =>
    `#depth=${depth}&lam=${lam}&sigma=${sigma.join(",")}&shape=${rows}x${columns}&hidden=${hidden}`;

  // The setting in a link's part after #. RangeError with one line for any other text.
  const fromLink = (hash) => {
    const parts = new URLSearchParams(hash.replace(/^#/, ""));
    const missing = ["depth", "lam", "sigma", "shape", "hidden"].find((name) => !parts.has(name));
    if (missing) refuse(`The link has no “${missing}”: expected depth, lam, sigma, shape and hidden.`);
    const [rows, columns] = parts.get("shape").split("x").map(asNumber);
    return checked({
      depth: asNumber(parts.get("depth")),
      lam: asNumber(parts.get("lam")),
      sigma: parts.get("sigma").split(",").map(asNumber),
      rows,
      columns,
      hidden: asNumber(parts.get("hidden")),
    });
  };

  return { checked, reshaped, forTheory, toLink, fromLink, asNumber };
})();
if (typeof module !== "undefined") module.exports = settings;
