// Says that the page may be old, for as long as the console cannot be reached.
(() => {
  const show = (away) => {
    const notice = document.getElementById("offline");
    if (notice) notice.hidden = !away;
  };
  document.addEventListener("htmx:sseError", () => show(true));
  document.addEventListener("htmx:sseOpen", () => show(false));
})();
