// Runs before the first paint, so that the page never flashes in another theme.
try {
  const theme = localStorage.getItem("trawl.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is switched off, so the page has the system's theme.
}
