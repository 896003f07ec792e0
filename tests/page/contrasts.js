// WCAG 2.2, 1.4.3: text of ordinary size wants 4.5; relative luminance is as defined there.
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgb = (colour, ground) => {
    canvas.fillStyle = ground; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (channels) => channels.reduce((sum, channel, place) => {
    const c = channel / 255;
    return sum + [0.2126, 0.7152, 0.0722][place] * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  }, 0);
  const groundOf = (element) => {
    const own = getComputedStyle(element).backgroundColor;
    const below = element.parentElement ? groundOf(element.parentElement) : "white";
    return `rgb(${rgb(own, below).join(" ")})`;
  };
  const found = {};
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!text || !element.checkVisibility() || element.closest(".unseen, template, option")) continue;
    const faded = (one) => one !== null && (getComputedStyle(one).opacity !== "1" || faded(one.parentElement));
    const ground = groundOf(element);
    const levels = [luminance(rgb(getComputedStyle(element).color, ground)), luminance(rgb(ground, "white"))];
    const contrast = (Math.max(...levels) + 0.05) / (Math.min(...levels) + 0.05);
    found[`${element.localName}.${element.className} ${element.textContent.trim().slice(0, 20)}`] = faded(element) ? 0 : contrast;
  }
  return found;
}
