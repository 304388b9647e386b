// Says that the page may be old, once the console could not be reached for a while. A stream that ends and begins again, or a page that is
// being left, is no reason to say so.
(() => {
  const PATIENCE = 2000; // milliseconds
  let waiting;
  const show = (away) => {
    const notice = document.getElementById("offline");
    if (notice) notice.hidden = !away;
  };
  document.addEventListener("htmx:sseError", () => {
    waiting ??= setTimeout(show, PATIENCE, true);
  });
  document.addEventListener("htmx:sseOpen", () => {
    clearTimeout(waiting);
    waiting = undefined;
    show(false);
  });
})();
