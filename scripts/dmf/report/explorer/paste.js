// A matrix that was pasted or dropped, with or without names of rows and columns: read as it is meant, or refused.
"use strict";
const paste = (() => {
  const MOST_ROWS = 12; // and columns: MOST_VALUES of setting.js
  const LARGEST = 1e12;
  // Words of dmf.grid.readers.table for a missing or impossible value, without points, blanks and slashes.
  const NO_NAMES = new Set((
    "na nan nans nanq nanind nat null nil none nd nv nr dnf bdl blq blod lod loq tbd tba void empty blank " +
    "missing missingvalue unknown undefined unavailable notavailable notapplicable notdetected notanumber " +
    "nodata novalue masked invalid error false true inf infinity ind"
  ).split(" "));
  const NAMELESS = /^($|Unnamed:|\.\.\.1)/; // a first column without a heading, as pandas and readr call it
  const YEARS = [1800, 2099];
  const DATE = /^\d{4}-\d{2}(-\d{2}([T ][0-9:.]+Z?)?)?$/;
  const SEVERAL = /^[+-]?[\d.]\S*\s+[+-]?[\d.]/;

  const refuse = (message) => {
    throw new RangeError(message);
  };
  const quoted = (word) => (word ? `“${word.slice(0, 20)}${word.length > 20 ? "…" : ""}”` : "empty");
  const isNumber = (word) => !Number.isNaN(settings.asNumber(word));
  const isLabel = (word) =>
    DATE.test(word) || (/^\p{L}/u.test(word) && !NO_NAMES.has(word.toLowerCase().replace(/[ ._/()-]/g, "")));
  const areLabels = (words) => words.length > 0 && words.every(isLabel) && new Set(words).size === words.length;
  const areNumbers = (words) => words.length > 0 && words.every(isNumber);
  // Numbers that people number with: 0, 1, 2, ... and from `least` of them on 1, 2, 3, ...; or increasing years.
  const couldBeLabels = (words, least = Infinity) => {
    const values = words.map(settings.asNumber);
    const counts = (start) => values.every((value, i) => value === start + i);
    const years = values.every((value, i) => Number.isInteger(value) && value >= YEARS[0] && value <= YEARS[1] && !(value <= values[i - 1]));
    return values.length > 1 && (counts(0) || years || (values.length >= least && counts(1)));
  };

  // The cells of a line, without the quotes around them; doubled quotes inside them stand for one.
  const split = ({ place, text }, separator) => {
    const cells = [""];
    let open = false;
    for (let i = 0; i < text.length; i++) {
      const last = cells.length - 1;
      if (text[i] === '"' && open && text[i + 1] === '"') cells[last] += text[++i];
      else if (text[i] === '"' && (open || !cells[last].trim())) open = !open;
      else if (text[i] === separator && !open) cells.push("");
      else cells[last] += text[i];
    }
    if (open) refuse(`${place} has a quote that is not closed: expected a matrix with one row a line.`);
    return cells.map((cell) => cell.trim());
  };
  const bare = (text) => text.replace(/"[^"]*"/g, '""'); // without what is quoted: no separator is there
  const unclear = (place) =>
    refuse(`${place} has commas and spaces between digits: write decimals with a point, or separate entries by semicolons.`);
  const withPoint = (word) => word.replace(/^([+-]?\d*),(\d+(?:e[+-]?\d+)?)$/i, "$1.$2");

  // [{place, words}] of a text, place being "Line 3", or "Row 3" where rows are not lines. Brackets or lines make rows.
  // Semicolons end rows in one line or at the ends of lines; within several lines they separate entries, and a comma is
  // then the decimal sign. Else tabs separate entries, else commas, else spaces. RangeError with one line.
  const parseWords = (text) => {
    const literal = /^\s*\[/.test(text);
    const plain = literal ? text.replace(/\[/g, " ").replace(/\]\s*[,;]?/g, "\n") : text;
    let lines = plain.split(/\r\n?|\n/).map((line, i) => ({ place: `Line ${i + 1}`, text: line.replace(/^ +| +$/g, "") }));
    lines = lines.filter((line) => line.text.trim());
    if (literal) lines = lines.map((line, i) => ({ place: `Row ${i + 1}`, text: line.text }));
    const inner = lines.map(({ place, text: line }) => ({ place, text: line.replace(/;$/, "") }));
    if (inner.length > 1 && inner.some((line) => bare(line.text).includes(";"))) {
      return inner.map((line) => ({ place: line.place, words: split(line, ";").map(withPoint) }));
    }
    const rows = inner.length === 1 && bare(inner[0].text).includes(";")
      ? inner[0].text.split(";").filter((row) => row.trim()).map((row, i) => ({ place: `Row ${i + 1}`, text: row.trim() }))
      : inner;
    const tabs = rows.some((row) => bare(row.text).trim().includes("\t") && !/,\s*\t/.test(bare(row.text)));
    return rows.map((row) => {
      const { place } = row;
      if (tabs) {
        const words = split(row, "\t");
        if (words.some((word) => /^[+-]?\d*,\d/.test(word))) unclear(place);
        return { place, words };
      }
      if (!bare(row.text).includes(",") && !row.text.includes('"')) return { place, words: row.text.trim().split(/\s+/) };
      const words = split(row, ",");
      if (words.some((word) => SEVERAL.test(word)) && /\d,\d/.test(bare(row.text))) unclear(place);
      return { place, words: words.flatMap((word) => (word.split(/\s+/).every(isNumber) ? word.split(/\s+/) : [word])) };
    });
  };

  // Whether the first line and the first column are labels: all cells but the corner are, and the rest is numbers.
  // RangeError for numbers that may be labels, as pandas writes them where nobody named them, or as years.
  const labelled = (rows) => {
    const { place, words: first } = rows[0];
    const [corner, ...heads] = first;
    const names = rows.slice(1).map((row) => row.words[0]);
    const header = areLabels(heads.length ? heads : [corner]) && rows.length > 1;
    const index = heads.length > 0 && areLabels(names.length ? names : [corner]);
    if (header && index) return { header, index };
    const numbers = { line: areNumbers(heads), column: areNumbers(names) };
    if (NAMELESS.test(corner) && (header ? numbers.column : index ? numbers.line : numbers.line && numbers.column)) {
      const [fixed, what] = header ? ["index=False", "column 1 has"] : index ? ["header=False", "line 1 has"]
        : ["index=False, header=False", "line 1 and column 1 have"];
      refuse(`${place}, column 1 is ${quoted(corner)} and ${what} numbers, which may be labels as pandas writes them: leave them out, to_csv(${fixed}).`);
    }
    const found = { header: header && (heads.length ? areLabels(first) : true), index: index && isLabel(corner) };
    const shown = (words) => `${words.slice(0, 3).join(", ")}${words.length > 3 ? ", …" : ""}, which could be labels`;
    if (found.index && rows.length > 1 && couldBeLabels(heads)) refuse(`${place} is ${shown(heads)}: delete it if so, else column 1.`);
    if (found.header && heads.length && couldBeLabels(names, 2)) refuse(`Column 1 is ${shown(names)}: delete it if so, else line 1.`);
    return found;
  };

  // A pasted text as {values, rows, columns}: numbers, and the labels of rows and of columns, [] for none. RangeError
  // with one line.
  const parse = (text) => {
    if (text.includes("\ufffd")) refuse("The text has characters that are no UTF-8: save it as UTF-8.");
    const lines = parseWords(text.replace(/^\ufeff/, ""));
    if (!lines.length) refuse("The matrix is empty: expected rows of numbers, one row a line.");
    const [{ place: start, words: first }] = lines;
    for (const { place, words } of lines) {
      const entries = words.length === 1 ? "entry" : "entries";
      if (words.length !== first.length) refuse(`${place} has ${words.length} ${entries}: expected ${first.length}, as in ${start.toLowerCase()}.`);
    }
    const { header, index } = labelled(lines);
    const body = header ? lines.slice(1) : lines;
    const width = first.length - (index ? 1 : 0);
    if (body.length > MOST_ROWS) refuse(`${body.length} rows: expected at most ${MOST_ROWS}.`);
    if (width > MOST_ROWS) refuse(`${width} columns: expected at most ${MOST_ROWS}.`);
    const values = body.map(({ place, words }) => words.slice(index ? 1 : 0).map((word, j) => {
      const value = settings.asNumber(word);
      if (Math.abs(value) <= LARGEST) return value;
      const mixed = isLabel(word) ? ", or a first line or column of different names" : "";
      return refuse(`${place}, column ${j + (index ? 2 : 1)} is ${quoted(word)}: expected a number from −1e12 to 1e12${mixed}.`);
    }));
    return { values, rows: index ? body.map((line) => line.words[0]) : [], columns: header ? first.slice(index ? 1 : 0) : [] };
  };

  return { parse };
})();
if (typeof module !== "undefined") module.exports = paste;
