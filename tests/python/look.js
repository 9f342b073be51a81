// What a reader cannot see well: texts whose contrast with what is behind them is below 4.5 (WCAG 2.1,
// criterion 1.4.3; 3 for large ones), headings that skip a level, tables without a caption.
(() => {
  const parse = (colour) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const paint = canvas.getContext("2d");
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    return Array.from(paint.getImageData(0, 0, 1, 1).data);
  };
  const known = new Map();
  const colour = (text) => {
    if (!known.has(text)) known.set(text, parse(text));
    return known.get(text);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const back = colour(getComputedStyle(at).backgroundColor);
      if (back[3] === 255) return back;
    }
    return [255, 255, 255, 255];
  };
  const light = ([r, g, b]) => {
    const part = (n) => (n / 255 <= 0.03928 ? n / 255 / 12.92 : ((n / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const pale = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || seen.has(element) || !element.checkVisibility()) continue;
    if (element.closest("script, style, title, .skip")) continue;
    seen.add(element);
    const style = getComputedStyle(element);
    const ink = colour(element.closest("svg") ? style.fill : style.color);
    const [a, b] = [light(ink), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) {
      pale.push(`${ratio.toFixed(2)} ${element.tagName}.${element.getAttribute("class")}: ${walker.currentNode.data.trim().slice(0, 40)}`);
    }
  }
  const levels = Array.from(document.querySelectorAll("h1, h2, h3, h4"), (h) => Number(h.tagName[1]));
  return {
    pale: Array.from(new Set(pale)).slice(0, 20),
    skipped: levels.filter((level, n) => n > 0 && level > levels[n - 1] + 1),
    without_caption: document.querySelectorAll("table:not(:has(caption))").length,
    without_name: document.querySelectorAll("button:empty, input:not([aria-label]), svg:not([aria-label], [aria-hidden], [aria-hidden] *, :has(title))").length,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  };
})()
