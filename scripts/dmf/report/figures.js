// Numbers of figures under the pointer, and figures as large as the window. Without this script a figure links to its file.
"use strict";
(() => {
  const NEAR = { mouse: 10, pen: 14, touch: 24 }; // pixels from a mark
  const CLOSEST = 40; // times as large as the whole figure
  const known = JSON.parse(document.getElementById("numbers")?.textContent ?? "{}");
  const made = (name, className, ...children) => {
    const element = document.createElement(name);
    element.className = className;
    element.append(...children);
    return element;
  };
  const between = (value, low, high) => Math.min(Math.max(value, low), high);

  // Numbers as matplotlib's scales place them, up to a linear map.
  const scaled = (axis, value) => {
    if (axis.scale === "log") return Math.log(value);
    if (axis.scale !== "symlog") return value;
    const linear = axis.linscale / (1 - 1 / axis.base);
    const size = Math.abs(value) / axis.linthresh;
    return Math.sign(value) * (size <= 1 ? size * linear : linear + Math.log(size) / Math.log(axis.base));
  };
  const unscaled = (axis, place) => {
    if (axis.scale === "log") return Math.exp(place);
    if (axis.scale !== "symlog") return place;
    const linear = axis.linscale / (1 - 1 / axis.base);
    const size = Math.abs(place);
    return Math.sign(place) * axis.linthresh * (size <= linear ? size / linear : axis.base ** (size - linear));
  };
  const share = (axis, value) => {
    const [from, to] = [scaled(axis, axis.from), scaled(axis, axis.to)];
    return (scaled(axis, value) - from) / (to - from);
  };
  const valueAt = (axis, part) => {
    const [from, to] = [scaled(axis, axis.from), scaled(axis, axis.to)];
    return unscaled(axis, from + part * (to - from));
  };

  // The value at a place, with no more decimals than a pixel of so much of the axis tells apart.
  const settledAt = (axis, part, pixel) => {
    const value = valueAt(axis, part);
    const decimals = -Math.floor(Math.log10(Math.abs(valueAt(axis, part + pixel) - value)));
    return decimals >= 0 && decimals <= 100 ? Number(value.toFixed(decimals)) + 0 : value;
  };

  const number = (value, digits) => {
    const [mantissa, power] = String(Number(value.toPrecision(digits))).split("e");
    const raised = [...(power ?? "").replace("+", "")].map((sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹"["0123456789".indexOf(sign)] ?? "⁻").join("");
    return mantissa.replace("-", "−") + (power ? ` × 10${raised}` : "");
  };
  // A place along an axis in words: the text of its tick, where ticks have texts, or its number.
  const named = (axis, value) => {
    const gaps = axis.names.slice(1).map(([place], i) => Math.abs(place - axis.names[i][0]));
    return axis.names.find(([place]) => Math.abs(place - value) < Math.min(1, ...gaps) / 2)?.[1];
  };
  const words = (axis, value, digits) => {
    const text = axis.names && named(axis, value);
    if (axis.names && !text && !axis.label) return null;
    return [axis.label, text ?? number(value, digits)];
  };

  // What a panel shows at a place (x, y) of the drawing, `near` the most that a mark may be away.
  const nearest = (panel, x, y, near) => {
    const [left, top, width, height] = panel.at;
    let best = null;
    for (const [name, xs, ys, bare] of panel.series ?? []) {
      xs.forEach((value, i) => {
        const place = [left + share(panel.x, value) * width, top + (1 - share(panel.y, ys[i])) * height];
        const away = Math.hypot(place[0] - x, place[1] - y);
        const distance = away + (bare ? near / 2 : 0); // a mark on a curve is meant, not the curve
        if (away <= near && distance < (best?.distance ?? Infinity)) best = { distance, place, name, value: [value, ys[i]] };
      });
    }
    return best;
  };
  const cell = (panel, x, y) => {
    const within = (edges, value) => edges.slice(1).findIndex((edge, i) => (edge - value) * (edges[i] - value) <= 0);
    for (const [xs, ys, values] of panel.cells ?? []) {
      const [column, row] = [within(xs, x), within(ys, y)];
      if (column < 0 || row < 0) continue;
      // Its middle need not be where it was measured, so that without a text both edges are given.
      const where = (axis, edges, i) => {
        const middle = (edges[i] + edges[i + 1]) / 2;
        const counts = Number.isInteger(middle) && Math.abs(edges[i + 1] - edges[i]) === 1; // rows, columns, ranks
        if (!axis.names) return [axis.label, counts ? number(middle, 4) : `${number(edges[i], 4)} to ${number(edges[i + 1], 4)}`];
        const text = named(axis, middle);
        return text && [axis.label, text]; // every other tick has a text where there are many
      };
      return { value: values[row * (xs.length - 1) + column], lines: [where(panel.x, xs, column), where(panel.y, ys, row)].filter(Boolean) };
    }
    return null;
  };
  const read = (numbers, x, y, near, pixel) => {
    const within = (edge) => numbers.panels.find(({ at: [left, top, width, height] }) =>
      x >= left - edge && x <= left + width + edge && y >= top - edge && y <= top + height + edge);
    const inside = within(0);
    const panel = inside ?? within(near); // half of a mark at an edge lies outside
    if (!panel) return null;
    const [left, top, width, height] = panel.at;
    const mark = nearest(panel, x, y, near);
    const lines = (at, digits) => [words(panel.x, at[0], digits), words(panel.y, at[1], digits)].filter(Boolean);
    if (mark) return { panel, place: mark.place, mark: true, name: mark.name, lines: lines(mark.value, 4) };
    if (!inside) return null;
    const parts = [(x - left) / width, 1 - (y - top) / height];
    const found = cell(panel, valueAt(panel.x, parts[0]), valueAt(panel.y, parts[1]));
    const settled = [settledAt(panel.x, parts[0], pixel / width), settledAt(panel.y, parts[1], pixel / height)];
    if (!found) return { panel, place: [x, y], name: "", lines: lines(settled, 3) };
    const value = [panel.value || "value", found.value === null ? "none" : number(found.value, 4)];
    return { panel, place: [x, y], name: "", lines: [...found.lines, value] };
  };

  // The crosshair and its numbers over an image within a frame.
  class Pointer {
    constructor(frame, image, numbers) {
      Object.assign(this, { frame, image, numbers });
      this.across = made("span", "cross across");
      this.down = made("span", "cross down");
      this.ring = made("span", "ring");
      this.note = made("span", "reading");
      this.parts = made("span", "pointer", this.across, this.down, this.ring, this.note);
      this.parts.hidden = true;
      this.parts.setAttribute("aria-hidden", "true");
      frame.append(this.parts);
    }
    hide() {
      this.parts.hidden = true;
    }
    // At a place of the window; gives what is read there.
    at(clientX, clientY, near) {
      const image = this.image.getBoundingClientRect();
      const [width] = this.numbers.size;
      const unit = image.width / width; // pixels
      const reading = read(this.numbers, (clientX - image.left) / unit, (clientY - image.top) / unit, near / unit, 1 / unit);
      this.show(reading);
      return reading;
    }
    show(reading) {
      this.parts.hidden = !reading;
      if (!reading) return;
      const [image, frame] = [this.image.getBoundingClientRect(), this.frame.getBoundingClientRect()];
      const unit = image.width / this.numbers.size[0];
      const [dx, dy] = [image.left - frame.left - this.frame.clientLeft, image.top - frame.top - this.frame.clientTop];
      const [left, top, width, height] = reading.panel.at.map((length) => length * unit);
      const [x, y] = [dx + reading.place[0] * unit, dy + reading.place[1] * unit];
      const put = (part, style) => Object.assign(part.style, Object.fromEntries(Object.entries(style).map(([key, value]) => [key, `${value}px`])));
      put(this.across, { left: dx + left, top: y, width });
      put(this.down, { left: x, top: dy + top, height });
      put(this.ring, { left: x, top: y });
      this.ring.hidden = !reading.mark;
      this.note.replaceChildren(
        ...(reading.name ? [made("b", "", reading.name)] : []),
        ...reading.lines.map(([name, value]) => made("span", "", ...(name ? [`${name}: `] : []), made("b", "", value))),
      );
      const [wide, high] = [this.note.offsetWidth, this.note.offsetHeight];
      const room = this.frame.clientWidth;
      put(this.note, {
        left: between(x + 14 + wide > room ? x - 14 - wide : x + 14, 0, Math.max(room - wide, 0)),
        top: between(y - 14 - high < 0 ? y + 14 : y - 14 - high, 0, Math.max(this.frame.clientHeight - high, 0)),
      });
    }
  }

  const spoken = ({ name, lines }) => [name, ...lines.map(([label, value]) => `${label} ${value}`.trim())].filter(Boolean).join(", ");

  // A figure as large as the window: wheel, pinch and keys make it larger, and it is moved by dragging.
  const open = (link, image, numbers) => {
    const title = image.alt.replace(/\. The caption says.*$/, "");
    const copy = made("img", "");
    copy.src = image.currentSrc || image.src;
    copy.alt = image.alt;
    copy.draggable = false;
    const frame = made("div", "frame", copy);
    frame.tabIndex = 0;
    frame.setAttribute("role", "application");
    frame.setAttribute("aria-label", `${title}. ${numbers ? "Arrow keys go from value to value; with Shift they move the figure." : "Arrow keys move the figure."} Plus and minus zoom, 0 shows it whole, Escape closes.`);
    const said = made("p", "said");
    said.setAttribute("role", "status");
    const button = (text, label, act) => {
      const one = made("button", "", text);
      one.type = "button";
      one.setAttribute("aria-label", label);
      one.addEventListener("click", act);
      return one;
    };
    const dialog = made("dialog", "large");
    dialog.setAttribute("aria-label", title);
    const pointer = numbers && new Pointer(frame, copy, numbers);
    const [wide, high] = numbers?.size ?? [image.naturalWidth || 1, image.naturalHeight || 1];
    const ratio = high / wide;
    const view = { x: 0, y: 0, zoom: 1 }; // pixels of the frame, and times the size of the whole
    let shown = null;
    const whole = () => Math.min(frame.clientWidth, frame.clientHeight / ratio);
    const draw = () => {
      const [width, height] = [whole() * view.zoom, whole() * view.zoom * ratio];
      const kept = (place, length, room) => (length <= room ? (room - length) / 2 : between(place, room - length, 0));
      view.x = kept(view.x, width, frame.clientWidth);
      view.y = kept(view.y, height, frame.clientHeight);
      Object.assign(copy.style, { width: `${width}px`, height: `${height}px`, left: `${view.x}px`, top: `${view.y}px` });
      if (shown) pointer.show(shown);
    };
    // Larger or smaller, with the place (x, y) of the frame where it is.
    const zoom = (times, x = frame.clientWidth / 2, y = frame.clientHeight / 2) => {
      const next = between(view.zoom * times, 1, CLOSEST);
      const by = next / view.zoom;
      Object.assign(view, { x: x - (x - view.x) * by, y: y - (y - view.y) * by, zoom: next });
      draw();
    };
    const move = (x, y) => {
      view.x += x;
      view.y += y;
      draw();
    };
    const within = (event) => {
      const box = frame.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const point = (event) => {
      shown = pointer?.at(event.clientX, event.clientY, NEAR[event.pointerType] ?? NEAR.mouse) ?? null;
    };
    frame.addEventListener("wheel", (event) => {
      event.preventDefault();
      zoom(1.0015 ** -event.deltaY, ...within(event));
    }, { passive: false });

    const down = new Map();
    let moved = 0;
    frame.addEventListener("pointerdown", (event) => {
      frame.setPointerCapture(event.pointerId);
      down.set(event.pointerId, within(event));
      if (down.size === 1) moved = 0;
    });
    frame.addEventListener("pointermove", (event) => {
      const before = down.get(event.pointerId);
      if (!before) return point(event);
      const now = within(event);
      const others = [...down].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
      moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
      down.set(event.pointerId, now);
      if (others.length === 0 && moved > 5) move(now[0] - before[0], now[1] - before[1]);
      if (others.length === 1) {
        const apart = (place) => Math.max(Math.hypot(place[0] - others[0][0], place[1] - others[0][1]), 1);
        zoom(apart(now) / apart(before), (now[0] + others[0][0]) / 2, (now[1] + others[0][1]) / 2);
      }
    });
    const up = (event) => {
      const tapped = down.size === 1 && moved <= 5 && event.type === "pointerup";
      down.delete(event.pointerId);
      if (tapped) point(event);
    };
    frame.addEventListener("pointerup", up);
    frame.addEventListener("pointercancel", up);

    // All marks, panel by panel from left to right.
    const stops = (numbers?.panels ?? []).flatMap((panel) =>
      (panel.series ?? []).flatMap(([name, xs, ys]) => xs.map((x, i) => ({ panel, name, value: [x, ys[i]] }))));
    let stop = -1;
    const step = (by) => {
      if (!stops.length) return;
      stop = (stop + by + stops.length + (stop < 0 && by < 0 ? 1 : 0)) % stops.length;
      const { panel, name, value } = stops[stop];
      const [left, top, width, height] = panel.at;
      const place = [left + share(panel.x, value[0]) * width, top + (1 - share(panel.y, value[1])) * height];
      const lines = [words(panel.x, value[0], 4), words(panel.y, value[1], 4)].filter(Boolean);
      shown = { panel, place, mark: true, name, lines };
      const unit = (whole() * view.zoom) / numbers.size[0];
      const [x, y] = [view.x + place[0] * unit, view.y + place[1] * unit];
      move(between(x, 40, frame.clientWidth - 40) - x, between(y, 40, frame.clientHeight - 40) - y);
      said.textContent = `${panel.title ? `${panel.title}: ` : ""}${spoken(shown)}`;
    };
    const arrows = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    frame.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "+" || event.key === "=") zoom(1.4);
      else if (event.key === "-") zoom(1 / 1.4);
      else if (event.key === "0") zoom(1 / CLOSEST);
      else if (event.key in arrows && (event.shiftKey || !stops.length)) move(...arrows[event.key]);
      else if (event.key in arrows) step(event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : -1);
      else return;
      event.preventDefault();
    });

    const hint = made("p", "hint", matchMedia("(pointer: coarse)").matches ? "Tap for values, pinch to zoom, drag to move." : "Point for values, wheel to zoom, drag to move.");
    const tools = made("div", "bar-of-tools", hint,
      button("+", "Larger", () => zoom(1.4)), button("−", "Smaller", () => zoom(1 / 1.4)),
      button("Whole", "The whole figure", () => zoom(1 / CLOSEST)), button("Close", "Close", () => dialog.close()));
    dialog.append(tools, frame, said);
    document.body.append(dialog);
    const size = new ResizeObserver(draw);
    size.observe(frame);
    dialog.addEventListener("close", () => {
      size.disconnect();
      dialog.remove();
      link.focus({ preventScroll: true });
    });
    dialog.showModal();
    frame.focus();
  };

  for (const figure of document.querySelectorAll("figure[id^=figure-]")) {
    const link = figure.querySelector("a.whole");
    const image = link?.querySelector("img");
    if (!image) continue;
    const numbers = known[figure.id.slice("figure-".length)];
    link.setAttribute("aria-haspopup", "dialog");
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // the file in another tab or window
      event.preventDefault();
      open(link, image, numbers);
    });
    if (!numbers) continue;
    const pointer = new Pointer(link, image, numbers);
    link.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "touch") pointer.at(event.clientX, event.clientY, NEAR.mouse);
    });
    link.addEventListener("pointerleave", () => pointer.hide());
  }
})();
