// Two drawings of one singular value: its landscape g(x), and its critical points as lambda moves; and one of a target:
// its levels as lambda moves, with trained runs.
"use strict";
const draw = (() => {
  const MARGIN = { left: 50, right: 14, top: 22, bottom: 38 };
  const HEIGHT = 290;
  const POINTS = 200; // on a curve
  const SIZE = 5.5; // of a mark, in pixels
  const RUN = 4; // of a run's
  const FARTHEST = 3; // lambda_s(sigma_1): cells beyond are counted, not drawn

  const node = (name, attributes, ...children) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const text = (x, y, words, attributes = {}) => node("text", { x, y, ...attributes }, words);
  const line = (x1, y1, x2, y2, name) => node("line", { x1, y1, x2, y2, class: name });
  const symbol = (x, y, letter, index, attributes = {}) =>
    node("text", { x, y, ...attributes }, node("tspan", { class: "letter" }, letter), node("tspan", { class: "index", dy: 3 }, index));

  // About five round numbers in an interval.
  const ticks = ([low, high]) => {
    const rough = (high - low) / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
    const first = Math.ceil(low / step);
    return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  };

  // Axes on an emptied svg; returns the maps from numbers to pixels and a layer that is cut off at the frame.
  const frame = (svg, x, y, [xName, yName]) => {
    const width = Math.max(svg.parentElement.clientWidth, 280);
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, HEIGHT - MARGIN.bottom];
    const toX = (value) => left + ((value - x[0]) / (x[1] - x[0])) * (right - left);
    const toY = (value) => bottom - ((value - y[0]) / (y[1] - y[0])) * (bottom - top);
    const clip = `${svg.id}-frame`;
    const layer = node("g", { "clip-path": `url(#${clip})` });
    svg.replaceChildren(node("clipPath", { id: clip }, node("rect", { x: left, y: top, width: right - left, height: bottom - top })));
    for (const value of ticks(x)) {
      svg.append(line(toX(value), top, toX(value), bottom, "grid"), text(toX(value), bottom + 16, brief(value), { "text-anchor": "middle" }));
    }
    for (const value of ticks(y)) {
      svg.append(line(left, toY(value), right, toY(value), "grid"), text(left - 7, toY(value) + 4, brief(value), { "text-anchor": "end" }));
    }
    svg.append(line(left, bottom, right, bottom, "axis"), layer);
    svg.append(text(right, HEIGHT - 5, xName, { "text-anchor": "end", class: "letter" }), text(8, 13, yName, { class: "letter" }));
    return { toX, toY, layer, left, right, top, bottom, fromX: (pixel) => x[0] + ((pixel - left) / (right - left)) * (x[1] - x[0]) };
  };
  const brief = (value) => String(Number(value.toPrecision(4))).replace("-", "−");

  const curve = (axes, points, name) => {
    const there = points.filter(([, y]) => Number.isFinite(y));
    const path = there.map(([x, y]) => `${axes.toX(x).toFixed(2)},${Math.max(Math.min(axes.toY(y), 1e5), -1e5).toFixed(2)}`);
    axes.layer.append(node("polyline", { points: path.join(" "), class: `curve ${name}` }));
  };
  // A disc for the global minimum, a ring for another minimum, a cross for what is no minimum: not by colour alone.
  const mark = (svg, x, y, kind) => {
    const arm = SIZE * 0.8;
    const cross = `M${x - arm},${y - arm}L${x + arm},${y + arm}M${x - arm},${y + arm}L${x + arm},${y - arm}`;
    svg.append(kind === "other" ? node("path", { d: cross, class: "mark other" }) : node("circle", { cx: x, cy: y, r: SIZE, class: `mark ${kind}` }));
  };

  // Critical points of g at x >= 0 as [x, kind].
  const criticalPoints = ({ sigma, depth, lam, minimizer }) => {
    const [large, small] = [theory.largeRoot(sigma, depth, lam), theory.smallRoot(sigma, depth, lam)];
    const atZero = minimizer === 0 ? "global" : depth === 2 ? "other" : "local";
    const all = [[0, atZero], [small, "other"], [large, minimizer > 0 ? "global" : "local"]];
    return all.filter(([x]) => Number.isFinite(x));
  };

  // g(x) with its critical points; `one` is {sigma, depth, lam, minimizer}.
  const landscape = (svg, one) => {
    const { sigma, depth, lam } = one;
    const reach = sigma || (lam * depth) ** (depth / (2 * (depth - 1)));
    const [low, high] = [-0.35 * reach, 1.2 * reach];
    const g = (x) => theory.scalarObjective(x, sigma, depth, lam);
    // Cubes of even steps: dense at zero, where g has a cusp.
    const side = (end) => Array.from({ length: POINTS }, (_, i) => end * (i / (POINTS - 1)) ** 3);
    const points = [...side(low).reverse(), ...side(high)].map((x) => [x, g(x)]);
    const critical = criticalPoints(one);
    const bottom = Math.min(...critical.map(([x]) => g(x)));
    const top = Math.max(...critical.map(([x]) => g(x)), g(high));
    const room = 0.12 * (top - bottom);
    const axes = frame(svg, [low, high], [bottom - room, top + room], ["x", "g(x)"]);
    axes.layer.append(line(axes.toX(0), axes.top, axes.toX(0), axes.bottom, "axis"));
    curve(axes, points.map(([x]) => [x, (x - sigma) ** 2]), "faint");
    curve(axes, points, "strong");
    for (const [x, kind] of critical) mark(svg, axes.toX(x), axes.toY(g(x)), kind);
  };

  // Critical points against lambda, with the setting's own marked; returns the map from pixels to lambda.
  const branches = (svg, one) => {
    const { sigma, depth, lam } = one;
    const [critical, end] = [theory.criticalLambda(sigma, depth), theory.branchLambda(sigma, depth)];
    const high = 1.35 * end || 2 * lam;
    const axes = frame(svg, [0, high], [0, 1.08 * sigma || 1], ["λ", "x"]);
    const along = (from, to) => Array.from({ length: POINTS }, (_, i) => to - (to - from) * (1 - i / (POINTS - 1)) ** 2);
    if (sigma > 0) {
      const large = (value) => [value, value >= end ? endOf(sigma, depth) : theory.largeRoot(sigma, depth, value)];
      const small = (value) => [value, value >= end ? endOf(sigma, depth) : theory.smallRoot(sigma, depth, value)];
      const first = high * 1e-6;
      if (depth > 2) {
        curve(axes, along(first, end).map(small), "other");
        curve(axes, along(critical, end).map(large), "local");
        curve(axes, [[critical, 0], large(critical)], "faint");
      }
      curve(axes, along(first, critical).map(large), "global");
    }
    curve(axes, [[0, 0], [critical, 0]], depth === 2 ? "other" : "local");
    curve(axes, [[critical, 0], [high, 0]], "global");
    for (const [value, index] of sigma > 0 ? (depth === 2 ? [[critical, "c"]] : [[critical, "c"], [end, "s"]]) : []) {
      axes.layer.append(line(axes.toX(value), axes.top, axes.toX(value), axes.bottom, "threshold"));
      svg.append(symbol(axes.toX(value), axes.top - 8, "λ", index, { "text-anchor": "middle" }));
    }
    const here = axes.toX(Math.min(lam, high));
    axes.layer.append(line(here, axes.top, here, axes.bottom, "here"));
    if (lam > high) svg.append(text(axes.right - 6, axes.top + 14, `λ = ${brief(lam)} →`, { "text-anchor": "end", class: "far" }));
    else for (const [x, kind] of criticalPoints(one)) mark(svg, here, axes.toY(x), kind);
    return axes.fromX;
  };
  // Where the two roots meet, at lambda_s: x = m p / (1 + p) with p = 1 - 2/L.
  const endOf = (sigma, depth) => (sigma * (depth - 2)) / (2 * (depth - 1));

  // ||X||_F at the levels of a target against lambda, and the end points of trained runs; returns the map from pixels to
  // lambda, and the cells that lie beyond the frame. `cells` are those of runs.py, by increasing lambda.
  const runs = (svg, { sigma, depth, lam, cells }) => {
    const ends = sigma.map((value) => theory.branchLambda(value, depth));
    const reach = FARTHEST * ends[0];
    const high = 1.05 * Math.max(ends[0], ...cells.map(([value]) => value).filter((value) => value <= reach));
    const norm = Math.hypot(...sigma);
    const axes = frame(svg, [0, high], [-0.03 * norm, 1.06 * norm], ["λ", "‖X‖"]);
    const along = (from, to) => Array.from({ length: POINTS }, (_, i) => to - (to - from) * (1 - i / (POINTS - 1)) ** 2);
    const root = (value, at, end) => (depth > 2 && at >= end ? endOf(value, depth) : theory.largeRoot(value, depth, at) || 0);
    const level = (kept) => (at) => [at, Math.hypot(0, ...sigma.slice(0, kept).map((value, i) => root(value, at, ends[i])))];
    const collapse = (kept) => (kept < sigma.length ? theory.criticalLambda(sigma[kept], depth) : 0);
    for (let kept = sigma.filter((value) => value > 0).length; kept >= 0; kept--) {
      const end = kept ? ends[kept - 1] : high;
      curve(axes, along(0, end).slice(1).map(level(kept)), depth === 2 ? "other" : "local");
      const until = kept ? theory.criticalLambda(sigma[kept - 1], depth) : high;
      if (until > collapse(kept)) curve(axes, along(collapse(kept), until).slice(1).map(level(kept)), "global");
    }
    axes.layer.append(line(axes.toX(Math.min(lam, high)), axes.top, axes.toX(Math.min(lam, high)), axes.bottom, "here"));
    if (lam > high) svg.append(text(axes.right - 6, axes.top + 14, `λ = ${brief(lam)} →`, { "text-anchor": "end", class: "far" }));
    const drawn = cells.filter(([value]) => value <= high);
    for (const minimal of [1, 0]) { // rings over discs: both stay visible
      for (const [value, , , , , points] of drawn) {
        for (const [at, count, least] of points.filter((point) => point[2] === minimal)) {
          const words = `λ = ${brief(value)}, ‖X‖ = ${brief(at)}: ${count} ${count === 1 ? "run" : "runs"}, ${least ? "minimal" : "not minimal"}`;
          const disc = node("circle", { cx: axes.toX(value), cy: axes.toY(at), r: RUN, class: `run ${least ? "minimal" : "other"}` }, node("title", {}, words));
          svg.append(disc);
        }
      }
    }
    return { fromX: axes.fromX, beyond: cells.length - drawn.length };
  };

  return { landscape, branches, runs, criticalPoints };
})();
