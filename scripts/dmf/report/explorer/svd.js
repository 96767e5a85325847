// Singular values and vectors by one-sided Jacobi rotations: to the last digits for the small matrices that people paste.
"use strict";
const svd = (() => {
  const MOST_SWEEPS = 60; // six to ten are usual
  const NOTHING = 1e-60; // squared norm, the largest entry being 1: such a column is what rounding left of a zero one

  const dot = (a, b) => a.reduce((total, value, i) => total + value * b[i], 0);

  // Turns two {column, turned} until the columns are orthogonal, and `turned` with them; false where the columns are
  // orthogonal already, up to rounding.
  const rotate = (one, other) => {
    const [a, b] = [one.column, other.column];
    const [aa, bb, ab] = [dot(a, a), dot(b, b), dot(a, b)];
    if (Math.min(aa, bb) < NOTHING) return false;
    if (Math.abs(ab) <= a.length * Number.EPSILON * Math.sqrt(aa) * Math.sqrt(bb)) return false;
    const zeta = (bb - aa) / (2 * ab);
    const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
    const cosine = 1 / Math.hypot(1, tangent);
    for (const [x, y] of [[a, b], [one.turned, other.turned]]) {
      for (let i = 0; i < x.length; i++) [x[i], y[i]] = [cosine * (x[i] - tangent * y[i]), cosine * (tangent * x[i] + y[i])];
    }
    return true;
  };

  // rows: a full array of finite numbers. Returns min(rows, columns) of {sigma, left, right}, sigma non-increasing:
  // left has an entry for each row and right for each column, both of norm 1; NaN on the longer side where sigma is 0.
  return (rows) => {
    const scale = Math.max(...rows.flat().map(Math.abs));
    const scaled = rows.map((row) => row.map((value) => (scale ? value / scale : 0)));
    const wide = rows.length <= rows[0].length; // the shorter side is rotated
    const short = wide ? scaled : scaled[0].map((_, j) => scaled.map((row) => row[j]));
    const sides = short.map((column, i) => ({ column, turned: short.map((_, j) => (i === j ? 1 : 0)) }));
    for (let sweep = 0, turned = true; turned; sweep++) {
      if (sweep === MOST_SWEEPS) throw new Error(`Jacobi rotations did not settle in ${MOST_SWEEPS} sweeps`);
      turned = false;
      for (let i = 0; i < sides.length; i++) {
        for (let j = i + 1; j < sides.length; j++) turned = rotate(sides[i], sides[j]) || turned;
      }
    }
    const found = sides.map(({ column, turned }) => {
      const norm = Math.hypot(...column);
      const along = column.map((value) => value / norm);
      return { sigma: scale * norm, left: wide ? turned : along, right: wide ? along : turned };
    });
    return found.sort((one, other) => other.sigma - one.sigma);
  };
})();
if (typeof module !== "undefined") module.exports = svd;
