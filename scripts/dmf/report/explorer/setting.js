// A setting of the explorer: checked, read from pasted text or from a link, and written as a link.
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

  // The rows of a pasted text as words. Brackets or lines make rows. Semicolons end rows in one line or at the ends of
  // lines; within several lines they separate entries, and a comma is then the decimal sign. RangeError with one line.
  const parseWords = (text) => {
    const lines = text.replace(/\[/g, " ").replace(/\]\s*[,;]?/g, "\n").split("\n").map((line) => line.trim()).filter(Boolean);
    const inner = lines.map((line) => line.replace(/;$/, ""));
    if (inner.length > 1 && inner.some((line) => line.includes(";"))) {
      return inner.map((line) => line.split(";").map((word) => word.trim().replace(/^([+-]?\d*),(\d+(?:e[+-]?\d+)?)$/i, "$1.$2")));
    }
    const rows = inner.length === 1 ? inner[0].split(";").filter((row) => row.trim()) : inner;
    return rows.map((row, i) => {
      if (/\d,\d/.test(row) && /[\d.][ \t]+[+\-.\d]/.test(row.replace(/,\s+/g, ","))) {
        refuse(`Row ${i + 1} has commas and spaces between digits: write decimals with a point, or separate entries by semicolons.`);
      }
      return row.includes(",") ? row.split(",").flatMap((part) => part.trim().split(/\s+/)) : row.trim().split(/\s+/);
    });
  };

  // A pasted matrix. RangeError with one line.
  const parseMatrix = (text) => {
    const words = parseWords(text);
    if (!words.length) refuse("The matrix is empty: expected rows of numbers, one row a line.");
    if (words.length > MOST_VALUES) refuse(`${words.length} rows: expected at most ${MOST_VALUES}.`);
    const columns = words[0].length;
    if (words.length > 1 && words[0].every((word) => Number.isNaN(asNumber(word)))) {
      refuse(`Row 1, entry 1 is “${words[0][0].slice(0, 20)}”: expected numbers only, without names of rows and columns.`);
    }
    if (columns > MOST_VALUES) refuse(`${columns} columns: expected at most ${MOST_VALUES}.`);
    return words.map((row, i) => {
      if (row.length !== columns) {
        refuse(`Row ${i + 1} has ${row.length} ${row.length === 1 ? "entry" : "entries"}: expected ${columns}, as in row 1.`);
      }
      return row.map((word, j) => {
        const value = asNumber(word);
        if (!(Math.abs(value) <= LARGEST)) {
          refuse(`Row ${i + 1}, entry ${j + 1} is ${word ? `“${word.slice(0, 20)}”` : "empty"}: expected a number from −1e12 to 1e12.`);
        }
        return value;
      });
    });
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

  return { checked, reshaped, parseMatrix, forTheory, toLink, fromLink, asNumber };
})();
if (typeof module !== "undefined") module.exports = settings;
