/** Draw and name the birds that stand for users. Both are made of the user's id alone. */

const SVG = "http://www.w3.org/2000/svg";
const MANNERS = "Early Quiet Brave Merry Dusky Swift Gentle Silver Nimble Sunny Curious Bold Misty Lucky Keen Tiny".split(" ");
const KINDS = "Wren Finch Lark Swallow Robin Plover Siskin Starling Thrush Avocet Dunnock Martin Linnet Bunting Oriole Swift".split(" ");

/** Return a name such as "Early Wren a81c". */
export function birdName(userId) {
  const number = fingerprint(userId);
  return `${MANNERS[number % 16]} ${KINDS[(number >> 4) % 16]} ${userId.slice(-4)}`;
}

/** Return a bird in the colour of its user. */
export function bird(userId) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "bird");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(SVG, "use"));
  svg.firstChild.setAttribute("href", "#bird");
  paint(svg, userId);
  return svg;
}

/** Give a bird the colour of a user: between yellow and violet, because red is for members. */
export function paint(svg, userId) {
  svg.style.setProperty("--hue", String(70 + (fingerprint(userId) % 230)));
}

/** Return a number below 65536 that differs for most ids. */
function fingerprint(userId) {
  return parseInt(userId.slice(-6, -2), 16);
}
