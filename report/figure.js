// Draws the timeline figure, in the colours of the style sheet: light, dark or print, and again when that changes.
"use strict";
(() => {
  const root = document.documentElement;
  const target = document.getElementById("timeline");
  const figure = JSON.parse(document.getElementById("timeline-figure").textContent);

  const coloured = (node, style) => {
    if (typeof node === "string") {
      const name = /^var\((--[a-z0-9-]+)\)$/.exec(node);
      return name ? style.getPropertyValue(name[1]).trim() : node;
    }
    if (Array.isArray(node)) return node.map((item) => coloured(item, style));
    if (node === null || typeof node !== "object") return node;
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, coloured(value, style)]));
  };

  const draw = () => {
    const { data, layout } = coloured(figure, getComputedStyle(root));
    if ("print" in root.dataset) layout.height *= 0.75; // so that a page holds it below the headline
    const config = { responsive: true, displayModeBar: false };
    return Plotly.react(target, data, layout, config);
  };

  draw().then(() => { root.dataset.figure = "drawn"; });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  addEventListener("beforeprint", () => { root.dataset.print = ""; draw(); });
  addEventListener("afterprint", () => { delete root.dataset.print; draw(); });
})();
