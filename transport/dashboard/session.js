// Who is signed in. The token lives in sessionStorage: scripts of other origins can't read it, it is never sent by
// itself (as a cookie would be), it outlives a reload but not the tab, and signing out removes it.
const KEY = "trawl.token";
let onEnd = () => {};

export const token = () => sessionStorage.getItem(KEY);

export function begin(newToken) {
  sessionStorage.setItem(KEY, newToken);
}

// Forgets the token, and tells the page why: "signed-out" or "expired".
export function end(reason) {
  if (token() === null) return;
  sessionStorage.removeItem(KEY);
  onEnd(reason);
}

export function whenEnded(listener) {
  onEnd = listener;
}
