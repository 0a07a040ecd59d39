// Draws something anew under a reader who is in it: what the keyboard is on and what is unfolded stay.

// Replaces what `root` holds. The focus goes to the control with the same data-value or data-star; else, if it was in
// `root`, to the card around it, or else to the view, so that the next Tab goes on from there and not from the top of the
// page.
export function redraw(root, ...parts) {
  const { activeElement } = document;
  const hadFocus = root.contains(activeElement);
  const [[name, value] = []] = hadFocus ? Object.entries(activeElement.dataset) : [];
  const isOpen = root.querySelector("details")?.open;
  root.replaceChildren(...parts);
  if (isOpen) root.querySelector("details")?.setAttribute("open", "");
  if (hadFocus) focus(root.contains(activeElement) ? activeElement : (name && root.querySelector(`[data-${name}="${CSS.escape(value)}"]`)) ?? root.closest(".card") ?? document.getElementById("main"));
}

function focus(element) {
  if (element?.matches(".card")) element.tabIndex = -1;
  element?.focus({ preventScroll: true });
}
