// Pictures are fetched when they can be seen, a few at a time, each not more often than every
// PAUSE: two hundred cameras at once would be more than a small box should serve.

const AT_ONCE = 3; // with the stream four connections, which sixteen watchers may all have
const PAUSE = 2000;

const waiting = new Map(); // image -> the address it wants
const resting = new Set(); // images that were fetched just now
let underWay = 0;

export function want(image, address) {
  if (image.dataset.address === address) return;
  waiting.set(image, address);
  next();
}

function next() {
  for (const [image, address] of waiting) {
    if (underWay >= AT_ONCE) return;
    if (!image.isConnected) waiting.delete(image);
    else if (!resting.has(image)) fetchNow(image, address);
  }
}

function fetchNow(image, address) {
  waiting.delete(image);
  resting.add(image);
  underWay += 1;
  const settle = (fine) => {
    underWay -= 1;
    image.onload = image.onerror = null;
    image.hidden = !fine;
    image.closest("figure, a")?.toggleAttribute("data-broken", !fine);
    setTimeout(() => { resting.delete(image); next(); }, PAUSE);
    next();
  };
  image.onload = () => settle(true);
  image.onerror = () => settle(false);
  image.dataset.address = address;
  image.src = address;
}
