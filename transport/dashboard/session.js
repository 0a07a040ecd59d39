// The session of the user who is signed in. Its token lives in sessionStorage: scripts of other origins can't read it,
// it is never sent by itself (as a cookie would be), it outlives a reload but not the tab, and signing out removes it.
const KEY = "trawl.token";
let listener = () => {};

export const token = () => sessionStorage.getItem(KEY);

export function beginSession(newToken) {
  sessionStorage.setItem(KEY, newToken);
}

// Removes the token and calls the listener. `reason` is "signed-out" or "expired".
export function endSession(reason) {
  if (token() === null) return;
  sessionStorage.removeItem(KEY);
  listener(reason);
}

export function onSessionEnd(newListener) {
  listener = newListener;
}
