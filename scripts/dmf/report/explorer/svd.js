// Singular values by one-sided Jacobi rotations: to the last digits for the small matrices that people paste.
"use strict";
const singularValues = (() => {
  const MOST_SWEEPS = 60; // six to ten are usual
  const NOTHING = 1e-60; // squared norm, the largest entry being 1: such a column is what rounding left of a zero one

  const dot = (a, b) => a.reduce((total, value, i) => total + value * b[i], 0);

  // Turns two columns until they are orthogonal; false where they are already, up to rounding.
  const rotate = (a, b) => {
    const [aa, bb, ab] = [dot(a, a), dot(b, b), dot(a, b)];
    if (Math.min(aa, bb) < NOTHING) return false;
    if (Math.abs(ab) <= a.length * Number.EPSILON * Math.sqrt(aa) * Math.sqrt(bb)) return false;
    const zeta = (bb - aa) / (2 * ab);
    const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
    const cosine = 1 / Math.hypot(1, tangent);
    for (let i = 0; i < a.length; i++) {
      [a[i], b[i]] = [cosine * (a[i] - tangent * b[i]), cosine * (tangent * a[i] + b[i])];
    }
    return true;
  };

  // rows: a full array of finite numbers. Returns min(rows, columns) values, non-increasing.
  return (rows) => {
    const scale = Math.max(...rows.flat().map(Math.abs));
    const scaled = rows.map((row) => row.map((value) => (scale ? value / scale : 0)));
    const wide = rows.length <= rows[0].length; // the shorter side is rotated
    const columns = wide ? scaled : scaled[0].map((_, j) => scaled.map((row) => row[j]));
    for (let sweep = 0, turned = true; turned; sweep++) {
      if (sweep === MOST_SWEEPS) throw new Error(`Jacobi rotations did not settle in ${MOST_SWEEPS} sweeps`);
      turned = false;
      for (let i = 0; i < columns.length; i++) {
        for (let j = i + 1; j < columns.length; j++) turned = rotate(columns[i], columns[j]) || turned;
      }
    }
    return columns.map((column) => scale * Math.hypot(...column)).sort((one, other) => other - one);
  };
})();
if (typeof module !== "undefined") module.exports = singularValues;
