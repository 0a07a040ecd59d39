// The session of the user who is signed in. Its token lives in sessionStorage: scripts of other origins can't read it,
// it is never sent by itself (as a cookie would be), it outlives a reload but not the tab, and signing out removes it.
const KEY = "trawl.token";
const REFRESH_KEY = "trawl.refresh-token";
let listener = () => {};
// The key of a share stands in the address alone, and in the place of the reader's own session while that shows it.
let shareKey = null;

export const isShare = () => shareKey !== null;
export const useShare = (key) => { shareKey = key; };
export const token = () => shareKey ?? sessionStorage.getItem(KEY);
export const refreshToken = () => (isShare() ? null : sessionStorage.getItem(REFRESH_KEY));

export function beginSession(pair) {
  sessionStorage.setItem(KEY, pair.access_token);
  sessionStorage.setItem(REFRESH_KEY, pair.refresh_token);
}

// A tab that was duplicated has the same tokens, and a refresh token works once: the tabs tell each other the next pair.
const channel = new BroadcastChannel("trawl.session");
channel.addEventListener("message", ({ data }) => {
  if (data.replaced === refreshToken()) beginSession(data.pair);
});

export function replacePair(replaced, pair) {
  beginSession(pair);
  channel.postMessage({ replaced, pair });
}

// Removes the tokens and calls the listener. `reason` is "signed-out" or "expired".
export function endSession(reason) {
  if (isShare() || token() === null) return;
  sessionStorage.removeItem(KEY);
  sessionStorage.removeItem(REFRESH_KEY);
  listener(reason);
}

export function onSessionEnd(newListener) {
  listener = newListener;
}
