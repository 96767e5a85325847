// The closed forms of dmf.theory that need nothing but singular values. Runs in the page and in node; dimensionless.
"use strict";
const theory = (() => {
  const EPS = Number.EPSILON;
  const MOST_STEPS = 100; // a double root, the slowest case, gains one bit a step
  const ZERO_MODE = 64 * EPS; // of the largest: below, an eigenvalue cannot be told from a zero mode

  const sum = (terms) => terms.reduce((total, term) => total + term, 0);
  const range = (end) => Array.from({ length: end }, (_, i) => i);
  const unit = (depth, lam) => lam ** (depth / (2 * (depth - 1)));

  // g(x) = (m - x)^2 + lambda L |x|^{2/L}: eq. 13.
  const scalarObjective = (x, m, depth, lam) => (m - x) ** 2 + lam * depth * Math.abs(x) ** (2 / depth);

  // x_J, m* and m_loc: Theorem 5 and eq. 79.
  const jump = (depth, lam) => (depth - 2) ** (depth / (2 * (depth - 1))) * unit(depth, lam);
  const collapseThreshold = (depth, lam) => (depth === 2 ? lam : (jump(depth, lam) * (depth - 1)) / (depth - 2));
  const branchThreshold = (depth, lam) => {
    if (depth === 2) return lam;
    const inflection = ((depth - 2) / depth) ** (depth / (2 * (depth - 1))) * unit(depth, lam);
    return (inflection * 2 * (depth - 1)) / (depth - 2);
  };

  // lambda_c and lambda_s, their inverses: Corollary 14 and eq. 79.
  const criticalLambda = (sigma, depth) =>
    depth === 2 ? sigma : ((sigma * (depth - 2)) / (depth - 1)) ** ((2 * (depth - 1)) / depth) / (depth - 2);
  const branchLambda = (sigma, depth) => {
    const half = sigma / (2 * (depth - 1));
    return half * depth * (half * (depth - 2)) ** ((depth - 2) / depth);
  };

  // Newton steps from `start` toward `bound`, the double root, until rounding stops the advance.
  const monotoneNewton = (step, start, bound) => {
    let u = start;
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const move = step(u);
      const gap = bound - u;
      if (!(move * Math.sign(gap) > EPS * u)) return u; // also where move is NaN or the gap is closed
      u = Math.abs(move) < Math.abs(gap) ? u + move : bound;
    }
    throw new Error(`Newton's method did not settle in ${MOST_STEPS} steps`);
  };
  // c = lambda m^{-(1 + p)}: with u = x / m, critical points solve u + c u^{-p} = 1, p = 1 - 2/L.
  const scaledStrength = (m, lam, p) => (m / lam ** (1 / (1 + p))) ** -(1 + p);

  // The larger positive critical point of g, a local minimum; NaN below m_loc.
  const largeRoot = (m, depth, lam) => {
    if (depth === 2) return m > lam ? m - lam : NaN;
    if (!(m >= branchThreshold(depth, lam))) return NaN;
    const p = 1 - 2 / depth;
    const c = scaledStrength(m, lam, p);
    const step = (u) => {
      const pull = c * u ** -p;
      return (1 - u - pull) / (1 - (p * pull) / u);
    };
    return m * monotoneNewton(step, 1, p / (1 + p));
  };

  // The smaller one, a local maximum; NaN below m_loc and for depth 2.
  const smallRoot = (m, depth, lam) => {
    if (depth === 2 || !(m >= branchThreshold(depth, lam))) return NaN;
    const p = 1 - 2 / depth;
    const a = scaledStrength(m, lam, p) ** (1 / p); // u = a (1 - u)^{-1/p} keeps its digits as u -> 0
    const step = (u) => {
      const image = a * (1 - u) ** (-1 / p);
      return (image - u) / (1 - image / (p * (1 - u)));
    };
    return m * monotoneNewton(step, Math.min(a, p / (1 + p)), p / (1 + p));
  };

  const scalarMinimizer = (m, depth, lam) => (m > collapseThreshold(depth, lam) ? largeRoot(m, depth, lam) : 0);

  const parameterCount = (widths) => sum(widths.slice(1).map((rows, layer) => rows * widths[layer]));
  const zeroModes = (widths, rank) =>
    sum(widths.slice(1, -1).map((width) => width * rank - (rank * (rank + 1)) / 2));

  const branchCount = (sigma, depth, lam) => sigma.filter((value) => value > branchThreshold(depth, lam)).length;

  // F at the levels k = 0, ..., max_kept: large roots on the first k values, zero on the others.
  const criticalLevels = (sigma, depth, lam) => {
    const tails = [0]; // summed from the smallest: a level far below ||M||^2 would lose its digits in a difference
    for (const value of [...sigma].reverse()) tails.unshift(tails[0] + value ** 2);
    let head = 0;
    return range(branchCount(sigma, depth, lam) + 1).map((kept) => {
      if (kept) head += scalarObjective(largeRoot(sigma[kept - 1], depth, lam), sigma[kept - 1], depth, lam);
      return head + tails[kept];
    });
  };

  // sum_{k=0}^{n} a^{n-k} b^k for n = degree; zero for n = -1.
  const sumOfProducts = (degree, a, b) => {
    let total = 0;
    for (let power = 0; power <= degree; power++) total = total * a + b ** power;
    return total;
  };

  // The two eigenvalues of a pair of kept values: those of dmf.theory.spectrum.
  const keptPair = (i, j, x, sigma, depth, lam) => {
    const [a, b] = [x[i] ** (1 / depth), x[j] ** (1 / depth)];
    const powers = sumOfProducts(depth - 1, a, b);
    const pull = (lam * sumOfProducts(depth - 3, 1 / a, 1 / b)) / (a * b);
    const even = (2 * (x[i] + x[j]) * (powers - pull)) / (a + b);
    return i === j ? [even] : [even, (2 * (sigma[i] + sigma[j]) * powers) / (a + b)];
  };

  // The Hessian's spectrum at level `kept` as pairs [eigenvalue, how many times], in no order.
  const hessianSpectrum = (sigma, widths, lam, kept) => {
    const depth = widths.length - 1;
    const x = sigma.slice(0, kept).map((value) => largeRoot(value, depth, lam));
    const slope = x.map((value) => 2 * value ** (1 - 2 / depth));
    const orbit = zeroModes(widths, kept);
    const groups = [
      [4 * lam, orbit + kept * (depth - 1)],
      [0, orbit],
    ];
    for (const i of range(kept)) {
      for (const j of range(i + 1)) groups.push(...keptPair(j, i, x, sigma, depth, lam).map((value) => [value, 1]));
      for (const value of sigma.slice(kept)) {
        groups.push([slope[i] * (sigma[i] - value), 1], [slope[i] * (sigma[i] + value), 1]);
      }
      groups.push([slope[i] * sigma[i], Math.abs(widths[0] - widths[depth])]);
    }
    if (depth === 2) {
      for (const value of sigma.slice(kept)) {
        groups.push([2 * lam - 2 * value, widths[1] - kept], [2 * lam + 2 * value, widths[1] - kept]);
      }
    }
    groups.push([2 * lam, parameterCount(widths) - sum(groups.map(([, times]) => times))]);
    return groups.filter(([, times]) => times > 0);
  };
  const largest = (spectrum) => Math.max(...spectrum.map(([value]) => value));
  const smallestPositive = (spectrum) => {
    const floor = ZERO_MODE * Math.max(...spectrum.map(([value]) => Math.abs(value)));
    return Math.min(...spectrum.map(([value]) => value).filter((value) => value > floor));
  };

  // The Hessian's trace at a minimizer, and its lower bound: Theorem 15.
  const minimizerHessianTrace = (x, widths, lam) => {
    const depth = widths.length - 1;
    const powerSum = (k, whenEmpty) => (k === 0 ? whenEmpty : sum(x.map((value) => value ** ((2 * k) / depth))));
    const terms = range(depth).map((k) => powerSum(depth - 1 - k, widths[depth]) * powerSum(k, widths[0]));
    return 2 * sum(terms) + 2 * lam * parameterCount(widths);
  };
  const traceLowerBound = (x, widths, lam) => {
    const depth = widths.length - 1;
    const regularization = 2 * lam * parameterCount(widths);
    const norm = sum(x.map((value) => value ** (2 / depth)));
    return norm > 0 ? (2 * depth * sum(x.map((value) => value ** 2))) / norm + regularization : regularization;
  };

  // Everything the page shows of a setting {depth, lam, sigma, widths}; sigma is non-increasing.
  const predict = ({ depth, lam, sigma, widths }) => {
    const collapse = collapseThreshold(depth, lam);
    const x = sigma.map((value) => scalarMinimizer(value, depth, lam));
    const rank = x.filter((value) => value > 0).length;
    const spectrum = hessianSpectrum(sigma, widths, lam, rank);
    const objectives = criticalLevels(sigma, depth, lam);
    return {
      values: sigma.map((value, i) => ({
        sigma: value,
        minimizer: x[i],
        largeRoot: largeRoot(value, depth, lam),
        smallRoot: smallRoot(value, depth, lam),
        criticalLambda: criticalLambda(value, depth),
        branchLambda: branchLambda(value, depth),
      })),
      levels: objectives.map((objective, kept) => ({
        kept,
        objective,
        // For depth >= 3 a level has no direction down; for depth 2 each value above lambda that is dropped makes d_1 - k.
        morseIndex: depth === 2 ? (objectives.length - 1 - kept) * (widths[1] - kept) : 0,
        lambdaMax: largest(hessianSpectrum(sigma, widths, lam, kept)),
      })),
      numbers: {
        minimum: sum(x.map((value, i) => scalarObjective(value, sigma[i], depth, lam))),
        rank,
        norm: Math.sqrt(sum(x.map((value) => value ** 2))),
        layerNormSq: sum(x.map((value) => value ** (2 / depth))),
        collapseThreshold: collapse,
        branchThreshold: branchThreshold(depth, lam),
        jump: jump(depth, lam),
        criticalLambda: criticalLambda(sigma[0], depth),
        branchLambda: branchLambda(sigma[0], depth),
        exceptionalDistance:
          depth === 2 ? Infinity : Math.min(...sigma.map((value) => Math.abs(value - collapse))) / collapse,
        lambdaMax: largest(spectrum),
        largestStep: 2 / largest(spectrum),
        mu: smallestPositive(spectrum),
        trace: minimizerHessianTrace(x, widths, lam),
        bound: traceLowerBound(x, widths, lam),
        zeroModes: zeroModes(widths, rank),
        parameters: parameterCount(widths),
      },
    };
  };

  return { predict, scalarObjective, largeRoot, smallRoot, criticalLambda, branchLambda };
})();
if (typeof module !== "undefined") module.exports = theory;
