// What is drawn or laid out by the width that it has, in the window or on paper.
const actions = new Map(); // by element

// Calls `action` now that an element is shown, whenever its width changes, and for paper, which no observer tells of.
export function onWidth(root, action) {
  let width = 0;
  const look = () => {
    if (!root.isConnected) return stop();
    if (root.clientWidth && root.clientWidth !== width) {
      width = root.clientWidth;
      action(width);
    }
  };
  const observer = new ResizeObserver(look);
  const stop = () => {
    observer.disconnect();
    actions.delete(root);
  };
  actions.set(root, look);
  observer.observe(root);
}

export function fitAll() {
  for (const [root, look] of actions) if (root.isConnected) look();
}

// Shows in `root` the picture that `draw` returns for its width in pixels, so that letters are those of the page and never
// stretched. Returns a function that draws it anew.
export function drawToFit(root, draw) {
  // The picture grows with the letters of the page, which are larger on a wall.
  const scale = () => Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const redraw = () => (root.clientWidth ? root.replaceChildren(draw(root.clientWidth / scale())) : null);
  onWidth(root, redraw);
  return redraw;
}
