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
    else if (!resting.has(image)) take(image, address);
  }
}

async function take(image, address) {
  waiting.delete(image);
  resting.add(image);
  underWay += 1;
  image.dataset.address = address;
  try {
    const answer = await fetch(address);
    await show(image, answer.ok ? await answer.blob() : null);
  } catch {
    delete image.dataset.address; // the daemon is away: what was seen last stays until it is back
  }
  underWay -= 1;
  setTimeout(() => { resting.delete(image); next(); }, PAUSE);
  next();
}

// Shows a picture, or that it is none: a camera may send anything.
async function show(image, blob) {
  const source = blob === null ? "" : URL.createObjectURL(blob);
  image.src = source;
  const fine = await image.decode().then(() => true, () => false);
  URL.revokeObjectURL(source);
  image.hidden = !fine;
  image.closest("figure, a")?.toggleAttribute("data-broken", !fine);
}
