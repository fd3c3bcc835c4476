() => {
  const problems = [];
  const parse = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const background = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const name = (node) => `${node.tagName.toLowerCase()}.${node.className} "${node.textContent.trim().slice(0, 30)}"`;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const box = node.getBoundingClientRect();
    if (!walker.currentNode.textContent.trim() || !box.width || node.closest(".visually-hidden, .topbar, noscript")) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(background(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) problems.push(`contrast ${ratio.toFixed(2)} of ${name(node)}`);
  }
  for (const node of document.querySelectorAll("button, .cite, .chip, input, summary, .items a, .suggestions button")) {
    const box = node.getBoundingClientRect();
    if (box.width && node.type !== "checkbox" && (box.height < 24 || box.width < 24)) {
      problems.push(`target ${Math.round(box.width)}x${Math.round(box.height)} of ${name(node)}`);
    }
  }
  for (const field of document.querySelectorAll("input:not([type=hidden]), textarea")) {
    if (!field.labels || !field.labels.length) problems.push(`no label for ${name(field)}`);
  }
  return [...new Set(problems)];
}
